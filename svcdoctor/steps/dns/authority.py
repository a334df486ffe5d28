"""The whole answer to a question: through the Corefile to the plugin that owns the name, and what that must say."""

from msgspec import Struct, structs

from ...model.snapshot import Gap, Snapshot
from . import kubernetes_plugin, names
from .answer import Expected, Kind
from .corefile import Corefile
from .expected import LONGEST_CHAIN, ClusterRecords
from .kubernetes_plugin import MANIFEST, KubernetesPlugin
from .owner import Owner, Route, route

FORWARDERS = ("forward", "proxy", "grpc")


class Answered(Struct, frozen=True):
    """What a question must be answered with, by whom, and what is doubtful about that."""

    expected: Expected
    owner: Owner | None
    route: Route

    @property
    def doubts(self) -> tuple[str, ...]:
        """In words: why the real answer may be another one. Those of plugins that are asked first count."""
        asked = self.route.owners
        if self.owner is not None:
            asked = asked[: asked.index(self.owner) + 1]
        return (*self.route.doubts, *(owner.doubt for owner in asked if owner.doubt))


class Authority:
    """The cluster's DNS servers as their Corefile makes them; without one, as Kubernetes's manifest does."""

    def __init__(
        self, snapshot: Snapshot, corefile: Corefile | None, zone: str = "cluster.local", port: int | None = None
    ) -> None:
        self.snapshot = snapshot
        self.corefile = corefile
        self.port = port
        zones = (names.absolute(zone).lower(), *MANIFEST.zones[1:])
        self.default = structs.replace(MANIFEST, zones=zones)
        self._records: dict[KubernetesPlugin, ClusterRecords] = {}

    def ask(self, name: str, type: str) -> Answered:
        """The answer, with CNAMEs followed as far as anything here decides."""
        return self._ask(names.absolute(name), type, 0)

    def expect(self, name: str, type: str) -> Expected:
        return self.ask(name, type).expected

    def _ask(self, name: str, type: str, hops: int) -> Answered:
        answered = self._direct(name, type)
        expected = answered.expected
        leads = expected.kind is Kind.ELSEWHERE and expected.records and expected.target
        if not leads or hops >= LONGEST_CHAIN:
            return answered
        further = self._ask(expected.target, type, hops + 1).expected
        if further.kind in (Kind.ANSWER, Kind.ELSEWHERE):
            records = tuple(sorted({*expected.records, *further.records}))
            changed = {"kind": further.kind, "records": records, "owner": further.owner, "target": further.target}
            expected = structs.replace(expected, why=f"{expected.why}: {further.why}", **changed)
        return Answered(expected, answered.owner, answered.route)

    def _direct(self, name: str, type: str) -> Answered:
        if self.corefile is None:
            return Answered(self._cluster(self.default).expect(name, type), None, Route(None))
        way = route(self.corefile, name, type, self.port)
        if way.block is None:
            return Answered(Expected(Kind.REFUSED, f"no server block of the Corefile serves {name}"), None, way)
        for owner in way.owners:
            expected = _renamed(self._of(owner), owner.name, name)
            passed = expected.kind is Kind.ELSEWHERE and not expected.records and owner.plugin == "kubernetes"
            if not passed and not (expected.kind is Kind.UNKNOWN and owner.doubt and not owner.final):
                return Answered(expected, owner, way)
        why = "no plugin of the server block answers the name"
        return Answered(Expected(Kind.SERVFAIL, why), None, way)

    def _of(self, owner: Owner) -> Expected:
        """What one plugin says."""
        if owner.plugin == "kubernetes":
            expected = self._cluster(kubernetes_plugin.read(owner.directive, owner.served)).expect(
                owner.name, owner.type
            )
        elif owner.answer is not None:
            expected = owner.answer
        elif owner.plugin in FORWARDERS:
            expected = Expected(Kind.ELSEWHERE, f"{owner} decides", owner=str(owner.directive), target=owner.name)
        elif owner.final:
            why = f"{owner} answers it" + (f": {owner.why}" if owner.why else "")
            expected = Expected(Kind.ELSEWHERE, why, owner=str(owner.directive), target=owner.name)
        else:
            why = owner.doubt or f"{owner} answers what it has"
            expected = Expected(Kind.UNKNOWN, why, gap=Gap(f"Corefile, line {owner.directive.line}", why))
        return expected

    def _cluster(self, plugin: KubernetesPlugin) -> ClusterRecords:
        if plugin not in self._records:
            self._records[plugin] = ClusterRecords(self.snapshot, plugin)
        return self._records[plugin]


def _renamed(expected: Expected, internal: str, asked: str) -> Expected:
    """What rewrite makes of the answer: the client sees the name that it asked for."""
    if internal == asked:
        return expected
    records = (structs.replace(r, owner=asked) if r.owner == internal else r for r in expected.records)
    return structs.replace(expected, records=tuple(sorted(records)))
