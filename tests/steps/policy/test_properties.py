"""Whatever the policies: no traceback, no finding without a policy, and fixes that open the way and close none."""

import json
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from svcdoctor.model.decode import decode
from svcdoctor.model.policy import NetworkPolicy
from svcdoctor.model.snapshot import Answer, Snapshot, assemble
from svcdoctor.network.netpol import AtPod, Question, Status, evaluate, with_policies
from svcdoctor.steps.policy.world import World
from tests.build import Json
from tests.network.small_worlds import NETWORK_POLICIES

from .shop import NAME, Shop, judged

SHOP = Shop().snapshot()
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 70_000)
    | st.text(max_size=5)
    | st.sampled_from(["web", "TCP", "10.0.0.0/8"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                [
                    "podSelector",
                    "namespaceSelector",
                    "matchLabels",
                    "ipBlock",
                    "cidr",
                    "from",
                    "to",
                    "ports",
                    "port",
                    "key",
                ]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)
LABELS: Any = st.sampled_from([{"app": "web"}, {"app": "client"}, {"app": "frontend"}, {"app": "cleint"}, {}])
SPACES: Any = st.sampled_from(
    [{NAME: "shop"}, {"name": "shop"}, {"name": "kube-system"}, {NAME: "kube-system"}, {"team": "a"}]
)
PEERS = st.one_of(
    st.builds(lambda pods: {"podSelector": {"matchLabels": pods}}, LABELS),
    st.builds(lambda spaces: {"namespaceSelector": {"matchLabels": spaces}}, SPACES),
    st.builds(
        lambda pods, spaces: {"podSelector": {"matchLabels": pods}, "namespaceSelector": {"matchLabels": spaces}},
        LABELS,
        SPACES,
    ),
    st.builds(
        lambda cidr: {"ipBlock": {"cidr": cidr}}, st.sampled_from(["10.96.0.0/12", "10.244.0.0/16", "0.0.0.0/0"])
    ),
)
PORTS = st.builds(
    lambda port, protocol: {"port": port, "protocol": protocol},
    st.sampled_from([80, 8080, 53, 5353, "http", "dns", "web"]),
    st.sampled_from(["TCP", "UDP"]),
)


def rules(peers: str) -> st.SearchStrategy[Any]:
    rule = st.fixed_dictionaries(
        {}, optional={peers: st.lists(PEERS, max_size=2), "ports": st.lists(PORTS, max_size=2)}
    )
    return st.lists(rule, max_size=2)


SPECS = st.fixed_dictionaries(
    {"podSelector": st.builds(lambda labels: {"matchLabels": labels}, LABELS)},
    optional={
        "ingress": rules("from"),
        "egress": rules("to"),
        "policyTypes": st.sampled_from([["Ingress"], ["Egress"], ["Ingress", "Egress"]]),
    },
)


def under(*specs: Json, base: Snapshot = SHOP, kind: str = "networkpolicies") -> Snapshot:
    """The shop with these policies."""
    group = "networking.k8s.io/v1/namespaces/shop/networkpolicies"
    items = [{"metadata": {"name": f"p{n}", "namespace": "shop"}, "spec": spec} for n, spec in enumerate(specs)]
    body = {"kind": "NetworkPolicyList", "apiVersion": "networking.k8s.io/v1", "items": items}
    return assemble(base, [Answer(f"apis/{group}", json.dumps(body).encode())])


CLIENTS = st.sampled_from(["client", "", "kube-system/nobody", "node/node1"])


@given(client=CLIENTS)
@settings(max_examples=10)
def test_without_policies_there_is_no_finding(client):
    assert judged(SHOP, client).findings == ()


@given(specs=st.lists(SPECS, min_size=1, max_size=3), client=CLIENTS)
@settings(max_examples=150)
def test_any_policies_give_a_diagnosis(specs, client):
    diagnosis = judged(under(*specs), client)
    for finding in diagnosis.findings:
        assert finding.summary
        assert finding.evidence
        assert finding.fix.text


@given(policies=st.lists(NETWORK_POLICIES, max_size=3), client=CLIENTS)
@settings(max_examples=60)
def test_policies_of_all_shapes(policies, client):
    judged(under(*(policy["spec"] for policy in policies)), client)


@given(spec=ANYTHING, rule=ANYTHING, client=CLIENTS)
@settings(max_examples=150)
def test_malformed_policies_are_bad_data_or_judged(spec, rule, client):
    from svcdoctor.errors import BadData

    for body in (spec, {"podSelector": {}, "ingress": [rule]}, {"policyTypes": ["Egress"], "egress": rule}):
        try:
            snapshot = under(body)
        except BadData:
            continue
        judged(snapshot, client)


@given(specs=st.lists(SPECS, min_size=1, max_size=3))
@settings(max_examples=200)
def test_the_fixes_open_the_way_and_close_none(specs):
    """Each finding's own change lifts what it is about; all of them together let the client through."""
    snapshot = under(*specs)
    diagnosis = judged(snapshot)
    changed = {
        policy.name: policy
        for finding in diagnosis.findings
        if finding.fix.patch and finding.fix.patch.startswith("apiVersion: networking.k8s.io/v1")
        for policy in read(finding.fix.patch)
    }
    before, questions = world(snapshot), asked(snapshot)
    after = with_policies(before, *changed.values())
    for question in questions:
        was, now = evaluate(before, question), evaluate(after, question)
        for direction in ("egress", "ingress"):
            if getattr(was, direction).passes:
                assert getattr(now, direction).passes, (direction, question.port, list(changed))


def read(text: str) -> list[NetworkPolicy]:
    return [decode(json.dumps(each).encode(), NetworkPolicy, "a fix") for each in yaml.safe_load_all(text)]


def world(snapshot: Snapshot) -> Any:
    from svcdoctor.model.case import Case
    from svcdoctor.model.diagnosis import Target

    case = Case(snapshot, Target("shop", "web"))
    assert case.service is not None
    return World(case, case.service).compiled


def asked(snapshot: Snapshot) -> list[Question]:
    """Every pod to every other, on the ports that matter here."""
    everyone = [AtPod(pod) for pod in snapshot.pods.items]
    return [Question(a, b, port, protocol) for a in everyone for b in everyone for port, protocol in WAYS if a is not b]


WAYS = ((8080, "TCP"), (53, "UDP"), (9, "TCP"))


@given(spec=SPECS)
@settings(max_examples=200)
def test_one_fault_at_a_time_is_lifted_by_its_own_fix(spec):
    """Applied as it is written, the fix of each error takes that error away."""
    snapshot = under(spec)
    for finding in judged(snapshot).findings:
        patch = finding.fix.patch
        if finding.name == "np-unenforced" or not patch or "kind: NetworkPolicy" not in patch:
            continue
        policies = {f"p{0}": spec} | {p.name: None for p in read(patch)}
        written = {each["metadata"]["name"]: each["spec"] for each in yaml.safe_load_all(patch)}
        items = [
            {"metadata": {"name": name, "namespace": "shop"}, "spec": written.get(name, policies[name])}
            for name in policies
        ]
        body = {"kind": "NetworkPolicyList", "items": items}
        path = "apis/networking.k8s.io/v1/namespaces/shop/networkpolicies"
        again = judged(assemble(SHOP, [Answer(path, json.dumps(body).encode())]))
        assert finding.summary not in [other.summary for other in again.findings]


def test_the_worlds_have_denials():
    """The properties above are about something."""
    spec = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    statuses = {evaluate(world(under(spec)), question).status for question in asked(SHOP)}
    assert Status.DENIED in statuses
