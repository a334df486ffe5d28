"""A node's rules held against what they must do, frontend by frontend, client by client; then the nodes together."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from ...model.service import EndpointSlice
from ..desired import Front, ProxyNode, backends, expect
from ..packet import Packet
from ..walk import Walker
from .clients import Around, clients
from .difference import OF_PROXY, Comparison, Difference, Kind, Refusal, compare, is_proxys
from .node import Readout, host_of, lacking, mode_of, proxy_node, read_rules

__all__ = [
    "OF_PROXY",
    "Around",
    "Comparison",
    "Difference",
    "Kind",
    "NodeCheck",
    "Readout",
    "Refusal",
    "check",
    "compare",
    "host_of",
    "is_proxys",
    "lacking",
    "mode_of",
    "proxy_node",
    "read_rules",
]


class NodeCheck(Struct, frozen=True):
    """All of one Service on one node."""

    differences: tuple[Difference, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    unknown: tuple[str, ...] = ()  # why packets could not be followed, with the rule
    followed: int = 0  # packets


def check(
    fronts: Iterable[Front], slices: Sequence[EndpointSlice], node: ProxyNode, walker: Walker, around: Around
) -> NodeCheck:
    """The Service's frontends on ``node``, each tried by everyone who may use it."""
    differences: list[Difference] = []
    refusals: list[Refusal] = []
    unknown: dict[str, None] = {}
    followed = 0
    for front in fronts:
        taken = {one.address for one in backends(slices, front.port, node.v6)}
        for frontend in front.frontends(node):
            for client in clients(node, around, front, frontend, taken):
                packet = Packet(
                    client.address,
                    frontend.address,
                    frontend.port,
                    frontend.protocol,
                    client.origin,
                    in_interface=client.interface,
                    new_client=True,
                )
                found = compare(frontend, client, expect(front, slices, node, frontend, client), walker.walk(packet))
                differences += found.differences
                refusals += found.refusals
                unknown |= dict.fromkeys(outcome.why for outcome in found.unknown)
                followed += 1
    return NodeCheck(tuple(differences), tuple(refusals), tuple(unknown), followed)
