"""One client's way to a Service, packet by packet, for those who want to see the deciding rules themselves."""

from msgspec import Struct

from ...model.case import Case
from ...model.foreign import ForeignPolicy
from ...model.snapshot import Gap
from ...network.netpol import AtPod, End
from . import client_end
from .enforcement import Enforcement, enforcement
from .foreign import concerning
from .passages import Journey, Passage, journey
from .wording import decision, end
from .world import World


class Way(Struct, frozen=True):
    """One direction of a packet: its status, and the rule that decides."""

    direction: str  # egress, ingress
    status: str
    decision: str
    policies: tuple[str, ...]  # that isolate the pod


class Packet(Struct, frozen=True):
    """One packet to one endpoint."""

    to: str  # Pod web-1, 10.244.1.3:8080/TCP
    status: str
    ways: tuple[Way, ...]
    caveats: tuple[str, ...] = ()

    @property
    def denied(self) -> bool:
        return self.status == "denied"


class Trace(Struct, frozen=True):
    """The whole way. ``dns`` are the questions to the name servers."""

    client: str
    service: tuple[Packet, ...]
    dns: tuple[Packet, ...]
    enforcement: Enforcement
    foreign: tuple[ForeignPolicy, ...]
    gaps: tuple[Gap, ...]


def trace(case: Case) -> Trace | None:
    """The way of the case's client to its Service; None where one of them was not read or does not exist."""
    source, _ = client_end(case)
    if case.service is None or source is None:
        return None
    world = World(case, case.service)
    made = journey(world, source)
    pods = [side.pod for side in _ends(made) if isinstance(side, AtPod)]
    gaps = tuple(dict.fromkeys((*world.unread([case.target.namespace, *(pod.namespace for pod in pods)]), *made.gaps)))
    return Trace(
        end(source),
        tuple(map(_packet, made.service)),
        tuple(map(_packet, made.dns)),
        enforcement(case.snapshot),
        concerning(case.snapshot, pods),
        gaps,
    )


def _ends(made: Journey) -> list[End]:
    questions = [passage.route.question for passage in made.passages]
    return [side for question in questions for side in (question.source, question.destination)]


def _packet(passage: Passage) -> Packet:
    ways = tuple(
        Way(way.value, ruling.status.value, decision(ruling), tuple(map(str, ruling.isolating)))
        for way, ruling in passage.verdict.rulings
    )
    caveats = tuple(str(caveat) for caveat in passage.verdict.caveats)
    return Packet(passage.route.to, passage.verdict.status.value, ways, caveats)
