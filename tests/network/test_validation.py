"""Defaults, validation and label selectors, as the API server's own tests have them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcdoctor.model.decode import decode
from svcdoctor.model.meta import LabelSelector
from svcdoctor.model.policy import NetworkPolicy
from svcdoctor.network.netpol import (
    AnyPod,
    AtPod,
    Problem,
    Question,
    compile_policies,
    defaulted,
    evaluate,
    problems,
)
from svcdoctor.network.netpol.addresses import canonical, network
from svcdoctor.network.netpol.selectors import Selector

from .worlds import Json, cnp, netpol, pod, read

TABLE = json.loads((Path(__file__).parent / "cases" / "networkpolicy_api.json").read_bytes())
VALIDATION = TABLE["validation"]


def policy(body: Json) -> NetworkPolicy:
    return decode(json.dumps(body).encode(), NetworkPolicy, "a test")


# ---------------------------------------------------------------------------------------------------------- the tables


@pytest.mark.parametrize("case", TABLE["defaulting"]["cases"])
def test_defaulting_table(case: Json) -> None:
    wanted = policy({"metadata": {"name": "np"}, "spec": case["expected"]})
    assert defaulted(policy({"metadata": {"name": "np"}, "spec": case["original"]})) == wanted


@pytest.mark.parametrize("name", VALIDATION["invalid"])
def test_invalid_table(name: str) -> None:
    assert problems(policy(VALIDATION["invalid"][name]))


@pytest.mark.parametrize("body", VALIDATION["valid"], ids=str)
def test_valid_table(body: Json) -> None:
    assert problems(policy(body)) == ()


@pytest.mark.parametrize("body", VALIDATION["valid_only_without_StrictIPCIDRValidation"], ids=str)
def test_legacy_cidr_table(body: Json) -> None:
    assert problems(policy(body), strict_cidrs=False) == ()
    assert problems(policy(body)) == (
        Problem(
            "spec.ingress[0].from[0].ipBlock.cidr",
            "'001.002.003.000/0' must be in canonical form: no leading zeros, no bits beyond the prefix",
        ),
    )


@pytest.mark.parametrize("case", TABLE["labelSelectorMatching"], ids=str)
def test_selector_table(case: Json) -> None:
    expressions = case.get("matchExpressions") or [expression(part) for part in case["selector"].split(",") if part]
    selector = decode(json.dumps({"matchExpressions": expressions}).encode(), LabelSelector, "a test")
    assert Selector.of(selector).holds(case["labels"]) is case["match"]


def expression(part: str) -> Json:
    """One requirement of a selector's string form."""
    if "=" in part:
        key, operator, value = re.split(r"(!?==?)", part)
        return {"key": key, "operator": "NotIn" if operator.startswith("!") else "In", "values": [value]}
    return {"key": part.lstrip("!"), "operator": "DoesNotExist" if part.startswith("!") else "Exists"}


# ----------------------------------------------------------------------------------------------------- beyond the table


@pytest.mark.parametrize(
    ("spec", "types"),
    [
        ({}, ("Ingress",)),
        ({"egress": []}, ("Ingress",)),
        ({"egress": None, "policyTypes": []}, ("Ingress",)),
        ({"egress": [{}]}, ("Ingress", "Egress")),
        ({"egress": [{}], "policyTypes": ["Ingress"]}, ("Ingress",)),
        ({"ingress": [{}], "policyTypes": ["Egress"]}, ("Egress",)),
    ],
)
def test_policy_types(spec: Json, types: tuple[str, ...]) -> None:
    assert defaulted(netpol(**spec)).spec.policy_types == types


def test_defaulted_protocol_and_empty_rule() -> None:
    made = defaulted(netpol(ingress=[None, {"ports": [{"port": 80}, None, {"protocol": "UDP"}], "from": []}]))
    assert made == netpol(
        ingress=[
            {},
            {"ports": [{"port": 80, "protocol": "TCP"}, {"protocol": "TCP"}, {"protocol": "UDP"}], "from": []},
        ],
        policyTypes=["Ingress"],
    )


def fields(*, strict: bool = True, **spec: Any) -> list[str]:
    return [problem.field for problem in problems(netpol(**spec), strict_cidrs=strict)]


