"""What of a node decides its rules, as its own kube-proxy has it."""

from collections.abc import Iterable
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from msgspec import Struct

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class Mode(StrEnum):
    """kube-proxy's back ends on Linux."""

    IPTABLES = "iptables"
    NFTABLES = "nftables"
    IPVS = "ipvs"


class Detector(Struct, frozen=True):
    """How kube-proxy tells a pod's packet from a stranger's: by its source or by its interface."""

    network: Network | None = None
    interface: str = ""  # a name; a prefix if it ends in *

    def is_pod(self, source: str, interface: str | None) -> bool:
        """Of a packet from ``source`` that came by ``interface``, None for one of the node's own processes."""
        if self.network is not None:
            return within(source, self.network)
        if interface is None:
            return False
        if self.interface.endswith("*"):
            return interface.startswith(self.interface[:-1])
        return interface == self.interface


class ProxyNode(Struct, frozen=True):
    """One node and the settings of its kube-proxy, of one IP family."""

    name: str
    mode: Mode
    v6: bool = False
    zone: str = ""
    primary: str = ""  # its own address
    addresses: frozenset[str] = frozenset()  # all of its interfaces but loopback and kube-ipvs0
    detector: Detector | None = None  # None: it does not know pods from others
    node_port_networks: tuple[Network, ...] = ()  # empty: every address takes node ports
    localhost_node_ports: bool = False
    masquerade_all: bool = False

    def takes_node_ports(self, address: str) -> bool:
        """Whether kube-proxy answers node ports at this address of the node."""
        if ip_address(address).is_loopback:
            return self.localhost_node_ports and not self.v6 and self.mode is Mode.IPTABLES
        if not self.node_port_networks:
            return True
        return any(within(address, network) for network in self.node_port_networks)


def within(address: str, network: Network) -> bool:
    found = plain(address)
    return found is not None and found.version == network.version and found in network


def plain(address: str) -> Address | None:
    """An address as kube-proxy reads it: leading zeros of octets are dropped (Go's ParseIPSloppy)."""
    try:
        return ip_address(
            ".".join(part.lstrip("0") or "0" for part in address.split(".")) if "." in address else address
        )
    except ValueError:
        return None


def networks(texts: Iterable[str], v6: bool) -> tuple[Network, ...]:
    """The CIDRs of one family; what is none is passed over."""
    found: list[Network] = []
    for text in texts:
        try:
            network = ip_network(text.strip(), strict=False)
        except ValueError:
            continue
        if (network.version == 6) is v6:
            found.append(network)
    return tuple(found)
