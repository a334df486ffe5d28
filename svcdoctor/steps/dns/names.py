"""Domain names as text: labels, zones, reverse names. A name with a trailing dot is absolute (RFC 1034, 3.1)."""

from ipaddress import IPv6Address, ip_address

LONGEST = 253
"""Characters that a name may have, without its trailing dot (RFC 1035, 2.3.4)."""


def absolute(name: str) -> str:
    return name if name.endswith(".") else name + "."


def labels(name: str) -> tuple[str, ...]:
    """The labels from left to right; none for the root."""
    return tuple(name.removesuffix(".").split(".")) if name.strip(".") else ()


def within(zone: str, name: str) -> bool:
    """Whether ``name`` is ``zone`` or below it, in any case; all names are within the root."""
    above, below = absolute(zone).lower(), absolute(name).lower()
    return above == "." or below == above or below.endswith("." + above)


def longest(zones: tuple[str, ...], name: str) -> str:
    """The most specific zone that ``name`` is within, "" for none."""
    return max((zone for zone in zones if within(zone, name)), key=len, default="")


def split(name: str, zone: str) -> tuple[tuple[str, ...], str]:
    """The labels of ``name`` before ``zone``, and the zone in the case in which the name spells it."""
    whole, below = labels(name), labels(zone)
    cut = len(whole) - len(below)
    return whole[:cut], ".".join(whole[cut:]) + "."


def canonical(address: str) -> str:
    """An IP address as DNS clients print it; other text as it is."""
    try:
        return str(ip_address(address))
    except ValueError:
        return address


def family(address: str) -> str:
    """The record type of an IP address, "" for text that is none."""
    try:
        return "AAAA" if ip_address(address).version == 6 else "A"
    except ValueError:
        return ""


def reverse(address: str) -> str:
    """The name whose PTR record tells the name of ``address``."""
    return ip_address(address).reverse_pointer + "."


def reversed_address(name: str) -> str:
    """The address that a whole reverse name speaks of, "" for other names and for reverse names that are cut short."""
    parts = labels(name.lower())
    try:
        if parts[-2:] == ("in-addr", "arpa") and len(parts) == 6:
            return str(ip_address(".".join(reversed(parts[:4]))))
        if parts[-2:] == ("ip6", "arpa") and len(parts) == 34 and all(len(nibble) == 1 for nibble in parts[:32]):
            return str(IPv6Address(int("".join(reversed(parts[:32])), 16)))
    except ValueError:
        pass
    return ""
