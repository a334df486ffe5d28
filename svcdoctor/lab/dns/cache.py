"""The cache and loadbalance plugins, as far as an answer shows them: capped TTLs, and addresses in turn.

The lab's cache remembers nothing: what a real one would still hold is Behaviour.denied and Behaviour.lies.
"""

from collections.abc import Iterable

from dns.name import Name
from dns.rcode import Rcode
from dns.rdatatype import RdataType
from dns.rdtypes.ANY.SOA import SOA
from msgspec import Struct, structs

from .corefile import Block, Directive
from .message import Next, Question, Record, Reply
from .tokens import number
from .world import World
from .zones import zones

LONGEST, LONGEST_DENIAL, SHORTEST = 3600, 1800, 5
SHUFFLED = (RdataType.A, RdataType.AAAA, RdataType.MX)


class Cache(Struct, frozen=True):
    """Bounds in seconds: (shortest, longest) for what is there and for what is not."""

    zones: tuple[Name, ...]
    success: tuple[int, int]
    denial: tuple[int, int]

    def __call__(self, question: Question, following: Next) -> Reply:
        reply = following(question)
        if not any(question.name.is_subdomain(zone) for zone in self.zones):
            return reply
        if reply.rcode not in (Rcode.NOERROR, Rcode.NXDOMAIN):
            return _with_ttl(reply, SHORTEST)
        denial = reply.rcode == Rcode.NXDOMAIN or not reply.answer
        shortest, longest = self.denial if denial else self.success
        return _with_ttl(reply, min(max(_ttl(reply, denial), shortest), longest))


def _ttl(reply: Reply, denial: bool) -> int:
    minimums = [one.data.minimum for one in reply.authority if isinstance(one.data, SOA)] if denial else []
    every = (*reply.answer, *reply.authority, *reply.additional)
    return min([*minimums, *(one.ttl for one in every)], default=SHORTEST)


def _with_ttl(reply: Reply, ttl: int) -> Reply:
    def same(records: Iterable[Record]) -> tuple[Record, ...]:
        return tuple(one._replace(ttl=ttl) for one in records)

    return structs.replace(
        reply, answer=same(reply.answer), authority=same(reply.authority), additional=same(reply.additional)
    )


def build(directive: Directive, block: Block, world: World) -> Cache:
    """Raises CorefileError."""
    args = list(directive.args)
    longest = _seconds(directive, args.pop(0)) if args and number(args[0]) is not None else None
    success, denial = (SHORTEST, longest or LONGEST), (SHORTEST, longest or LONGEST_DENIAL)
    for word, *numbers in directive.body:
        if word in ("success", "denial"):
            before = success if word == "success" else denial
            bounds = [_seconds(directive, number) for number in numbers[1:3]]
            after = (bounds[1] if len(bounds) > 1 else before[0], bounds[0] if bounds else before[1])
            success, denial = (after, denial) if word == "success" else (success, after)
    return Cache(zones(args, directive.line) or block.zones, success, denial)


def _seconds(directive: Directive, text: str) -> int:
    seconds = number(text)
    if not seconds:
        raise directive.error(f"cache TTL can not be zero or negative: {text}")
    return seconds


class LoadBalance:
    """Another address first each time."""

    def __init__(self) -> None:
        self._turn = 0

    def __call__(self, question: Question, following: Next) -> Reply:
        reply = following(question)
        if sum(one.data.rdtype in SHUFFLED for one in reply.answer) < 2:
            return reply
        self._turn += 1
        return structs.replace(reply, answer=_turned(reply.answer, self._turn))


def _turned(answer: tuple[Record, ...], turn: int) -> tuple[Record, ...]:
    """CNAMEs stay in front, or they would follow what they lead to."""
    fixed = [one for one in answer if one.data.rdtype not in SHUFFLED]
    turning = [one for one in answer if one.data.rdtype in SHUFFLED]
    at = turn % len(turning)
    return (*fixed, *turning[at:], *turning[:at])


def loadbalance(directive: Directive, block: Block, world: World) -> LoadBalance:
    return LoadBalance()
