"""The name server: a question to its answer, by server blocks and behaviour. Sockets are transport.py's business."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

import dns.flags
import dns.message
import dns.name
import dns.rrset
from dns.message import Message, QueryMessage
from dns.name import Name
from dns.rcode import Rcode
from dns.rdataclass import IN

from ..clock import real_now
from . import chain, corefile
from .behaviour import HEALTHY, Behaviour, Transport
from .message import FAILURE, LOOKUPS, Next, Question, Record, Reply, innermost
from .rdata import address, soa
from .tokens import CorefileError
from .upstream import Upstream, Zones
from .view import View
from .world import World

PORT = 53
PAYLOAD = 1232
"""The most that goes into one UDP answer, whatever the client offers (plugin/bufsize's default)."""
REFUSED = Reply(Rcode.REFUSED)
DENIAL_TTL, LIE_TTL = 30, 30


class NameServer:
    """Belongs to one thread. ``corefile`` and ``behaviour`` may be set while it runs.

    ``upstream`` is what forward finds outside (a table for upstream.Zones, or a function); ``addresses`` are those of
    the CoreDNS pods, which NS records need; blocks for another port than ``port`` are not served.
    """

    def __init__(
        self,
        view: View,
        corefile: str,
        upstream: Mapping[str, Iterable[str]] | Upstream | None = None,
        behaviour: Behaviour = HEALTHY,
        *,
        now: Callable[[], datetime] = real_now,
        addresses: Sequence[str] = ("127.0.0.1",),
        port: int = PORT,
    ) -> None:
        """Raises CorefileError."""
        self._view = view
        self._upstream = upstream if callable(upstream) else Zones(upstream or {})
        self._now = now
        self._addresses = tuple(addresses)
        self._port = port
        self._waited = 0.0
        self.serial = int(now().timestamp())
        self.reload_error: CorefileError | None = None
        self._behaviour = behaviour
        self._corefile = corefile
        self._chains = self._build(corefile, behaviour)

    @property
    def corefile(self) -> str:
        """What is served; a text that was broken has left the one before it in force (plugin/reload)."""
        return self._corefile

    @corefile.setter
    def corefile(self, text: str) -> None:
        try:
            self._chains = self._build(text, self._behaviour)
        except CorefileError as error:
            self.reload_error = error
        else:
            self._corefile, self.reload_error = text, None

    @property
    def behaviour(self) -> Behaviour:
        return self._behaviour

    @behaviour.setter
    def behaviour(self, behaviour: Behaviour) -> None:
        self._chains = self._build(self._corefile, behaviour)
        self._behaviour = behaviour

    def _build(self, text: str, behaviour: Behaviour) -> dict[Name, Next]:
        blocks = corefile.parse(text)
        world = World(
            self._view, behaviour, self._upstream, self._resolve, self._wait, lambda: self.serial, self._addresses
        )
        chains = [(block, chain.build(block, world)) for block in blocks]
        self._cluster_zones = tuple(zone for block in blocks for zone in chain.cluster_zones(block))
        return {zone: made for block, made in chains for zone, port in block.keys if port == self._port}

    # ------------------------------------------------------------------------------------------------------ answering

    def answer(self, query: Message, transport: Transport) -> Message | None:
        """None is silence. ``query`` must be one question; wire.py sees to that."""
        return self.timed_answer(query, transport)[0]

    def timed_answer(self, query: Message, transport: Transport) -> tuple[Message | None, float]:
        """The answer, and the seconds after which it leaves."""
        behaviour = self._behaviour
        if behaviour.loop or transport in behaviour.silent:
            return None, 0.0
        self._waited = behaviour.delay
        asked = query.question[0]
        question = Question(asked.name, asked.rdtype, asked.rdclass)
        reply = REFUSED if question.rdclass != IN else self._believed(question) or self._resolve(question)
        message = _message(query, reply)
        if behaviour.truncate and transport == "udp":
            message.answer, message.authority, message.additional = [], [], []
            message.flags |= dns.flags.TC
        return message, self._waited

    def _believed(self, question: Question) -> Reply | None:
        """What Behaviour puts in the place of the truth."""
        name, ends = question.name.to_text().lower().rstrip("."), self._behaviour.denied
        until = ends.get(name) or ends.get(name + ".")
        left = (until - self._now()).total_seconds() if until else 0
        if left > 0:
            zone = innermost(self._cluster_zones, question.name) or dns.name.root
            denial = soa(zone, max(min(int(left), DENIAL_TTL), 1), self.serial)
            return Reply(Rcode.NXDOMAIN, authority=(denial,), authoritative=True)
        lie = self._behaviour.lies.get(name) or self._behaviour.lies.get(name + ".")
        made = address(question.name, LIE_TTL, lie) if lie else None
        if made is None:
            return None
        answer = (made,) if made.data.rdtype == question.type else ()
        return Reply(Rcode.NOERROR, answer, authoritative=True)

    def _resolve(self, question: Question) -> Reply:
        if question.depth > LOOKUPS:
            return FAILURE
        zone = self._zone(question.name)
        return REFUSED if zone is None else self._chains[zone](question)

    def _zone(self, name: Name) -> Name | None:
        """The innermost zone that is served."""
        labels = name.labels
        return next((zone for at in range(len(labels)) if (zone := Name(labels[at:])) in self._chains), None)

    def _wait(self, seconds: float) -> None:
        self._waited += seconds


def _message(query: Message, reply: Reply) -> QueryMessage:
    message = dns.message.make_response(query, recursion_available=reply.recursion, our_payload=PAYLOAD)
    assert isinstance(message, QueryMessage)
    if query.edns > 0:
        message.set_rcode(Rcode.BADVERS)
        return message
    if query.edns == 0:
        message.ednsflags |= query.ednsflags & dns.flags.DO
    message.set_rcode(reply.rcode)
    if reply.authoritative:
        message.flags |= dns.flags.AA
    _fill(message, message.answer, reply.answer)
    _fill(message, message.authority, reply.authority)
    _fill(message, message.additional, reply.additional)
    return message


def _fill(message: Message, section: list[dns.rrset.RRset], records: Iterable[Record]) -> None:
    for owner, ttl, data in records:
        message.find_rrset(section, owner, data.rdclass, data.rdtype, create=True).add(data, ttl)
