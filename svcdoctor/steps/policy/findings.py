"""Refusals -> findings: those of one name together, each with what it takes away and how to lift it."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from ...model.diagnosis import Effect, Evidence, Finding, Rule, RuledOut, Severity
from ...model.pod import Pod
from ...network.netpol import AtPod, Direction, Near, Status
from ..step import find
from ..words import count, labels, source, subject
from .fixes import fix
from .namespaces import DeadPeer, dead_peers
from .naming import name
from .passages import Passage, Refusal
from .routes import Purpose
from .rules import NP_AND_OR, NP_DEFAULT_DENY, NP_DNS_EGRESS, NP_NS_UNLABELLED, NP_PEER_LABELS, NP_SERVICE_PORT
from .sureness import Sureness
from .told import told
from .wording import evidence as evidence_of
from .world import World

SOFTEST = Severity.WARNING
OF_PEERS = (NP_PEER_LABELS, NP_NS_UNLABELLED, NP_AND_OR)


class Manner(Struct, frozen=True):
    """How the findings of one point of view are put."""

    who: str  # "Pod shop/client"; "nobody" where the policies let nobody in
    sureness: Sureness
    severity: Severity = Severity.ERROR
    doubts: int = 0
    evidence: tuple[Evidence, ...] = ()
    least: Effect | None = None  # instead of what the passages say


def findings(
    world: World, passages: Sequence[Passage], refusals: Sequence[Refusal], manner: Manner
) -> Iterator[Finding]:
    """One for each name that the refusals have."""
    for rule, mine in grouped(world, refusals).items():
        yield _finding(world, rule, mine, passages, manner)


def grouped(world: World, refusals: Sequence[Refusal]) -> dict[Rule, list[Refusal]]:
    """The refusals by name: names first, then the Service, as a client meets them."""
    found: dict[str, tuple[Rule, list[Refusal]]] = {}
    named: dict[tuple[object, ...], Rule] = {}
    for refusal in refusals:
        alike = _alike(refusal)
        rule = named[alike] if alike in named else named.setdefault(alike, name(world, refusal))
        found.setdefault(rule.name, (rule, []))[1].append(refusal)
    deny = found.get(NP_DEFAULT_DENY.name)
    if deny and any(_ruleless(refusal) and refusal.direction is Direction.EGRESS for refusal in deny[1]):
        # no egress at all: that names fail too is no mistake of its own
        dns = found.pop(NP_DNS_EGRESS.name, None)
        deny[1].extend(dns[1] if dns else ())
    return dict(found.values())


def _alike(refusal: Refusal) -> tuple[object, ...]:
    """All that a refusal's name depends on."""
    question, ruling = refusal.passage.route.question, refusal.ruling
    ends = (getattr(getattr(end, "pod", end), "namespace", "") for end in (question.source, question.destination))
    where = refusal.direction, refusal.purpose, refusal.passage.route.node_local, question.protocol, *ends
    return (*where, ruling.basis, ruling.nearest, ruling.isolating)


def _ruleless(refusal: Refusal) -> bool:
    return refusal.ruling.nearest is None and refusal.ruling.rule is None


def _finding(world: World, rule: Rule, mine: Sequence[Refusal], passages: Sequence[Passage], manner: Manner) -> Finding:
    effect = manner.least or effect_of(mine, passages)
    open_ended = all(refusal.ruling.status is Status.UNDEFINED for refusal in mine)
    soft = manner.sureness.without_effect or open_ended or _only_tcp_of_dns(mine, passages)
    return find(
        rule,
        subject(world.service),
        told(world, rule, mine, manner.who) + _share(mine, passages),
        tuple(_evidence(world, rule, mine, manner)),
        fix(world, rule, mine),
        effect=Effect.NONE if soft else effect,
        severity=max(SOFTEST, manner.severity, key=lambda severity: severity.rank) if soft else manner.severity,
        confidence=manner.sureness.of(mine, manner.doubts),
        ruled_out=tuple(_ruled_out(rule, mine, passages)),
    )


