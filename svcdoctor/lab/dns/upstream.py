"""The world's name servers, as far as the lab has one: a few names of its own, never the network."""

from collections.abc import Callable, Iterable, Mapping

import dns.name
from dns.name import Name
from dns.rcode import Rcode
from dns.rdatatype import RdataType
from dns.rdtypes.ANY.CNAME import CNAME

from .message import LOOKUPS, Question, Record, Reply, record

Upstream = Callable[[Question], Reply | None]
"""None where no server answers."""

TTL = 300
DENIAL = (
    record(
        dns.name.root,
        86400,
        RdataType.SOA,
        "a.root-servers.net. nstld.verisign-grs.com. 2026010100 1800 900 604800 86400",
    ),
)
WILDCARD = b"*"


class Zones:
    """Answers from a table: name -> its records, each ``A 192.0.2.1`` or ``CNAME other.example``.

    A name whose first label is ``*`` stands for all below it that the table does not name (RFC 4592).
    """

    def __init__(self, table: Mapping[str, Iterable[str]]) -> None:
        self._records: dict[Name, list[Record]] = {}
        for text, entries in table.items():
            owner = dns.name.from_text(text)
            self._records[owner] = [_entry(owner, entry) for entry in entries]
        self._names = {Name(owner.labels[i:]) for owner in self._records for i in range(len(owner))}

    def __call__(self, question: Question) -> Reply:
        name, answer = question.name, list[Record]()
        for _ in range(LOOKUPS):
            held = self._held(name)
            if held is None:
                return Reply(Rcode.NXDOMAIN, tuple(answer), DENIAL, recursion=True)
            fitting = [one for one in held if question.type in (one.data.rdtype, RdataType.ANY)]
            alias = [one for one in held if one.data.rdtype == RdataType.CNAME]
            answer += [one._replace(owner=name) for one in fitting or alias]
            goals = [one.data for one in alias if isinstance(one.data, CNAME)]
            if fitting or not goals:
                return Reply(Rcode.NOERROR, tuple(answer), () if fitting else DENIAL, recursion=True)
            name = goals[0].target
        return Reply(Rcode.SERVFAIL, recursion=True)

    def _held(self, name: Name) -> list[Record] | None:
        """None where there is no such name; empty where there are only names below it."""
        if name in self._names:
            return self._records.get(name, [])
        while name != dns.name.root:
            name = name.parent()
            wild = self._records.get(Name((WILDCARD, *name.labels)))
            if wild is not None or name in self._names:
                return wild
        return None


def _entry(owner: Name, text: str) -> Record:
    kind, _, data = text.partition(" ")
    return record(owner, TTL, RdataType.make(kind), data)
