"""What decides a node's rules besides Services and slices: kube-proxy's configuration, and the node itself."""

from typing import Literal

from msgspec import Struct

Mode = Literal["iptables", "nftables", "ipvs"]


class ProxyConfig(Struct, frozen=True, kw_only=True):
    """The fields of a KubeProxyConfiguration (kubeproxy.config.k8s.io/v1alpha1) that change what is written.

    The last four are no part of it: what kube-proxy finds in the kernel, the binary and the API server.
    """

    mode: Mode = "iptables"
    detect_local_mode: Literal["ClusterCIDR", "NodeCIDR", "BridgeInterface", "InterfaceNamePrefix"] = "ClusterCIDR"
    cluster_cidrs: tuple[str, ...] = ("10.244.0.0/16",)
    """clusterCIDR: the first of each family counts. Without one, kube-proxy does not know a pod from a stranger."""
    local_interface: str = ""
    """detectLocal: the bridge's name, or the prefix of the interfaces' names."""
    masquerade_all: bool = False
    masquerade_bit: int = 14
    localhost_node_ports: bool = True
    node_port_addresses: tuple[str, ...] = ()
    """CIDRs, or "primary". Empty means all addresses, in nftables mode the primary ones."""
    scheduler: str = "rr"
    strict_arp: bool = False
    tcp_be_liberal: bool = False
    large_cluster_endpoints: int = 1000
    """Above so many endpoints in all, iptables mode leaves out the comments of endpoint rules (a constant of the
    program: largeClusterEndpointsThreshold)."""
    nfacct: bool = True
    """Whether the kernel has nfacct, which counts some packets for the metrics."""
    service_cidrs: tuple[str, ...] = ("10.96.0.0/16",)
    """The cluster's ServiceCIDRs; nftables mode drops what goes to their unused addresses."""
    syncs: bool = True
    """Whether the kernel takes what it writes. Where it does not, the rules stay those of before, and it tries again
    every half a minute."""

    @property
    def mark(self) -> int:
        """The bit of the packet mark that asks for masquerading."""
        return int(1 << self.masquerade_bit)


class Peer(Struct, frozen=True):
    """Another node, as this one's routing table has it."""

    address: str
    pod_cidr: str


class NodeView(Struct, frozen=True, kw_only=True):
    """A node as its own kube-proxy, kubelet and kernel see it."""

    name: str
    addresses: tuple[str, ...] = ()
    """Its InternalIPs, the primary one of each family first."""
    zone: str = ""
    """The label topology.kubernetes.io/zone; empty where there is none."""
    pod_cidrs: tuple[str, ...] = ()
    pods: tuple[str, ...] = ()
    """Addresses of the pods that run here in a network of their own: each has a veth."""
    peers: tuple[Peer, ...] = ()
    pod_networks: tuple[str, ...] = ("10.244.0.0/16", "fd00:10:244::/48")
    """What the CNI calls inside: pods' traffic to anywhere else is masqueraded."""
    kubelet: bool = True
    """Whether a kubelet runs here and keeps its own iptables chains."""
    bridge: bool = True
    """Whether the CNI is the bridge plugin: cni0, veths, and its masquerade rule."""
    forward_policy: Literal["ACCEPT", "DROP"] = "ACCEPT"
    """The policy of the filter table's FORWARD chain."""
    connections: tuple[str, ...] = ()
    """Lines of its conntrack table beside those of a node at rest."""
    cluster_dns: tuple[str, ...] = ("10.96.0.10",)
    cluster_domain: str = "cluster.local"
    sysctls: dict[str, str] = {}
    """Kernel settings that differ from what a healthy node has."""
