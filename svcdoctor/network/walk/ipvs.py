"""IPVS on a packet's way: at LOCAL_IN for what came in, at LOCAL_OUT for what the node sends."""

from fractions import Fraction
from ipaddress import ip_address
from typing import TYPE_CHECKING

from msgspec import structs

from ..packet import Hop, Kind
from ..ruleset import Server, VirtualServer
from .actions import place
from .state import State

if TYPE_CHECKING:
    from .path import Path

BY_WEIGHT = frozenset({"wrr", "wlc", "sed", "nq", "sh", "mh", "fo", "ovf"})
"""Schedulers that give more to servers of more weight; rr, lc and those by destination do not look at it."""
BY_ADDRESS = frozenset({"sh", "mh", "dh", "lblc", "lblcr"})
REFUSAL = "icmp-port-unreachable"


def take(path: "Path", hook: str, state: State) -> list[State] | None:
    """The packet once for each server that it may get, None if IPVS does not take it.

    A service without servers refuses it.
    """
    if state.virtual is not None or state.destination is None:
        return None
    found = path.node.virtual_server(state.protocol, state.destination, state.port, state.mark)
    if found is None:
        return None
    taken = structs.replace(
        state,
        virtual=(state.protocol, state.destination, state.port),
        destination_done=True,  # what IPVS sends is no new connection to nat at LOCAL_OUT
        out_interface=None,
    )
    usable = [server for server in found.servers if server.weight > 0]
    if not usable:
        path.end(_with(taken, hook, found, "no server"), Kind.REJECT, REFUSAL)
        return []
    _note(path, found)
    return [_sent(taken, hook, found, server, share) for server, share in _shares(found, usable)]


def _shares(found: VirtualServer, usable: list[Server]) -> list[tuple[Server, Fraction]]:
    weights = [server.weight if found.scheduler in BY_WEIGHT else 1 for server in usable]
    return [(server, Fraction(weight, sum(weights))) for server, weight in zip(usable, weights, strict=True)]


def _sent(state: State, hook: str, found: VirtualServer, server: Server, share: Fraction) -> State:
    address = int(ip_address(server.address))
    port = server.port or state.port
    chosen = _with(state, hook, found, f"{found.scheduler} {place(address, port, state.v6)}")
    return structs.replace(chosen, weight=state.weight * share, destination=address, port=port)


def _with(state: State, hook: str, found: VirtualServer, effect: str) -> State:
    return structs.replace(state, trail=(state.trail, Hop(hook, "ipvs", "", found.raw.strip(), effect)))


def _note(path: "Path", found: VirtualServer) -> None:
    if found.persistent:
        path.notes["affinity: IPVS sends a client that it remembers to the same endpoint again"] = None
    if found.scheduler in BY_ADDRESS:
        path.notes[f"IPVS chooses by address ({found.scheduler}): one client always meets the same endpoint"] = None
