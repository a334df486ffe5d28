"""A question on its way through the plugins, and what comes back."""

from collections.abc import Callable
from typing import NamedTuple

import dns.name
import dns.rdata
import dns.rdataclass
from dns.name import Name
from dns.rcode import Rcode
from dns.rdata import Rdata
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType
from msgspec import Struct

LOOKUPS = 8
"""How far a name may lead to other names before the server gives up."""


class Record(NamedTuple):
    """One resource record of class IN; ``ttl`` in seconds."""

    owner: Name
    ttl: int
    data: Rdata


class Question(Struct, frozen=True):
    """``name`` in the asker's case; ``depth`` counts the look-ups that other answers needed."""

    name: Name
    type: RdataType
    rdclass: RdataClass = dns.rdataclass.IN
    depth: int = 0


class Reply(Struct, frozen=True):
    """What a plugin answers."""

    rcode: Rcode
    answer: tuple[Record, ...] = ()
    authority: tuple[Record, ...] = ()
    additional: tuple[Record, ...] = ()
    authoritative: bool = False
    recursion: bool = False


Next = Callable[[Question], Reply]
Plugin = Callable[[Question, Next], Reply]

FAILURE = Reply(Rcode.SERVFAIL)


def record(owner: Name, ttl: int, rdtype: RdataType, text: str) -> Record:
    """From the data's presentation form. Raises dns.exception.DNSException."""
    return Record(
        owner, ttl, dns.rdata.from_text(dns.rdataclass.IN, rdtype, text, origin=dns.name.root, relativize=False)
    )


def innermost(zones: tuple[Name, ...], name: Name) -> Name | None:
    """The longest of ``zones`` that ``name`` lies in, in the case in which ``name`` has it."""
    lengths = [len(zone) for zone in zones if name.is_subdomain(zone)]
    return Name(name.labels[len(name) - max(lengths) :]) if lengths else None
