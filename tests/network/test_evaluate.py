"""What the tables leave out: who is exempt, what is undefined and why, and what a verdict carries."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from svcdoctor.model.pod import Pod
from svcdoctor.model.policy import Policy
from svcdoctor.network.netpol import (
    AnyPod,
    AtAddress,
    AtNode,
    AtPod,
    Basis,
    Caveat,
    Direction,
    End,
    Host,
    PolicyRef,
    Question,
    RuleRef,
    Ruling,
    Status,
    ThroughService,
    Verdict,
    compile_policies,
    evaluate,
    with_policy,
)

from .worlds import Json, cnp, namespace, netpol, pod, read

ALLOWED, DENIED, UNDEFINED, NOT_ENFORCED = Status
HTTP: Json = {"name": "http", "containerPort": 8080}
WEB = pod("web", "10.0.0.1", {"app": "web"}, ports=[HTTP], node="node1")
CLIENT = pod("client", "10.0.1.1", {"app": "client"}, node="node2")
STRANGER = pod("stranger", "10.0.2.1", {"app": "client"}, namespace="other", node="node2")
HOSTED = pod("agent", "172.30.0.12", {"app": "client"}, node="node2", host_network=True)
NODES = (Host("node1", ("172.30.0.11", "fd00::11"), {"os": "linux"}), Host("node2", ("172.30.0.12",), {"os": "linux"}))
SPACES = (namespace("shop", {"team": "shop"}), namespace("other", {"team": "other"}))
DENY_IN = netpol("deny-in", policyTypes=["Ingress"])
DENY_OUT = netpol("deny-out", policyTypes=["Egress"])


def ask(
    source: End | Pod,
    destination: End | Pod,
    *policies: Policy,
    port: int = 8080,
    protocol: str = "TCP",
    service: ThroughService | None = None,
    hosts: tuple[Host, ...] | None = NODES,
    pods: tuple[Pod, ...] = (WEB, CLIENT, STRANGER, HOSTED),
    complete: bool = True,
) -> Verdict:
    compiled = compile_policies(policies, SPACES, pods, hosts, namespaces_complete=complete)
    return evaluate(compiled, Question(_end(source), _end(destination), port, protocol, service))


def _end(end: End | Pod) -> End:
    return AtPod(end) if isinstance(end, Pod) else end


def allow(*peers: Json, direction: Direction = Direction.INGRESS, ports: list[Json] | None = None) -> Policy:
    """A policy for all pods of shop with one rule."""
    rule = {direction.peers: list(peers), "ports": ports}
    return read(
        {
            "kind": "NetworkPolicy",
            "metadata": {"name": "allow", "namespace": "shop"},
            "spec": {"policyTypes": [direction.policy_type], direction.value: [rule]},
        }
    )


# ----------------------------------------------------------------------------------------------------- whole verdicts


def test_nothing_isolates() -> None:
    free = Ruling(ALLOWED, Basis.DEFAULT)
    assert ask(CLIENT, WEB) == Verdict(free, free)


def test_allowed_by_a_rule() -> None:
    peers = [{"podSelector": {"matchLabels": {"app": "admin"}}}, {"podSelector": {"matchLabels": {"app": "client"}}}]
    ports = [{"port": 9090}, {"port": "http"}]
    policy = netpol(
        "web", pods={"app": "web"}, ingress=[{"from": peers, "ports": [{"port": 1}]}, {"from": peers, "ports": ports}]
    )
    where = PolicyRef("NetworkPolicy", "shop", "web")
    rule = RuleRef(where, Direction.INGRESS, 1, 1, 1)
    verdict = ask(CLIENT, WEB, policy)
    assert verdict == Verdict(
        Ruling(ALLOWED, Basis.DEFAULT), Ruling(ALLOWED, Basis.NETWORK_POLICY, rule, isolating=(where,))
    )
    assert str(rule) == "NetworkPolicy shop/web: spec.ingress[1].from[1].ports[1]"


def test_default_deny() -> None:
    verdict = ask(CLIENT, WEB, DENY_IN, DENY_OUT)
    assert verdict == Verdict(
        Ruling(DENIED, Basis.NETWORK_POLICY, isolating=(PolicyRef("NetworkPolicy", "shop", "deny-out"),)),
        Ruling(DENIED, Basis.NETWORK_POLICY, isolating=(PolicyRef("NetworkPolicy", "shop", "deny-in"),)),
    )
    assert (verdict.status, verdict.passes, verdict.caveats) == (DENIED, False, ())


def test_tiers_name_their_rule() -> None:
    policy = cnp(
        "guard",
        ingress=[
            {"action": "Pass", "from": [{"namespaces": {"matchLabels": {"team": "other"}}}]},
            {
                "name": "no clients",
                "action": "Deny",
                "from": [{"pods": {"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "client"}}}}],
                "protocols": [{"udp": {}}, {"tcp": {"destinationPort": {"range": {"start": 8000, "end": 9000}}}}],
            },
        ],
    )
    rule = RuleRef(
        PolicyRef("ClusterNetworkPolicy", "", "guard"), Direction.INGRESS, 1, 0, 1, "protocols", "Deny", "no clients"
    )
    assert ask(CLIENT, WEB, policy, allow()).ingress == Ruling(
        DENIED, Basis.ADMIN, rule, (PolicyRef("NetworkPolicy", "shop", "allow"),)
    )
    assert str(rule) == "ClusterNetworkPolicy guard: spec.ingress[1].from[0].protocols[1]"
    assert ask(STRANGER, WEB, policy).ingress == Ruling(ALLOWED, Basis.DEFAULT)


# ------------------------------------------------------------------------------------------------------------- exempt


def test_probes_and_the_own_node_are_never_blocked() -> None:
    everything = cnp(ingress=[{"action": "Deny", "from": [{"namespaces": {}}]}])
    assert ask(AtNode("node1"), WEB, DENY_IN, everything) == Verdict(
        Ruling(ALLOWED, Basis.NO_POD), Ruling(ALLOWED, Basis.OWN_NODE)
    )
    assert ask(AtAddress("fd00::11"), WEB, DENY_IN).ingress.basis is Basis.OWN_NODE
    assert ask(WEB, AtAddress("172.30.0.11"), DENY_OUT).egress.basis is Basis.OWN_NODE


def test_other_nodes_are_blocked() -> None:
    assert ask(AtNode("node2"), WEB, DENY_IN).ingress.status is DENIED
    assert ask(WEB, AtAddress("172.30.0.12"), DENY_OUT).egress.status is DENIED
    by_block = ask(AtNode("node2"), WEB, allow({"ipBlock": {"cidr": "172.30.0.0/24"}}))
    assert (by_block.status, by_block.caveats) == (ALLOWED, (Caveat.IP_BLOCK_ON_NODE,))
    by_selector = ask(AtNode("node2"), WEB, allow({"namespaceSelector": {}}))
    assert by_selector.status is DENIED


def test_cluster_wide_rules_hold_for_the_own_node() -> None:
    policy = cnp(egress=[{"action": "Deny", "to": [{"nodes": {"matchLabels": {"os": "linux"}}}]}])
    assert ask(WEB, AtNode("node1"), policy).egress.status is DENIED
    assert ask(WEB, AtNode("node3"), policy).egress.status is UNDEFINED
    assert ask(WEB, AtAddress("8.8.8.8"), policy).egress.status is ALLOWED
    assert ask(WEB, AtAddress("8.8.8.8"), policy, hosts=None).egress.caveats == (Caveat.NODE_UNKNOWN,)


def test_a_pod_reaches_itself_directly() -> None:
    assert ask(WEB, AtAddress("10.0.0.1"), DENY_IN, DENY_OUT) == Verdict(
        Ruling(ALLOWED, Basis.ITSELF), Ruling(ALLOWED, Basis.ITSELF)
    )


def test_a_pod_that_reaches_itself_through_its_service() -> None:
    service = ThroughService("web", 80, ("10.96.0.1",))
    verdict = ask(WEB, WEB, DENY_IN, service=service)
    assert (verdict.status, verdict.ingress.caveats) == (UNDEFINED, (Caveat.HAIRPIN,))
    assert ask(WEB, WEB, allow(), service=service).status is ALLOWED
    assert ask(WEB, WEB, service=service).status is ALLOWED
    denied = cnp(egress=[{"action": "Deny", "to": [{"namespaces": {}}]}])
    assert ask(WEB, WEB, denied, service=service).status is DENIED
    headless = ThroughService("web", 80)
    assert ask(WEB, WEB, DENY_IN, service=headless).status is ALLOWED


# ------------------------------------------------------------------------------------------------------- host network


def test_host_network_as_subject() -> None:
    verdict = ask(HOSTED, WEB, DENY_OUT)
    assert verdict.egress.status is NOT_ENFORCED
    assert verdict.egress.caveats == (Caveat.HOST_NETWORK_SUBJECT,)
    assert (verdict.status, verdict.passes) == (NOT_ENFORCED, True)
    assert ask(HOSTED, WEB, allow(direction=Direction.EGRESS)).status is ALLOWED
    assert ask(HOSTED, WEB).status is ALLOWED
    denied = cnp(egress=[{"action": "Deny", "to": [{"namespaces": {}}]}])
    assert ask(HOSTED, WEB, denied).status is ALLOWED


def test_host_network_as_peer() -> None:
    by_labels = allow({"podSelector": {"matchLabels": {"app": "client"}}})
    verdict = ask(HOSTED, WEB, by_labels)
    assert (verdict.ingress.status, verdict.caveats) == (UNDEFINED, (Caveat.HOST_NETWORK_PEER,))
    assert ask(HOSTED, WEB, allow({"podSelector": {"matchLabels": {"app": "x"}}})).status is DENIED
    assert ask(HOSTED, WEB, allow()).status is ALLOWED
    assert ask(HOSTED, WEB, allow({"ipBlock": {"cidr": "172.30.0.12/32"}})).status is ALLOWED
    denied = cnp(ingress=[{"action": "Deny", "from": [{"namespaces": {}}]}])
    assert ask(HOSTED, WEB, denied).status is ALLOWED


def test_host_network_of_the_own_node() -> None:
    agent = pod("agent", "172.30.0.11", {"app": "agent"}, node="node1", host_network=True)
    verdict = ask(agent, WEB, DENY_IN)
    assert (verdict.ingress.status, verdict.caveats) == (UNDEFINED, (Caveat.HOST_NETWORK_PEER,))


def test_the_address_of_a_host_network_pod_is_its_node() -> None:
    verdict = ask(AtAddress("172.30.0.12"), WEB, DENY_IN, hosts=())
    assert (verdict.egress.basis, verdict.ingress.status) == (Basis.NO_POD, DENIED)


# ---------------------------------------------------------------------------------------------------------- addresses


def test_an_address_is_the_pod_that_has_it() -> None:
    by_labels = allow({"podSelector": {"matchLabels": {"app": "client"}}})
    assert ask(AtAddress("10.0.1.1"), AtAddress("10.0.0.1"), by_labels).status is ALLOWED
    assert ask(AtAddress("::ffff:10.0.1.1"), WEB, by_labels).status is ALLOWED
    assert ask(AtAddress("10.0.9.9"), WEB, by_labels).status is DENIED


def test_ip_blocks_match_pods_with_a_caveat() -> None:
    verdict = ask(CLIENT, WEB, allow({"ipBlock": {"cidr": "10.0.1.0/24"}}))
    assert (verdict.status, verdict.caveats) == (ALLOWED, (Caveat.IP_BLOCK_ON_POD,))


def test_exceptions_belong_to_their_block() -> None:
    holed = {"ipBlock": {"cidr": "10.0.0.0/16", "except": ["10.0.1.0/24"]}}
    assert ask(CLIENT, WEB, allow(holed)).status is DENIED
    assert ask(CLIENT, WEB, allow(holed, {"ipBlock": {"cidr": "10.0.1.1/32"}})).status is ALLOWED


def test_both_families() -> None:
    client = pod("client", ("10.0.1.1", "fd00::1:1"), {"app": "client"})
    web = pod("web", ("10.0.0.1", "fd00::1"), {"app": "web"})
    only_v6 = allow({"ipBlock": {"cidr": "fd00::/64"}})
    assert ask(client, web, only_v6).status is DENIED
    assert ask(client, AtPod(web, "fd00::1"), only_v6).status is ALLOWED
    assert ask(client, AtPod(web, "fd00::1"), allow({"ipBlock": {"cidr": "fd00::1:0/112"}})).status is ALLOWED
    assert ask(AtAddress("fd00::1:1"), web, allow({"ipBlock": {"cidr": "fd00::/32"}})).status is ALLOWED


def test_cidrs_that_the_api_server_no_longer_takes() -> None:
    assert ask(CLIENT, WEB, allow({"ipBlock": {"cidr": "10.0.1.77/24"}})).status is ALLOWED
    assert ask(CLIENT, WEB, allow({"ipBlock": {"cidr": "010.000.001.000/24"}})).status is ALLOWED


def test_pods_at_their_end_are_out_of_reach() -> None:
    done = pod("job", "10.0.9.1", {"app": "client"}, phase="Succeeded")
    by_labels = allow({"podSelector": {"matchLabels": {"app": "client"}}})
    assert ask(AtAddress("10.0.9.1"), WEB, by_labels, pods=(done, WEB)).status is DENIED
    again = pod("other", "10.0.9.1", {"app": "client"})
    assert ask(AtAddress("10.0.9.1"), WEB, by_labels, pods=(done, again, WEB)).status is ALLOWED
    assert Caveat.TERMINATED in ask(done, WEB, by_labels).caveats


def test_of_two_pods_with_one_address_the_one_that_stays() -> None:
    leaving = pod("a", "10.0.9.1", {"app": "x"}, deletionTimestamp="2026-11-23T02:00:00Z")
    staying = pod("b", "10.0.9.1", {"app": "client"})
    by_labels = allow({"podSelector": {"matchLabels": {"app": "client"}}})
    assert ask(AtAddress("10.0.9.1"), WEB, by_labels, pods=(leaving, staying)).status is ALLOWED
    assert ask(AtAddress("10.0.9.1"), WEB, by_labels, pods=(staying, leaving)).status is ALLOWED
    assert ask(AtAddress("10.0.9.1"), WEB, by_labels, pods=(leaving,)).status is DENIED


def test_pods_without_an_address() -> None:
    pending = pod("client", "", {"app": "client"}, phase="Pending")
    assert ask(pending, WEB, allow({"podSelector": {"matchLabels": {"app": "client"}}})).status is ALLOWED
    verdict = ask(pending, WEB, allow({"ipBlock": {"cidr": "10.0.0.0/8"}}))
    assert (verdict.status, verdict.caveats) == (UNDEFINED, (Caveat.ADDRESS_UNKNOWN,))


@pytest.mark.parametrize("garbage", ["", "nowhere", "10.0.0.0/8", "1.2.3.4.5"])
def test_what_is_no_address(garbage: str) -> None:
    assert ask(AtAddress(garbage), WEB, DENY_IN).egress.status is UNDEFINED
    by_labels = allow({"podSelector": {}})
    assert ask(AtAddress(garbage), WEB, by_labels).ingress.status is UNDEFINED


# ------------------------------------------------------------------------------------------------- pods that may exist


def test_any_pod_of_a_namespace() -> None:
    from_other = allow({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "other"}}})
    assert ask(AnyPod("other"), WEB, from_other).status is ALLOWED
    assert ask(AnyPod("shop"), WEB, from_other).status is DENIED
    by_labels = allow({"podSelector": {"matchLabels": {"app": "client"}}})
    assert ask(AnyPod("shop"), WEB, by_labels).status is DENIED
    assert ask(AnyPod("shop", {"app": "client"}), WEB, by_labels).status is ALLOWED
    assert ask(AnyPod("shop"), WEB, DENY_OUT).egress.status is DENIED


def test_namespaces_that_were_not_read() -> None:
    by_team = allow({"namespaceSelector": {"matchLabels": {"team": "a"}}})
    verdict = ask(AnyPod("unread"), WEB, by_team, complete=False)
    assert (verdict.status, verdict.caveats) == (UNDEFINED, (Caveat.NAMESPACE_UNKNOWN,))
    assert ask(AnyPod("unread"), WEB, by_team).status is DENIED
    without = allow({"namespaceSelector": {"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}})
    assert ask(AnyPod("unread"), WEB, without, complete=False).status is UNDEFINED
    assert ask(AnyPod("unread"), WEB, without).status is ALLOWED
    by_name = allow({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "unread"}}})
    assert ask(AnyPod("unread"), WEB, by_name, complete=False).status is ALLOWED
    assert ask(AnyPod("another"), WEB, by_name, complete=False).status is DENIED


# --------------------------------------------------------------------------------------------------------------- ports


def test_other_protocols_are_undefined_where_a_pod_is_isolated() -> None:
    assert ask(CLIENT, WEB, protocol="ICMP").status is ALLOWED
    verdict = ask(CLIENT, WEB, allow(), protocol="ICMP")
    assert (verdict.status, verdict.caveats) == (UNDEFINED, (Caveat.OTHER_PROTOCOL,))


@pytest.mark.parametrize(("port", "status"), [(7999, DENIED), (8000, ALLOWED), (8080, ALLOWED), (8081, DENIED)])
def test_ranges(port: int, status: Status) -> None:
    assert ask(CLIENT, WEB, allow(ports=[{"port": 8000, "endPort": 8080}]), port=port).status is status


def test_names_are_the_destinations_own() -> None:
    other = pod("web2", "10.0.0.2", {"app": "web"}, ports=[{"name": "http", "containerPort": 9090}])
    for direction in Direction:
        policy = allow(direction=direction, ports=[{"port": "http"}])
        assert ask(CLIENT, WEB, policy, port=8080).status is ALLOWED
        assert ask(CLIENT, other, policy, port=8080).status is DENIED
        assert ask(CLIENT, other, policy, port=9090).status is ALLOWED
        assert ask(CLIENT, WEB, policy, port=8080, protocol="UDP").status is DENIED


def test_names_of_native_sidecars() -> None:
    web = pod("web", "10.0.0.1")
    sidecar = {"name": "mesh", "restartPolicy": "Always", "ports": [{"name": "mesh", "containerPort": 15000}]}
    with_sidecar = _with_init(web, sidecar)
    with_init = _with_init(web, sidecar | {"restartPolicy": None})
    policy = allow(ports=[{"port": "mesh"}])
    assert ask(CLIENT, with_sidecar, policy, port=15000).status is ALLOWED
    assert ask(CLIENT, with_init, policy, port=15000).status is DENIED


def _with_init(made: Pod, container: Json) -> Pod:
    body = msgspec.to_builtins(made)
    body["spec"]["initContainers"] = [container]
    return msgspec.convert(body, Pod)


def test_a_name_says_nothing_of_what_is_no_pod() -> None:
    policy = allow(direction=Direction.EGRESS, ports=[{"port": "https"}])
    verdict = ask(CLIENT, AtAddress("8.8.8.8"), policy)
    assert (verdict.egress.status, verdict.caveats) == (UNDEFINED, (Caveat.NAMED_PORT_NO_POD,))


# ------------------------------------------------------------------------------------------------- cluster-wide kinds


def rule(action: str = "Deny", peers: Sequence[Json] | None = ({"namespaces": {}},), **more: Any) -> Json:
    return {"action": action, "from": peers, **more}


def test_equal_priorities() -> None:
    accept, deny = cnp("a", ingress=[rule("Accept")]), cnp("b", ingress=[rule("Deny")])
    verdict = ask(CLIENT, WEB, accept, deny)
    assert (verdict.ingress.status, verdict.caveats) == (UNDEFINED, (Caveat.EQUAL_PRIORITY,))
    assert [each.policy.name for each in verdict.ingress.contenders] == ["a", "b"]
    assert ask(CLIENT, WEB, accept, cnp("b", ingress=[rule("Accept")])).status is ALLOWED
    assert ask(CLIENT, WEB, accept, cnp("b", priority=11, ingress=[rule("Deny")])).status is ALLOWED
    assert ask(CLIENT, WEB, accept, cnp("b", tier="Baseline", ingress=[rule("Deny")])).status is ALLOWED
    passing = cnp("b", ingress=[rule("Pass")])
    assert ask(CLIENT, WEB, accept, passing).status is ALLOWED
    assert ask(CLIENT, WEB, accept, passing, DENY_IN).ingress.status is UNDEFINED
    silent = cnp("b", ingress=[{"action": "Deny", "from": [{"namespaces": {"matchLabels": {"team": "x"}}}]}])
    assert ask(CLIENT, WEB, accept, silent).status is ALLOWED


def test_the_network_policy_tier_is_final_for_its_direction() -> None:
    baseline = cnp(tier="Baseline", ingress=[rule()], egress=[{"action": "Deny", "to": [{"namespaces": {}}]}])
    assert ask(CLIENT, WEB, baseline, allow()).ingress.status is ALLOWED
    assert ask(CLIENT, WEB, baseline, allow()).egress.status is DENIED
    assert ask(CLIENT, WEB, baseline, cnp("b", tier="Baseline", priority=1, ingress=[rule("Pass")])).ingress.passes


@pytest.mark.parametrize(
    ("unknown", "status"),
    [
        (rule("Deny", peers=[{}]), UNDEFINED),
        (rule("Pass", peers=[{}]), UNDEFINED),
        (rule("Accept", peers=[{}]), ALLOWED),
        (rule("Accept", peers=[]), ALLOWED),
        (rule("Deny", peers=None), UNDEFINED),
        (rule("Reject"), UNDEFINED),
        (rule("Deny", protocols=[{}]), UNDEFINED),
        (rule("Deny", peers=[{"namespaces": {"namespaceSelector": {}}}]), UNDEFINED),
        (rule("Deny", peers=[{"namespaces": {"sameLabels": ["team"]}}]), UNDEFINED),
    ],
)
def test_parts_of_another_api_version(unknown: Json, status: Status) -> None:
    verdict = ask(CLIENT, WEB, cnp(ingress=[unknown]))
    assert verdict.status is status
    assert (Caveat.NOT_UNDERSTOOD in verdict.caveats) is (status is UNDEFINED)


def test_accept_of_an_unknown_peer_before_a_denial() -> None:
    accept = cnp(ingress=[rule("Accept", peers=[{}]), rule()])
    assert ask(CLIENT, WEB, accept).ingress.status is UNDEFINED


def test_an_unknown_peer_beside_one_that_matches() -> None:
    both: list[Json] = [{}, {"namespaces": {}}]
    assert ask(CLIENT, WEB, cnp(ingress=[rule("Deny", both), rule("Accept")])).status is DENIED
    assert ask(CLIENT, WEB, cnp(ingress=[rule("Accept", both), rule("Deny")])).status is UNDEFINED
    assert ask(CLIENT, WEB, cnp(ingress=[rule("Pass", both), rule("Accept")])).status is UNDEFINED


def test_an_unknown_subject() -> None:
    assert ask(CLIENT, WEB, cnp(subject={}, ingress=[rule()])).status is UNDEFINED
    assert ask(CLIENT, WEB, cnp(subject={}, ingress=[rule("Accept")])).status is ALLOWED


def test_domain_names() -> None:
    policy = cnp(
        egress=[
            {"action": "Accept", "to": [{"domainNames": ["api.example"]}]},
            {"action": "Deny", "to": [{"networks": ["0.0.0.0/0"]}]},
        ]
    )
    verdict = ask(CLIENT, AtAddress("8.8.8.8"), policy)
    assert (verdict.egress.status, verdict.caveats) == (UNDEFINED, (Caveat.DOMAIN,))
    assert ask(CLIENT, WEB, policy).egress.status is DENIED


def test_named_ports_of_cluster_wide_kinds_mean_pods_only() -> None:
    to_all = {"action": "Deny", "to": [{"networks": ["0.0.0.0/0"]}], "protocols": [{"destinationNamedPort": "http"}]}
    assert ask(CLIENT, WEB, cnp(egress=[to_all])).status is DENIED
    assert ask(CLIENT, AtAddress("8.8.8.8"), cnp(egress=[to_all])).status is ALLOWED


def test_kinds_of_v1alpha1() -> None:
    anp = read(
        {
            "kind": "AdminNetworkPolicy",
            "metadata": {"name": "anp"},
            "spec": {"priority": 5, "subject": {"namespaces": {}}, "ingress": [rule("Pass")]},
        }
    )
    banp = read(
        {
            "kind": "BaselineAdminNetworkPolicy",
            "metadata": {"name": "default"},
            "spec": {"subject": {"namespaces": {}}, "ingress": [rule("Deny", ports=[{"portNumber": {"port": 8080}}])]},
        }
    )
    assert ask(CLIENT, WEB, anp, banp, cnp(priority=6, ingress=[rule("Accept")])).ingress.basis is Basis.BASELINE
    assert ask(CLIENT, WEB, anp, banp, port=8081).status is ALLOWED


# -------------------------------------------------------------------------------------------------- not understood, NP


@pytest.mark.parametrize(
    "peer",
    [
        {},
        {"ipBlock": {"cidr": "nonsense"}},
        {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["nonsense"]}},
        {"ipBlock": {"cidr": "10.0.0.0/8"}, "podSelector": {}},
        {"podSelector": {"matchExpressions": [{"key": "app", "operator": "Equals", "values": ["client"]}]}},
        {"podSelector": {"matchExpressions": [{"key": "app", "operator": "In"}]}},
    ],
)
def test_peers_that_the_api_server_refuses(peer: Json) -> None:
    verdict = ask(CLIENT, WEB, allow(peer))
    assert (verdict.status, verdict.caveats) == (UNDEFINED, (Caveat.NOT_UNDERSTOOD,))
    assert ask(CLIENT, WEB, allow(peer, {"podSelector": {}})).status is ALLOWED


def test_a_subject_that_the_api_server_refuses() -> None:
    broken = {"matchExpressions": [{"key": "app", "operator": "?"}]}
    assert ask(CLIENT, WEB, netpol(podSelector=broken)).ingress.caveats == (Caveat.NOT_UNDERSTOOD,)
    assert ask(CLIENT, WEB, netpol(podSelector=broken, ingress=[{}])).status is ALLOWED
    assert ask(CLIENT, WEB, DENY_IN, netpol(podSelector=broken, ingress=[{}])).ingress.status is UNDEFINED


@pytest.mark.parametrize("port", [{"endPort": 90}, {"port": "http", "endPort": 90}, {"port": ""}])
def test_ports_that_the_api_server_refuses(port: Json) -> None:
    assert ask(CLIENT, WEB, allow(ports=[port])).ingress.caveats == (Caveat.NOT_UNDERSTOOD,)


def test_a_null_item_is_an_empty_one() -> None:
    assert ask(CLIENT, WEB, netpol(ingress=[None])).status is ALLOWED
    assert ask(CLIENT, WEB, netpol(ingress=[{"ports": [None]}])).status is ALLOWED
    assert ask(CLIENT, WEB, netpol(ingress=[{"from": [None]}])).status is UNDEFINED


# ------------------------------------------------------------------------------------------------------------- changes


def test_with_policy_adds_or_replaces() -> None:
    compiled = compile_policies([DENY_IN], SPACES, (WEB, CLIENT))
    question = Question(AtPod(CLIENT), AtPod(WEB), 8080)
    assert evaluate(compiled, question).status is DENIED
    assert evaluate(with_policy(compiled, netpol("more", ingress=[{}])), question).status is ALLOWED
    assert evaluate(with_policy(compiled, netpol("deny-in", ingress=[{}])), question).status is ALLOWED
    assert evaluate(with_policy(compiled, netpol("deny-in", "other", ingress=[{}])), question).status is DENIED
    assert evaluate(compiled, question).status is DENIED
