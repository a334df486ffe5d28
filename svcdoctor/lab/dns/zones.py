"""The zone names of a Corefile, as CoreDNS makes them of what is written (coredns plugin/normalize.go)."""

import ipaddress
from collections.abc import Iterator, Sequence

import dns.exception
import dns.name
import dns.reversename
from dns.name import Name

from .tokens import CorefileError, number

PORTS = {"dns": 53, "tls": 853, "quic": 853, "grpc": 443, "https": 443, "https3": 443}


def zones(texts: Sequence[str], line: int) -> tuple[Name, ...]:
    """Zone names, lower-case and absolute; a network in CIDR form is its reverse zones. Raises CorefileError."""
    return tuple(zone for text in texts for zone in _zones(text, line))


def _zones(text: str, line: int) -> Iterator[Name]:
    if "/" in text:
        try:
            yield from _reverse_zones(text)
        except ValueError as error:
            raise CorefileError(line, f"illegal zone {text!r}") from error
        return
    try:
        yield dns.name.from_text(text.lower())
    except (dns.exception.DNSException, UnicodeError) as error:
        raise CorefileError(line, f"illegal zone {text!r}") from error


def _reverse_zones(text: str) -> Iterator[Name]:
    network = ipaddress.ip_network(text, strict=False)
    step = 8 if network.version == 4 else 4
    labels = -(-network.prefixlen // step)
    for subnet in network.subnets(new_prefix=labels * step):
        whole = dns.reversename.from_address(str(subnet.network_address))
        yield Name(whole.labels[network.max_prefixlen // step - labels :])


def key(text: str, line: int) -> Iterator[tuple[Name, int]]:
    """``dns://example.org:5300`` -> (example.org., 5300)."""
    scheme, found, rest = text.rpartition("://")
    host, colon, digits = rest.rpartition(":")
    port = number(digits) if colon else None
    if port is None:
        host, port = rest, PORTS.get(scheme if found else "dns", 53)
    if (found and scheme not in PORTS) or port > 65535:
        raise CorefileError(line, f"illegal server block key {text!r}")
    for zone in _zones(host or ".", line):
        yield zone, port
