"""What counts as an IP address or a CIDR, and the special ranges that endpoints may not be in.

Source: apimachinery/pkg/util/validation/ip.go, with the strictness of 1.36 (KEP-4858): no leading zeros, no
IPv4-mapped IPv6, no host bits.
"""

import ipaddress

from .validate_errors import FieldError, invalid

BAD_IP = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
BAD_CIDR = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def parse_ip(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None
    return None if mapped or "%" in text else address


def parse_cidr(text: str) -> Network | None:
    """Without host bits."""
    address, slash, length = text.partition("/")
    if not slash or not length.isdecimal() or str(int(length)) != length or parse_ip(address) is None:
        return None
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        return None


def ip(field: str, text: str) -> list[FieldError]:
    return [] if parse_ip(text) else [invalid(field, text, BAD_IP)]


def cidr(field: str, text: str) -> list[FieldError]:
    return [] if parse_cidr(text) else [invalid(field, text, BAD_CIDR)]


def endpoint_ip(field: str, text: str) -> list[FieldError]:
    """What an endpoint may not be: an address that means something else on every node."""
    address = parse_ip(text)
    if address is None:
        return [invalid(field, text, BAD_IP)]
    return [invalid(field, text, why) for special, why in _special(address) if special]


def _special(address: Address) -> tuple[tuple[bool, str], ...]:
    multicast = ipaddress.ip_network("224.0.0.0/24" if address.version == 4 else "ff02::/16")
    return (
        (address.is_unspecified, f"may not be unspecified ({address})"),
        (address.is_loopback, "may not be in the loopback range (127.0.0.0/8, ::1/128)"),
        (address.is_link_local, "may not be in the link-local range (169.254.0.0/16, fe80::/10)"),
        (address in multicast, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"),
    )
