"""From a client's point of view: each mistake by its name, and nothing else beside it."""

import pytest
from msgspec import structs

from svcdoctor.model.diagnosis import Confidence, Effect, Severity, Status, Verdict
from svcdoctor.model.snapshot import Reading
from tests.build import Json, container

from .shop import ASK_DNS, CLIENT, DNS_PODS, NAME, WEB, Shop, found, judged, let_in, let_out, loud, pods, spaces, tcp

TO_WEB: Json = {"to": [pods(app="web")], "ports": tcp(8080)}


def blamed(shop: Shop, name: str, client: str = "client", verdict: Verdict = Verdict.BROKEN):
    """``name`` is the root and the only thing that is loud."""
    diagnosis = shop.seen_from(client)
    said = [(f.name, f.summary) for f in diagnosis.findings]
    assert diagnosis.root == name, said
    assert loud(diagnosis) == [name], said
    assert diagnosis.verdict is verdict, said
    return found(diagnosis)[name]


def test_no_policy_no_finding():
    diagnosis = Shop().seen_from()
    assert diagnosis.findings == ()
    assert diagnosis.verdict is Verdict.HEALTHY
    assert diagnosis.outcomes[-1].reason == "Pod shop/client may reach 3 endpoints, and may ask the name servers"


@pytest.mark.parametrize(
    "spec",
    [
        let_in(),
        let_in(port=None),
        let_in(pods(app="client")),
        let_in(pods()),
        let_in(spaces()),
        let_in(spaces({NAME: "shop"})),
        let_in(spaces({NAME: "shop"}, **pods(app="client"))),
        let_in(pods(app="client"), port="http"),
        let_in({"ipBlock": {"cidr": "10.244.0.0/16"}}),
        let_out(TO_WEB, ASK_DNS),
        let_out({}),
        {"podSelector": {"matchLabels": {"app": "other"}}, "policyTypes": ["Ingress", "Egress"]},
    ],
)
def test_policies_that_let_it_through(spec):
    assert loud(Shop(spec).seen_from()) == []


def test_a_default_deny():
    finding = blamed(Shop({"podSelector": {}, "policyTypes": ["Ingress"]}), "np-default-deny")
    assert finding.effect is Effect.OUTAGE
    assert finding.summary == (
        "NetworkPolicy shop/policy-0 isolates 3 pods behind the Service, and no rule lets Pod shop/client in on "
        "port 8080/TCP"
    )
    assert finding.fix.patch == (
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: allow-web-from-client\n"
        "  namespace: shop\nspec:\n  podSelector:\n    matchLabels:\n      app: web\n  policyTypes:\n  - Ingress\n"
        "  ingress:\n  - from:\n    - podSelector:\n        matchLabels:\n          app: client\n    ports:\n"
        "    - protocol: TCP\n      port: 8080\n"
    )


def test_egress_shut_whole_is_one_mistake():
    """That names fail too is no second one."""
    finding = blamed(Shop(let_out()), "np-default-deny")
    assert finding.fix.patch is not None
    assert "allow-client-to-web" in finding.fix.patch
    assert "allow-client-to-kube-dns" in finding.fix.patch


def test_a_rule_for_another_port_is_no_rule_for_this():
    blamed(Shop(let_in(pods(app="prometheus"), port=9090)), "np-default-deny")


@pytest.mark.parametrize(
    "peer",
    [
        pods(app="frontend"),
        pods(app="cleint"),
        spaces({NAME: "other"}),
        {"ipBlock": {"cidr": "192.168.0.0/16"}},
        {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}},
    ],
)
def test_other_peers(peer):
    blamed(Shop(let_in(peer)), "np-peer-labels")


def test_a_pod_selector_alone_does_not_look_into_other_namespaces():
    shop = Shop(let_in(pods(app="client")))
    shop.pod("client", CLIENT, container(), namespace="front")
    finding = blamed(shop, "np-peer-labels", "front/client")
    assert "a podSelector alone selects pods of its own namespace shop" in finding.summary


