"""From a client's point of view: each mistake by its name, and nothing else beside it."""

import pytest

from svcdoctor.model.diagnosis import Effect, Verdict
from tests.build import container
from tests.steps.judging import of_step

from .shop import (
    ASK_DNS,
    CLIENT,
    NAME,
    TO_WEB,
    Shop,
    blamed,
    let_in,
    let_out,
    loud,
    pods,
    spaces,
)


def test_no_policy_no_finding():
    diagnosis = Shop().seen_from()
    assert diagnosis.findings == ()
    assert diagnosis.verdict is Verdict.HEALTHY
    assert of_step(diagnosis, "policy").reason == "Pod shop/client may reach 3 endpoints, and may ask the name servers"


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
