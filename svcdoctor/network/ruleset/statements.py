"""What a rule is made of, in the order in which the kernel does it: conditions first in iptables, mixed in nft."""

from enum import StrEnum
from fractions import Fraction
from typing import TypeAlias

from msgspec import Struct

from .values import Values


class Field(StrEnum):
    """What of a packet, its connection or its way a rule asks for."""

    SOURCE = "source"
    DESTINATION = "destination"
    PROTOCOL = "protocol"
    SOURCE_PORT = "source-port"
    DESTINATION_PORT = "destination-port"
    TCP_FLAGS = "tcp-flags"
    FAMILY = "family"  # ipv4 or ipv6
    IN_INTERFACE = "in-interface"
    OUT_INTERFACE = "out-interface"
    BRIDGE_PORT_IN = "bridge-port-in"  # yes or no: it came through a port of a bridge (physdev)
    MARK = "mark"
    CONNECTION_MARK = "connection-mark"
    STATE = "state"  # new, established, related, invalid or untracked
    STATUS = "status"  # dnat and snat, as far as that was done
    DIRECTION = "direction"  # original or reply
    SOURCE_TYPE = "source-type"  # local, unicast, multicast or broadcast, by the routing tables
    DESTINATION_TYPE = "destination-type"
    ORIGINAL_SOURCE = "original-source"  # of the connection, before translation
    ORIGINAL_DESTINATION = "original-destination"
    ORIGINAL_PORT = "original-port"
    VIRTUAL_ADDRESS = "virtual-address"  # of the IPVS service that took the packet
    VIRTUAL_PORT = "virtual-port"
    VIRTUAL_PROTOCOL = "virtual-protocol"


class Masked(Struct, frozen=True, gc=False):
    """Some bits of a field that is a number."""

    field: Field
    mask: int


class Random(Struct, frozen=True, gc=False):
    """numgen: ``offset`` to ``offset + modulus - 1``, evenly (random) or in turn (inc)."""

    modulus: int
    offset: int = 0


Key: TypeAlias = Field | Masked | Random


class Match(Struct, frozen=True, gc=False):
    """The keys together are among values, or in the table's set of that name; the other way round if ``negated``."""

    keys: tuple[Key, ...]
    among: Values | str
    negated: bool = False


class InSet(Struct, frozen=True, gc=False):
    """The packet is in an ipset; ``directions`` (src or dst) say of which end each part of an element speaks."""

    name: str
    directions: tuple[str, ...]
    negated: bool = False


class Chance(Struct, frozen=True, gc=False):
    """Matches so often, in the long run: `statistic`, random or every nth."""

    probability: Fraction


class Recent(Struct, frozen=True, gc=False):
    """`recent`: whether a list remembers the source; ``set`` remembers it, and always matches."""

    name: str
    act: str  # set, check (also update) or remove
    negated: bool = False


class Opaque(Struct, frozen=True, gc=False):
    """A match or statement that is not understood. As a match it may hold or not; as an action it may do anything."""

    text: str
    action: bool = False


class VerdictKind(StrEnum):
    ACCEPT = "accept"
    DROP = "drop"
    REJECT = "reject"
    RETURN = "return"
    JUMP = "jump"
    GOTO = "goto"


class Verdict(Struct, frozen=True, gc=False):
    """What ends a rule. ``target`` is the chain, or what REJECT answers with."""

    kind: VerdictKind
    target: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.target}".rstrip()


class Lookup(Struct, frozen=True):
    """What a map has for the keys."""

    keys: tuple[Key, ...]
    among: Values | str


class Dispatch(Struct, frozen=True):
    """A verdict map: the data are `Verdict`s."""

    lookup: Lookup


class Place(Struct, frozen=True, gc=False):
    """Where to translate to; None leaves what is there."""

    address: int | None = None
    port: int | None = None


class Translate(Struct, frozen=True, gc=False):
    """Network address translation. The data of a lookup are `Place`s."""

    act: str  # dnat, redirect, snat or masquerade
    to: Place | Lookup = Place()
    port: int | None = None  # where the lookup finds an address only


class SetMark(Struct, frozen=True, gc=False):
    """``mark = (mark & keep) ^ flip``, of the packet or of its connection."""

    field: Field
    keep: int
    flip: int


class CopyMark(Struct, frozen=True, gc=False):
    """CONNMARK --save-mark and --restore-mark: ``to = (to & ~to_mask) ^ (of & of_mask)``."""

    to: Field
    to_mask: int
    of_mask: int


class Remember(Struct, frozen=True):
    """nft add or update: the keys become an element of the table's set."""

    keys: tuple[Key, ...]
    name: str


class NoTrack(Struct, frozen=True, gc=False):
    """No connection tracking, and so no translation, for this packet."""


class Nothing(Struct, frozen=True, gc=False):
    """Changes neither the packet nor its way: LOG, counters, comments."""

    text: str


Statement: TypeAlias = (
    Match
    | InSet
    | Chance
    | Recent
    | Opaque
    | Verdict
    | Dispatch
    | Translate
    | SetMark
    | CopyMark
    | Remember
    | NoTrack
    | Nothing
)
