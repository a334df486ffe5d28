"""One walk held against what it should have been: what differs, with the rule that shows it."""

from collections.abc import Iterator
from enum import StrEnum

from msgspec import Struct

from ..desired import Client, End, Expectation, Frontend
from ..packet import Hop, Outcome, Walk
from ..packet import Kind as Found

Place = tuple[str, int]


class Kind(StrEnum):
    """How rules differ from what they must do."""

    NO_FRONTEND = "no rule for it"
    DANGLING = "a chain without rules"
    MISSING_ENDPOINT = "missing endpoint"
    EXTRA_ENDPOINT = "endpoint that is none"
    WRONG_PORT = "wrong port"
    WRONG_WEIGHT = "wrong share"
    WRONG_POLICY = "endpoints of the other traffic policy"
    WRONG_VERDICT = "wrong verdict"
    NO_MASQUERADE = "missing masquerade"
    MASQUERADE = "masqueraded without need"
    FOREIGN = "a rule that is not kube-proxy's"
    POLICY = "the policy of a chain"
    FORWARDING = "the node does not forward"
    NO_ROUTE = "the node has no route"


OF_PROXY = frozenset(list(Kind)[:10])
"""What kube-proxy's own rules do wrong; the others are around them."""


class Difference(Struct, frozen=True):
    """Seen at one frontend by one client. ``outcome`` is what became of the packet, if something did."""

    kind: Kind
    frontend: Frontend
    client: Client
    place: Place | None = None  # the endpoint that it is about
    outcome: Outcome | None = None
    expected: Expectation | None = None

    @property
    def hop(self) -> Hop | None:
        """The rule that decided."""
        return self.outcome.rule if self.outcome else None

    @property
    def deciding(self) -> Hop | None:
        """The rule that chose the endpoint, if one did; else the one that ended it."""
        hops = self.outcome.hops if self.outcome else ()
        chose = (hop for hop in hops if hop.table == "ipvs" or hop.effect.startswith("dnat"))
        return next(chose, self.hop) if self.place else self.hop


class Refusal(Struct, frozen=True):
    """A packet that is refused, as it must be."""

    frontend: Frontend
    client: Client
    expected: Expectation
    outcome: Outcome


