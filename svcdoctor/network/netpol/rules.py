"""Rules of every kind in one shape, and how far a packet is from matching one."""

from collections.abc import Iterator
from typing import TypeAlias

from msgspec import Struct, structs

from ...model.policy import (
    AdminNetworkPolicyEgressRule,
    AdminNetworkPolicyIngressRule,
    AdminNetworkPolicyPort,
    ClusterNetworkPolicyEgressRule,
    ClusterNetworkPolicyIngressRule,
    ClusterNetworkPolicyProtocol,
    ClusterPeer,
    ClusterPolicy,
    NamespacedPod,
    NamespaceSelector,
    NetworkPolicy,
    NetworkPolicyPeer,
    NetworkPolicyPort,
    Policy,
    PortRange,
    ProtocolMatch,
    Subject,
)
from . import defaults
from .peers import Block, Domains, Nodes, Peer, Selection, Unknown
from .ports import ALL, PortMatch
from .selectors import Selector
from .verdict import Direction, PolicyRef, RuleRef

NOT_A_PORT = PortMatch(understood=False)


def reference(policy: Policy) -> PolicyRef:
    """Which policy it is."""
    return PolicyRef(type(policy).__name__, policy.metadata.namespace, policy.metadata.name)


class CompiledRule(Struct, frozen=True):
    """``peers`` None: everybody. ``ports`` None: all ports of all protocols."""

    ref: RuleRef
    peers: tuple[Peer, ...] | None
    ports: tuple[PortMatch, ...] | None


def compiled_rules(policy: Policy, direction: Direction) -> tuple[CompiledRule, ...]:
    """The rules of one direction, in their order."""
    if isinstance(policy, NetworkPolicy):
        return tuple(_namespaced_rules(policy, direction))
    return tuple(_cluster_rules(policy, direction))


# -------------------------------------------------------------------------------------------------------- NetworkPolicy


def _namespaced_rules(policy: NetworkPolicy, direction: Direction) -> Iterator[CompiledRule]:
    where = reference(policy)
    for index, rule in enumerate(defaults.rules(policy, direction)):
        peers = tuple(peer(written, policy.namespace) for written in rule.peers or ())
        ports = tuple(map(port, rule.ports or ()))
        yield CompiledRule(RuleRef(where, direction, index), peers or None, ports or None)


def peer(written: NetworkPolicyPeer | None, home: str) -> Peer:
    """A peer of a NetworkPolicy in namespace ``home``."""
    if written is None:
        return Unknown()
    chosen = written.pod_selector is not None or written.namespace_selector is not None
    if written.ip_block is not None:
        return Unknown() if chosen else Block.of((written.ip_block.cidr,), written.ip_block.except_ or ())
    if not chosen:
        return Unknown()
    namespaces = None if written.namespace_selector is None else Selector.of(written.namespace_selector)
    pods = None if written.pod_selector is None else Selector.of(written.pod_selector)
    return Selection(namespaces, pods, home)


def port(written: NetworkPolicyPort | None) -> PortMatch:
    """A port of a NetworkPolicy, whose protocol is TCP unless it says otherwise."""
    if written is None:
        return PortMatch("TCP")
    protocol = written.protocol or "TCP"
    match written.port, written.end_port:
        case None, None:
            return PortMatch(protocol)
        case str(name), None if name:
            return PortMatch(protocol, name=name)
        case int(low), high:
            return PortMatch(protocol, low, low if high is None else high)
        case _:
            return NOT_A_PORT


# --------------------------------------------------------------------------------------------------- cluster-wide kinds

ClusterPort: TypeAlias = ClusterNetworkPolicyProtocol | AdminNetworkPolicyPort
ClusterRule: TypeAlias = (
    ClusterNetworkPolicyIngressRule
    | ClusterNetworkPolicyEgressRule
    | AdminNetworkPolicyIngressRule
    | AdminNetworkPolicyEgressRule
)


