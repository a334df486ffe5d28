"""Policies on traffic: NetworkPolicy, and the cluster-wide kinds of policy.networking.k8s.io.

As written, without the API server's defaults: a policy may come from a file. In the lists that decide who gets through,
a ``null`` item (a dangling dash in YAML) is kept: for the API server it is an item with no field set.
"""

from typing import TypeAlias

from msgspec import field

from .meta import Base, IntOrString, LabelSelector, Object

NAME_LABEL = "kubernetes.io/metadata.name"
"""Set by the API server on every namespace (since 1.21), to its name."""


class IPBlock(Base, frozen=True):
    """networking/v1 IPBlock."""

    cidr: str = ""
    except_: tuple[str, ...] | None = field(default=None, name="except")


class NetworkPolicyPeer(Base, frozen=True):
    """networking/v1 NetworkPolicyPeer: an ipBlock, or one selector, or both selectors at once. Absent is not empty."""

    pod_selector: LabelSelector | None = None
    namespace_selector: LabelSelector | None = None
    ip_block: IPBlock | None = field(default=None, name="ipBlock")


class NetworkPolicyPort(Base, frozen=True):
    """networking/v1 NetworkPolicyPort; without ``port`` all ports of the protocol."""

    protocol: str | None = None
    port: IntOrString | None = None
    end_port: int | None = None


class NetworkPolicyIngressRule(Base, frozen=True):
    """networking/v1 NetworkPolicyIngressRule."""

    peers: tuple[NetworkPolicyPeer | None, ...] | None = field(default=None, name="from")
    ports: tuple[NetworkPolicyPort | None, ...] | None = None


class NetworkPolicyEgressRule(Base, frozen=True):
    """networking/v1 NetworkPolicyEgressRule."""

    peers: tuple[NetworkPolicyPeer | None, ...] | None = field(default=None, name="to")
    ports: tuple[NetworkPolicyPort | None, ...] | None = None


class NetworkPolicySpec(Base, frozen=True):
    """networking/v1 NetworkPolicySpec."""

    pod_selector: LabelSelector = LabelSelector()
    ingress: tuple[NetworkPolicyIngressRule | None, ...] | None = None
    egress: tuple[NetworkPolicyEgressRule | None, ...] | None = None
    policy_types: tuple[str, ...] | None = None


class NetworkPolicy(Object, frozen=True):
    """networking/v1 NetworkPolicy."""

    spec: NetworkPolicySpec = NetworkPolicySpec()


class NamespaceSelector(LabelSelector, frozen=True):
    """The namespaces of a cluster-wide policy: a LabelSelector.

    The three fields below are its form up to network-policy-api v0.1.1, when it was a struct with one of them.
    """

    namespace_selector: LabelSelector | None = None
    same_labels: tuple[str, ...] | None = None
    not_same_labels: tuple[str, ...] | None = None


class NamespacedPod(Base, frozen=True):
    """policy.networking.k8s.io NamespacedPod: both selectors must hold; ``namespaces`` as up to v0.1.1."""

    namespace_selector: LabelSelector = LabelSelector()
    pod_selector: LabelSelector = LabelSelector()
    namespaces: NamespaceSelector | None = None


class Subject(Base, frozen=True):
    """The pods that a cluster-wide policy governs: exactly one field is set."""

    namespaces: NamespaceSelector | None = None
    pods: NamespacedPod | None = None


class ClusterPeer(Base, frozen=True):
    """A peer of a cluster-wide policy: exactly one field is set, the last three on egress only.

    With none set, the peer is of a kind that this reader does not know.
    """

    namespaces: NamespaceSelector | None = None
    pods: NamespacedPod | None = None
    nodes: LabelSelector | None = None
    networks: tuple[str, ...] | None = None
    domain_names: tuple[str, ...] | None = None


class PortRange(Base, frozen=True):
    """policy.networking.k8s.io PortRange, both ends inclusive; ``protocol`` in v1alpha1 only."""

    start: int = 0
    end: int = 0
    protocol: str | None = None


class DestinationPort(Base, frozen=True):
    """policy.networking.k8s.io/v1alpha2 Port: exactly one is set."""

    number: int | None = None
    range: PortRange | None = None


class ProtocolMatch(Base, frozen=True):
    """policy.networking.k8s.io/v1alpha2 ClusterNetworkPolicyProtocolTCP and its siblings: all ports without one."""

    destination_port: DestinationPort | None = None


