"""Without a client: can anybody come in? Policies that admit some are normal; ones that admit nobody are not."""

from collections.abc import Iterable, Iterator
from itertools import islice

from msgspec import Struct, structs

from ...model.policy import NetworkPolicy, Policy
from ...network.netpol import AnyPod, AtPod, Basis, Direction, End, Ruling, Status, Verdict, evaluate
from .fixes import meant
from .guests import guests, meant_guests
from .naming import name
from .passages import Passage, Refusal
from .routes import Route, ports_asked, routes
from .rules import NP_DEFAULT_DENY, NP_NS_UNLABELLED, NP_PEER_LABELS
from .world import World

OUT = Ruling(Status.ALLOWED, Basis.DEFAULT)
"""What a guest may send is not the Service's matter."""

MISTAKES = (NP_NS_UNLABELLED, NP_PEER_LABELS)
"""What keeps out those whom a rule means."""


class Door(Struct, frozen=True):
    """One endpoint of one port: a passage that somebody has, or the refusal that tells most.

    ``waiting``: a rule is for this port, but for guests that are not there; they may come yet.
    """

    passage: Passage
    refusal: Refusal | None = None
    waiting: bool = False


def doors(world: World) -> tuple[Door, ...]:
    """Every endpoint. Pods that policies can't tell apart are asked about once."""
    home = AnyPod(world.service.namespace)
    known: dict[tuple[object, ...], Door] = {}
    found = []
    for route in routes(world.case, world.service, ports_asked(world.case, world.service), home):
        kind = _kind(route)
        if kind not in known:
            known[kind] = _door(world, route)
        found.append(_like(known[kind], route))
    return tuple(found)


def turned_away(world: World, passages: Iterable[Passage]) -> Iterator[Refusal]:
    """Those whom a rule means but does not let in, at the first endpoint."""
    for passage in islice(passages, 1):
        for guest in meant_guests(world, _governing(world, passage.route)):
            asked = _asked(world, passage.route, guest)
            refusal = Refusal(asked, Direction.INGRESS, asked.verdict.ingress)
            if asked.verdict.ingress.status is Status.DENIED and name(world, refusal) in MISTAKES:
                yield refusal


def _kind(route: Route) -> tuple[object, ...]:
    """All of an endpoint that the ingress rules can depend on; an address outside of the cluster has no ingress."""
    pod, question = route.place.pod, route.question
    if pod is None:
        return question.port, question.protocol
    named = tuple((p.name, p.container_port, p.protocol) for server in pod.spec.servers for p in server.ports)
    return question.port, question.protocol, tuple(sorted(pod.labels.items())), pod.spec.host_network, named


def _like(door: Door, route: Route) -> Door:
    """The same answer for another endpoint of the kind, asked for the same guest."""
    asked = structs.replace(route.question, source=door.passage.route.question.source)
    passage = Passage(structs.replace(route, question=asked), door.passage.verdict)
    refusal = door.refusal and structs.replace(door.refusal, passage=passage)
    return Door(passage, refusal, door.waiting)


def _door(world: World, route: Route) -> Door:
    refused: list[Refusal] = []
    for guest in guests(world, _governing(world, route)):
        passage = _asked(world, route, guest)
        if passage.open:
            return Door(passage)
        refused.append(Refusal(passage, Direction.INGRESS, passage.verdict.ingress))
    telling = min(refused, key=lambda refusal: _weight(world, refusal))
    rule = name(world, telling)
    if rule is NP_PEER_LABELS:
        return _for_those_to_come(telling)
    return Door(telling.passage, telling, waiting=rule is NP_NS_UNLABELLED and not meant(world, [telling]))


def _for_those_to_come(refusal: Refusal) -> Door:
    """Some namespace or pod would be let in, if it were there: as good as open."""
    admitted = Ruling(Status.ALLOWED, Basis.NETWORK_POLICY, isolating=refusal.ruling.isolating)
    return Door(structs.replace(refusal.passage, verdict=Verdict(OUT, admitted)))


def _asked(world: World, route: Route, guest: End) -> Passage:
    question = structs.replace(route.question, source=guest)
    return Passage(structs.replace(route, question=question), Verdict(OUT, evaluate(world.compiled, question).ingress))


def _governing(world: World, route: Route) -> Iterator[Policy]:
    """The policies whose rules may let somebody in here."""
    end = route.question.destination
    if isinstance(end, AtPod):
        selected = world.compiled.selects(end.pod.namespace, end.pod.labels, Direction.INGRESS)
        yield from (*selected.surely, *selected.perhaps)
    yield from (policy for policy in world.policies if not isinstance(policy, NetworkPolicy))


def _weight(world: World, refusal: Refusal) -> int:
    """A guest whom a rule means, and whom a mistake keeps out, tells more than a stranger."""
    rule = name(world, refusal)
    return 2 if rule is NP_PEER_LABELS else 1 if rule is NP_DEFAULT_DENY else 0
