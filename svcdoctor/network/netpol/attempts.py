"""How far a packet is from matching a rule: the peer and the port that come nearest, and what they lack."""

from collections.abc import Iterable, Sequence

from msgspec import Struct, structs

from .peers import Selection
from .question import Question
from .rules import CompiledRule
from .sides import Side
from .verdict import Lack, Miss, Near

Best = tuple[int | None, tuple[Miss, ...]]

COST = {
    Lack.SERVICE_PORT: 1.0,
    Lack.NAMED_PORT_NUMBER: 1.5,
    Lack.NAMED_PORT_PROTOCOL: 1.5,
    Lack.OUTSIDE_CIDR: 3.0,
    Lack.OTHER_FAMILY: 4.0,
    Lack.NOT_A_POD: 4.0,
}
OTHER_VALUE_COST = 1.5  # a label is there, with another value
USUAL_COST = 2.0
DOUBT_COST = 0.1


class Attempt(Struct, frozen=True):
    """A rule tried; it matches if nothing is missed, and may match if all misses are doubts."""

    rule: CompiledRule
    peer: int | None
    peer_misses: tuple[Miss, ...]
    port: int | None
    port_misses: tuple[Miss, ...]

    @property
    def misses(self) -> tuple[Miss, ...]:
        return self.peer_misses + self.port_misses

    @property
    def matches(self) -> bool:
        return not self.peer_misses and not self.port_misses

    @property
    def may_match(self) -> bool:
        return all(miss.doubt for miss in self.misses)

    @property
    def cost(self) -> float:
        """Less is nearer: one thing wrong with the peer or with the port is nearer than something wrong with both."""
        both = any(not miss.doubt for miss in self.peer_misses) and any(not miss.doubt for miss in self.port_misses)
        return _cost(self.misses) + (1 if both else 0)

    def near(self, side: Side) -> Near:
        """As the verdict shows it."""
        ref = structs.replace(self.rule.ref, peer=self.peer, port=self.port)
        peer = None if self.peer is None or self.rule.peers is None else self.rule.peers[self.peer]
        return Near(ref, self.misses, isinstance(peer, Selection) and peer.one_of_two(side))


def attempt(rule: CompiledRule, side: Side, destination: Side, question: Question) -> Attempt:
    """``rule`` tried on a packet whose peer is ``side``."""
    peer: Best = (None, ())
    if rule.peers is not None:
        peer = _best(written.misses(side, question) for written in rule.peers)
    port: Best = (None, ())
    if rule.ports is not None:
        port = _best(written.misses(question, destination) for written in rule.ports)
    return Attempt(rule, *peer, *port)


def nearest(attempts: Sequence[Attempt]) -> Attempt | None:
    """The attempt that lacks least: of equals the one with the most alike labels, then the first."""
    costs = [attempt.cost for attempt in attempts]
    least_cost = min(costs, default=0.0)
    least = [attempt for attempt, cost in zip(attempts, costs, strict=True) if cost == least_cost]
    return max(least, key=lambda attempt: _likeness(attempt.misses), default=None)


def _best(tries: Iterable[tuple[Miss, ...]]) -> Best:
    best: Best = (None, (Miss(Lack.NOT_UNDERSTOOD, "at least one item", doubt=True),))
    least = 0.0
    for index, misses in enumerate(tries):
        if not misses:
            return index, ()
        cost = _cost(misses)
        if best[0] is None or cost < least or (cost == least and _likeness(misses) > _likeness(best[1])):
            best, least = (index, misses), cost
    return best


def _cost(misses: tuple[Miss, ...]) -> float:
    cost = 0.0
    for miss in misses:
        if miss.doubt:
            cost += DOUBT_COST
        elif miss.key and miss.found is not None:
            cost += OTHER_VALUE_COST
        else:
            cost += COST.get(miss.lack, USUAL_COST)
    return cost


def _likeness(misses: tuple[Miss, ...]) -> float:
    """How much alike the values are that labels have and should have: a slip of the hand is near 1."""
    return sum(_shared(miss.wanted, miss.found) for miss in misses if miss.key and miss.found is not None)


def _shared(a: str, b: str) -> float:
    """The share of the longer word that both begin and end with."""
    short = min(len(a), len(b))
    start = next((i for i in range(short) if a[i] != b[i]), short)
    end = next((i for i in range(short - start) if a[-1 - i] != b[-1 - i]), short - start)
    return (start + end) / max(len(a), len(b), 1)
