"""What the walk knows of the node: its base chains in the order of the kernel, its addresses, its routes."""

from ipaddress import ip_address, ip_network
from typing import NamedTuple

from ..packet import Host
from ..ruleset import HOOKS, Base, Chain, Ruleset, Table, VirtualServer
from ..ruleset.values import NUMBERS

LOOPBACK = {False: (0x7F000000, 0x7FFFFFFF), True: (1, 1)}
NAT_PRIORITY = {"prerouting": -100, "output": -100, "input": 100, "postrouting": 100}
"""All nat chains of a hook are called from here, whatever their own priorities, which order them among each other."""
IPVS_PRIORITY = {"input": 99, "output": -98}


class Stop(NamedTuple):
    """Something that a hook calls: base chains (those of nat together), or IPVS if there are none."""

    priority: int
    chains: tuple[tuple[Table, Chain], ...]
    nat: bool = False


class Node:
    """The rules and the host, made ready for walks of one family."""

    def __init__(self, ruleset: Ruleset, host: Host, v6: bool) -> None:
        self.ruleset = ruleset
        self.host = host
        self.v6 = v6
        self.tables = [table for table in ruleset.tables if table.family in ("ip6" if v6 else "ip", "inet")]
        self.stops = {hook: self._stops(hook) for hook in HOOKS}
        self.ambiguous = {hook for hook in HOOKS if self._ambiguous(hook)}
        self.servers = {_place(one): one for one in ruleset.virtual_servers if one.protocol and _v6(one) == v6}
        self.by_mark = {one.mark: one for one in ruleset.virtual_servers if not one.protocol}
        self.addresses = None if host.addresses is None else frozenset(map(_number, host.addresses))
        self.routes = sorted(
            ((ip_network(route.network), route.device) for route in host.routes or ()),
            key=lambda route: -route[0].prefixlen,
        )

    def _bases(self, hook: str) -> list[tuple[Base, Table, Chain]]:
        """The base chains in order. Of equal priority, the kernel asks first what was made last."""
        bases = [
            (chain.base, table, chain)
            for table in self.tables
            for chain in table.chains.values()
            if chain.base is not None and chain.base.hook == hook
            if chain.texts or chain.base.policy == "drop"
        ]
        bases.reverse()
        return sorted(bases, key=lambda base: (base[0].priority, -(base[1].handle or 0)))

    def _ambiguous(self, hook: str) -> bool:
        """Whether chains of equal priority are in different tables, and it is not known which was made first."""
        made: dict[tuple[int, bool], set[tuple[str, int | None]]] = {}
        for base, table, _ in self._bases(hook):
            made.setdefault((base.priority, base.nat), set()).add((f"{table.dialect} {table}", table.handle))
        return any(len(tables) > 1 and None in {handle for _, handle in tables} for tables in made.values())

    def _stops(self, hook: str) -> list[Stop]:
        bases = self._bases(hook)
        stops = [Stop(base.priority, ((table, chain),)) for base, table, chain in bases if not base.nat]
        nat = tuple((table, chain) for base, table, chain in bases if base.nat)
        if nat:
            stops.append(Stop(NAT_PRIORITY.get(hook, 0), nat, nat=True))
        if self.ruleset.virtual_servers and hook in IPVS_PRIORITY:
            stops.append(Stop(IPVS_PRIORITY[hook], ()))
        return sorted(stops, key=lambda stop: stop.priority)

    def is_loopback(self, address: int) -> bool:
        first, last = LOOPBACK[self.v6]
        return first <= address <= last

    def is_local(self, address: int) -> bool | None:
        """Whether it is an address of this node, None if that is not known. IPVS has its virtual addresses local."""
        if self.is_loopback(address):
            return True
        if self.addresses is not None:
            return address in self.addresses
        return True if any(address == place[1] for place in self.servers) else None

    def device(self, address: int) -> str | None:
        """The interface that a packet to the address leaves by; "" if no route leads there, None if not known."""
        if self.host.routes is None:
            return None
        for network, device in self.routes:
            first, last = int(network.network_address), int(network.broadcast_address)
            if (network.version == 6) is self.v6 and first <= address <= last:
                return device
        return ""

    def virtual_server(self, protocol: int, address: int, port: int, mark: int) -> VirtualServer | None:
        """The IPVS service that takes the packet."""
        if mark and mark in self.by_mark:
            return self.by_mark[mark]
        return self.servers.get((protocol, address, port)) or self.servers.get((protocol, address, 0))


def turned(stops: list[Stop]) -> list[Stop]:
    """The same with chains of equal priority the other way round."""
    inverted = [Stop(stop.priority, tuple(_turned(stop.chains)), stop.nat) for stop in reversed(stops)]
    return sorted(inverted, key=lambda stop: stop.priority)


def _turned(chains: tuple[tuple[Table, Chain], ...]) -> list[tuple[Table, Chain]]:
    last_first = list(reversed(chains))
    return sorted(last_first, key=lambda one: one[1].base.priority if one[1].base else 0)


def _place(server: VirtualServer) -> tuple[int, int, int]:
    return NUMBERS[server.protocol], _number(server.address), server.port


def _v6(server: VirtualServer) -> bool:
    return ":" in server.address


def _number(address: str) -> int:
    return int(ip_address(address))
