"""What the cluster's DNS must answer, given its objects: the Kubernetes DNS specification, schema 1.1.0.

Where the specification is silent (endpoints without a hostname, pod names, a name's other types) the answers are those
of CoreDNS (plugin/kubernetes/kubernetes.go, plugin/backend_lookup.go). What was not read makes an answer UNKNOWN,
never a no.
"""

from collections.abc import Callable, Iterable

from ...model.snapshot import Snapshot
from . import names
from .answer import Expected, Kind, Record
from .kubernetes_plugin import MANIFEST, KubernetesPlugin
from .lookup import Entry, Lookup
from .question import Absent, Unread

SCHEMA_VERSION = "1.1.0"
LONGEST_CHAIN = 8
"""CNAMEs that CoreDNS follows within the zone."""


class ClusterRecords:
    """The records of one cluster as a kubernetes plugin with those options serves them.

    ``synced`` is False while the server has not read the objects yet: then it can't say no, and says SERVFAIL.
    """

    def __init__(self, snapshot: Snapshot, plugin: KubernetesPlugin = MANIFEST, synced: bool = True) -> None:
        self.plugin = plugin
        self.synced = synced
        self.lookup = Lookup(snapshot, plugin)

    def expect(self, name: str, type: str) -> Expected:
        """The answer to one question. ``name`` is absolute, whether it has its dot or not; ``type`` is upper-case."""
        name = names.absolute(name)
        zone = self.plugin.zone_of(name)
        if not zone:
            return Expected(Kind.ELSEWHERE, "no name of the cluster", owner="the next plugin", target=name)
        apex = names.split(name, zone)[1]
        try:
            return self._answer(name, type, zone, apex)
        except Unread as unread:
            return Expected(Kind.UNKNOWN, str(unread), gap=unread.gap)
        except Absent as absent:
            if self.plugin.falls_through(name):
                why = f"{absent}; fallthrough hands the question on"
                return Expected(Kind.ELSEWHERE, why, owner="the next plugin", target=name)
            if not self.synced:
                return Expected(Kind.SERVFAIL, "the server has not read the cluster's objects yet", zone=apex)
            return Expected(Kind.NXDOMAIN, str(absent), zone=apex)

    def _answer(self, name: str, type: str, zone: str, apex: str) -> Expected:
        before = tuple(label.lower() for label in names.split(name, zone)[0])
        if before == ("ns", "dns") or (not before and type == "NS"):
            return Expected(Kind.ANSWER, "the name server's own addresses", exact=False)
        if not before and type == "SOA":
            return self._positive([Record(apex, "SOA", f"ns.dns.{apex} hostmaster.{apex}")], "the zone itself")
        by_type: dict[str, Callable[[str, str, str], Expected]] = {
            "A": self._addresses,
            "AAAA": self._addresses,
            "SRV": self._services,
            "PTR": self._pointer,
            "CNAME": self._alias,
            "TXT": self._text,
        }
        return by_type.get(type, self._other)(name, type, zone)

    @staticmethod
    def _positive(records: Iterable[Record], why: str, additional: Iterable[Record] = ()) -> Expected:
        return Expected(Kind.ANSWER, why, tuple(sorted(set(records))), tuple(sorted(set(additional))))

    # ------------------------------------------------------------------------------------------------------- addresses

    def _addresses(self, name: str, type: str, zone: str) -> Expected:
        found = self.lookup.entries(name, zone)
        records, target = self._chain(name, type, zone, found.entries, ())
        if target:
            why = f"{found.why}; whoever answers for {target} decides"
            return Expected(Kind.ELSEWHERE, why, tuple(sorted(records)), owner="upstream", target=target)
        if records:
            return self._positive(records, found.why)
        why = f"{found.why}: no {type} record" + self._dangling(found.entries, name, zone)
        return Expected(Kind.NODATA, why, zone=names.split(name, zone)[1])

    def _chain(
        self, name: str, type: str, zone: str, entries: Iterable[Entry], trail: tuple[str, ...]
    ) -> tuple[set[Record], str]:
        """The records of ``name`` and what its CNAMEs lead to; and the name outside of the zone where they end."""
        records: set[Record] = set()
        outside = ""
        for entry in entries:
            if not entry.alias:
                if entry.type == type:
                    records.add(Record(name, type, names.canonical(entry.host)))
                continue
            target = names.absolute(entry.host)
            if names.within(name, target) or target.lower() in trail or len(trail) >= LONGEST_CHAIN:
                continue  # a circle; CoreDNS leaves such a record out
            alias = Record(name, "CNAME", target)
            if not names.within(zone, target):
                records.add(alias)
                outside = target
                continue
            try:
                further = self.lookup.entries(target, zone).entries
            except Absent:
                continue  # CoreDNS leaves out a CNAME whose target in the zone gives nothing
            nested, beyond = self._chain(target, type, zone, further, (*trail, name.lower()))
            if nested:
                records |= {alias, *nested}
                outside = outside or beyond
        return records, outside

    def _dangling(self, entries: Iterable[Entry], name: str, zone: str) -> str:
        """Why a chain that stays in the zone gives nothing."""
        aliases = [names.absolute(entry.host) for entry in entries if entry.alias]
        if not aliases or not names.within(zone, aliases[0]):
            return ""
        if names.within(name, aliases[0]):
            return "; it points at itself"
        try:
            return f"; {aliases[0]}: {self.lookup.entries(aliases[0], zone).why}"
        except Absent as absent:
            return f"; {absent}"

    # ------------------------------------------------------------------------------------------------------ other types

    def _services(self, name: str, type: str, zone: str) -> Expected:
        found = self.lookup.entries(name, zone)
        apex = names.split(name, zone)[1]
        records, additional = [], []
        for entry in found.entries:
            if not entry.alias and entry.port is not None:
                target = f"{'.'.join(entry.labels)}.{apex}"
                records.append(Record(name, "SRV", f"{entry.port} {target}"))
                additional.append(Record(target, entry.type, names.canonical(entry.host)))
        if records:
            return self._positive(records, found.why, additional)
        return Expected(Kind.NODATA, f"{found.why}: no port for an SRV record", zone=apex)

    def _pointer(self, name: str, type: str, zone: str) -> Expected:
        address = names.reversed_address(name)
        if not address:
            return self._other(name, type, zone)
        found = self.lookup.names_of(address)
        forward = next((zone for zone in self.plugin.zones if not zone.endswith(".arpa.")), ".")
        targets = [Record(name, "PTR", f"{'.'.join(entry.labels)}.{forward}") for entry in found.entries]
        positive = self._positive(targets, found.why)
        return Expected(Kind.ANSWER, found.why, positive.records, exact=found.complete)

    def _alias(self, name: str, type: str, zone: str) -> Expected:
        found = self.lookup.entries(name, zone)
        if found.entries and found.entries[0].alias:
            return self._positive([Record(name, "CNAME", names.absolute(found.entries[0].host))], found.why)
        return self._nodata(name, type, zone, found.why)

    def _text(self, name: str, type: str, zone: str) -> Expected:
        before = names.split(name, zone)[0]
        if len(before) == 1 and before[0].lower() == "dns-version":
            return self._positive([Record(name, "TXT", SCHEMA_VERSION)], "the schema that the server follows")
        found = self.lookup.entries(name, zone)
        if not found.entries:  # CoreDNS says so even of names that lie between others
            raise Absent(found.why)
        return self._nodata(name, type, zone, found.why)

    def _other(self, name: str, type: str, zone: str) -> Expected:
        return self._nodata(name, type, zone, self.lookup.entries(name, zone).why)

    @staticmethod
    def _nodata(name: str, type: str, zone: str, why: str) -> Expected:
        return Expected(Kind.NODATA, f"{why}: no {type} record", zone=names.split(name, zone)[1])
