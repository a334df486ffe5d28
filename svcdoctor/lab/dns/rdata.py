"""Small makers of records."""

import ipaddress
from collections.abc import Callable, Iterator, Sequence

from dns.name import Name
from dns.rdata import Rdata
from dns.rdataclass import IN
from dns.rdatatype import RdataType
from dns.rdtypes.ANY.CNAME import CNAME
from dns.rdtypes.ANY.NS import NS
from dns.rdtypes.ANY.PTR import PTR
from dns.rdtypes.ANY.SOA import SOA
from dns.rdtypes.ANY.TXT import TXT
from dns.rdtypes.IN.A import A
from dns.rdtypes.IN.AAAA import AAAA
from dns.rdtypes.IN.SRV import SRV

from .message import Record

REFRESH, RETRY, EXPIRE = 7200, 1800, 86400
LONGEST_SOA_TTL = 300
CLASSES: dict[RdataType, Callable[..., Rdata]] = {
    RdataType.A: A,
    RdataType.AAAA: AAAA,
    RdataType.CNAME: CNAME,
    RdataType.NS: NS,
    RdataType.PTR: PTR,
    RdataType.SOA: SOA,
    RdataType.SRV: SRV,
    RdataType.TXT: TXT,
}


def data(kind: RdataType, *fields: object) -> Rdata:
    """A record's data by its fields, in their order on the wire; no text is parsed for it."""
    return CLASSES[kind](IN, kind, *fields)


def address(owner: Name, ttl: int, host: str) -> Record | None:
    """An A or AAAA record; None where ``host`` is a name."""
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return None
    return Record(owner, ttl, data(RdataType.A if ip.version == 4 else RdataType.AAAA, str(ip)))


def cname(owner: Name, ttl: int, goal: Name) -> Record:
    return Record(owner, ttl, data(RdataType.CNAME, goal))


def soa(zone: Name, ttl: int, serial: int) -> Record:
    """As CoreDNS's back ends make it up: ``ttl`` is how long a denial may be kept."""
    mname, rname = below(("ns", "dns"), zone), below(("hostmaster",), zone)
    made = data(RdataType.SOA, mname, rname, serial, REFRESH, RETRY, EXPIRE, ttl)
    return Record(zone, min(ttl, LONGEST_SOA_TTL), made)


def below(labels: Sequence[str], zone: Name) -> Name:
    """The name of ``labels`` in ``zone``. A pod's name among them may have dots of its own."""
    return Name([*_split(labels), *zone.labels])


def _split(labels: Sequence[str]) -> Iterator[bytes]:
    for label in labels:
        yield from (part.encode() for part in label.split("."))
