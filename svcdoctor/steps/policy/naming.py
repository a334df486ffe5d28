"""What a refusal is called: the mistake that it comes from, as far as the rules tell."""

from ...model.diagnosis import Rule
from ...model.policy import NetworkPolicy, NetworkPolicyPeer
from ...network.netpol import AnyPod, AtNode, AtPod, Basis, Direction, Lack, Miss, Near, evaluate
from ...network.netpol.defaults import rules
from ...network.netpol.selectors import Selector
from ..near import slip
from .namespaces import dead_peers
from .passages import Refusal
from .resolver import to_service
from .routes import Purpose
from .rules import (
    NP_AND_OR,
    NP_CLUSTERIP_CIDR,
    NP_DEFAULT_DENY,
    NP_DNS_EGRESS,
    NP_DNS_REALPORT,
    NP_NAMED_PORT,
    NP_NS_UNLABELLED,
    NP_PEER_LABELS,
    NP_SERVICE_PORT,
    NP_SNAT_SOURCE,
    NP_TIER_DENY,
)
from .wording import NAMED_PORT, OF_PORTS
from .world import World


def name(world: World, refusal: Refusal) -> Rule:
    """The rule that stands for ``refusal``."""
    if refusal.ruling.basis in (Basis.ADMIN, Basis.BASELINE):
        return NP_TIER_DENY
    if refusal.purpose is Purpose.DNS and refusal.direction is Direction.EGRESS:
        return _of_dns(world, refusal)
    near = refusal.ruling.nearest
    if near is None:
        return NP_DEFAULT_DENY
    lacks = {miss.lack for miss in near.misses if not miss.doubt}
    if lacks <= OF_PORTS:
        by_name = lacks <= NAMED_PORT or (lacks == {Lack.PROTOCOL} and _port_is_named(world, near))
        return NP_NAMED_PORT if by_name else NP_SERVICE_PORT
    if lacks == {Lack.CIDR_OF_SERVICE}:
        return NP_CLUSTERIP_CIDR
    if lacks == {Lack.OUTSIDE_CIDR} and _masqueraded(world, refusal):
        return NP_SNAT_SOURCE
    if lacks == {Lack.POD_LABELS} and all(map(_slip, near.misses)):
        return NP_PEER_LABELS
    if _unlabelled(world, refusal, near):
        return NP_NS_UNLABELLED
    if near.as_two_items and _meant_as_two(world, refusal, near):
        return NP_AND_OR
    about_another_port = bool(lacks & OF_PORTS) and Lack.SERVICE_PORT not in lacks
    return NP_DEFAULT_DENY if about_another_port else NP_PEER_LABELS


def _masqueraded(world: World, refusal: Refusal) -> bool:
    """A node's address where an outside client's was meant: what enters on one node for a pod of another."""
    source, spec = refusal.passage.route.question.source, world.service.spec
    from_node = isinstance(source, AtNode) or (isinstance(source, AtPod) and source.pod.spec.host_network)
    return from_node and spec.type in ("NodePort", "LoadBalancer") and spec.external_traffic_policy != "Local"


def _of_dns(world: World, refusal: Refusal) -> Rule:
    """The rule that came nearest may be about something else: only one that is about port 53 tells more."""
    route, near = refusal.passage.route, refusal.ruling.nearest
    if route.node_local:
        return NP_DNS_REALPORT if _allowed_to_pods(world, refusal) else NP_DNS_EGRESS
    lacks = {miss.lack for miss in near.misses} if near else set()
    if lacks == {Lack.SERVICE_PORT}:
        return NP_DNS_REALPORT
    if lacks == {Lack.CIDR_OF_SERVICE}:
        return NP_CLUSTERIP_CIDR
    if lacks == {Lack.NAMESPACE_UNLABELLED}:
        return NP_NS_UNLABELLED
    return NP_NAMED_PORT if lacks and lacks <= NAMED_PORT else NP_DNS_EGRESS


def _allowed_to_pods(world: World, refusal: Refusal) -> bool:
    """Whether the client may ask the cluster's DNS pods, past the node's cache."""
    wanted = refusal.passage.route.question
    return any(
        evaluate(world.compiled, route.question).egress.passes
        for route in to_service(world.snapshot, wanted.source)
        if route.question.protocol == wanted.protocol
    )


def _slip(miss: Miss) -> bool:
    """A label that reads like a misspelling of the one that is wanted."""
    return miss.found is not None and slip(miss.wanted, miss.found) is not None


def _unlabelled(world: World, refusal: Refusal, near: Near) -> bool:
    """The peer's namespace lacks the label, or an item beside is meant for a namespace that lacks it."""
    missing = [miss for miss in near.misses if miss.lack is Lack.NAMESPACE_UNLABELLED]
    if any(world.no_namespace_has(miss.key) for miss in missing):
        return True
    if missing and len(near.misses) == 1:  # in one item with a podSelector that fits, it was rather meant as two
        return not near.as_two_items or missing[0].wanted == _peer_namespace(refusal)
    isolating = world.network_policies(refusal.ruling.isolating)
    return any(dead.meant for dead in dead_peers(world, isolating, refusal.direction))


def _peer_namespace(refusal: Refusal) -> str:
    question = refusal.passage.route.question
    end = question.source if refusal.direction is Direction.INGRESS else question.destination
    return end.pod.namespace if isinstance(end, AtPod) else end.namespace if isinstance(end, AnyPod) else ""


def _meant_as_two(world: World, refusal: Refusal, near: Near) -> bool:
    """Whether nobody that is known satisfies both selectors, while one of them fits pods of the policy's namespace."""
    if any(miss.lack is not Lack.POD_LABELS for miss in near.misses):
        return True  # pods of the own namespace by the podSelector: the namespaceSelector stands in their way
    policy = next(iter(world.network_policies((near.rule.policy,))), None)
    peer = peer_of(policy, near) if policy else None
    if policy is None or peer is None or peer.pod_selector is None or peer.namespace_selector is None:
        return False
    pods, namespaces = Selector.of(peer.pod_selector), Selector.of(peer.namespace_selector)
    cluster = world.compiled.cluster
    fitting = [pod for pod in cluster.pods if not pod.terminal and pods.holds(pod.labels)]
    both = any(namespaces.holds(cluster.namespace_labels(pod.namespace)[0]) for pod in fitting)
    return not both and any(pod.namespace == policy.namespace for pod in fitting)


def _port_is_named(world: World, near: Near) -> bool:
    """Whether the port that came nearest is a name: then that name is declared for another protocol."""
    policy = next(iter(world.network_policies((near.rule.policy,))), None)
    if policy is None or near.rule.port is None:
        return False
    port = (rules(policy, near.rule.direction)[near.rule.index].ports or ())[near.rule.port]
    return port is not None and isinstance(port.port, str)


def peer_of(policy: NetworkPolicy, near: Near) -> NetworkPolicyPeer | None:
    """The item that came nearest."""
    ref = near.rule
    peers = rules(policy, ref.direction)[ref.index].peers or ()
    return None if ref.peer is None else peers[ref.peer]
