"""What a DNS question must be answered with, and what a server did answer, in one shape."""

from enum import StrEnum

from msgspec import Struct

from ...model.snapshot import Gap
from .names import absolute, canonical


class Kind(StrEnum):
    """What an answer says."""

    ANSWER = "answer"  # NOERROR with records
    NODATA = "nodata"  # NOERROR without: the name exists, the type does not
    NXDOMAIN = "nxdomain"  # an authoritative no
    SERVFAIL = "servfail"  # the server knows that it cannot know
    REFUSED = "refused"  # no server block serves the name
    ELSEWHERE = "elsewhere"  # somebody else decides: an upstream, another plugin
    UNKNOWN = "unknown"  # what decides was not read

    @property
    def negative(self) -> bool:
        return self in (Kind.NODATA, Kind.NXDOMAIN)


class Record(Struct, frozen=True, order=True):
    """A resource record without what servers may choose: no TTL, no SRV priority and weight, no SOA numbers."""

    owner: str
    type: str
    data: str  # "10.0.0.1", "web.shop.svc.cluster.local.", SRV: "80 web...", SOA: mname and rname, TXT: the text

    @classmethod
    def read(cls, owner: str, type: str, data: str) -> "Record":
        """A record as DNS clients print it."""
        words = data.split()
        if type == "SRV":
            data = " ".join(words[2:])
        elif type == "SOA":
            data = " ".join(words[:2])
        elif type == "TXT":
            data = data.strip('"')
        return cls(absolute(owner), type, canonical(data))

    @property
    def key(self) -> tuple[str, str, str]:
        """What is compared: names in any case (RFC 4343)."""
        return self.owner.lower(), self.type, self.data.lower()


class Expected(Struct, frozen=True):
    """What one question must be answered with, and why, in a sentence."""

    kind: Kind
    why: str
    records: tuple[Record, ...] = ()  # of ELSEWHERE: the CNAMEs that lead there
    additional: tuple[Record, ...] = ()  # the addresses of SRV targets, which a server may add
    zone: str = ""  # whose SOA stands in the authority section of a negative answer
    owner: str = ""  # of ELSEWHERE: who decides
    target: str = ""  # of ELSEWHERE: the name that must be asked there
    exact: bool = True  # False: there may be more records, or others
    gap: Gap | None = None  # of UNKNOWN: what was not read

    @property
    def rcode(self) -> str:
        """What stands in the header; "" where that is not ours to say."""
        if self.kind in (Kind.ANSWER, Kind.NODATA):
            return "NOERROR"
        return "" if self.kind in (Kind.ELSEWHERE, Kind.UNKNOWN) else self.kind.upper()

    def differs(self, rcode: str, records: tuple[Record, ...]) -> str:
        """In words, how a real answer differs; "" when it does not, or when nothing certain was expected."""
        if self.kind is Kind.UNKNOWN or (self.kind is Kind.ELSEWHERE and not self.records):
            return ""
        if self.rcode and rcode != self.rcode:
            return f"{rcode} instead of {self.rcode}"
        wanted = {record.key: record for record in self.records}
        found = {record.key: record for record in records}
        missing = [wanted[key].data for key in wanted if key not in found]
        extra = [found[key].data for key in found if key not in wanted]
        if missing:
            return f"without {', '.join(missing)}" + (f", but with {', '.join(extra)}" if extra else "")
        if extra and self.exact and self.kind is not Kind.ELSEWHERE:
            return f"with {', '.join(extra)}, which nothing stands behind"
        return ""
