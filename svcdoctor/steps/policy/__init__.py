"""5xx: May the packet pass?

A packet to a Service is judged where policies see it: between the client's pod and the endpoint's, on the endpoint's
own port, in both directions. The client's questions to the name servers go with it.
"""

from collections.abc import Iterator, Sequence

from ...model.case import Case
from ...model.diagnosis import Finding, Severity
from ...model.pod import Pod
from ...model.snapshot import Gap
from ...network.netpol import AtNode, AtPod, Caveat, End
from ..step import Answer, Step
from . import beside
from .enforcement import Enforcement, enforcement
from .foreign import concerning
from .passages import Passage
from .rules import RULES, STEP_NAME
from .sureness import Sureness
from .views import View, from_anybody, from_client
from .world import World


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
    unread = tuple(world.unread([case.target.namespace, *(pod.namespace for pod in pods)]))
    network = enforcement(case.snapshot) if world.policies else Enforcement()
    sureness = Sureness(network, concerning(case.snapshot, pods))
    view = from_anybody(world, sureness) if source is None else from_client(world, source, sureness)
    found = (*view.findings, *_beside(world, view, sureness))
    blind = tuple(dict.fromkeys((*missing, *unread, *view.gaps, *_unread_namespaces(case, view.passages))))
    if not found and view.nowhere:
        return Answer("no endpoint to reach", gaps=blind, skipped=not blind)
    if not found and unread:
        return Answer("not all policies could be read", gaps=blind)
    return Answer(_loudest(found) or view.said, found, blind)


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


def _beside(world: World, view: View, sureness: Sureness) -> Iterator[Finding]:
    isolating = tuple(
        dict.fromkeys(ref for p in view.passages for _, ruling in p.verdict.rulings for ref in ruling.isolating)
    )
    denied = any(finding.severity is not Severity.ADVICE for finding in view.findings)
    yield from beside.unenforced(world, sureness.enforcement, isolating, denied)
    yield from beside.other_kinds(world, sureness.foreign)


def _loudest(found: Sequence[Finding]) -> str:
    """What stands in the step's line; advice does not."""
    ranked = sorted(found, key=lambda finding: finding.severity.rank)
    return ranked[0].summary if ranked and ranked[0].severity is not Severity.ADVICE else ""


STEP = Step(STEP_NAME, "May the packet pass?", RULES, ask)
