"""The iptables rules of a node that are not kube-proxy's: the kubelet's and the CNI plugin's."""

from collections.abc import Mapping
from datetime import datetime

from .family import V4, Family, networks_of
from .iptables import ANTI_MARTIAN
from .settings import NodeView
from .tables import Tables


def write(node: NodeView, family: Family, tables: Tables) -> None:
    """Adds what is there whatever kube-proxy does."""
    if node.kubelet:
        _kubelet(family, tables)
    if node.bridge:
        _cni(node, family, tables)


def _kubelet(family: Family, tables: Tables) -> None:
    """Canaries and the hint which iptables backend the node uses; in IPv4 also the guard of 127.0.0.0/8
    (pkg/kubelet/kubelet_network_linux.go), which iptables mode shares."""
    for table in ("mangle", "filter", "nat"):
        tables.chain(table, "KUBE-KUBELET-CANARY")
    tables.chain("mangle", "KUBE-IPTABLES-HINT")
    if family is not V4:
        return
    guard = tables.chain("filter", "KUBE-FIREWALL")
    if not guard:
        guard.append(ANTI_MARTIAN)
    for builtin in ("INPUT", "OUTPUT"):
        rules = tables.chain("filter", builtin)
        if "-j KUBE-FIREWALL" not in rules:
            rules.append("-j KUBE-FIREWALL")


def _cni(node: NodeView, family: Family, tables: Tables) -> None:
    """ipMasq of a bridge plugin: pods are masqueraded towards everything that is not a pod."""
    inside = networks_of(family, node.pod_networks)
    for cidr in networks_of(family, node.pod_cidrs):
        if inside:
            tables.chain("nat", "POSTROUTING").append(f"-s {cidr} ! -d {inside[0]} -j MASQUERADE")


def text(node: NodeView, family: Family, tables: Tables, at: datetime) -> str:
    """``iptables-save -c`` of the family, or ip6tables-save."""
    policies: Mapping[tuple[str, str], str] = {("filter", "FORWARD"): node.forward_policy} if family is V4 else {}
    return tables.text("iptables-save" if family is V4 else "ip6tables-save", at, policies)
