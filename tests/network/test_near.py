"""Of a denial: the rule that came nearest, and what it lacks."""

from typing import Any

import pytest

from svcdoctor.network.netpol import (
    AtAddress,
    AtPod,
    Direction,
    End,
    Host,
    Lack,
    Miss,
    Near,
    PolicyRef,
    Question,
    RuleRef,
    ThroughService,
    compile_policies,
    evaluate,
)

from .worlds import Json, namespace, netpol, pod

WEB = pod(
    "web",
    "10.0.0.1",
    {"app": "web"},
    ports=[{"name": "http", "containerPort": 8080}, {"name": "dns", "containerPort": 53, "protocol": "UDP"}],
)
CLIENT = pod("client", "10.0.1.1", {"app": "client"})
STRANGER = pod("stranger", "10.0.2.1", {"app": "client"}, namespace="other")
SPACES = (namespace("shop", {"team": "shop"}), namespace("other"))
SERVICE = ThroughService("web", 80, ("10.96.0.1",), {"app": "web"})
NAME = "kubernetes.io/metadata.name"


def near(*rules: Json, source: End | None = None, direction: Direction = Direction.INGRESS, **more: Any) -> Near | None:
    """The nearest of ``rules`` of one policy in shop, for CLIENT (or ``source``) to WEB."""
    spec: Json = {"policyTypes": [direction.policy_type], direction.value: list(rules)}
    policy = netpol("web", **spec)
    compiled = compile_policies([policy], SPACES, (WEB, CLIENT, STRANGER), (Host("node1", ("172.30.0.11",)),))
    question = Question(source or AtPod(CLIENT), AtPod(WEB), **{"port": 8080, "service": SERVICE, **more})
    ruling = getattr(evaluate(compiled, question), direction.value)
    assert not ruling.passes
    assert ruling.isolating == (PolicyRef("NetworkPolicy", "shop", "web"),)
    found: Near | None = ruling.nearest
    return found


def peers(*items: Json) -> Json:
    return {"from": list(items)}


def ports(*items: Json) -> Json:
    return {"ports": list(items)}


def labels(**wanted: str) -> Json:
    return {"matchLabels": wanted}


def block(cidr: str, *holes: str) -> Json:
    return {"ipBlock": {"cidr": cidr, "except": list(holes)}}


@pytest.mark.parametrize(
    ("rule", "miss"),
    [
        (peers({"podSelector": labels(app="clint")}), Miss(Lack.POD_LABELS, "clint", "client", "app")),
        (peers({"podSelector": labels(role="client")}), Miss(Lack.POD_LABELS, "client", None, "role")),
        (
            peers({"podSelector": {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["client"]}]}}),
            Miss(Lack.POD_LABELS, "not in (client)", "client", "app"),
        ),
        (
            peers({"podSelector": {"matchExpressions": [{"key": "role", "operator": "Exists"}]}}),
            Miss(Lack.POD_LABELS, "exists", None, "role"),
        ),
        (peers({"namespaceSelector": labels(team="web")}), Miss(Lack.NAMESPACE_LABELS, "web", "shop", "team")),
        (peers({"namespaceSelector": labels(name="shop")}), Miss(Lack.NAMESPACE_UNLABELLED, "shop", None, "name")),
        (peers(block("10.0.0.0/24")), Miss(Lack.OUTSIDE_CIDR, "10.0.0.0/24", "10.0.1.1")),
        (peers(block("10.0.0.0/16", "10.0.1.0/24")), Miss(Lack.EXCEPTED, "not in 10.0.1.0/24", "10.0.1.1")),
        (peers(block("fd00::/8")), Miss(Lack.OTHER_FAMILY, "fd00::/8", "10.0.1.1")),
        (ports({"port": 9090}), Miss(Lack.PORT, "9090", "8080")),
        (ports({"port": 9090, "endPort": 9099}), Miss(Lack.PORT, "9090-9099", "8080")),
        (ports({"port": 80}), Miss(Lack.SERVICE_PORT, "80", "8080")),
        (ports({"port": 8080, "protocol": "UDP"}), Miss(Lack.PROTOCOL, "UDP", "TCP")),
        (ports({"port": "https"}), Miss(Lack.NAMED_PORT_ABSENT, "https")),
        (ports({"port": "dns"}), Miss(Lack.NAMED_PORT_PROTOCOL, "dns (UDP)", "TCP")),
    ],
)
def test_what_the_rule_lacks(rule: Json, miss: Miss) -> None:
    index = (0, None) if "from" in rule else (None, 0)
    ref = RuleRef(PolicyRef("NetworkPolicy", "shop", "web"), Direction.INGRESS, 0, *index)
    assert near(rule) == Near(ref, (miss,))


