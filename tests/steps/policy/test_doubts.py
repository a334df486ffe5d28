"""Answers that are neither yes nor no: some endpoints, what nobody defines, how sure it is, what was not read."""

import pytest
from msgspec import structs

from svcdoctor.model.diagnosis import Confidence, Effect, Severity, Status, Verdict
from svcdoctor.model.snapshot import Reading
from tests.steps.judging import of_step

from .shop import (
    ASK_DNS,
    TO_WEB,
    Shop,
    blamed,
    found,
    judged,
    let_in,
    let_out,
    loud,
    pods,
    spaces,
)

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
    outcome = of_step(diagnosis, "policy")
    assert outcome.status is Status.UNKNOWN
    assert diagnosis.verdict is Verdict.UNKNOWN
    assert all(gap.permission and gap.permission.startswith(f"list {kind}.") for gap in outcome.gaps)


def test_namespaces_are_missed_only_where_a_selector_asks():
    asks, does_not = Shop(let_in(spaces({"team": "a"}))), Shop(let_in(pods(app="client")))
    for shop in (asks, does_not):
        shop.forbid("namespaces")
    gaps = of_step(asks.seen_from(), "policy").gaps
    assert [gap.permission for gap in gaps] == ["list namespaces at the cluster scope"]
    assert of_step(does_not.seen_from(), "policy").gaps == ()


@pytest.mark.parametrize("specs", [(), (let_out(TO_WEB, ASK_DNS),), (let_in(pods(app="frontend")),)])
def test_pods_that_were_not_read_are_missed_where_policies_are(specs):
    """Their labels decide: nobody may call them denied, or open."""
    whole = Shop(*specs).snapshot()
    seen = tuple(pod for pod in whole.pods.items if pod.name == "client")
    few = structs.replace(whole, pods=Reading(seen))
    outcome = of_step(judged(few), "policy")
    assert not [f for f in outcome.findings if f.severity is Severity.ERROR]
    assert outcome.status is (Status.UNKNOWN if specs else Status.PASS)
    assert {gap.what for gap in outcome.gaps} >= ({"api/v1/namespaces/shop/pods"} if specs else set())


def test_a_client_that_is_not_there():
    diagnosis = Shop().seen_from("nobody")
    assert diagnosis.verdict is Verdict.UNKNOWN
    assert "there is no such pod" in of_step(diagnosis, "policy").gaps[0].why


def test_what_is_not_there_is_not_asked():
    shop = Shop(let_out(TO_WEB, ASK_DNS))
    shop.objects["endpointslices"] = []
    shop.objects["pods"] = [p for p in shop.objects["pods"] if p["metadata"]["labels"].get("app") != "web"]
    outcome = of_step(shop.seen_from(), "policy")
    assert (outcome.status, outcome.reason) == (Status.SKIPPED, "no endpoint to reach")
