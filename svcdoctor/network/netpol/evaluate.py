"""The answer: may a packet leave its source, and may it enter its destination?"""

from collections.abc import Iterable, Iterator

from msgspec import structs

from .compiled import Compiled
from .isolation import Isolation, isolation
from .opinions import Opinion, Outcome
from .question import Question
from .sides import Kind, Side, same_pod, sides
from .tiers import cluster_tier
from .verdict import Basis, Caveat, Direction, Ruling, Status, Verdict

DEFAULT = Opinion(Outcome.ACCEPT, Basis.DEFAULT)
FIRM = (Caveat.IP_BLOCK_ON_POD, Caveat.IP_BLOCK_ON_NODE)
"""What is worth saying even of an answer in which all opinions agree."""


def evaluate(compiled: Compiled, question: Question) -> Verdict:
    """The verdict of the specifications, as if the cluster's network enforced all that they say.

    Each direction goes through the tiers Admin, NetworkPolicy and Baseline. Replies need no rule. Where several
    outcomes are possible and differ, the answer is undefined, and says why. Never raises.
    """
    ends = sides(compiled.cluster, question)
    return Verdict(*(_with_lifetimes(_ruling(compiled, way, ends, question), ends) for way in _WAYS))


_WAYS = (Direction.EGRESS, Direction.INGRESS)


def _ruling(compiled: Compiled, direction: Direction, ends: tuple[Side, Side], question: Question) -> Ruling:
    subject, peer = ends if direction is Direction.EGRESS else ends[::-1]
    if subject.kind is Kind.OUTSIDE and subject.address is None:
        return Ruling(Status.UNDEFINED, Basis.NO_POD, caveats=(Caveat.ADDRESS_UNKNOWN,))
    if subject.kind is not Kind.POD:
        return Ruling(Status.ALLOWED, Basis.NO_POD)
    if same_pod(*ends) and not (question.service and question.service.addresses):
        return Ruling(Status.ALLOWED, Basis.ITSELF)
    if direction is Direction.INGRESS and peer.kind is Kind.NODE and peer.node == subject.node:
        return Ruling(Status.ALLOWED, Basis.OWN_NODE)
    isolated = isolation(compiled, direction, ends, question)
    opinions = list(_through_tiers(compiled, direction, ends, question, isolated))
    return _on_host_network(opinions, isolated) if subject.host_network else _joined(opinions, isolated)


def _through_tiers(
    compiled: Compiled, direction: Direction, ends: tuple[Side, Side], question: Question, isolated: Isolation
) -> Iterator[Opinion]:
    """The opinions of the tiers, up to the first tier that surely decides."""
    tiers: tuple[Iterable[Opinion], ...] = (
        cluster_tier(compiled, Basis.ADMIN, direction, ends, question),
        isolated.opinions,
        cluster_tier(compiled, Basis.BASELINE, direction, ends, question),
        (DEFAULT,),
    )
    for opinions in tiers:
        undecided = False
        for opinion in opinions:
            if opinion.outcome is Outcome.NEXT:
                undecided = True
            else:
                yield opinion
        if not undecided:
            return


def _joined(opinions: list[Opinion], isolated: Isolation) -> Ruling:
    """One answer if all opinions agree, else undefined."""
    first = next((opinion for opinion in opinions if opinion.near is None), opinions[0])
    if len({opinion.outcome for opinion in opinions}) == 1:
        status = Status.ALLOWED if first.outcome is Outcome.ACCEPT else Status.DENIED
        by_lack = status is Status.DENIED and first.rule is None
        caveats = tuple(caveat for caveat in first.caveats if caveat in FIRM)
        nearest = isolated.nearest if by_lack else None
        return Ruling(status, first.basis, first.rule, isolated.isolating, nearest, caveats=caveats)
    doubtful = next((opinion.near for opinion in opinions if opinion.near), isolated.nearest)
    contenders = tuple(dict.fromkeys(opinion.rule for opinion in opinions if opinion.rule))
    caveats = tuple(dict.fromkeys(caveat for opinion in opinions for caveat in opinion.caveats))
    return Ruling(Status.UNDEFINED, first.basis, None, isolated.isolating, doubtful, contenders, caveats)


def _on_host_network(opinions: list[Opinion], isolated: Isolation) -> Ruling:
    """Some implementations tell such pods apart and apply NetworkPolicies; the common ones take them for their node."""
    ruling = _joined(opinions, isolated)
    if ruling.status is Status.ALLOWED:
        return ruling
    caveats = (*ruling.caveats, Caveat.HOST_NETWORK_SUBJECT)
    return structs.replace(ruling, status=Status.NOT_ENFORCED, caveats=caveats)


def _with_lifetimes(ruling: Ruling, ends: tuple[Side, Side]) -> Ruling:
    if any(side.pod is not None and side.pod.terminal for side in ends):
        return structs.replace(ruling, caveats=(*ruling.caveats, Caveat.TERMINATED))
    return ruling
