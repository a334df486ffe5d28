"""A packet on its way: what it is by now, how likely it came this way, and the rules that it met."""

from fractions import Fraction
from ipaddress import IPv4Address, IPv6Address, ip_address

from msgspec import Struct

from ..packet import Hop, Origin, Packet
from ..ruleset.values import NUMBERS

Trail = tuple["Trail", Hop] | None
"""The hops so far, the last one first: branches share what they have in common."""


LAST_V4 = 0xFFFFFFFF


class State(Struct, frozen=True):
    """One branch. Addresses are numbers; what is None is not known."""

    weight: Fraction
    v6: bool
    protocol: int
    source: int | None
    source_port: int | None
    destination: int | None
    port: int
    original: tuple[int, int, int]  # source, destination and port before any translation
    mark: int
    origin: Origin
    in_interface: str | None  # "" where there is none
    out_interface: str | None = ""
    connection_mark: int = 0
    tracked: bool = True  # notrack makes it False
    seen: bool = False  # by conntrack, which comes after the table raw
    destination_done: bool = False  # translated, or decided that it is not
    source_done: bool = False
    dnat: bool = False
    redirected: bool = False
    snat: Hop | None = None
    virtual: tuple[int, int, int] | None = None  # protocol, address and port of the IPVS service that took it
    remembered: frozenset[str] = frozenset()  # lists and sets that have the source by now
    new_client: bool = False
    trail: Trail = None

    @property
    def hops(self) -> tuple[Hop, ...]:
        found: list[Hop] = []
        trail = self.trail
        while trail is not None:
            trail, hop = trail
            found.append(hop)
        return tuple(reversed(found))


def start(packet: Packet, in_interface: str | None) -> State:
    """The packet before the first rule. Raises ValueError for addresses or a protocol that are none."""
    source, destination = ip_address(packet.source), ip_address(packet.destination)
    if source.version != destination.version:
        raise ValueError(f"{source} and {destination} are of different families")
    if not 0 <= packet.port <= 65535:
        raise ValueError(f"{packet.port} is no port")
    if packet.protocol.lower() not in ("tcp", "udp", "sctp"):
        raise ValueError(f"{packet.protocol} is none of tcp, udp, sctp")
    return State(
        Fraction(1),
        source.version == 6,
        NUMBERS[packet.protocol.lower()],
        int(source),
        packet.source_port,
        int(destination),
        packet.port,
        (int(source), int(destination), packet.port),
        packet.mark,
        packet.origin,
        "" if packet.origin is Origin.NODE else in_interface,
        new_client=packet.new_client,
    )


def written(address: int | None, v6: bool) -> str:
    """The address as text, empty if it is not known."""
    if address is None:
        return ""
    return str(IPv6Address(address) if v6 or address > LAST_V4 else IPv4Address(address))
