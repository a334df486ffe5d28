"""Peers that select namespaces by a label which no namespace has: they let nobody through, whoever comes."""

from collections.abc import Iterable, Iterator
from itertools import chain

from msgspec import Struct

from ...model.meta import LabelSelector
from ...model.policy import NetworkPolicy
from ...network.netpol import Direction, RuleRef
from ...network.netpol.defaults import rules
from ...network.netpol.rules import reference
from ...network.netpol.selectors import Selector
from .world import World


class DeadPeer(Struct, frozen=True):
    """An item of a rule that matches no namespace."""

    policy: NetworkPolicy
    rule: RuleRef  # with the item's index
    key: str
    values: tuple[str, ...]
    meant: tuple[str, ...]  # the namespaces whose names stand where their labels should

    @property
    def spoken(self) -> str:
        """``name=frontend``."""
        return f"{self.key}={'|'.join(self.values)}"


def dead_peers(world: World, policies: Iterable[NetworkPolicy], direction: Direction) -> Iterator[DeadPeer]:
    """Those of ``policies`` in one direction; none where not all namespaces were read."""
    if not world.snapshot.namespaces.covers():
        return
    for policy in policies:
        for index, rule in enumerate(rules(policy, direction)):
            for place, peer in enumerate(rule.peers or ()):
                if peer is not None and peer.namespace_selector is not None:
                    ref = RuleRef(reference(policy), direction, index, place)
                    yield from _dead(world, policy, ref, peer.namespace_selector)


def _dead(world: World, policy: NetworkPolicy, ref: RuleRef, selector: LabelSelector) -> Iterator[DeadPeer]:
    ready = Selector.of(selector)
    namespaces = world.compiled.cluster.namespaces
    if ready.broken or any(ready.holds(labels) for labels in namespaces.values()):
        return
    for key, values in wanted(selector):
        if world.no_namespace_has(key):
            meant = tuple(name for name in values if name in namespaces)
            yield DeadPeer(policy, ref, key, values, meant)
            return


def wanted(selector: LabelSelector) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The keys that a selector wants, with the values that would do (none: any)."""
    pairs = ((key, (value,)) for key, value in selector.match_labels.items())
    required = (
        (requirement.key, requirement.values or ())
        for requirement in selector.match_expressions
        if requirement.operator in ("In", "Exists")
    )
    return chain(pairs, required)
