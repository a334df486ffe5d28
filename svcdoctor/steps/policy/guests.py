"""Whom the policies let in: from each rule's peers one that it means, so that nobody need be asked for.

A rule admits pods that need not exist yet. But one whose every guest is turned away at the port admits nobody, and a
namespaceSelector that fits no namespace has no guest at all.
"""

from collections.abc import Iterable, Iterator
from itertools import islice

from ...model.meta import LabelSelector
from ...model.policy import NAME_LABEL, ClusterPeer, NetworkPolicy, NetworkPolicyPeer, Policy
from ...network.netpol import AnyPod, AtAddress, AtPod, Direction, End
from ...network.netpol.addresses import network
from ...network.netpol.defaults import rules
from ...network.netpol.selectors import Selector
from ..near import slip
from .namespaces import dead_peers, wanted
from .world import World

MOST = 50
"""Guests that are tried; of thousands of rules the first ones tell enough."""


def guests(world: World, policies: Iterable[Policy]) -> Iterator[End]:
    """A guest of every peer of every ingress rule, and a pod of the Service's own namespace."""
    yield AnyPod(world.service.namespace)
    yield from islice(_guests(world, policies), MOST)


def _guests(world: World, policies: Iterable[Policy]) -> Iterator[End]:
    for policy in policies:
        if isinstance(policy, NetworkPolicy):
            for rule in rules(policy, Direction.INGRESS):
                for peer in rule.peers or ():
                    if peer is not None:
                        yield from _of_peer(world, peer, policy.namespace)
        else:
            for cluster_rule in policy.spec.ingress or ():
                for cluster_peer in (cluster_rule.peers or ()) if cluster_rule else ():
                    if cluster_peer is not None:
                        yield from _of_cluster_peer(world, cluster_peer)


def _of_peer(world: World, peer: NetworkPolicyPeer, home: str) -> Iterator[End]:
    if peer.ip_block is not None:
        yield from _address(peer.ip_block.cidr)
    elif peer.namespace_selector is None and peer.pod_selector is not None:
        yield from _pods(world, [home], peer.pod_selector)
    elif peer.namespace_selector is not None:
        yield from _pods(world, _namespaces(world, peer.namespace_selector), peer.pod_selector or LabelSelector())


def _of_cluster_peer(world: World, peer: ClusterPeer) -> Iterator[End]:
    if peer.pods is not None:
        yield from _pods(world, _namespaces(world, peer.pods.namespace_selector), peer.pods.pod_selector)
    elif peer.namespaces is not None:
        yield from _pods(world, _namespaces(world, peer.namespaces), LabelSelector())


def _namespaces(world: World, selector: LabelSelector) -> list[str]:
    """The first namespace that fits; where not all were read, one that may."""
    ready = Selector.of(selector)
    found = [name for name, labels in world.compiled.cluster.namespaces.items() if ready.holds(labels)]
    if found or world.snapshot.namespaces.covers():
        return found[:1]
    return list(dict(wanted(selector)).get(NAME_LABEL, ("",)))[:1]


def _pods(world: World, namespaces: Iterable[str], selector: LabelSelector) -> Iterator[End]:
    """A pod that fits; else one that could be made, as far as labels of a selector tell."""
    ready = Selector.of(selector)
    for namespace in namespaces:
        real = next((p for p in world.compiled.cluster.pods_in(namespace) if ready.holds(p.labels)), None)
        labels = {key: (values or ("any",))[0] for key, values in wanted(selector)}
        yield AtPod(real) if real is not None and not real.spec.host_network else AnyPod(namespace, labels)


def _address(cidr: str) -> Iterator[End]:
    """From its beginning, middle and end: a part may be excepted."""
    found = network(cidr)
    if found is not None:
        last = found.num_addresses - 1
        for offset in dict.fromkeys((min(1, last), last // 2, max(0, last - 1))):
            yield AtAddress(str(found.network_address + offset))


# ---------------------------------------------------------------------------------------------- meant, but not let in


def meant_guests(world: World, policies: Iterable[Policy]) -> Iterator[End]:
    """A pod of every namespace that is named by a label which it lacks, and those whose labels are misspelt."""
    written = [policy for policy in policies if isinstance(policy, NetworkPolicy)]
    for dead in dead_peers(world, written, Direction.INGRESS):
        peer = (rules(dead.policy, Direction.INGRESS)[dead.rule.index].peers or ())[dead.rule.peer or 0]
        for namespace in dead.meant:
            yield from _pods(world, [namespace], (peer and peer.pod_selector) or LabelSelector())
    for policy in written:
        for rule in rules(policy, Direction.INGRESS):
            for item in rule.peers or ():
                if item is not None and item.pod_selector is not None and item.namespace_selector is None:
                    yield from _misspelt(world, policy.namespace, item.pod_selector)


def _misspelt(world: World, home: str, selector: LabelSelector) -> Iterator[End]:
    """A pod whose labels are the selector's but for a slip of the hand, where no pod has the selector's own."""
    ready = Selector.of(selector)
    pods = world.compiled.cluster.pods_in(home)
    if not world.snapshot.pods.covers(home) or any(ready.holds(pod.labels) for pod in pods):
        return
    wanted_labels = selector.match_labels
    for pod in pods:
        near = [slip(value, pod.labels[key]) for key, value in wanted_labels.items() if key in pod.labels]
        if len(near) == len(wanted_labels) and near and None not in near:
            yield AtPod(pod)
            return
