"""The points of view: one client's, or, where nobody said from whom to look, everybody's in turn."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from ...model.diagnosis import Effect, Finding, Severity
from ...model.pod import Pod
from ...model.snapshot import Gap
from ...network.netpol import AtPod, End
from ..words import count
from . import anybody, beside, outside
from .clients import Caller, callers
from .findings import Manner, findings
from .naming import name
from .passages import Journey, Passage, journey
from .rules import NP_DNS_EGRESS, NP_SNAT_SOURCE
from .sureness import Sureness
from .wording import end
from .world import World


class View(Struct, frozen=True):
    """What one look brought."""

    findings: tuple[Finding, ...]
    passages: tuple[Passage, ...]
    nowhere: bool  # no endpoint to send a packet to
    gaps: tuple[Gap, ...] = ()
    said: str = ""  # in a line, if nothing was found


def from_client(world: World, source: End, sureness: Sureness) -> View:
    """What is denied to a client that was named is an error."""
    made = journey(world, source)
    who = end(source)
    found = [
        *findings(world, made.passages, made.refusals, Manner(who, sureness)),
        *beside.undefined(world, made.passages, who),
    ]
    if not any(finding.rule is NP_SNAT_SOURCE for finding in found):
        found += outside.masqueraded(world, sureness)
    return View(tuple(found), made.passages, not made.service, made.gaps, _said(made, who))


def _said(made: Journey, who: str) -> str:
    addresses = {passage.route.place.address for passage in made.service}
    names = ", and may ask the name servers" if made.dns else ""
    return f"{who} may reach {count(len(addresses), 'endpoint')}{names}"


def from_anybody(world: World, sureness: Sureness) -> View:
    """An error is only what keeps everybody out."""
    doors = anybody.doors(world)
    passages = tuple(door.passage for door in doors)
    gaps = tuple(gap for door in doors if (gap := world.unseen(door.passage.route)))
    if not world.policies:
        return View((), passages, not passages, gaps, "no policy is in the way")
    shut = [door.refusal for door in doors if door.refusal and not door.waiting]
    waiting = [door.refusal for door in doors if door.refusal and door.waiting]
    found = [
        *findings(world, passages, shut, Manner("nobody", sureness)),
        *findings(world, passages, waiting, Manner("nobody", sureness, Severity.WARNING, 1, least=Effect.NONE)),
        *outside.masqueraded(world, sureness),
    ]
    if not shut:
        for caller in callers(world.case, world.service):
            found += _for_caller(world, caller, sureness)
        found += _for_meant(world, passages, sureness)
    found += _for_the_pods_themselves(world, sureness)
    return View(tuple(found), passages, not passages, gaps, _isolated(passages))


def _isolated(passages: Sequence[Passage]) -> str:
    by = {ref for passage in passages for ref in passage.verdict.ingress.isolating}
    if not by:
        return "no policy is in the way"
    return f"its pods are isolated by {count(len(by), 'policy', 'policies')}, with rules that let some in"


def _for_caller(world: World, caller: Caller, sureness: Sureness) -> Iterator[Finding]:
    """A warning: it may not be meant to get through."""
    made = journey(world, AtPod(caller.pod))
    manner = Manner(
        end(AtPod(caller.pod)), sureness, Severity.WARNING, doubts=1, evidence=(caller.evidence,), least=Effect.PARTIAL
    )
    yield from findings(world, made.passages, made.refusals, manner)


def _for_meant(world: World, passages: Sequence[Passage], sureness: Sureness) -> Iterator[Finding]:
    """A warning: the policies mean somebody whom they don't let in."""
    refusals = tuple(anybody.turned_away(world, passages))
    if refusals:
        who = end(refusals[0].passage.route.question.source)
        manner = Manner(who, sureness, Severity.WARNING, least=Effect.PARTIAL)
        yield from findings(world, [refusal.passage for refusal in refusals], refusals, manner)


def _for_the_pods_themselves(world: World, sureness: Sureness) -> Iterator[Finding]:
    """Advice: pods behind the Service that may call others, but can't ask for their names."""
    kinds: dict[tuple[tuple[str, str], ...], Pod] = {}
    for pod in world.case.backends:
        kinds.setdefault(tuple(sorted(pod.labels.items())), pod)
    for pod in list(kinds.values())[:1]:
        made = journey(world, AtPod(pod))
        mute = [r for r in made.refusals if name(world, r) is NP_DNS_EGRESS and r.ruling.nearest is not None]
        manner = Manner(end(AtPod(pod)), sureness, Severity.ADVICE, doubts=1, least=Effect.NONE)
        yield from findings(world, made.dns, mute, manner)
