"""Which network plugin it is, by the traces that it leaves."""

import pytest

from svcdoctor.model.diagnosis import Severity
from svcdoctor.steps.policy.enforcement import Enforced, enforcement
from tests.build import Cluster, Json, container

from .shop import Shop, found


def seen(*daemons: tuple[str, str, list[Json]], **annotations: str) -> tuple[Enforced, str]:
    """What is said of DaemonSets (namespace, name, containers), and of annotations of the nodes."""
    made = Cluster()
    for namespace, name, containers in daemons:
        made.add("daemonsets", name, {"spec": {"template": {"spec": {"containers": containers}}}}, namespace)
    for node in made.objects["nodes"]:
        node["metadata"]["annotations"] = annotations
    said = enforcement(made.snapshot())
    return said.enforced, said.plugin.name if said.plugin else ""


AGENT = [container("agent")]
NODE_AGENT = "aws-eks-nodeagent"
SYSTEM = "kube-system"


@pytest.mark.parametrize(
    ("namespace", "name", "containers", "enforced"),
    [
        ("calico-system", "calico-node", AGENT, Enforced.YES),
        (SYSTEM, "calico-node", AGENT, Enforced.YES),
        (SYSTEM, "rke2-canal", AGENT, Enforced.YES),
        (SYSTEM, "cilium", AGENT, Enforced.YES),
        (SYSTEM, "anetd", AGENT, Enforced.YES),
        (SYSTEM, "antrea-agent", AGENT, Enforced.YES),
        ("openshift-ovn-kubernetes", "ovnkube-node", AGENT, Enforced.YES),
        (SYSTEM, "kube-network-policies", AGENT, Enforced.YES),
        (SYSTEM, "azure-npm", AGENT, Enforced.YES),
        ("kube-flannel", "kube-flannel-ds", AGENT, Enforced.NO),
        (SYSTEM, "kube-flannel-ds-amd64", AGENT, Enforced.NO),
        (SYSTEM, "azure-cns", AGENT, Enforced.NO),
        (SYSTEM, "kindnet", [container("kindnet", image="kindest/kindnetd:v20250512-df8de77b")], Enforced.YES),
        (SYSTEM, "kindnet", [container("kindnet", image="kindest/kindnetd:v20230511-dc714da8")], Enforced.NO),
        (SYSTEM, "kindnet", [container("kindnet", image="kindnetd:latest")], Enforced.UNKNOWN),
        (SYSTEM, "aws-node", [container("aws-node")], Enforced.NO),
        (SYSTEM, "aws-node", [container(NODE_AGENT, args=["--enable-network-policy=false"])], Enforced.NO),
        (SYSTEM, "aws-node", [container(NODE_AGENT, args=["--enable-network-policy=true"])], Enforced.YES),
        (SYSTEM, "kube-router", [container("kube-router", args=["--run-router=true"])], Enforced.YES),
        (SYSTEM, "kube-router", [container("kube-router", args=["--run-firewall=false"])], Enforced.NO),
        (SYSTEM, "weave-net", [container("weave"), container("weave-npc")], Enforced.YES),
        (SYSTEM, "weave-net", [container("weave")], Enforced.NO),
        (SYSTEM, "kube-proxy", AGENT, Enforced.UNKNOWN),
        ("shop", "cilium", AGENT, Enforced.UNKNOWN),
    ],
)  # fmt: skip
def test_daemon_sets(namespace, name, containers, enforced):
    assert seen((namespace, name, containers))[0] is enforced


@pytest.mark.parametrize(
    ("annotation", "value", "enforced"),
    [
        ("flannel.alpha.coreos.com/backend-type", "vxlan", Enforced.NO),
        ("projectcalico.org/IPv4Address", "172.30.0.11/24", Enforced.YES),
        ("network.cilium.io/cilium-internal-ip", "10.0.0.1", Enforced.YES),
        ("node.antrea.io/mac-address", "0a:00", Enforced.YES),
        ("k8s.ovn.org/node-subnets", "{}", Enforced.YES),
        ("k3s.io/node-args", '["server"]', Enforced.YES),
        ("k3s.io/node-args", '["server","--disable-network-policy"]', Enforced.NO),
        ("volumes.kubernetes.io/controller-managed-attach-detach", "true", Enforced.UNKNOWN),
    ],
)
def test_annotations_of_nodes(annotation, value, enforced):
    assert seen(**{annotation: value})[0] is enforced


def test_what_enforces_beats_what_does_not():
    flannel, policies = ("kube-flannel", "kube-flannel-ds", AGENT), (SYSTEM, "calico-node", AGENT)
    assert seen(flannel, policies) == (Enforced.YES, "Calico")
    k3s = {"flannel.alpha.coreos.com/backend-type": "vxlan", "k3s.io/node-args": "[]"}
    assert seen(**k3s)[0] is Enforced.YES


def test_pods_tell_as_well_as_daemon_sets():
    shop = Shop({"podSelector": {}, "policyTypes": ["Ingress"]})
    shop.workload("DaemonSet", "cilium", {"k8s-app": "cilium"}, namespace="kube-system", hostNetwork=True)
    shop.forbid("daemonsets")
    assert "np-unenforced" not in found(shop.seen_from())


def test_what_nobody_recognizes_is_said_only_beside_a_denial():
    assert Shop().seen_from().findings == ()
    well = Shop({"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{}]})
    assert well.seen_from().findings == ()
    well.plugin("kube-flannel-ds", namespace="kube-flannel")
    finding = found(well.seen_from())["np-unenforced"]
    assert finding.severity is Severity.WARNING
    assert finding.summary == "Flannel does not enforce NetworkPolicy: NetworkPolicy shop/policy-0 has no effect"