@pytest.mark.parametrize("labelled", [False, True])
def test_a_namespace_without_the_label(labelled):
    """Whether other namespaces have it or none has."""
    shop = Shop(let_in(spaces({"team": "front"})))
    shop.pod("client", CLIENT, container(), namespace="front")
    shop.namespace_called("front")
    if labelled:
        shop.namespace_called("away", team="front")
    finding = blamed(shop, "np-ns-unlabelled", "front/client")
    assert finding.fix.patch is not None
    assert "kubernetes.io/metadata.name: front" in finding.fix.patch


def test_a_namespace_meant_by_its_name():
    shop = Shop(let_in(spaces({"name": "front"})))
    shop.pod("client", CLIENT, container(), namespace="front")
    finding = blamed(shop, "np-ns-unlabelled", "front/client")
    assert finding.summary == (
        "NetworkPolicy shop/policy-0 selects namespace front by name=front, a label that no namespace has"
    )
    assert finding.fix.command == (
        "kubectl -n shop patch networkpolicy policy-0 --type json -p "
        '\'[{"op":"replace","path":"/spec/ingress/0/from/0/namespaceSelector",'
        '"value":{"matchLabels":{"kubernetes.io/metadata.name":"front"}}}]\''
    )
    assert [other.command for other in finding.fix.alternatives] == ["kubectl label namespace front name=front"]


def test_two_selectors_in_one_item_that_were_meant_as_two():
    shop = Shop(let_in(spaces({NAME: "monitoring"}, **pods(app="client"))))
    shop.namespace_called("monitoring")
    finding = blamed(shop, "np-and-or")
    assert finding.fix.command is not None
    assert (
        '"path":"/spec/ingress/0/from/-","value":{"podSelector":{"matchLabels":{"app":"client"}}}'
        in finding.fix.command
    )


@pytest.mark.parametrize("somebody", [True, False])
def test_both_selectors_are_meant_where_somebody_satisfies_them(somebody):
    """A client from the namespace, with other labels: the item was meant as two if it fits nobody at all."""
    shop = Shop(let_in(spaces({NAME: "monitoring"}, **pods(app="client"))))
    shop.pod("prometheus", {"app": "prometheus"}, container(), namespace="monitoring")
    if somebody:
        shop.pod("client", CLIENT, container(), namespace="monitoring")
    blamed(shop, "np-peer-labels" if somebody else "np-and-or", "monitoring/prometheus")


def test_the_services_port():
    finding = blamed(Shop(let_in(pods(app="client"), port=80)), "np-service-port")
    assert finding.summary == (
        "a rule of NetworkPolicy shop/policy-0 is for port 80, the Service's; the packet goes to the pod's port 8080"
    )
    assert [other.name for other in finding.ruled_out] == ["np-peer-labels", "np-dns-egress"]


@pytest.mark.parametrize("port", ["web", "https"])
def test_a_port_by_a_name_that_the_pods_lack(port):
    blamed(Shop(let_in(pods(app="client"), port=port)), "np-named-port")


def test_a_named_port_of_another_protocol():
    spec = let_in(pods(app="client"))
    spec["ingress"][0]["ports"] = [{"protocol": "UDP", "port": "http"}]
    blamed(Shop(spec), "np-named-port")


def test_the_services_address_as_a_block():
    shop = Shop()
    shop.policy("out", let_out({"to": [{"ipBlock": {"cidr": "10.96.0.0/12"}}]}, ASK_DNS))
    blamed(shop, "np-clusterip-cidr")


@pytest.mark.parametrize(("action", "tier"), [("Deny", "Admin"), ("Deny", "Baseline")])
def test_a_cluster_wide_policy(action, tier):
    shop = Shop()
    shop.cluster_policy("lockdown", tier=tier, ingress=[{"action": action, "from": [{"namespaces": {}}]}])
    finding = blamed(shop, "np-tier-deny")
    assert finding.fix.command is not None
    assert finding.fix.command.startswith("kubectl patch clusternetworkpolicy lockdown --type json")


