"""5xx: May the packet pass?

A packet to a Service is judged where policies see it: between the client's pod and the endpoint's, on the endpoint's
own port, in both directions. The client's questions to the name servers go with it.
"""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from ...model.case import Case
from ...model.diagnosis import Effect, Finding, Severity
from ...model.pod import Pod
from ...model.snapshot import Gap
from ...network.netpol import AtNode, AtPod, Caveat, End
from ..step import Answer, Step
from ..words import count
from . import anybody, beside, outside
from .clients import Caller, callers
from .enforcement import enforcement
from .findings import Manner, findings
from .foreign import concerning
from .passages import Journey, Passage, journey
from .rules import RULES, STEP_NAME
from .sureness import Sureness
from .wording import end
from .world import World


class View(Struct, frozen=True):
    """What one look brought."""

    findings: tuple[Finding, ...]
    passages: tuple[Passage, ...]
    nowhere: bool  # no endpoint to send a packet to
    gaps: tuple[Gap, ...] = ()
    said: str = ""


def ask(case: Case) -> Answer:
    """From the client if there is one, else for anybody, and for those that plausibly call."""
    service = case.service
    if case.unread is not None:
        return Answer("the Service could not be read", gaps=(case.unread,))
    if service is None or case.external_name:
        return Answer(_why_skipped(case), skipped=True)
    world = World(case, service)
    source, missing = client_end(case)
    pods = tuple(_pods(case, source))
    places = [case.target.namespace, *(pod.namespace for pod in pods)]
    gaps = [*missing, *world.unread(places)]
    sureness = Sureness(enforcement(case.snapshot), concerning(case.snapshot, pods))
    view = _from_client(world, source, sureness) if source is not None else _from_anybody(world, sureness)
    found = (*view.findings, *_beside(world, view, sureness))
    blind = tuple(dict.fromkeys((*gaps, *view.gaps, *_unread_namespaces(case, view.passages))))
    if not found and view.nowhere:
        return Answer("no endpoint to reach", gaps=blind, skipped=not blind)
    return Answer(_reason(found, view, world), found, blind)


def _why_skipped(case: Case) -> str:
    return "there is no Service to reach" if case.service is None else "policies see where its name leads, not it"


def client_end(case: Case) -> tuple[End | None, tuple[Gap, ...]]:
    """The client as an end of packets; where it was not read, why."""
    client = case.target.client
    if client is None:
        return None, ()
    if client.kind == "Node":
        return AtNode(client.name), ()
    pod = case.snapshot.pods.get(client.namespace, client.name)
    if pod is not None:
        return AtPod(pod), ()
    if case.snapshot.pods.knows(client.namespace, client.name):
        return None, (Gap(f"Pod {client.namespace}/{client.name}", "there is no such pod to look from"),)
    return None, (case.snapshot.gap("pods", client.namespace),)


def _pods(case: Case, source: End | None) -> Iterator[Pod]:
    """The pods at both ends."""
    if isinstance(source, AtPod):
        yield source.pod
    yield from (endpoint.pod for endpoint in case.usable if endpoint.pod)


def _unread_namespaces(case: Case, passages: Sequence[Passage]) -> Iterator[Gap]:
    """Labels of namespaces are missed only where a selector asks for them."""
    if any(Caveat.NAMESPACE_UNKNOWN in passage.verdict.caveats for passage in passages):
        yield case.snapshot.gap("namespaces")


# ------------------------------------------------------------------------------------------------------ points of view


def _from_client(world: World, source: End, sureness: Sureness) -> View:
    made = journey(world, source)
    who = end(source)
    found = (
        *findings(world, made.passages, made.refusals, Manner(who, sureness)),
        *beside.undefined(world, made.passages, who),
    )
    return View(found, made.passages, not made.service, made.gaps, _said(made, who))


def _from_anybody(world: World, sureness: Sureness) -> View:
    doors = anybody.doors(world)
    refusals = [door.refusal for door in doors if door.refusal and not door.waiting]
    waiting = [door.refusal for door in doors if door.refusal and door.waiting]
    passages = tuple(door.passage for door in doors)
    found = [
        *findings(world, passages, refusals, Manner("nobody", sureness)),
        *findings(world, passages, waiting, Manner("nobody", sureness, Severity.WARNING, 1, least=Effect.NONE)),
        *outside.masqueraded(world, sureness),
    ]
    if not refusals:
        for caller in callers(world.case, world.service):
            found += _for_caller(world, caller, sureness)
        found += _for_meant(world, passages, sureness)
    return View(tuple(found), passages, not passages)


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


def _beside(world: World, view: View, sureness: Sureness) -> Iterator[Finding]:
    isolating = tuple(
        dict.fromkeys(ref for p in view.passages for _, ruling in p.verdict.rulings for ref in ruling.isolating)
    )
    yield from beside.unenforced(world, sureness.enforcement, isolating, bool(view.findings))
    yield from beside.other_kinds(world, sureness.foreign)


# ----------------------------------------------------------------------------------------------------------- in a line


def _reason(found: Sequence[Finding], view: View, world: World) -> str:
    ranked = sorted(found, key=lambda finding: finding.severity.rank)
    if ranked and ranked[0].severity is not Severity.ADVICE:
        return ranked[0].summary
    if view.said:
        return view.said
    isolated = {ref for p in view.passages for ref in p.verdict.ingress.isolating}
    if not isolated:
        return "no policy is in the way"
    return f"its pods are isolated by {count(len(isolated), 'policy', 'policies')}, with rules that let some in"


def _said(made: Journey, who: str) -> str:
    addresses = {passage.route.place.address for passage in made.service}
    names = ", and may ask the name servers" if made.dns else ""
    return f"{who} may reach {count(len(addresses), 'endpoint')}{names}"


STEP = Step(STEP_NAME, "May the packet pass?", RULES, ask)
