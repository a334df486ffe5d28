"""Policies of the network plugins' own kinds: seen, named, never judged."""

import json

import pytest

from svcdoctor.model.diagnosis import Severity
from svcdoctor.model.snapshot import Answer, Snapshot, assemble
from tests.build import Json

from .shop import Shop, found, judged, loud


def with_policies(snapshot: Snapshot, path: str, kind: str, *items: Json) -> Snapshot:
    group = "/".join(path.split("/")[1:3])
    body = {"kind": f"{kind}List", "apiVersion": group, "items": list(items)}
    return assemble(snapshot, [Answer(path, json.dumps(body).encode())])


def with_cilium(snapshot: Snapshot, spec: Json, namespace: str = "shop") -> Snapshot:
    item = {"metadata": {"name": "rule", "namespace": namespace}, "spec": spec}
    path = f"apis/cilium.io/v2/namespaces/{namespace}/ciliumnetworkpolicies"
    return with_policies(snapshot, path, "CiliumNetworkPolicy", item)


@pytest.mark.parametrize(
    ("selector", "concerns"),
    [
        ({}, True),
        ({"matchLabels": {"app": "web"}}, True),
        ({"matchLabels": {"k8s:app": "web"}}, True),
        ({"matchLabels": {"any:app": "client"}}, True),
        ({"matchLabels": {"app": "db"}}, False),
        ({"matchLabels": {"k8s:io.kubernetes.pod.namespace": "shop"}}, True),
        ({"matchLabels": {"k8s:io.kubernetes.pod.namespace": "other"}}, False),
    ],
)
def test_cilium(selector, concerns):
    diagnosis = judged(with_cilium(Shop().snapshot(), {"endpointSelector": selector}))
    assert loud(diagnosis) == (["np-cni-crd"] if concerns else [])


def test_another_namespace_is_not_ours():
    assert loud(judged(with_cilium(Shop().snapshot(), {}, "other"))) == []


@pytest.mark.parametrize(
    ("selector", "concerns"),
    [("app == 'web'", True), ('app == "db"', False), ("app == 'db' || has(x)", True), ("all()", True), (None, True)],
)
@pytest.mark.parametrize("group", ["projectcalico.org/v3", "crd.projectcalico.org/v1"])
def test_calico(group, selector, concerns):
    item = {"metadata": {"name": "default.rule", "namespace": "shop"}, "spec": {"selector": selector}}
    path = f"apis/{group}/namespaces/shop/networkpolicies"
    diagnosis = judged(with_policies(Shop().snapshot(), path, "NetworkPolicy", item))
    assert loud(diagnosis) == (["np-cni-crd"] if concerns else [])


def test_calicos_view_of_kubernetes_policies_is_none_of_its_own():
    item = {"metadata": {"name": "knp.default.web", "namespace": "shop"}, "spec": {}}
    path = "apis/projectcalico.org/v3/namespaces/shop/networkpolicies"
    assert judged(with_policies(Shop().snapshot(), path, "NetworkPolicy", item)).findings == ()


def test_one_policy_in_both_of_calicos_groups_is_one():
    snapshot = Shop().snapshot()
    for group, name in (("projectcalico.org/v3", "rule"), ("crd.projectcalico.org/v1", "default.rule")):
        item = {"metadata": {"name": name}, "spec": {}}
        snapshot = with_policies(snapshot, f"apis/{group}/globalnetworkpolicies", "GlobalNetworkPolicy", item)
    finding = found(judged(snapshot))["np-cni-crd"]
    assert finding.summary.startswith("1 GlobalNetworkPolicy.")
    assert finding.severity is Severity.WARNING


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("apis/networking.k8s.aws/v1alpha1/namespaces/shop/policyendpoints", "PolicyEndpoint"),
        ("apis/projectcalico.org/v3/namespaces/shop/stagednetworkpolicies", "StagedNetworkPolicy"),
        ("apis/security.istio.io/v1/namespaces/shop/requestauthentications", "RequestAuthentication"),
    ],
)
def test_what_decides_nothing_is_passed_over(path, kind):
    snapshot = with_policies(Shop().snapshot(), path, kind, {"metadata": {"name": "x", "namespace": "shop"}})
    assert snapshot.foreign_policies == ()


def test_a_refusal_is_no_policy():
    body = json.dumps({"kind": "Status", "code": 403}).encode()
    answer = Answer("apis/cilium.io/v2/ciliumclusterwidenetworkpolicies", body)
    assert assemble(Shop().snapshot(), [answer]).foreign_policies == ()