class ClusterNetworkPolicyProtocol(Base, frozen=True):
    """policy.networking.k8s.io/v1alpha2 ClusterNetworkPolicyProtocol: exactly one is set."""

    tcp: ProtocolMatch | None = None
    udp: ProtocolMatch | None = None
    sctp: ProtocolMatch | None = None
    destination_named_port: str | None = None


class ClusterNetworkPolicyIngressRule(Base, frozen=True):
    """policy.networking.k8s.io/v1alpha2 ClusterNetworkPolicyIngressRule."""

    name: str = ""
    action: str = ""
    peers: tuple[ClusterPeer | None, ...] | None = field(default=None, name="from")
    protocols: tuple[ClusterNetworkPolicyProtocol | None, ...] | None = None


class ClusterNetworkPolicyEgressRule(Base, frozen=True):
    """policy.networking.k8s.io/v1alpha2 ClusterNetworkPolicyEgressRule."""

    name: str = ""
    action: str = ""
    peers: tuple[ClusterPeer | None, ...] | None = field(default=None, name="to")
    protocols: tuple[ClusterNetworkPolicyProtocol | None, ...] | None = None


class ClusterNetworkPolicySpec(Base, frozen=True):
    """policy.networking.k8s.io/v1alpha2 ClusterNetworkPolicySpec: ``tier`` is Admin or Baseline, 0 goes first."""

    tier: str = ""
    priority: int = 0
    subject: Subject = Subject()
    ingress: tuple[ClusterNetworkPolicyIngressRule | None, ...] | None = None
    egress: tuple[ClusterNetworkPolicyEgressRule | None, ...] | None = None


class ClusterNetworkPolicy(Object, frozen=True):
    """policy.networking.k8s.io/v1alpha2 ClusterNetworkPolicy."""

    spec: ClusterNetworkPolicySpec = ClusterNetworkPolicySpec()


class PortNumber(Base, frozen=True):
    """policy.networking.k8s.io/v1alpha1 Port."""

    port: int = 0
    protocol: str | None = None


class AdminNetworkPolicyPort(Base, frozen=True):
    """policy.networking.k8s.io/v1alpha1 AdminNetworkPolicyPort: exactly one is set."""

    port_number: PortNumber | None = None
    port_range: PortRange | None = None
    named_port: str | None = None


class AdminNetworkPolicyIngressRule(Base, frozen=True):
    """policy.networking.k8s.io/v1alpha1 AdminNetworkPolicyIngressRule and its Baseline twin."""

    name: str = ""
    action: str = ""
    peers: tuple[ClusterPeer | None, ...] | None = field(default=None, name="from")
    ports: tuple[AdminNetworkPolicyPort | None, ...] | None = None


class AdminNetworkPolicyEgressRule(Base, frozen=True):
    """policy.networking.k8s.io/v1alpha1 AdminNetworkPolicyEgressRule and its Baseline twin."""

    name: str = ""
    action: str = ""
    peers: tuple[ClusterPeer | None, ...] | None = field(default=None, name="to")
    ports: tuple[AdminNetworkPolicyPort | None, ...] | None = None


class AdminNetworkPolicySpec(Base, frozen=True):
    """policy.networking.k8s.io/v1alpha1 AdminNetworkPolicySpec; the Baseline one has no priority."""

    priority: int = 0
    subject: Subject = Subject()
    ingress: tuple[AdminNetworkPolicyIngressRule | None, ...] | None = None
    egress: tuple[AdminNetworkPolicyEgressRule | None, ...] | None = None


class AdminNetworkPolicy(Object, frozen=True):
    """policy.networking.k8s.io/v1alpha1 AdminNetworkPolicy."""

    spec: AdminNetworkPolicySpec = AdminNetworkPolicySpec()


class BaselineAdminNetworkPolicy(Object, frozen=True):
    """policy.networking.k8s.io/v1alpha1 BaselineAdminNetworkPolicy: one per cluster, named ``default``."""

    spec: AdminNetworkPolicySpec = AdminNetworkPolicySpec()


ClusterPolicy: TypeAlias = ClusterNetworkPolicy | AdminNetworkPolicy | BaselineAdminNetworkPolicy
Policy: TypeAlias = NetworkPolicy | ClusterPolicy
