"""Bytes to questions and answers to bytes, as CoreDNS's DNS library takes and gives them (miekg/dns)."""

import struct
from collections.abc import Callable
from typing import Any

import dns.exception
import dns.flags
import dns.message
import dns.rdataset
import dns.renderer
from dns.message import Message
from dns.name import Name
from dns.opcode import Opcode
from dns.rcode import Rcode
from dns.rdtypes.IN.SRV import SRV

HEADER = struct.Struct("!HHHHHH")
QUERY_BIT = 0x8000
PLAIN_UDP = 512
LONGEST = 65535
OPT_SIZE = 11
POINTABLE = 0x4000  # a pointer has 14 bits
RENDERER: Callable[..., Any] = dns.renderer.Renderer  # which has no types
SECTIONS = (dns.renderer.ANSWER, dns.renderer.AUTHORITY, dns.renderer.ADDITIONAL)


class Unanswerable(Exception):
    """No question was understood; ``reply`` is what is said to that, if anything."""

    def __init__(self, reply: bytes | None) -> None:
        super().__init__("no question")
        self.reply = reply


def parse(wire: bytes) -> Message:
    """One question. Raises Unanswerable.

    What is no whole header, or an answer, is met with silence (miekg/dns DefaultMsgAcceptFunc).
    """
    if len(wire) < HEADER.size:
        raise Unanswerable(None)
    number, flags, questions, answers, authorities, additionals = HEADER.unpack_from(wire)
    if flags & QUERY_BIT:
        raise Unanswerable(None)
    opcode = flags >> 11 & 15
    if opcode not in (Opcode.QUERY, Opcode.NOTIFY):
        raise Unanswerable(_error(number, flags, Rcode.NOTIMP))
    if questions != 1 or answers > 1 or authorities > 1 or additionals > 2:
        raise Unanswerable(_error(number, flags, Rcode.FORMERR))
    try:
        return dns.message.from_wire(wire, ignore_trailing=True)
    except Exception as error:  # the parser's own exceptions and those of every record type
        raise Unanswerable(_error(number, flags, Rcode.FORMERR)) from error


def failure(query: bytes) -> bytes:
    """SERVFAIL to a question that could not be dealt with."""
    number, flags, *_ = HEADER.unpack_from(query)
    return _error(number, flags, Rcode.SERVFAIL)


def _error(number: int, flags: int, rcode: Rcode) -> bytes:
    kept = flags & (0x7800 | dns.flags.RD)
    return HEADER.pack(number, QUERY_BIT | kept | rcode, 0, 0, 0, 0)


def room(query: Message, most: int) -> int:
    """The bytes that an answer over UDP may have: 512, or what EDNS offers up to ``most``."""
    return min(max(query.payload, PLAIN_UDP), most) if query.edns >= 0 else PLAIN_UDP


def render(message: Message, size: int = LONGEST) -> bytes:
    """As many records as ``size`` bytes hold, with TC where some were left out."""
    renderer = RENDERER(message.id, int(message.flags), size)
    renderer.compress = _ExactNames()
    opt = message.opt
    if opt is not None:
        renderer.reserve(OPT_SIZE)
    for asked in message.question:
        renderer.add_question(asked.name, asked.rdtype, asked.rdclass)
    try:
        _add_records(renderer, message)
    except dns.exception.TooBig:
        renderer.flags |= dns.flags.TC
    if opt is not None:
        renderer.release_reserved()
        renderer.add_opt(opt)
    renderer.write_header()
    wire: bytes = renderer.get_wire()
    return wire


def _add_records(renderer: Any, message: Message) -> None:
    for section, rrsets in zip(SECTIONS, (message.answer, message.authority, message.additional), strict=True):
        for rrset in rrsets:
            for data in rrset:
                renderer.add_rdataset(section, rrset.name, dns.rdataset.from_rdata(rrset.ttl, data))
                if isinstance(data, SRV):
                    renderer.compress.learn(data.target, renderer.output.tell())


class _ExactNames(dict[Name, int]):
    """Where names stand in a message. Unlike dnspython's, it does not give one name another's case (0x20).

    And as in miekg/dns, names may point at an SRV record's target, which itself is written out.
    """

    def __init__(self) -> None:
        super().__init__()
        self._places: dict[tuple[bytes, ...], int] = {}

    def learn(self, name: Name, end: int) -> None:
        """``name`` was written out just before ``end``."""
        place = end - len(name.to_wire() or b"")
        for at, label in enumerate(name.labels[:-1]):
            if place < POINTABLE:
                self._places.setdefault(name.labels[at:], place)
            place += 1 + len(label)

    def get(self, name: Name, default: Any = None) -> Any:
        return self._places.get(name.labels, default)

    def __setitem__(self, name: Name, place: int) -> None:
        self._places[name.labels] = place

    def __delitem__(self, name: Name) -> None:
        del self._places[name.labels]

    def items(self) -> Any:
        return [(Name(labels), place) for labels, place in self._places.items()]
