"""The addresses of server blocks and the zone arguments of plugins: ``dns://example.org:53``, ``10.0.0.0/24``, ``.``"""

import re
from ipaddress import IPv4Network, IPv6Network, ip_network

from msgspec import Struct

from .names import LONGEST, absolute
from .tokens import ENVIRONMENT

PORTS = {"dns": 53, "tls": 853, "quic": 853, "grpc": 443, "https": 443, "https3": 443}
"""By scheme (plugin/pkg/transport)."""

_PORT = re.compile(rf":(?:(?P<number>\d{{1,5}})|{ENVIRONMENT.pattern})\Z")


class Key(Struct, frozen=True):
    """One zone that a server block serves, lower-case and with its trailing dot."""

    zone: str
    port: int = 53
    transport: str = "dns"
    known: bool = True  # False: an environment variable stands in it

    def __str__(self) -> str:
        return f"{self.transport}://{self.zone}:{self.port}"


def keys(text: str) -> tuple[Key, ...]:
    """The zones of one address: several for a network that no single reverse zone covers. Raises ValueError."""
    scheme, separator, rest = text.partition("://")
    transport, host = (scheme.lower(), rest) if separator and scheme.lower() in PORTS else ("dns", text)
    number = PORTS[transport]
    if found := _PORT.search(host):
        host, number = host[: found.start()], int(found["number"] or number)
    elif host.endswith(":"):
        raise ValueError(f"{text}: a port should follow the colon")
    if number > 65535:
        raise ValueError(f"{text}: there is no port {number}")
    known = not ENVIRONMENT.search(text)
    return tuple(Key(zone, number, transport, known) for zone in zones(host))


def zones(host: str) -> tuple[str, ...]:
    """The zones that a name or a network in CIDR notation stands for. Raises ValueError."""
    if "/" in host:
        try:
            network = ip_network(host, strict=False)
        except ValueError:
            pass  # not a network: a name with a slash, which DNS allows
        else:
            return tuple(reverse_zone(part) for part in _parts(network))
    zone = absolute(host).lower()
    if len(zone) > LONGEST + 1 or ".." in zone or (len(zone) > 1 and zone.startswith(".")):
        raise ValueError(f"{host}: not a zone")
    if any(len(label) > 63 for label in zone.split(".")):
        raise ValueError(f"{host}: a label has more than 63 characters")
    return (zone,)


def _parts(network: IPv4Network | IPv6Network) -> tuple[IPv4Network | IPv6Network, ...]:
    """The networks of whole labels that make up ``network``: octets, or nibbles of IPv6."""
    width = 8 if network.version == 4 else 4
    if network.prefixlen == 0:
        return (network,)
    return tuple(network.subnets(new_prefix=-(-network.prefixlen // width) * width))


def reverse_zone(network: IPv4Network | IPv6Network) -> str:
    """``10.1.0.0/16`` -> ``1.10.in-addr.arpa.``"""
    width = 8 if network.version == 4 else 4
    free = (network.max_prefixlen - network.prefixlen) // width
    return ".".join(network.network_address.reverse_pointer.split(".")[free:]) + "."
