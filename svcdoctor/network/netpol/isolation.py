"""The tier of NetworkPolicies: a pod that one of them isolates may do what a rule allows, and nothing else."""

from msgspec import Struct

from ...model.policy import NetworkPolicy
from .attempts import Attempt, attempt, nearest
from .compiled import Compiled
from .opinions import UNDECIDED, Opinion, Outcome, of
from .ports import PROTOCOLS
from .question import Question
from .rules import reference
from .sides import Side, same_pod
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
    isolating = tuple(map(reference, selected.surely))
    if not selected.surely and not selected.perhaps:
        return Isolation()
    if not peer.host_network and peer.like_node and peer.node == subject.node:
        return Isolation((Opinion(Outcome.ACCEPT, Basis.OWN_NODE),), isolating)
    if question.protocol not in PROTOCOLS:
        return Isolation(_either(Caveat.OTHER_PROTOCOL), isolating)
    tried = _tried(compiled, selected.surely, direction, peer, destination, question)
    if tried and tried[-1].matches:
        return Isolation((of(tried[-1], Outcome.ACCEPT, NETWORK_POLICY, peer),), isolating)
    unsure = _tried(compiled, selected.perhaps, direction, peer, destination, question)
    opinions = [of(each, Outcome.ACCEPT, NETWORK_POLICY, peer) for each in (*tried, *unsure) if each.may_match]
    opinions += _without_rule(bool(selected.surely), bool(selected.perhaps), subject, peer)
    closest = nearest(tried)
    return Isolation(tuple(opinions), isolating, closest.near(peer) if closest else None)


def _tried(
    compiled: Compiled,
    policies: tuple[NetworkPolicy, ...],
    direction: Direction,
    peer: Side,
    destination: Side,
    question: Question,
) -> list[Attempt]:
    """The rules one after the other, up to one that matches."""
    tried: list[Attempt] = []
    for policy in policies:
        for rule in compiled.rules(policy, direction):
            tried.append(attempt(rule, peer, destination, question))
            if tried[-1].matches:
                return tried
    return tried


def _without_rule(surely: bool, perhaps: bool, subject: Side, peer: Side) -> list[Opinion]:
    """What may become of a packet that no rule surely allows."""
    found = []
    if same_pod(subject, peer):
        found.append(Opinion(Outcome.ACCEPT, NETWORK_POLICY, caveats=(Caveat.HAIRPIN,)))
    if peer.host_network and peer.node and peer.node == subject.node:
        found.append(Opinion(Outcome.ACCEPT, Basis.OWN_NODE, caveats=(Caveat.HOST_NETWORK_PEER,)))
    found.append(Opinion(Outcome.DENY, NETWORK_POLICY))
    if perhaps:
        found.append(Opinion(Outcome.DENY if surely else Outcome.NEXT, caveats=(Caveat.NOT_UNDERSTOOD,)))
    return found


def _either(caveat: Caveat) -> tuple[Opinion, ...]:
    return (Opinion(Outcome.ACCEPT, NETWORK_POLICY, caveats=(caveat,)), Opinion(Outcome.DENY, NETWORK_POLICY))
