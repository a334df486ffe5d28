"""The hosts plugin: names written into the Corefile (coredns plugin/hosts).

The file that it reads besides is not there in the lab.
"""

from collections.abc import Sequence

import dns.exception
import dns.name
import dns.reversename
from dns.name import Name
from dns.rcode import Rcode
from dns.rdatatype import RdataType
from msgspec import Struct

from .corefile import Block, Directive
from .message import FAILURE, Next, Question, Record, Reply
from .names import absolute
from .rdata import address, data
from .tokens import number
from .world import Fallthrough, World, fallthrough
from .zones import zones

TTL, LONGEST_TTL = 3600, 65535
OPTIONS = ("ttl", "no_reverse", "reload", "fallthrough")


class Hosts(Struct, frozen=True):
    """``lines`` are (address, names)."""

    zones: tuple[Name, ...]
    lines: tuple[tuple[str, tuple[Name, ...]], ...]
    ttl: int
    reverse: bool
    fallthrough: Fallthrough

    def __call__(self, question: Question, following: Next) -> Reply:
        if question.type == RdataType.PTR:
            pointers = self._pointers(question.name)
            return _found(pointers) if pointers else following(question)
        if not any(question.name.is_subdomain(zone) for zone in self.zones):
            return following(question)
        known = [address(question.name, self.ttl, ip) for ip, names in self.lines if question.name in names]
        answer = [one for one in known if one and one.data.rdtype == question.type]
        if known:
            return _found(answer)
        return following(question) if self.fallthrough.covers(question.name) else FAILURE

    def _pointers(self, name: Name) -> list[Record]:
        try:
            ip = dns.reversename.to_address(name)
        except (dns.exception.DNSException, ValueError):
            return []
        owned = [names for address, names in self.lines if address == ip] if self.reverse else []
        return [Record(name, self.ttl, data(RdataType.PTR, owner)) for names in owned for owner in names]


def build(directive: Directive, block: Block, world: World) -> Hosts:
    """Raises CorefileError."""
    options = {word: tuple(args) for word, *args in directive.body if word in OPTIONS}
    inline = [line for line in directive.body if line[0] not in OPTIONS]
    given = " ".join(options.get("ttl", (str(TTL),)))
    ttl = number(given)
    if ttl is None or not 0 < ttl <= LONGEST_TTL:
        raise directive.error(f"ttl provided is invalid: {given}")
    return Hosts(
        zones(directive.args[1:], directive.line) or block.zones,
        tuple(_line(line) for line in inline if address(dns.name.root, 0, line[0])),
        ttl,
        "no_reverse" not in options,
        fallthrough(options["fallthrough"], directive.line) if "fallthrough" in options else Fallthrough(),
    )


def _line(words: Sequence[str]) -> tuple[str, tuple[Name, ...]]:
    ip, *names = words
    return ip, tuple(filter(None, (absolute(name.lower()) for name in names)))


def _found(answer: list[Record]) -> Reply:
    return Reply(Rcode.NOERROR, tuple(answer), authoritative=True)
