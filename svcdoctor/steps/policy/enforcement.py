"""Does anything in the cluster carry policies out? Told by the traces that network plugins leave.

Their DaemonSets and pods say which plugin it is; so do the annotations that they put on nodes, which anybody may read.
"""

import re
from collections.abc import Callable, Iterator
from enum import Enum

from msgspec import Struct

from ...model.cluster import DaemonSet
from ...model.diagnosis import Evidence
from ...model.meta import Object
from ...model.pod import Container, Pod
from ...model.snapshot import Snapshot
from ..words import source


class Enforced(Enum):
    """Whether NetworkPolicies have an effect."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Plugin(Struct, frozen=True):
    """A network plugin that was recognized."""

    name: str
    enforced: Enforced
    evidence: Evidence


class Enforcement(Struct, frozen=True):
    """What is known of the cluster's network. ``plugin`` decides; None where no known one was seen."""

    plugin: Plugin | None = None
    looked: str = ""  # in words: where

    @property
    def enforced(self) -> Enforced:
        return self.plugin.enforced if self.plugin else Enforced.UNKNOWN


def enforcement(snapshot: Snapshot) -> Enforcement:
    """The plugin that enforces policies; without one, the plugin that is known not to."""
    found = tuple(_plugins(snapshot))
    for answer in (Enforced.YES, Enforced.UNKNOWN, Enforced.NO):
        chosen = next((plugin for plugin in found if plugin.enforced is answer), None)
        if chosen is not None:
            return Enforcement(chosen)
    systems = sorted(place for place in SYSTEM if snapshot.daemonsets.covers(place) or snapshot.pods.covers(place))
    looked = f"the pods and DaemonSets of {', '.join(systems)}" if systems else "no namespace of the system was read"
    return Enforcement(None, looked)


SYSTEM = frozenset(
    {
        "kube-system",
        "calico-system",
        "cilium",
        "kube-flannel",
        "kube-router",
        "openshift-ovn-kubernetes",
        "openshift-sdn",
        "ovn-kubernetes",
        "kube-ovn",
        "weave",
        "tigera-operator",
    }
)
"""Where network plugins live."""

ALWAYS: tuple[tuple[str, str], ...] = (
    ("Calico", r"(rke2-)?canal|calico-node(-.*)?"),
    ("Cilium", r"cilium"),
    ("GKE Dataplane V2 (Cilium)", r"anetd"),
    ("Antrea", r"antrea-agent"),
    ("OVN-Kubernetes", r"ovnkube-node(-.*)?|ovnkube"),
    ("Kube-OVN", r"kube-ovn-cni|ovs-ovn"),
    ("OpenShift SDN", r"sdn"),
    ("kube-network-policies", r"kube-network-policies"),
    ("Azure Network Policy Manager", r"azure-npm(-.*)?"),
    ("NSX", r"nsx-node-agent"),
    ("Romana", r"romana-agent"),
)
"""Plugins that enforce NetworkPolicy by default, by the names of their DaemonSets."""

NEVER: tuple[tuple[str, str], ...] = (("Flannel", r"kube-flannel(-ds.*)?|flannel"),)
"""Plugins that have no part that would."""

ON_NODES: tuple[tuple[str, str, Enforced], ...] = (
    ("k3s's own controller", r"k3s\.io/node-args", Enforced.YES),
    ("Calico", r"projectcalico\.org/.+", Enforced.YES),
    ("Cilium", r"(io|network)\.cilium(\.io)?[./].+", Enforced.YES),
    ("Antrea", r"node\.antrea\.io/.+", Enforced.YES),
    ("OVN-Kubernetes", r"k8s\.ovn\.org/.+", Enforced.YES),
    ("Kube-OVN", r"ovn\.kubernetes\.io/.+", Enforced.YES),
    ("kube-router", r"kube-router\.io/.+", Enforced.YES),
    ("Flannel", r"flannel\.alpha\.coreos\.com/.+", Enforced.NO),
)
"""Annotations of nodes."""

K3S_WITHOUT = "--disable-network-policy"
KINDNET_ENFORCES_FROM = "20240813"
"""The date in kindnetd's tag from which on it carries policies out (kind v0.24)."""


