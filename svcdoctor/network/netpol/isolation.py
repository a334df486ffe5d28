"""The tier of NetworkPolicies: a pod that one of them isolates may do what a rule allows, and nothing else."""

from msgspec import Struct

from .compiled import Compiled, Selected
from .opinions import UNDECIDED, Opinion, Outcome, of
from .ports import PROTOCOLS
from .question import Question
from .sides import Side, same_pod
from .tries import try_all
from .verdict import Basis, Caveat, Direction, Near, PolicyRef

NETWORK_POLICY = Basis.NETWORK_POLICY


class Isolation(Struct, frozen=True):
    """What the NetworkPolicies say, which of them isolate the pod, and the rule that came nearest."""

    opinions: tuple[Opinion, ...] = (UNDECIDED,)
    isolating: tuple[PolicyRef, ...] = ()
    nearest: Near | None = None


def isolation(compiled: Compiled, direction: Direction, ends: tuple[Side, Side], question: Question) -> Isolation:
    """NetworkPolicies on the egress of the source or the ingress of the destination."""
    source, destination = ends
    subject, peer = (source, destination) if direction is Direction.EGRESS else (destination, source)
    selected = compiled.selects(subject.namespace, subject.labels, direction)
    isolating = selected.isolating
    if not selected.surely and not selected.perhaps:
        return Isolation()
    if not peer.host_network and peer.like_node and peer.node == subject.node:
        return Isolation((Opinion(Outcome.ACCEPT, Basis.OWN_NODE),), isolating)
    if question.protocol not in PROTOCOLS:
        return Isolation(_either(Caveat.OTHER_PROTOCOL), isolating)
    tried = compiled.tries[direction].of(compiled.rules, selected.surely, peer, destination, question)
    if tried.match:
        return Isolation((of(tried.match, Outcome.ACCEPT, NETWORK_POLICY, peer),), isolating)
    unsure = try_all(compiled.rules, selected.perhaps, direction, peer, destination, question)
    possible = (*tried.possible, *unsure.possible)
    opinions = [of(each, Outcome.ACCEPT, NETWORK_POLICY, peer) for each in possible]
    opinions += _exempt(subject, peer)
    if selected.surely or not unsure.match:
        opinions.append(Opinion(Outcome.DENY, NETWORK_POLICY, caveats=_not_understood(selected)))
    if not selected.surely:
        opinions.append(Opinion(Outcome.NEXT))
    return Isolation(tuple(opinions), isolating, tried.nearest.near(peer) if tried.nearest else None)


def _exempt(subject: Side, peer: Side) -> list[Opinion]:
    """Connections that some implementations let pass without a rule."""
    found = []
    if same_pod(subject, peer):
        found.append(Opinion(Outcome.ACCEPT, NETWORK_POLICY, caveats=(Caveat.HAIRPIN,)))
    if peer.host_network and peer.node and peer.node == subject.node:
        found.append(Opinion(Outcome.ACCEPT, Basis.OWN_NODE, caveats=(Caveat.HOST_NETWORK_PEER,)))
    return found


def _not_understood(selected: Selected) -> tuple[Caveat, ...]:
    return (Caveat.NOT_UNDERSTOOD,) if selected.perhaps else ()


def _either(caveat: Caveat) -> tuple[Opinion, ...]:
    return (Opinion(Outcome.ACCEPT, NETWORK_POLICY, caveats=(caveat,)), Opinion(Outcome.DENY, NETWORK_POLICY))
