"""Expressions of nft's JSON (libnftables-json), as nft 1.0.6 lists what kube-proxy wrote."""

import ipaddress
from collections.abc import Iterable, Sequence
from typing import Any

from .family import V6, Family
from .local import nft_network

Atom = dict[str, Any]

NEW: Atom = {"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": "new"}}
PROTOCOL: Atom = {"meta": {"key": "l4proto"}}
PORT: Atom = {"payload": {"protocol": "th", "field": "dport"}}
MARK: Atom = {"meta": {"key": "mark"}}
DROP: Atom = {"drop": None}
MASQUERADE: Atom = {"masquerade": {"flags": "fully-random"}}


def jump(chain: str) -> Atom:
    return {"jump": {"target": chain}}


def goto(chain: str) -> Atom:
    return {"goto": {"target": chain}}


def field(family: Family, name: str) -> Atom:
    """``saddr`` or ``daddr`` of the family's header."""
    return {"payload": {"protocol": family.nft, "field": name}}


def match(left: Any, right: Any, op: str = "==") -> Atom:
    return {"match": {"op": op, "left": left, "right": right}}


def protocol_is(protocol: str) -> Atom:
    return match(PROTOCOL, protocol)


def type_is_local(which: str) -> Atom:
    """Whether ``saddr`` or ``daddr`` is an address of the node."""
    return match({"fib": {"result": "type", "flags": [which]}}, "local")


def concat(*parts: Any) -> Atom:
    return {"concat": list(parts)}


def vmap(key: Any, data: Any) -> Atom:
    """Goes where a map says."""
    return {"vmap": {"key": key, "data": data}}


def set_mark(mark: int, op: str = "|") -> Atom:
    return {"mangle": {"key": MARK, "value": {op: [MARK, mark]}}}


def marked(mark: int) -> Atom:
    return match({"&": [MARK, mark]}, 0, "!=")


def reject(family: Family) -> Atom:
    return {"reject": {"type": "icmpv6" if family is V6 else "icmp", "expr": "port-unreachable"}}


def numgen(count: int) -> Atom:
    """A random number below ``count``."""
    return {"numgen": {"mode": "random", "mod": count, "offset": 0}}


def anonymous(cidrs: Sequence[str]) -> Any:
    """An anonymous set of CIDRs: neighbours are merged, and a set that was given one element is that element."""
    if len(cidrs) == 1:
        return nft_network(cidrs[0])
    return {"set": [_interval(low, high) for low, high in _merged(cidrs)]}


Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _merged(cidrs: Iterable[str]) -> list[tuple[Address, Address]]:
    """The CIDRs as intervals in order, those that touch made one."""
    spans = sorted((int(net[0]), int(net[-1]), net) for net in map(ipaddress.ip_network, cidrs))
    merged: list[list[int]] = []
    for low, high, _ in spans:
        if merged and low <= merged[-1][1] + 1:
            merged[-1][1] = max(merged[-1][1], high)
        else:
            merged.append([low, high])
    kind = type(spans[0][2][0]) if spans else ipaddress.IPv4Address
    return [(kind(low), kind(high)) for low, high in merged]


def _interval(low: Address, high: Address) -> Any:
    """One element of an interval set: an address, a prefix, or a range where it is no prefix."""
    if low == high:
        return str(low)
    networks = list(ipaddress.summarize_address_range(low, high))
    if len(networks) == 1:
        return nft_network(str(networks[0]))
    return {"range": [str(low), str(high)]}


PROTOCOL_NUMBERS = {"tcp": 6, "udp": 17, "sctp": 132}


def sort_key(parts: Sequence[Any]) -> bytes:
    """How nft orders a set's elements of several fields: by their bytes from the last to the first."""
    return b"".join(_bytes(part) for part in parts)[::-1]


def _bytes(part: Any) -> bytes:
    """A field as it lies in the key, padded to four bytes."""
    if isinstance(part, int):
        return part.to_bytes(2, "big") + bytes(2)
    number = PROTOCOL_NUMBERS.get(part)
    return bytes([number, 0, 0, 0]) if number else ipaddress.ip_address(part).packed