def _plugins(snapshot: Snapshot) -> Iterator[Plugin]:
    items: tuple[DaemonSet | Pod, ...] = (*snapshot.daemonsets.items, *snapshot.pods.items)
    for item in items:
        name = _daemon(item)
        if name:
            yield from _recognized(item, name)
    yield from _node_traces(snapshot)


def _daemon(item: DaemonSet | Pod) -> str:
    """The DaemonSet's name, of a pod its DaemonSet's; an application elsewhere may well be called ``flannel``."""
    if item.namespace not in SYSTEM:
        return ""
    if isinstance(item, DaemonSet):
        return item.name
    owner = item.metadata.controller
    return owner.name if owner and owner.kind == "DaemonSet" and not item.terminal else ""


def _recognized(item: DaemonSet | Pod, name: str) -> Iterator[Plugin]:
    for plugin, pattern in ALWAYS:
        if re.fullmatch(pattern, name):
            yield _plugin(plugin, Enforced.YES, item)
    for plugin, pattern in NEVER:
        if re.fullmatch(pattern, name):
            yield _plugin(plugin, Enforced.NO, item)
    if name in BY_SETTINGS:
        plugin, ask = BY_SETTINGS[name]
        yield _plugin(plugin, ask(_containers(item)), item)


def _plugin(name: str, enforced: Enforced, item: Object) -> Plugin:
    said = {
        Enforced.YES: f"{name}, which enforces NetworkPolicy",
        Enforced.NO: f"{name}, which does not enforce NetworkPolicy",
        Enforced.UNKNOWN: f"{name}, which enforces NetworkPolicy in some versions and settings",
    }
    return Plugin(name, enforced, Evidence(source(item), said[enforced]))


def _containers(item: DaemonSet | Pod) -> tuple[Container, ...]:
    return item.spec.template.spec.containers if isinstance(item, DaemonSet) else item.spec.containers


# -------------------------------------------------------------------------------------------------- by their settings


def _kindnet(containers: tuple[Container, ...]) -> Enforced:
    for container in containers:
        date = re.search(r":v?(\d{8})\b", container.image)
        if date:
            return Enforced.YES if date[1] >= KINDNET_ENFORCES_FROM else Enforced.NO
    return Enforced.UNKNOWN


def _aws(containers: tuple[Container, ...]) -> Enforced:
    """The node agent enforces only when told to."""
    agents = [container for container in containers if "nodeagent" in container.name]
    words = " ".join(word for agent in agents for word in (*(agent.command or ()), *(agent.args or ())))
    return Enforced.YES if re.search(r"--enable-network-policy(=|\s+)true\b", words) else Enforced.NO


def _kube_router(containers: tuple[Container, ...]) -> Enforced:
    words = " ".join(word for one in containers for word in (*(one.command or ()), *(one.args or ())))
    return Enforced.NO if "--run-firewall=false" in words else Enforced.YES


def _weave(containers: tuple[Container, ...]) -> Enforced:
    return Enforced.YES if any(container.name == "weave-npc" for container in containers) else Enforced.NO


def _azure(containers: tuple[Container, ...]) -> Enforced:
    return Enforced.NO


def _terway(containers: tuple[Container, ...]) -> Enforced:
    return Enforced.UNKNOWN


BY_SETTINGS: dict[str, tuple[str, Callable[[tuple[Container, ...]], Enforced]]] = {
    "kindnet": ("kindnet", _kindnet),
    "aws-node": ("Amazon VPC CNI", _aws),
    "kube-router": ("kube-router", _kube_router),
    "weave-net": ("Weave Net", _weave),
    "azure-cns": ("Azure CNI", _azure),
    "terway-eniip": ("Terway", _terway),
}


def _node_traces(snapshot: Snapshot) -> Iterator[Plugin]:
    for node in snapshot.nodes.items:
        for key, value in node.metadata.annotations.items():
            for plugin, pattern, enforced in ON_NODES:
                if re.fullmatch(pattern, key):
                    disabled = key == "k3s.io/node-args" and K3S_WITHOUT in value
                    yield _plugin(plugin, Enforced.NO if disabled else enforced, node)