def test_another_number_under_that_name() -> None:
    found = near(ports({"port": "http"}), port=9090)
    assert found is not None
    assert found.misses == (Miss(Lack.NAMED_PORT_NUMBER, "http (8080)", "9090"),)


def test_a_pod_selector_looks_into_its_own_namespace() -> None:
    found = near(peers({"podSelector": labels(app="client")}), source=AtPod(STRANGER))
    assert found is not None
    assert (found.misses, found.as_two_items) == ((Miss(Lack.OTHER_NAMESPACE, "shop", "other"),), False)


def test_selectors_never_match_what_is_no_pod() -> None:
    outside = near(peers({"namespaceSelector": {}}), source=AtAddress("192.0.2.1"))
    assert outside is not None
    assert outside.misses == (Miss(Lack.NOT_A_POD, "a pod", "192.0.2.1"),)
    node = near(peers({"namespaceSelector": {}}), source=AtAddress("172.30.0.11"))
    assert node is not None
    assert node.misses == (Miss(Lack.NOT_A_POD, "a pod", "node node1 (172.30.0.11)"),)


def test_the_block_of_a_service_address() -> None:
    found = near({"to": [block("10.96.0.0/16")]}, direction=Direction.EGRESS)
    assert found is not None
    assert found.misses == (Miss(Lack.CIDR_OF_SERVICE, "10.96.0.0/16", "10.0.0.1"),)


# --------------------------------------------------------------------------------------------------- one item or two


def test_and_where_or_was_meant() -> None:
    both = {"namespaceSelector": labels(**{NAME: "other"}), "podSelector": labels(app="web")}
    found = near(peers(both), source=AtPod(STRANGER))
    assert found is not None
    assert found.misses == (Miss(Lack.POD_LABELS, "web", "client", "app"),)
    assert found.as_two_items


def test_as_two_items_the_pod_selector_would_stay_at_home() -> None:
    both = {"namespaceSelector": labels(team="web"), "podSelector": labels(app="client")}
    abroad, at_home = near(peers(both), source=AtPod(STRANGER)), near(peers(both))
    assert abroad is not None
    assert at_home is not None
    assert (abroad.as_two_items, at_home.as_two_items) == (False, True)


# ------------------------------------------------------------------------------------------------------- which is near


def test_default_deny_has_no_rule_that_is_near() -> None:
    assert near() is None


def test_of_equals_the_likeliest_slip_of_the_hand() -> None:
    admin, clients = ({"podSelector": labels(app=app)} for app in ("admin", "clients"))
    by_rule, by_item = near(peers(admin), peers(clients)), near(peers(admin, clients))
    assert by_rule is not None
    assert by_item is not None
    assert (by_rule.rule.path, by_item.rule.path) == ("spec.ingress[1].from[0]", "spec.ingress[0].from[1]")


def test_one_thing_wrong_is_nearer_than_two() -> None:
    client = peers({"podSelector": labels(app="client")})
    both_wrong = peers({"podSelector": labels(app="clien")}) | ports({"port": 8081})
    port_wrong = client | ports({"port": 9999}, {"port": 80})
    found = near(both_wrong, port_wrong)
    assert found is not None
    assert found.rule.path == "spec.ingress[1].from[0].ports[1]"
    assert found.misses == (Miss(Lack.SERVICE_PORT, "80", "8080"),)


def test_words() -> None:
    found = near(peers({"podSelector": labels(app="clint")}))
    assert found is not None
    assert str(found.rule) == "NetworkPolicy shop/web: spec.ingress[0].from[0]"
    assert [str(miss) for miss in found.misses] == ["pod-labels app: wanted 'clint', found 'client'"]
