"""Discovery: what a server does not serve is not missed, and policies of other kinds are found."""

import json

import pytest

from svcdoctor.model.diagnosis import Subject, Verdict
from tests import replay as says
from tests.collect.test_gather import ask

CLIENT = Subject("Pod", "shop", "client")
CILIUM = "apis/cilium.io/v2"


def group(name: str, version: str) -> says.Json:
    return {"name": name, "preferredVersion": {"groupVersion": f"{name}/{version}", "version": version}}


def answers(cluster, path: str, body: says.Json) -> None:
    cluster.replay.misdeeds.append(says.on(path, says.garbage(json.dumps(body).encode())))


def serves(cluster, *groups: says.Json) -> None:
    answers(cluster, "apis", {"kind": "APIGroupList", "groups": [group("apps", "v1"), *groups]})


def forbid_cluster_policies(cluster) -> None:
    cluster.replay.misdeeds.append(says.when(lambda handler: "policy.networking.k8s.io" in handler.place, says.forbid))


def test_what_is_not_served_is_not_missed(serve):
    """RBAC refuses before it says that there is no such kind."""
    cluster = serve("iptables-healthy")
    serves(cluster)
    forbid_cluster_policies(cluster)
    gathered, diagnosis = ask(cluster, "shop", "web", CLIENT)
    assert gathered.snapshot.gaps == ()
    assert diagnosis.verdict is Verdict.HEALTHY
    assert gathered.snapshot.clusternetworkpolicies.covers()


@pytest.mark.parametrize("silent", [True, False])
def test_what_is_served_and_refused_is_a_gap(serve, silent):
    cluster = serve("iptables-healthy")
    if not silent:
        serves(cluster, group("policy.networking.k8s.io", "v1alpha2"))
    forbid_cluster_policies(cluster)
    gathered, diagnosis = ask(cluster, "shop", "web", CLIENT)
    assert "list clusternetworkpolicies.policy.networking.k8s.io at the cluster scope" in {
        gap.permission for gap in gathered.snapshot.gaps
    }
    assert diagnosis.verdict is Verdict.UNKNOWN


def test_policies_of_other_kinds_are_found(serve):
    cluster = serve("iptables-healthy")
    serves(cluster, group("cilium.io", "v2"))
    kinds = [
        {"name": "ciliumnetworkpolicies", "namespaced": True},
        {"name": "ciliumnetworkpolicies/status", "namespaced": True},
        {"name": "ciliumclusterwidenetworkpolicies", "namespaced": False},
        {"name": "ciliumendpoints", "namespaced": True},
    ]
    answers(cluster, CILIUM, {"kind": "APIResourceList", "resources": kinds})
    rule = {"metadata": {"name": "rule", "namespace": "shop"}, "spec": {"endpointSelector": {}}}
    listed = {"kind": "CiliumNetworkPolicyList", "apiVersion": "cilium.io/v2", "items": [rule]}
    answers(cluster, f"{CILIUM}/namespaces/shop/ciliumnetworkpolicies", listed)
    gathered, diagnosis = ask(cluster, "shop", "web", CLIENT)
    assert [policy.name for policy in gathered.snapshot.foreign_policies] == ["rule"]
    assert diagnosis.root == "np-cni-crd"
    assert not gathered.snapshot.gaps  # the cluster-wide ones, which are answered with 404


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"groups": [{"name": 7}]}', b'{"groups": null}', b'{"groups": []}']
)
def test_a_discovery_that_says_nothing_is_no_knowledge(serve, body):
    cluster = serve("iptables-healthy")
    cluster.replay.misdeeds.append(says.on("apis", says.garbage(body)))
    gathered, diagnosis = ask(cluster, "shop", "web", CLIENT)
    assert diagnosis.verdict is Verdict.HEALTHY
    assert gathered.snapshot.gaps == ()
