"""The client's questions to the name servers go with its way to the Service."""

from svcdoctor.model.diagnosis import Effect, Severity, Verdict
from tests.build import container

from .shop import (
    ASK_DNS,
    DNS_PODS,
    NAME,
    TO_WEB,
    Shop,
    blamed,
    found,
    judged,
    let_out,
    loud,
    spaces,
)


def test_names_may_not_be_asked_for():
    finding = blamed(Shop(let_out(TO_WEB)), "np-dns-egress")
    assert finding.summary == (
        "NetworkPolicy shop/policy-0 isolates Pod shop/client for egress, and no rule lets it ask 2 name servers on "
        "port 53 (UDP and TCP): names don't resolve"
    )


def test_names_by_tcp_only_matter_for_long_answers():
    udp = {"to": [DNS_PODS], "ports": [{"protocol": "UDP", "port": 53}]}
    diagnosis = Shop(let_out(TO_WEB, udp)).seen_from()
    finding = found(diagnosis)["np-dns-egress"]
    assert (finding.severity, finding.effect) == (Severity.WARNING, Effect.NONE)
    assert finding.summary.endswith("answers too long for UDP fail")
    assert diagnosis.verdict is Verdict.HEALTHY


def test_name_servers_on_another_port():
    shop = Shop(let_out(TO_WEB, ASK_DNS))
    shop.objects["services"] = [s for s in shop.objects["services"] if s["metadata"]["name"] != "kube-dns"]
    shop.name_servers("dns 53/UDP>5353", "dns-tcp 53/TCP>5353")
    finding = blamed(shop, "np-dns-realport")
    assert finding.summary.startswith("port 53 is allowed, but the DNS pods listen on 5353")


def test_the_name_servers_address_as_a_block():
    shop = Shop()
    virtual = {"to": [{"ipBlock": {"cidr": f"{shop.dns['spec']['clusterIP']}/32"}}]}
    shop.policy("out", let_out(TO_WEB, virtual))
    blamed(shop, "np-clusterip-cidr")


def test_the_name_servers_namespace_by_a_label_that_it_lacks():
    by_name = {**ASK_DNS, "to": [spaces({"name": "kube-system"})]}
    blamed(Shop(let_out(TO_WEB, by_name)), "np-ns-unlabelled")


def node_cache(shop: Shop) -> None:
    """NodeLocal DNSCache on every node, and kubelets that send pods there."""
    labels = {"k8s-app": "node-local-dns"}
    args = ["-localip", "169.254.20.10"]
    shop.workload(
        *("DaemonSet", "node-local-dns", labels, container("cache", "dns:53/UDP", args=args)),
        namespace="kube-system", hostNetwork=True,
    )  # fmt: skip
    config = "kind: KubeletConfiguration\nclusterDNS: [169.254.20.10]\nclusterDomain: cluster.local\n"
    shop.add("configmaps", "kubelet-config", {"data": {"kubelet": config}}, "kube-system")


def test_the_nodes_cache_is_no_dns_pod():
    shop = Shop(let_out(TO_WEB, ASK_DNS))
    node_cache(shop)
    finding = blamed(shop, "np-dns-realport", verdict=Verdict.HEALTHY)
    assert finding.severity is Severity.WARNING
    assert finding.fix.patch is not None
    assert "cidr: 169.254.20.10/32" in finding.fix.patch


def test_the_nodes_cache_by_its_address():
    block = {**ASK_DNS, "to": [{"ipBlock": {"cidr": "169.254.20.10/32"}}]}
    shop = Shop(let_out(TO_WEB, block))
    node_cache(shop)
    assert loud(shop.seen_from()) == []


def test_name_servers_under_a_policy_of_their_own():
    shop = Shop()
    spec = {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"from": [spaces({NAME: "prod"})]}]}
    shop.policy("dns", spec, "kube-system")
    diagnosis = shop.seen_from()
    assert loud(diagnosis) == ["np-peer-labels"]
    assert "lets others in, not Pod shop/client" in diagnosis.findings[0].summary


def test_a_client_that_asks_its_nodes_name_servers():
    shop = Shop(let_out(TO_WEB))
    shop.client["spec"]["dnsPolicy"] = "Default"
    assert loud(shop.seen_from()) == []


def test_the_name_service_itself():
    shop = Shop(let_out(TO_WEB))
    diagnosis = judged(shop.snapshot(), "client", service="kube-system/kube-dns")
    assert loud(diagnosis) == ["np-dns-egress"]
