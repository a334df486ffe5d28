"""Where a packet goes by the rules of a node: Ruleset x Packet -> the distribution over its ends.

`walk` follows the first packet of a connection through the hooks of the kernel in the order of their priorities, the
tables of iptables and nft together, IPVS in between. A random choice becomes all branches with their exact shares. What
is not understood or not known makes a branch *unknown*, with the rule; unless the end is the same either way.
"""

from collections.abc import Mapping
from fractions import Fraction

from msgspec import structs

from ..packet import Host, Kind, Outcome, Packet, Walk
from ..ruleset import Ruleset
from .node import Node
from .path import Doubt, Path, TooLong
from .state import State, start

__all__ = ["Walker", "walk"]

UNTOLD = Host()
"""A node of which only the rules are known."""
MOST_DOUBTS = 4
"""So many unknown facts are tried both ways at once."""


def walk(ruleset: Ruleset, packet: Packet, host: Host = UNTOLD) -> Walk:
    """All ends of the packet, with the rules that led there.

    Raises ValueError if the packet's addresses are none or of two families, or its port or protocol is none.
    """
    return Walker(ruleset, host).walk(packet)


class Walker:
    """For many packets on one node: what can be prepared is prepared once."""

    def __init__(self, ruleset: Ruleset, host: Host = UNTOLD) -> None:
        self.ruleset = ruleset
        self.host = host
        self._nodes: dict[bool, Node] = {}

    def walk(self, packet: Packet) -> Walk:
        """As `walk`."""
        state = start(packet, packet.in_interface)
        node = self._nodes.get(state.v6) or self._nodes.setdefault(state.v6, Node(self.ruleset, self.host, state.v6))
        if packet.in_interface is None and state.source is not None and state.in_interface is None:
            state = structs.replace(state, in_interface=node.device(state.source) or None)
        try:
            path = _resolve(node, state, {})
        except TooLong:
            path = Path(node, {})
            path.unknown(state, "the rules have more ways than can be followed")
        return Walk(packet, tuple(_merged(path.outcomes)), tuple(path.notes))


def _resolve(node: Node, state: State, assumed: Mapping[Doubt, bool], steps: int = 0) -> Path:
    """The walk; where a doubt arises and both answers lead to the same ends, the walk without it."""
    path = Path(node, assumed, steps)
    path.follow(state)
    if not path.doubts or len(assumed) >= MOST_DOUBTS:
        return path
    doubt = next(iter(path.doubts))
    held = _resolve(node, state, {**assumed, doubt: True}, path.steps)
    not_held = _resolve(node, state, {**assumed, doubt: False}, held.steps)
    path.steps = not_held.steps
    return not_held if _ends(held) == _ends(not_held) else path


def _ends(path: Path) -> dict[tuple[object, ...], Fraction]:
    """The ends without the ways there."""
    found: dict[tuple[object, ...], Fraction] = {}
    for one in path.outcomes:
        key = one.kind, one.address, one.port, one.source, one.why
        found[key] = found.get(key, Fraction()) + one.share
    return found


def _merged(outcomes: list[Outcome]) -> list[Outcome]:
    """Equal ends as one, with the hops of the likeliest way; endpoints first."""
    found: dict[tuple[object, ...], Outcome] = {}
    for one in sorted(outcomes, key=lambda outcome: -outcome.share):
        key = one.kind, one.address, one.port, one.source, one.why
        if key in found:
            found[key] = structs.replace(found[key], share=found[key].share + one.share)
        elif one.share:
            found[key] = one
    order = list(Kind)
    return sorted(found.values(), key=lambda one: (order.index(one.kind), one.address, one.port, one.source or ""))
