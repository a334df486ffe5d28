"""Pod addresses of one node, one after another, as the host-local plugin gives them."""

import ipaddress
from collections.abc import Iterable, Sequence


class Exhausted(Exception):
    """No address is left. Its text is the plugin's."""


class IpPool:
    """One address of each family per pod. The first of a range is the gateway's."""

    def __init__(self, cidrs: Sequence[str]) -> None:
        self._ranges = [_Range(cidr) for cidr in cidrs]

    def reserve(self, addresses: Iterable[str]) -> None:
        """Addresses that pods have already."""
        for address in addresses:
            for one in self._ranges:
                one.reserve(address)

    def allocate(self) -> tuple[str, ...]:
        """Raises Exhausted."""
        given: list[str] = []
        try:
            for index, one in enumerate(self._ranges):
                given.append(one.allocate(index))
        except Exhausted:
            self.release(given)
            raise
        return tuple(given)

    def release(self, addresses: Iterable[str]) -> None:
        for address in addresses:
            for one in self._ranges:
                one.release(address)


class _Range:
    def __init__(self, cidr: str) -> None:
        self._network = ipaddress.ip_network(cidr)
        self._first = int(self._network.network_address) + 1
        self._last = int(self._network.broadcast_address) - (self._network.version == 4)
        self._taken: set[int] = {self._first}
        self._latest = self._first

    def reserve(self, address: str) -> None:
        number = self._number(address)
        if number is not None:
            self._taken.add(number)
            self._latest = max(self._latest, number)

    def release(self, address: str) -> None:
        number = self._number(address)
        if number is not None:
            self._taken.discard(number)

    def allocate(self, index: int) -> str:
        if len(self._taken) > self._last - self._first:
            make = ipaddress.ip_address(self._first).__class__
            span = f"{make(self._first)}-{make(self._last)}"
            raise Exhausted(f"failed to allocate for range {index}: no IP addresses available in range set: {span}")
        number = self._latest
        while True:
            number = number + 1 if number < self._last else self._first
            if number not in self._taken:
                break
        self._taken.add(number)
        self._latest = number
        return str(self._network.network_address + (number - int(self._network.network_address)))

    def _number(self, address: str) -> int | None:
        found = ipaddress.ip_address(address)
        return int(found) if found.version == self._network.version and found in self._network else None