def _cluster_rules(policy: ClusterPolicy, direction: Direction) -> Iterator[CompiledRule]:
    where = reference(policy)
    spec = policy.spec
    written = spec.ingress if direction is Direction.INGRESS else spec.egress
    for index, rule in enumerate(written or ()):
        if rule is None:
            yield CompiledRule(RuleRef(where, direction, index), (Unknown(),), None)
        else:
            name, ports = ports_of(rule)
            ref = RuleRef(where, direction, index, ports_field=name, action=rule.action, name=rule.name)
            yield CompiledRule(ref, tuple(map(cluster_peer, rule.peers or ())), tuple(map(cluster_port, ports)) or None)


def ports_of(rule: ClusterRule) -> tuple[str, tuple[ClusterPort | None, ...]]:
    """The name of the field that lists ports, and its items."""
    if isinstance(rule, ClusterNetworkPolicyIngressRule | ClusterNetworkPolicyEgressRule):
        return "protocols", rule.protocols or ()
    return "ports", rule.ports or ()


def cluster_peer(written: ClusterPeer | None) -> Peer:
    """A peer of a cluster-wide policy; with no field set it is of a kind that a newer API knows."""
    if written is None or structs.asdict(written) == structs.asdict(ClusterPeer()):
        return Unknown()
    if written.nodes is not None:
        return Nodes(Selector.of(written.nodes))
    if written.networks is not None:
        return Block.of(written.networks)
    if written.domain_names is not None:
        return Domains(written.domain_names)
    return selection(written) or Unknown()


def selection(written: ClusterPeer | Subject) -> Selection | None:
    """The pods that a peer or a subject selects; None if that cannot be told."""
    if written.pods is not None and written.namespaces is None:
        return _namespaced(written.pods)
    if written.namespaces is None or written.pods is not None or _of_old_form(written.namespaces):
        return None
    return Selection(Selector.of(written.namespaces), None, cluster_wide=True)


def _namespaced(pods: NamespacedPod) -> Selection | None:
    if pods.namespaces is not None:
        return None
    return Selection(Selector.of(pods.namespace_selector), Selector.of(pods.pod_selector), cluster_wide=True)


def _of_old_form(namespaces: NamespaceSelector) -> bool:
    old = (namespaces.namespace_selector, namespaces.same_labels, namespaces.not_same_labels)
    return any(field is not None for field in old)


def cluster_port(written: ClusterPort | None) -> PortMatch:
    """An item of ``protocols`` (v1alpha2) or ``ports`` (v1alpha1)."""
    match written:
        case ClusterNetworkPolicyProtocol(destination_named_port=str(name)) if name:
            return PortMatch(name=name, cluster_wide=True)
        case ClusterNetworkPolicyProtocol(tcp=ProtocolMatch() as said):
            return _numbered("TCP", said)
        case ClusterNetworkPolicyProtocol(udp=ProtocolMatch() as said):
            return _numbered("UDP", said)
        case ClusterNetworkPolicyProtocol(sctp=ProtocolMatch() as said):
            return _numbered("SCTP", said)
        case AdminNetworkPolicyPort(port_number=number) if number is not None:
            return PortMatch(number.protocol or "TCP", number.port, number.port)
        case AdminNetworkPolicyPort(port_range=PortRange() as reach):
            return PortMatch(reach.protocol or "TCP", reach.start, reach.end)
        case AdminNetworkPolicyPort(named_port=str(name)) if name:
            return PortMatch(name=name, cluster_wide=True)
        case _:
            return NOT_A_PORT


def _numbered(protocol: str, said: ProtocolMatch) -> PortMatch:
    where = said.destination_port
    if where is None:
        return PortMatch(protocol, *ALL)
    if where.range is not None:
        return PortMatch(protocol, where.range.start, where.range.end)
    return NOT_A_PORT if where.number is None else PortMatch(protocol, where.number, where.number)
