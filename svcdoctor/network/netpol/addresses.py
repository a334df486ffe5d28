"""IP addresses and CIDRs as policies write them: read with leniency, judged by `validation`."""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network


@lru_cache(maxsize=4096)
def address(text: str) -> Address | None:
    """The address, an IPv4-mapped one as IPv4; None for anything else."""
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return (isinstance(found, IPv6Address) and found.ipv4_mapped) or found


def addresses(texts: Iterable[str]) -> list[Address]:
    """Those of ``texts`` that are addresses."""
    return [found for text in texts if (found := address(text))]


@lru_cache(maxsize=4096)
def network(text: str) -> Network | None:
    """The network of a CIDR, None if it is none.

    Bits beyond the prefix are masked and leading zeros are decimal, as Go's old parser reads them (KEP-4858): the API
    server refuses such CIDRs today, but keeps those that it has.
    """
    host, slash, prefix = text.partition("/")
    if not slash or not (prefix.isascii() and prefix.isdecimal()):
        return None
    if ":" not in host:
        host = ".".join(part.lstrip("0") or "0" if part.isdecimal() else part for part in host.split("."))
    try:
        return ip_network(f"{host}/{int(prefix)}", strict=False)
    except ValueError:  # also of an int with thousands of digits
        return None


def canonical(text: str) -> bool:
    """Whether the API server takes this CIDR in a new object (StrictIPCIDRValidation, on since 1.36)."""
    prefix = text.partition("/")[2]
    if not prefix.isascii() or not prefix.isdecimal() or prefix != str(int(prefix[:9])):
        return False
    try:
        mapped = isinstance(found := ip_network(text), IPv6Network) and found.network_address.ipv4_mapped
    except ValueError:  # a host bit is set, or a part has a leading zero
        return False
    return not mapped


def within(inner: Network, outer: Network) -> bool:
    """Whether ``inner`` lies in ``outer`` and is smaller."""
    if inner.version != outer.version or inner.prefixlen <= outer.prefixlen:
        return False
    return inner.network_address in outer