@pytest.mark.parametrize(
    ("spec", "wanted"),
    [
        ({"ingress": [{"from": [None]}]}, ["spec.ingress[0].from[0]"]),
        ({"ingress": [{"ports": [{"port": "a-port-name-too-long"}]}]}, ["spec.ingress[0].ports[0].port"]),
        ({"ingress": [{"ports": [{"port": "80"}]}]}, ["spec.ingress[0].ports[0].port"]),
        ({"ingress": [{"ports": [{"port": "a--b"}]}]}, ["spec.ingress[0].ports[0].port"]),
        ({"ingress": [{"ports": [{"port": 0}]}]}, ["spec.ingress[0].ports[0].port"]),
        ({"egress": [{"ports": [{"port": 1, "protocol": "tcp"}]}]}, ["spec.egress[0].ports[0].protocol"]),
        (
            {"podSelector": {"matchExpressions": [{"key": "a", "operator": "Equals", "values": ["b"]}]}},
            ["spec.podSelector.matchExpressions[0].operator"],
        ),
        (
            {"podSelector": {"matchExpressions": [{"key": "a", "operator": "In"}]}},
            ["spec.podSelector.matchExpressions[0].values"],
        ),
        (
            {"podSelector": {"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["b"]}]}},
            ["spec.podSelector.matchExpressions[0].values"],
        ),
        ({"podSelector": {"matchLabels": {"a": "b" * 64}}}, ["spec.podSelector.matchLabels"]),
        ({"podSelector": {"matchLabels": {"a/b/c": "d"}}}, ["spec.podSelector.matchLabels"]),
        ({"podSelector": {"matchLabels": {"example.com/a": ""}}}, []),
    ],
)
def test_problems(spec: Json, wanted: list[str]) -> None:
    made = read({"kind": "NetworkPolicy", "metadata": {"name": "np"}, "spec": spec})
    assert [problem.field for problem in problems(made)] == wanted


def test_host_bits() -> None:
    spec: Json = {"ingress": [{"from": [{"ipBlock": {"cidr": "192.168.242.213/24"}}]}]}
    assert fields(**spec) == ["spec.ingress[0].from[0].ipBlock.cidr"]
    assert fields(strict=False, **spec) == []


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        ({"action": "Accept", "to": [{"namespaces": {}}]}, []),
        ({"action": "Allow", "to": [{"namespaces": {}}]}, ["spec.egress[0].action"]),
        ({"action": "Accept"}, ["spec.egress[0].to"]),
        ({"action": "Accept", "to": [{}]}, ["spec.egress[0].to[0]"]),
        ({"action": "Accept", "to": [{"namespaces": {"sameLabels": ["a"]}}]}, ["spec.egress[0].to[0]"]),
        ({"action": "Accept", "to": [{"networks": ["10.0.0.0"]}]}, ["spec.egress[0].to[0].networks"]),
        ({"action": "Deny", "to": [{"domainNames": ["a.example"]}]}, ["spec.egress[0].to[0].domainNames"]),
        ({"action": "Accept", "to": [{"domainNames": ["*.a.example", "b.example."]}]}, []),
        ({"action": "Accept", "to": [{"domainNames": ["a.*.example"]}]}, ["spec.egress[0].to[0].domainNames"]),
        (
            {"action": "Accept", "to": [{"nodes": {}}], "protocols": [{"destinationNamedPort": "web"}]},
            ["spec.egress[0].to[0]"],
        ),
        ({"action": "Pass", "to": [{"namespaces": {}}], "protocols": [{}]}, ["spec.egress[0].protocols[0]"]),
        (
            {"action": "Pass", "to": [{"namespaces": {}}], "protocols": [{"tcp": {"destinationPort": {"number": 0}}}]},
            ["spec.egress[0].protocols[0]"],
        ),
    ],
)
def test_cluster_problems(rule: Json, wanted: list[str]) -> None:
    assert [problem.field for problem in problems(cnp(egress=[rule]))] == wanted


def test_cluster_policy_as_a_whole() -> None:
    made = cnp(tier="Middle", priority=1001, subject={}, ingress=[None] * 26)
    assert [problem.field for problem in problems(made)][:5] == [
        "spec.tier",
        "spec.priority",
        "spec.subject",
        "spec.ingress",
        "spec.ingress[0]",
    ]


# ------------------------------------------------------------------------------------------------------------ anything

