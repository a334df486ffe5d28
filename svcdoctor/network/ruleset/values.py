"""What rules compare: single values, ranges and tuples of them, alone or in sets and maps.

Addresses, ports, protocols and marks are numbers, a range of them is a `Span`; states and interfaces are words. A word
that ends in ``*`` stands for all that begin like it.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Any, TypeAlias

from msgspec import Struct


class Span(Struct, frozen=True, gc=False):
    """``first`` to ``last``, both included."""

    first: int
    last: int

    @property
    def width(self) -> int:
        return self.last - self.first


Component: TypeAlias = Span | str
Value: TypeAlias = int | str | frozenset[str] | None
"""What a packet has: a set of words where any of them counts, None where it is not known."""

EVERYTHING = 1 << 128
NUMBERS = {
    "hopopt": 0, "icmp": 1, "igmp": 2, "ipencap": 4, "ipip": 4, "tcp": 6, "egp": 8, "udp": 17, "dccp": 33, "ipv6": 41,
    "gre": 47, "esp": 50, "ah": 51, "icmpv6": 58, "ipv6-icmp": 58, "ospf": 89, "pim": 103, "vrrp": 112, "sctp": 132,
    "udplite": 136,
}  # fmt: skip
"""IANA's protocol numbers, by the names that iptables and nft print."""


V4_HOST = re.compile(r"(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})(?:/32)?", re.ASCII)


def one(number: int) -> Span:
    return Span(number, number)


@lru_cache(maxsize=65536)
def addresses(text: str) -> Span:
    """An address, a CIDR or ``first-last``. Raises ValueError."""
    found = V4_HOST.fullmatch(text)  # as nearly all rules have it; ipaddress takes six times as long
    if found:
        octets = tuple(map(int, found.groups()))
        if max(octets) <= 255:
            return one(octets[0] << 24 | octets[1] << 16 | octets[2] << 8 | octets[3])
    first, dash, last = text.partition("-")
    if dash:
        return Span(int(ip_address(first)), int(ip_address(last)))
    network = ip_network(text, strict=False)
    return Span(int(network.network_address), int(network.broadcast_address))


def numbers(text: str, separator: str = "-") -> Span:
    """``80`` or ``80-90``, decimal or 0x. Raises ValueError."""
    first, dash, last = text.partition(separator)
    if dash:
        return Span(int(first or "0", 0), int(last or "65535", 0))
    return one(int(text, 0))


def protocol(text: str) -> Span:
    """A protocol by name or number. Raises ValueError."""
    number = NUMBERS.get(text.lower())
    return one(int(text) if number is None else number)


def is_v6(text: str) -> bool:
    return ":" in text


class Values:
    """The elements of a set, or of a map: then each has data.

    Elements that are one exact tuple are found at once; ranges are tried narrowest first, so that the longest prefix of
    an ipset wins. ``data`` of an ipset's ``nomatch`` element is `NO_MATCH`.
    """

    __slots__ = ("exact", "loose")

    def __init__(self, elements: Iterable[tuple[tuple[Component, ...], Any]]) -> None:
        self.exact: dict[tuple[int | str, ...], Any] = {}
        loose: list[tuple[tuple[Component, ...], Any]] = []
        for parts, data in elements:
            key = tuple(map(_exact, parts))
            if None in key:
                loose.append((parts, data))
            else:
                self.exact[key] = data  # type: ignore[index]
        self.loose = tuple(sorted(loose, key=lambda element: sum(map(_width, element[0]))))

    def __len__(self) -> int:
        return len(self.exact) + len(self.loose)

    def __iter__(self) -> Iterator[tuple[tuple[Component, ...], Any]]:
        for key, data in self.exact.items():
            yield tuple(part if isinstance(part, str) else one(part) for part in key), data
        yield from self.loose

    def __repr__(self) -> str:
        return f"Values({list(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Values) and (self.exact, self.loose) == (other.exact, other.loose)

    def __hash__(self) -> int:
        return hash(tuple(self.exact))

    def find(self, values: tuple[Value, ...]) -> tuple[bool | None, Any]:
        """Whether an element holds ``values``, and its data; None if that depends on what is not known of them."""
        if self.exact and values in self.exact:
            return _told(self.exact[values])  # type: ignore[index]
        plain = all(isinstance(value, (int, str)) for value in values)
        for parts, data in self.loose if plain else self:
            fits = holds(parts, values)
            if fits:
                return _told(data)
            if fits is None:
                return None, None
        return False, None


NO_MATCH = "nomatch"


def _told(data: Any) -> tuple[bool, Any]:
    return data is not NO_MATCH, data


def holds(parts: tuple[Component, ...], values: tuple[Value, ...]) -> bool | None:
    """Whether every part holds its value; None if that is not known."""
    if len(parts) != len(values):
        return False
    sure: bool | None = True
    for part, value in zip(parts, values, strict=True):
        fits = _holds(part, value)
        if fits is False:
            return False
        sure = sure and fits
    return sure


def _holds(part: Component, value: Value) -> bool | None:
    if value is None:
        return True if part == "*" else None
    if isinstance(part, str):
        if isinstance(value, frozenset):
            return part in value
        return isinstance(value, str) and (part == value or (part[-1:] == "*" and value.startswith(part[:-1])))
    return isinstance(value, int) and part.first <= value <= part.last


def _exact(part: Component) -> int | str | None:
    if isinstance(part, str):
        return None if part[-1:] == "*" else part
    return part.first if part.first == part.last else None


def _width(part: Component) -> int:
    if isinstance(part, str):
        return EVERYTHING - len(part) if part[-1:] == "*" else 0
    return part.width