def effect_of(mine: Sequence[Refusal], passages: Sequence[Passage]) -> Effect:
    """An outage where all packets for one purpose are refused. Names go by UDP; TCP is for long answers."""
    for purpose in {refusal.purpose for refusal in mine}:
        sent = [p for p in passages if p.route.purpose is purpose]
        if purpose is Purpose.DNS:
            sent = [p for p in sent if p.route.question.protocol == "UDP"] or sent
        if not any(passage.open for passage in sent):
            return Effect.OUTAGE
    return Effect.PARTIAL


def _only_tcp_of_dns(mine: Sequence[Refusal], passages: Sequence[Passage]) -> bool:
    if any(refusal.purpose is not Purpose.DNS or refusal.passage.route.question.protocol != "TCP" for refusal in mine):
        return False
    return any(p.open and p.route.question.protocol == "UDP" for p in passages if p.route.purpose is Purpose.DNS)


def _share(mine: Sequence[Refusal], passages: Sequence[Passage]) -> str:
    """``; 8 of 10 endpoints can be reached``."""
    sent = [p for p in passages if p.route.purpose is Purpose.SERVICE]
    if not sent or not any(refusal.purpose is Purpose.SERVICE for refusal in mine):
        return ""
    everyone = {p.route.place.address for p in sent}
    shut = {p.route.place.address for p in sent if not p.open}
    left = len(everyone) - len(shut)
    return f"; {left} of {count(len(everyone), 'endpoint')} can be reached" if left else ""


def _evidence(world: World, rule: Rule, mine: Sequence[Refusal], manner: Manner) -> Iterator[Evidence]:
    seen: dict[str, Evidence] = {}
    for refusal in mine:
        for item in evidence_of(refusal.ruling, refusal.direction):
            seen.setdefault(item.source, item)
    for dead in _dead(world, mine) if rule is NP_NS_UNLABELLED else ():
        said = f"selects namespaces with {dead.spoken}; none has a label {dead.key}"
        seen.setdefault(str(dead.rule), Evidence(str(dead.rule), said))
    yield from list(seen.values())[:5]
    if rule is NP_NS_UNLABELLED and world.snapshot.namespaces.covers():
        yield Evidence("API: namespaces", f"{len(world.snapshot.namespaces.items)} read")
    pod = _told_by_labels(mine[0])
    if pod is not None:
        yield Evidence(source(pod, "metadata.labels"), labels(pod.labels) or "none")
    servers = mine[0].passage.route.question.service if mine[0].purpose is Purpose.DNS else None
    if servers is not None:
        yield Evidence("Name servers", f"Service {servers.name}, {', '.join(servers.addresses) or 'no address'}")
    yield from manner.evidence
    if manner.sureness.enforcement.plugin:
        yield manner.sureness.enforcement.plugin.evidence


def _dead(world: World, mine: Sequence[Refusal]) -> Iterator[DeadPeer]:
    for isolating, direction in dict.fromkeys((refusal.ruling.isolating, refusal.direction) for refusal in mine):
        yield from dead_peers(world, world.network_policies(isolating), direction)


def _told_by_labels(refusal: Refusal) -> Pod | None:
    """The pod whose labels a selector holds: the peer's where a rule came near, else the isolated one's."""
    question = refusal.passage.route.question
    subject_, peer = question.source, question.destination
    if refusal.direction is Direction.INGRESS:
        subject_, peer = peer, subject_
    chosen = peer if refusal.ruling.nearest is not None and isinstance(peer, AtPod) else subject_
    return chosen.pod if isinstance(chosen, AtPod) else None


def _rule(near: Near) -> str:
    return f"spec.{near.rule.direction}[{near.rule.index}]"


def _ruled_out(rule: Rule, mine: Sequence[Refusal], passages: Sequence[Passage]) -> Iterator[RuledOut]:
    near = mine[0].ruling.nearest
    if rule is NP_SERVICE_PORT:
        yield RuledOut(NP_PEER_LABELS.name, "the rule's peers fit")
    elif near is not None and rule in OF_PEERS and not any("port" in miss.lack for miss in near.misses):
        yield RuledOut(NP_SERVICE_PORT.name, f"{_rule(near)} is for the port on which the pods listen")
    dns = [p for p in passages if p.route.purpose is Purpose.DNS]
    if dns and all(p.open for p in dns) and all(refusal.purpose is Purpose.SERVICE for refusal in mine):
        yield RuledOut(NP_DNS_EGRESS.name, "the client may ask the name servers, by UDP and TCP")