TEXT = st.text(max_size=6) | st.sampled_from(["TCP", "In", "Exists", "10.0.0.0/8", "::/0", "1.2.3.4/33", "a", "web"])
LABELS = st.dictionaries(TEXT, TEXT, max_size=2)
SELECTORS = st.fixed_dictionaries(
    {},
    optional={
        "matchLabels": LABELS,
        "matchExpressions": st.lists(
            st.fixed_dictionaries({"key": TEXT, "operator": TEXT}, optional={"values": st.lists(TEXT, max_size=2)}),
            max_size=2,
        ),
    },
)
BLOCKS = st.fixed_dictionaries({"cidr": TEXT}, optional={"except": st.none() | st.lists(TEXT, max_size=2)})
PEERS = st.none() | st.fixed_dictionaries(
    {}, optional={"podSelector": SELECTORS, "namespaceSelector": SELECTORS, "ipBlock": BLOCKS}
)
PORTS = st.none() | st.fixed_dictionaries(
    {}, optional={"port": TEXT | st.integers(-1, 70000), "protocol": TEXT, "endPort": st.integers(-1, 70000)}
)
RULES = st.none() | st.fixed_dictionaries(
    {},
    optional={
        "from": st.none() | st.lists(PEERS, max_size=2),
        "to": st.none() | st.lists(PEERS, max_size=2),
        "ports": st.none() | st.lists(PORTS, max_size=2),
    },
)
SPECS = st.fixed_dictionaries(
    {},
    optional={
        "podSelector": SELECTORS,
        "ingress": st.none() | st.lists(RULES, max_size=2),
        "egress": st.none() | st.lists(RULES, max_size=2),
        "policyTypes": st.none() | st.lists(TEXT | st.sampled_from(["Ingress", "Egress"]), max_size=3),
    },
)
CLUSTER_PEERS = st.none() | st.fixed_dictionaries(
    {},
    optional={
        "namespaces": SELECTORS,
        "pods": st.fixed_dictionaries({}, optional={"namespaceSelector": SELECTORS, "podSelector": SELECTORS}),
        "nodes": SELECTORS,
        "networks": st.lists(TEXT, max_size=2),
        "domainNames": st.lists(TEXT, max_size=2),
    },
)
CLUSTER_RULES = st.none() | st.fixed_dictionaries(
    {"action": TEXT | st.sampled_from(["Accept", "Deny", "Pass"])},
    optional={"from": st.lists(CLUSTER_PEERS, max_size=2), "to": st.lists(CLUSTER_PEERS, max_size=2)},
)
CLUSTER_SPECS = st.fixed_dictionaries(
    {"subject": CLUSTER_PEERS.map(lambda peer: peer or {}), "tier": st.sampled_from(["Admin", "Baseline", "?"])},
    optional={"ingress": st.lists(CLUSTER_RULES, max_size=2), "egress": st.lists(CLUSTER_RULES, max_size=2)},
)


@given(spec=SPECS, cluster_spec=CLUSTER_SPECS, ip=TEXT, port=st.integers(-1, 70000), protocol=TEXT)
def test_malformed_policies_raise_nothing(spec: Json, cluster_spec: Json, ip: str, port: int, protocol: str) -> None:
    policies = [
        read({"kind": "NetworkPolicy", "metadata": {"name": "np", "namespace": "shop"}, "spec": spec}),
        read({"kind": "ClusterNetworkPolicy", "metadata": {"name": "cnp"}, "spec": cluster_spec}),
        read({"kind": "BaselineAdminNetworkPolicy", "metadata": {"name": "default"}, "spec": cluster_spec}),
    ]
    for made in policies:
        assert all(str(problem) for problem in problems(made))
    web = pod("web", ip, {"a": "a"})
    for source, destination in ((AnyPod("shop"), AtPod(web)), (AtPod(web), AtPod(pod("db", "10.0.0.2")))):
        question = Question(source, destination, port, protocol)
        assert evaluate(compile_policies(policies, [], [web]), question).status


@given(text=st.text(max_size=20) | st.from_regex(r"[0-9.]{1,15}/[0-9]{1,3}", fullmatch=True))
def test_a_canonical_cidr_is_a_cidr(text: str) -> None:
    assert network(text) is not None or not canonical(text)
