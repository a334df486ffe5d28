"""The two IP families. kube-proxy runs one single-stack proxier for each; nothing crosses between them."""

import ipaddress
from functools import lru_cache

from msgspec import Struct


class Family(Struct, frozen=True):
    """One IP family, with the words that each tool has for it."""

    number: int
    label: str
    bits: int
    loopback: str
    """As a CIDR; in IPv6 that is one address."""
    nft: str
    """The nft table family, which is also the protocol of its payload expressions."""
    icmp: str
    """iptables' word for "port unreachable"."""
    set_prefix: str
    """What kube-proxy puts before an ipset's name (ipvs/ipset.go)."""

    @property
    def nft_type(self) -> str:
        """The nft data type of an address."""
        return f"ipv{self.number}_addr"


V4 = Family(4, "IPv4", 32, "127.0.0.0/8", "ip", "icmp-port-unreachable", "KUBE-")
V6 = Family(6, "IPv6", 128, "::1/128", "ip6", "icmp6-port-unreachable", "KUBE-6-")
FAMILIES = (V4, V6)


@lru_cache(maxsize=200_000)
def address(text: str) -> tuple[Family, str] | None:
    """Family and canonical text of an IP address, None where it is none.

    Leading zeros are decimal, and a mapped IPv4 address is IPv4 (netutils.ParseIPSloppy).
    """
    try:
        parsed = ipaddress.ip_address(text)
    except ValueError:
        octets = text.split(".")
        if len(octets) != 4 or not all(octet.isascii() and octet.isdigit() for octet in octets):
            return None
        plain = ".".join(octet.lstrip("0") or "0" for octet in octets)
        return address(plain) if plain != text else None
    if isinstance(parsed, ipaddress.IPv6Address):
        mapped = parsed.ipv4_mapped
        return (V4, str(mapped)) if mapped else (V6, str(parsed))
    return V4, str(parsed)


@lru_cache(maxsize=200_000)
def network(text: str) -> tuple[Family, str] | None:
    """Family and canonical text of a CIDR with its host bits cleared, None where it is none (net.ParseCIDR)."""
    if "/" not in text:
        return None
    try:
        parsed = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
    return (V4 if parsed.version == 4 else V6), str(parsed)


def addresses_of(family: Family, texts: tuple[str, ...] | list[str]) -> tuple[str, ...]:
    """Those of the addresses that belong to the family, canonical; what can't be parsed is left out."""
    found = (address(text) for text in texts)
    return tuple(pair[1] for pair in found if pair and pair[0] is family)


def networks_of(family: Family, texts: tuple[str, ...] | list[str]) -> tuple[str, ...]:
    """Those of the CIDRs that belong to the family, canonical; what can't be parsed is left out."""
    found = (network(text.strip()) for text in texts)
    return tuple(pair[1] for pair in found if pair and pair[0] is family)


def contains(cidr: str, ip: str) -> bool:
    """Whether a canonical CIDR holds an address of its family."""
    return ipaddress.ip_address(ip) in ipaddress.ip_network(cidr)


def host_cidr(family: Family, ip: str) -> str:
    """The CIDR of one address: how iptables prints a host."""
    return f"{ip}/{family.bits}"


def endpoint_text(family: Family, ip: str, port: int) -> str:
    """``ip:port``, with an IPv6 address in brackets (net.JoinHostPort)."""
    return f"[{ip}]:{port}" if family is V6 else f"{ip}:{port}"
