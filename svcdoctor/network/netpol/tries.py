"""All rules of some policies tried on a packet, and remembered: a Service's endpoints mostly have the same answer."""

from collections.abc import Callable
from functools import cached_property

from msgspec import Struct

from ...model.policy import NetworkPolicy
from .attempts import Attempt, attempt, nearest
from .question import Question
from .rules import CompiledRule
from .sides import Side
from .verdict import Direction

Rules = Callable[[NetworkPolicy, Direction], tuple[CompiledRule, ...]]


class _Key(Struct, frozen=True):
    """All that the attempts depend on. The pods at both ends differ only in what is not in here."""

    policies: tuple[NetworkPolicy, ...]
    peer: Side
    question: tuple[object, ...]
    destination: tuple[object, ...]


class Tried:
    """Rules tried one after the other, up to one that matches."""

    def __init__(self, attempts: list[Attempt]) -> None:
        self.attempts = attempts

    @property
    def match(self) -> Attempt | None:
        return self.attempts[-1] if self.attempts and self.attempts[-1].matches else None

    @cached_property
    def possible(self) -> tuple[Attempt, ...]:
        """Those that may match, for all that is known."""
        return tuple(attempt for attempt in self.attempts if attempt.may_match)

    @cached_property
    def nearest(self) -> Attempt | None:
        return nearest(self.attempts)


class Tries:
    """The attempts of one direction, the last ones kept."""

    def __init__(self, direction: Direction) -> None:
        self._direction = direction
        self._last: tuple[_Key, Tried] | None = None

    def of(
        self, rules: Rules, policies: tuple[NetworkPolicy, ...], peer: Side, destination: Side, question: Question
    ) -> Tried:
        """The rules of ``policies``, tried on a packet."""
        key = _Key(policies, peer, (question.port, question.protocol, question.service), _as_destination(destination))
        last = self._last
        if last is not None and last[0].policies is policies and last[0] == key:
            return last[1]
        made = try_all(rules, policies, self._direction, peer, destination, question)
        self._last = key, made
        return made


def try_all(
    rules: Rules,
    policies: tuple[NetworkPolicy, ...],
    direction: Direction,
    peer: Side,
    destination: Side,
    question: Question,
) -> Tried:
    """The same without remembering."""
    tried: list[Attempt] = []
    for policy in policies:
        for rule in rules(policy, direction):
            tried.append(attempt(rule, peer, destination, question))
            if tried[-1].matches:
                return Tried(tried)
    return Tried(tried)


def _as_destination(side: Side) -> tuple[object, ...]:
    """What the ports of rules ask of the destination."""
    if side.pod is None:
        return (side.words,)
    named = tuple((p.name, p.container_port, p.protocol) for server in side.pod.spec.servers for p in server.ports)
    return (side.host_network, *named)