def test_a_cluster_wide_policy_passes_on_to_what_allows():
    shop = Shop(let_in(pods(app="client")))
    shop.cluster_policy("lockdown", ingress=[{"action": "Deny", "from": [{"namespaces": {}}]}])
    finding = blamed(shop, "np-tier-deny")
    assert finding.fix.command is not None
    assert '"action":"Pass"' in finding.fix.command


def test_an_admin_network_policy():
    shop = Shop()
    rule = {"action": "Deny", "to": [{"namespaces": {"matchLabels": {NAME: "shop"}}}]}
    spec = {"priority": 5, "subject": {"namespaces": {"matchLabels": {NAME: "shop"}}}, "egress": [rule]}
    shop.add("adminnetworkpolicies", "quarantine", {"spec": spec})
    finding = blamed(shop, "np-tier-deny")
    assert finding.fix.command is not None
    assert '"portNumber":{"protocol":"TCP","port":8080}' in finding.fix.command


# --------------------------------------------------------------------------------------------------------------- names


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


# ------------------------------------------------------------------------------------------------ some of the endpoints


def test_some_endpoints_are_an_answer():
    shop = Shop({"podSelector": {"matchLabels": {"release": "canary"}}, "policyTypes": ["Ingress"]}, replicas=3)
    web = [pod for pod in shop.objects["pods"] if pod["metadata"]["labels"].get("app") == "web"]
    web[0]["metadata"]["labels"]["release"] = "canary"
    finding = blamed(shop, "np-default-deny", verdict=Verdict.DEGRADED)
    assert finding.effect is Effect.PARTIAL
    assert finding.summary.endswith("; 2 of 3 endpoints can be reached")


def test_one_port_of_two():
    shop = Shop(let_in(pods(app="client")), ports=("http 80>8080", "grpc 90>9000"))
    assert shop.seen_from(port="80").findings == ()
    assert blamed_port(shop, "grpc") == ["np-service-port"]


def blamed_port(shop: Shop, port: str) -> list[str]:
    return loud(shop.seen_from(port=port))


# ------------------------------------------------------------------------------------------------------ nobody can tell


def test_a_client_on_the_hosts_network():
    shop = Shop(let_in(pods(app="client")))
    shop.client["spec"]["hostNetwork"] = True
    shop.client["status"]["podIPs"] = [{"ip": "172.30.0.12"}]
    diagnosis = shop.seen_from()
    assert loud(diagnosis) == ["np-undefined"]
    assert diagnosis.verdict is Verdict.HEALTHY


def test_a_pod_that_calls_itself():
    shop = Shop(let_in(pods(app="client")), replicas=1)
    own = next(p for p in shop.objects["pods"] if p["metadata"]["labels"].get("app") == "web")
    assert loud(shop.seen_from(own["metadata"]["name"])) == ["np-undefined"]


def test_traffic_of_the_own_node_is_never_blocked():
    shop = Shop({"podSelector": {}, "policyTypes": ["Ingress"]}, replicas=1)
    assert loud(shop.seen_from("node/node1")) == []
    assert loud(shop.seen_from("node/node2")) == ["np-default-deny"]


@pytest.mark.parametrize(("client", "name"), [("node/node2", "np-snat-source"), ("client", "np-peer-labels")])
def test_a_block_for_outside_clients(client, name):
    """Who enters by a node comes with its address; a pod is not whom the block means."""
    shop = Shop(
        let_in({"ipBlock": {"cidr": "203.0.113.0/24"}}), replicas=1, type="NodePort", externalTrafficPolicy="Cluster"
    )
    diagnosis = shop.seen_from(client)
    assert diagnosis.root == name


def test_outside_clients_are_thought_of_beside_a_client_that_gets_through():
    peers = pods(app="client"), {"ipBlock": {"cidr": "203.0.113.0/24"}}
    shop = Shop(let_in(*peers), type="NodePort", externalTrafficPolicy="Cluster")
    assert loud(shop.seen_from()) == ["np-snat-source"]


# ------------------------------------------------------------------------------------------------------------- sureness