class Comparison(Struct, frozen=True):
    """All of one packet."""

    differences: tuple[Difference, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    unknown: tuple[Outcome, ...] = ()  # then nothing is said of what is missing


def compare(frontend: Frontend, client: Client, expected: Expectation, walk: Walk) -> Comparison:
    """How ``walk`` differs from ``expected``."""
    unknown = tuple(outcome for outcome in walk.outcomes if outcome.kind is Found.UNKNOWN)
    if unknown:
        return Comparison(unknown=unknown)
    asked = _Asked(frontend, client, expected, walk)
    if expected.end is End.ENDPOINT:
        return Comparison((*asked.untranslated(), *asked.endpoints(), *asked.after()))
    return Comparison((*asked.strangers(), *asked.wrong_refusals()), tuple(asked.refusals()))


class _Asked:
    """The question, with the outcomes sorted by whether the destination was translated."""

    def __init__(self, frontend: Frontend, client: Client, expected: Expectation, walk: Walk) -> None:
        self.frontend, self.client, self.expected = frontend, client, expected
        self.sent: dict[Place, list[Outcome]] = {}
        self.kept: list[Outcome] = []
        for outcome in walk.outcomes:
            place = outcome.address, outcome.port
            if outcome.kind is Found.ENDPOINT or place != (frontend.address, frontend.port):
                self.sent.setdefault(place, []).append(outcome)
            else:
                self.kept.append(outcome)

    def _differs(self, kind: Kind, outcome: Outcome | None, place: Place | None = None) -> Difference:
        return Difference(kind, self.frontend, self.client, place, outcome, self.expected)

    def untranslated(self) -> Iterator[Difference]:
        """What should have gone to an endpoint, and did not."""
        for outcome in self.kept:
            yield self._differs(_around(outcome) or _of_proxy(outcome), outcome)

    def endpoints(self) -> Iterator[Difference]:
        wanted = self.expected.shares
        if not self.sent:
            return
        if set(self.sent) != set(wanted) and set(self.sent) == self.expected.other_policy:
            yield self._differs(Kind.WRONG_POLICY, next(iter(self.sent.values()))[0])
            return
        missing = {place for place in wanted if place not in self.sent}
        for place, outcomes in self.sent.items():
            if place not in wanted:
                moved = any(place[0] == other[0] for other in missing)
                yield self._differs(Kind.WRONG_PORT if moved else Kind.EXTRA_ENDPOINT, outcomes[0], place)
                missing -= {other for other in missing if other[0] == place[0]}
        for place in sorted(missing):
            yield self._differs(Kind.MISSING_ENDPOINT, None, place)
        if set(self.sent) == set(wanted) and not self.kept:
            for place, outcomes in self.sent.items():
                if sum(outcome.share for outcome in outcomes) != wanted[place]:
                    yield self._differs(Kind.WRONG_WEIGHT, outcomes[0], place)

    def after(self) -> Iterator[Difference]:
        """What became of the packet once it was on its way to an endpoint."""
        for place, outcomes in self.sent.items():
            for outcome in outcomes:
                around = _around(outcome)
                if outcome.kind is not Found.ENDPOINT:
                    yield self._differs(around or Kind.WRONG_VERDICT, outcome, place)
                elif place in self.expected.shares:
                    yield from self._source(place, outcome)

    def _source(self, place: Place, outcome: Outcome) -> Iterator[Difference]:
        """Others may masquerade too: a network plugin does so for all that leaves its network."""
        wanted = self.expected.masquerades(place)
        if wanted and not outcome.masqueraded:
            yield self._differs(Kind.NO_MASQUERADE, outcome, place)
        elif not wanted and outcome.translated is not None and is_proxys(outcome.translated):
            yield self._differs(Kind.MASQUERADE, outcome, place)

    def strangers(self) -> Iterator[Difference]:
        """Endpoints of what should have none."""
        for place, outcomes in self.sent.items():
            if all(self._ends_well(outcome) for outcome in outcomes):  # IPVS drops what it has translated before
                continue
            other = place in self.expected.other_policy
            yield self._differs(Kind.WRONG_POLICY if other else Kind.EXTRA_ENDPOINT, outcomes[0], place)

    def _ends_well(self, outcome: Outcome) -> bool:
        if self.expected.end is End.PASS:
            return outcome.kind in (Found.ROUTED, Found.LOCAL, Found.UNREACHABLE)
        return outcome.kind.value == self.expected.end.value

    def refusals(self) -> Iterator[Refusal]:
        for outcome in self.kept:
            if outcome.kind in (Found.DROP, Found.REJECT) and self._ends_well(outcome):
                yield Refusal(self.frontend, self.client, self.expected, outcome)

    def wrong_refusals(self) -> Iterator[Difference]:
        for outcome in self.kept:
            if not self._ends_well(outcome):
                yield self._differs(_around(outcome) or _of_proxy(outcome), outcome)


def _around(outcome: Outcome) -> Kind | None:
    """What ended it, if that was not kube-proxy; None if it was, or if nothing did."""
    hop = outcome.rule
    if outcome.kind is Found.UNREACHABLE:
        return Kind.NO_ROUTE
    if outcome.kind not in (Found.DROP, Found.REJECT):
        return None
    if hop is None or not hop.chain:
        return None if hop is not None and hop.table == "ipvs" else Kind.FORWARDING
    if not hop.rule:
        return Kind.POLICY
    return None if is_proxys(hop) else Kind.FOREIGN


def _of_proxy(outcome: Outcome) -> Kind:
    if any(_to_endpoints(hop) for hop in outcome.hops):
        return Kind.DANGLING
    hop = outcome.rule
    decided = outcome.kind in (Found.DROP, Found.REJECT) and not (hop and hop.chain in OF_THE_REST)
    return Kind.WRONG_VERDICT if decided else Kind.NO_FRONTEND


def _to_endpoints(hop: Hop) -> bool:
    _, _, target = hop.effect.partition(" ")
    return target.startswith(TO_ENDPOINTS)


OF_THE_REST = ("cluster-ips-check", "KUBE-IPVS-FILTER")
"""What refuses packets to a Service's address that no rule is for."""
TO_ENDPOINTS = ("KUBE-SVC-", "KUBE-SVL-", "KUBE-SEP-", "service-", "local-", "endpoint-")

PROXY_CHAINS = (
    "KUBE-SERVICES",
    "KUBE-EXTERNAL-SERVICES",
    "KUBE-NODEPORTS",
    "KUBE-NODE-PORT",
    "KUBE-POSTROUTING",
    "KUBE-MARK-",
    "KUBE-FORWARD",
    "KUBE-FIREWALL",
    "KUBE-PROXY-",
    "KUBE-SVC-",
    "KUBE-SVL-",
    "KUBE-EXT-",
    "KUBE-XLB-",
    "KUBE-FW-",
    "KUBE-SEP-",
    "KUBE-LOAD-BALANCER",
    "KUBE-SOURCE-RANGES-FIREWALL",
    "KUBE-IPVS-",
)
"""How the names of its chains begin; KUBE-ROUTER-, KUBE-NWPLCY- and others are of kube-router."""


def is_proxys(hop: Hop) -> bool:
    """Whether kube-proxy wrote the rule."""
    if hop.table.endswith(" kube-proxy") or hop.table == "ipvs":
        return True
    return hop.chain.startswith(PROXY_CHAINS)
