"""What one client meets on its way: a verdict for every packet, to the Service and to the name servers."""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from ...model.pod import Pod
from ...model.snapshot import Gap
from ...network.netpol import AtPod, Direction, End, Ruling, Status, Verdict, evaluate
from .resolver import resolver, serves_names
from .routes import Purpose, Route, ports_asked, routes
from .world import World


class Passage(Struct, frozen=True):
    """One packet and what policies say of it."""

    route: Route
    verdict: Verdict

    @property
    def open(self) -> bool:
        """Whether nothing that is certain speaks against it."""
        return self.verdict.status is not Status.DENIED or bool(self.route.place.unseen)


class Refusal(Struct, frozen=True):
    """One direction in which a packet is denied."""

    passage: Passage
    direction: Direction
    ruling: Ruling

    @property
    def purpose(self) -> Purpose:
        return self.passage.route.purpose


class Journey(Struct, frozen=True):
    """All the packets of one client, and what could not be looked at."""

    service: tuple[Passage, ...]
    dns: tuple[Passage, ...] = ()
    gaps: tuple[Gap, ...] = ()

    @property
    def passages(self) -> tuple[Passage, ...]:
        return self.dns + self.service

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        return tuple(refusal for passage in self.passages for refusal in _refusals(passage))


def journey(world: World, source: End) -> Journey:
    """What ``source`` meets. A client's DNS goes with it, unless the Service asked for is the name servers' own."""
    case, service = world.case, world.service
    names = serves_names(world.snapshot, service)
    purpose = Purpose.DNS if names else Purpose.SERVICE
    sent = list(passages(world, routes(case, service, ports_asked(case, service), source, purpose)))
    if names or not isinstance(source, AtPod):
        unseen = (gap for passage in sent if (gap := world.unseen(passage.route)))
        return Journey(tuple(sent), gaps=tuple(dict.fromkeys(unseen)))
    found = resolver(world.snapshot, source.pod, source)
    gaps = [found.gap] if found.gap and _isolated(world, source.pod) else []
    asked = tuple(passages(world, found.routes))
    gaps += [gap for passage in (*sent, *asked) if (gap := world.unseen(passage.route))]
    return Journey(tuple(sent), asked, tuple(dict.fromkeys(gaps)))


def passages(world: World, wanted: Iterable[Route]) -> Iterator[Passage]:
    for route in wanted:
        yield Passage(route, evaluate(world.compiled, route.question))


def _isolated(world: World, client: Pod) -> bool:
    """Whether some NetworkPolicy isolates the client's egress; without one its DNS is nobody's business."""
    selected = world.compiled.selects(client.namespace, client.labels, Direction.EGRESS)
    return bool(selected.surely or selected.perhaps)


def _refusals(passage: Passage) -> Iterator[Refusal]:
    """Also of a packet to the node's own name server that no rule is for: some plugins let it pass, and most do not.

    None of a packet to a pod that was not read: a rule may well be for it.
    """
    if passage.route.place.unseen:
        return
    for direction, ruling in passage.verdict.rulings:
        unsure = passage.route.node_local and ruling.status is Status.UNDEFINED and bool(ruling.isolating)
        if ruling.status is Status.DENIED or unsure:
            yield Refusal(passage, direction, ruling)
