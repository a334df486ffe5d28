"""A node's addresses and routes out of /proc/net, where there is no ``ip`` to ask. Pure.

Sources: net/ipv4/fib_trie.c (fib_trie_seq_show, fib_route_seq_show), net/ipv6/addrconf.c (if6_seq_show).
"""

import json
import re
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, ip_address
from typing import Any

FILES = ("/proc/net/route", "/proc/net/fib_trie", "/proc/net/if_inet6", "/proc/net/dev")
Json = dict[str, Any]

ROUTE = re.compile(r"(\S+)\t([0-9A-F]{8})\t([0-9A-F]{8})\t([0-9A-F]{4})\t\S+\t\S+\t(\d+)\t([0-9A-F]{8})\t.*")
LEAF = re.compile(r"\s+\|-- ([\d.]+)")
INET6 = re.compile(r"([0-9a-f]{32}) [0-9a-f]{2,} ([0-9a-f]{2}) ([0-9a-f]{2}) [0-9a-f]{2,}\s+(\S+)")
DEVICE = re.compile(r"\s*([^\s:|]+):\s*\d+ .*")
UP, GATEWAY, REJECT = 0x1, 0x2, 0x200
SCOPES = {0x10: "host", 0x20: "link"}
DUMMY = "kube-ipvs0"


def read(text: str) -> dict[str, str]:
    """addresses.json and routes.json, as ``ip -json`` prints them, of all FILES in one text."""
    routes = list(_routes(text))
    devices = [match[1] for line in text.splitlines() if (match := DEVICE.fullmatch(line))]
    links: dict[str, list[Json]] = {name: [] for name in devices}
    for ip in dict.fromkeys(_local(text)):
        interface, device = _place(ip, routes, DUMMY in devices)
        scope = "host" if ip.is_loopback else "global"
        links.setdefault(device, []).append(_info("inet", str(ip), interface.network.prefixlen, scope))
    for address, length, number, device in _inet6(text):
        scope = SCOPES.get(number, "global")
        links.setdefault(device, []).append(_info("inet6", str(address), length, scope))
    found = {}
    if any(links.values()):
        found["addresses.json"] = json.dumps([{"ifname": name, "addr_info": infos} for name, infos in links.items()])
    if routes:
        found["routes.json"] = json.dumps([_spoken(*route) for route in routes])
    return found


def _info(family: str, local: str, length: int, scope: str) -> Json:
    return {"family": family, "local": local, "prefixlen": length, "scope": scope}


def _routes(text: str) -> Iterator[tuple[IPv4Network, str, str]]:
    """(destination, gateway or empty, device) of the main table."""
    for line in text.splitlines():
        match = ROUTE.fullmatch(line.rstrip())
        if match is None or not int(match[4], 16) & UP or int(match[4], 16) & REJECT:
            continue
        mask = _little(match[6])
        network = IPv4Network((int(_little(match[2])), f"{int(mask):032b}".count("1")), strict=False)
        yield network, str(_little(match[3])) if int(match[4], 16) & GATEWAY else "", match[1]


def _spoken(network: IPv4Network, gateway: str, device: str) -> Json:
    text = str(network.network_address) if network.prefixlen == 32 else str(network)
    return {"dst": text if network.prefixlen else "default", **({"gateway": gateway} if gateway else {}), "dev": device}


def _little(word: str) -> IPv4Address:
    """An address as /proc/net/route prints it: one word in the machine's own order, of which all nodes' is little."""
    return IPv4Address(int.from_bytes(bytes.fromhex(word), "little"))


def _local(text: str) -> Iterator[IPv4Address]:
    """The leaves "host LOCAL" of /proc/net/fib_trie."""
    leaf = ""
    for line in text.splitlines():
        if match := LEAF.fullmatch(line.rstrip()):
            leaf = match[1]
        elif leaf and line.strip() == "/32 host LOCAL":
            found = ip_address(leaf)
            if isinstance(found, IPv4Address):
                yield found


def _place(ip: IPv4Address, routes: list[tuple[IPv4Network, str, str]], ipvs: bool) -> tuple[IPv4Interface, str]:
    """Where an address belongs: the trie does not tell. On no network of the node it is one of IPVS, if that is on."""
    if ip.is_loopback:
        return IPv4Interface(f"{ip}/8"), "lo"
    direct = [route for route in routes if not route[1] and ip in route[0] and route[0].prefixlen]
    if direct:
        network, _, device = max(direct, key=lambda route: route[0].prefixlen)
        return IPv4Interface(f"{ip}/{network.prefixlen}"), device
    return IPv4Interface(f"{ip}/32"), DUMMY if ipvs else ""


def _inet6(text: str) -> Iterator[tuple[IPv6Address, int, int, str]]:
    """(address, prefix length, scope, device)."""
    for line in text.splitlines():
        if match := INET6.fullmatch(line.strip()):
            yield IPv6Address(int(match[1], 16)), int(match[2], 16), int(match[3], 16) & 0x30, match[4]
