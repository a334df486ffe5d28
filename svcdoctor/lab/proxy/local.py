"""What counts as this node: which senders are its pods, and which of its addresses answer for node ports."""

import ipaddress
from typing import Any

from msgspec import Struct

from .family import V4, V6, Family, addresses_of, contains, host_cidr, network, networks_of
from .settings import NodeView, ProxyConfig


class Detector(Struct, frozen=True):
    """How kube-proxy tells a pod's packet from a stranger's (pkg/proxy/util/localdetector.go)."""

    cidr: str = ""
    interface: str = ""
    """As iptables writes it, a prefix with ``+`` at its end."""

    @property
    def implemented(self) -> bool:
        """False where the configuration gives nothing to tell by."""
        return bool(self.cidr or self.interface)

    def iptables(self, local: bool, destination: str = "") -> str:
        """The match, between which iptables-save prints ``-d destination``."""
        negation = "" if local else "! "
        if self.cidr:
            return f"{negation}-s {self.cidr} {destination}"
        return f"{destination}{negation}-i {self.interface} "

    def nft(self, local: bool, family: Family) -> dict[str, Any]:
        """The match as nft's JSON has it."""
        op = "==" if local else "!="
        if not self.cidr:
            left: dict[str, Any] = {"meta": {"key": "iifname"}}
            return {"match": {"op": op, "left": left, "right": self.interface.replace("+", "*")}}
        left = {"payload": {"protocol": family.nft, "field": "saddr"}}
        return {"match": {"op": op, "left": left, "right": nft_network(self.cidr)}}


def nft_network(cidr: str) -> Any:
    """A CIDR as nft's JSON has it: a prefix, or a bare address where it is one."""
    ip, _, length = cidr.partition("/")
    parsed = network(cidr)
    if parsed is None or int(length) == parsed[0].bits:
        return ip
    return {"prefix": {"addr": ip, "len": int(length)}}


def detector(config: ProxyConfig, node: NodeView, family: Family) -> Detector:
    """The detector that kube-proxy would choose; the first CIDR of the family is the only one that counts."""
    if config.detect_local_mode == "BridgeInterface":
        return Detector(interface=config.local_interface)
    if config.detect_local_mode == "InterfaceNamePrefix":
        return Detector(interface=config.local_interface and f"{config.local_interface}+")
    cidrs = config.cluster_cidrs if config.detect_local_mode == "ClusterCIDR" else node.pod_cidrs
    return Detector(cidr=next(iter(networks_of(family, cidrs)), ""))


class NodePorts(Struct, frozen=True):
    """Where node ports are answered in one family (pkg/proxy/util/nodeport_addresses.go)."""

    match_all: bool
    """On all of the node's addresses, also those that come later."""
    addresses: tuple[str, ...]
    """The addresses that it has now and that match."""
    localhost: bool
    """On IPv4 loopback addresses too: only iptables mode can."""


def node_ports(config: ProxyConfig, node: NodeView, family: Family) -> NodePorts:
    """Which addresses the configuration selects. Where it names none of a family, all of that family count."""
    texts = config.node_port_addresses or (("primary",) if config.mode == "nftables" else ())
    cidrs = networks_of(family, _without_primary(texts, node))
    match_all = not cidrs or any(cidr.endswith("/0") for cidr in cidrs)
    loopback = family is V4 and (match_all or any(contains(cidr, "127.0.0.1") for cidr in cidrs))
    found = local_addresses(node, family)
    chosen = found if match_all else tuple(ip for ip in found if any(contains(cidr, ip) for cidr in cidrs))
    return NodePorts(
        match_all=match_all,
        addresses=chosen,
        localhost=config.mode == "iptables" and config.localhost_node_ports and loopback,
    )


def _without_primary(texts: tuple[str, ...], node: NodeView) -> list[str]:
    """The CIDRs, with the word "primary" replaced by the node's first address of each family."""
    cidrs = [text for text in texts if text != "primary"]
    if "primary" in texts:
        cidrs += [host_cidr(family, ip) for family in (V4, V6) if (ip := primary(node, family))]
    return cidrs


def primary(node: NodeView, family: Family) -> str:
    """The node's first address of the family, empty for none."""
    return next(iter(addresses_of(family, node.addresses)), "")


def gateways(node: NodeView, family: Family) -> tuple[str, ...]:
    """The bridge's addresses: the first of each pod CIDR."""
    if not node.bridge:
        return ()
    return tuple(first_address(cidr) for cidr in networks_of(family, node.pod_cidrs))


def first_address(cidr: str) -> str:
    """The first host of a network: 10.244.1.1 of 10.244.1.0/24."""
    return str(ipaddress.ip_network(cidr)[1])


def local_addresses(node: NodeView, family: Family) -> tuple[str, ...]:
    """The node's own addresses: loopback, its interfaces, the bridge."""
    loopback = "127.0.0.1" if family is V4 else "::1"
    return (loopback, *addresses_of(family, node.addresses), *gateways(node, family))
