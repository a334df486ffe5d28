"""What a tier may say of a packet. Where it may say several things, they stand in the order of their weight."""

from enum import Enum, auto

from msgspec import Struct

from .attempts import Attempt
from .peers import Block
from .sides import Kind, Side
from .verdict import Basis, Caveat, Lack, Near, RuleRef


class Outcome(Enum):
    """The end of a tier."""

    ACCEPT = auto()
    DENY = auto()
    NEXT = auto()  # the next tier decides


class Opinion(Struct, frozen=True):
    """One outcome that is possible, and where it comes from."""

    outcome: Outcome
    basis: Basis = Basis.DEFAULT
    rule: RuleRef | None = None
    near: Near | None = None  # if the rule may match only
    caveats: tuple[Caveat, ...] = ()


UNDECIDED = Opinion(Outcome.NEXT)

DOUBTS = {
    Lack.HOST_NETWORK: Caveat.HOST_NETWORK_PEER,
    Lack.NAMED_PORT_NO_POD: Caveat.NAMED_PORT_NO_POD,
    Lack.NAMESPACE_UNKNOWN: Caveat.NAMESPACE_UNKNOWN,
    Lack.ADDRESS_UNKNOWN: Caveat.ADDRESS_UNKNOWN,
    Lack.DOMAIN: Caveat.DOMAIN,
    Lack.NODE: Caveat.NODE_UNKNOWN,
    Lack.NOT_UNDERSTOOD: Caveat.NOT_UNDERSTOOD,
}


def of(attempt: Attempt, outcome: Outcome, basis: Basis, side: Side) -> Opinion:
    """The opinion of a rule that matches or may match."""
    near = attempt.near(side)
    if attempt.matches:
        return Opinion(outcome, basis, near.rule, caveats=_block_caveats(attempt, side))
    caveats = tuple(dict.fromkeys(DOUBTS[miss.lack] for miss in near.misses))
    return Opinion(outcome, basis, near.rule, near, caveats)


def _block_caveats(attempt: Attempt, side: Side) -> tuple[Caveat, ...]:
    """Only an ipBlock of a NetworkPolicy: the text of the other kinds says that all traffic is held against CIDRs."""
    peers = attempt.rule.peers
    if peers is None or attempt.peer is None or not isinstance(peers[attempt.peer], Block) or attempt.rule.ref.action:
        return ()
    if side.like_node:
        return (Caveat.IP_BLOCK_ON_NODE,)
    return (Caveat.IP_BLOCK_ON_POD,) if side.kind is Kind.POD else ()