def test_a_plugin_that_enforces_makes_it_certain():
    shop = Shop({"podSelector": {}, "policyTypes": ["Ingress"]})
    finding = found(shop.seen_from())
    assert finding["np-default-deny"].confidence is Confidence.LIKELY
    assert finding["np-unenforced"].severity is Severity.WARNING
    shop.plugin("calico-node")
    finding = found(shop.seen_from())
    assert finding["np-default-deny"].confidence is Confidence.CERTAIN
    assert "np-unenforced" not in finding


def test_a_plugin_that_does_not_enforce_makes_it_a_warning():
    shop = Shop({"podSelector": {}, "policyTypes": ["Ingress"]})
    shop.plugin("kube-flannel-ds")
    diagnosis = shop.seen_from()
    assert diagnosis.root == "np-unenforced"
    assert diagnosis.verdict is Verdict.HEALTHY
    assert {f.severity for f in diagnosis.findings} == {Severity.WARNING}


def test_policies_of_other_kinds_lower_the_confidence():
    from .test_foreign import with_cilium

    shop = Shop({"podSelector": {}, "policyTypes": ["Ingress"]})
    shop.plugin("cilium")
    diagnosis = judged(with_cilium(shop.snapshot(), {"endpointSelector": {"matchLabels": {"k8s:app": "web"}}}))
    assert found(diagnosis)["np-default-deny"].confidence is Confidence.LIKELY
    assert "np-cni-crd" in found(diagnosis)


# ----------------------------------------------------------------------------------------------------- could not look


@pytest.mark.parametrize("kind", ["networkpolicies", "clusternetworkpolicies"])
def test_policies_that_may_not_be_read(kind):
    shop = Shop()
    shop.forbid(kind)
    diagnosis = shop.seen_from()
    outcome = diagnosis.outcomes[-1]
    assert outcome.status is Status.UNKNOWN
    assert diagnosis.verdict is Verdict.UNKNOWN
    assert all(gap.permission and gap.permission.startswith(f"list {kind}.") for gap in outcome.gaps)


def test_namespaces_are_missed_only_where_a_selector_asks():
    asks, does_not = Shop(let_in(spaces({"team": "a"}))), Shop(let_in(pods(app="client")))
    for shop in (asks, does_not):
        shop.forbid("namespaces")
    assert [gap.permission for gap in asks.seen_from().outcomes[-1].gaps] == ["list namespaces at the cluster scope"]
    assert does_not.seen_from().outcomes[-1].gaps == ()


@pytest.mark.parametrize("specs", [(), (let_out(TO_WEB, ASK_DNS),), (let_in(pods(app="frontend")),)])
def test_pods_that_were_not_read_are_missed_where_policies_are(specs):
    """Their labels decide: nobody may call them denied, or open."""
    whole = Shop(*specs).snapshot()
    seen = tuple(pod for pod in whole.pods.items if pod.name == "client")
    few = structs.replace(whole, pods=Reading(seen))
    outcome = judged(few).outcomes[-1]
    assert not [f for f in outcome.findings if f.severity is Severity.ERROR]
    assert outcome.status is (Status.UNKNOWN if specs else Status.PASS)
    assert {gap.what for gap in outcome.gaps} >= ({"api/v1/namespaces/shop/pods"} if specs else set())


def test_a_client_that_is_not_there():
    diagnosis = Shop().seen_from("nobody")
    assert diagnosis.verdict is Verdict.UNKNOWN
    assert "there is no such pod" in diagnosis.outcomes[-1].gaps[0].why


def test_what_is_not_there_is_not_asked():
    shop = Shop(let_out(TO_WEB, ASK_DNS))
    shop.objects["endpointslices"] = []
    shop.objects["pods"] = [p for p in shop.objects["pods"] if p["metadata"]["labels"].get("app") != "web"]
    outcome = shop.seen_from().outcomes[-1]
    assert (outcome.status, outcome.reason) == (Status.SKIPPED, "no endpoint to reach")


def test_labels_of_the_service_are_untouched():
    assert WEB == {"app": "web"}
