"""Files of /proc and /sys that tell of Services, made from a node's texts."""

import ipaddress
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Files = Mapping[str, str]


def read(files: Files, path: str) -> str | None:
    """The text of a file, None where there is none."""
    if path.startswith("/proc/sys/"):
        name = path.removeprefix("/proc/sys/").replace("/", ".")
        value = json.loads(files.get("sysctl.json", "{}")).get(name)
        return None if value is None else f"{value}\n"
    found = FILES.get(path)
    return found(files) if found else None


def _links(files: Files) -> list[dict[str, Any]]:
    return list(json.loads(files.get("addresses.json", "[]")))


def _conntrack(files: Files) -> str:
    """The kernel's own form of a connection begins with the family's name and number."""
    lines = files.get("conntrack.txt", "").splitlines()
    return "".join(f"{'ipv6     10' if ':' in line.split('dst=')[1] else 'ipv4     2'} {line}\n" for line in lines)


def _dev(files: Files) -> str:
    head = (
        "Inter-|   Receive                                                |  Transmit\n"
        " face |bytes    packets errs drop fifo frame compressed multicast|"
        "bytes    packets errs drop fifo colls carrier compressed\n"
    )
    widths = (7, 7, 4, 4, 4, 5, 10, 9, 8, 7, 4, 4, 4, 5, 7, 10)
    zeros = " ".join("0".rjust(width) for width in widths)
    return head + "".join(f"{link['ifname']:>6}: {zeros}\n" for link in _links(files))


def _route(files: Files) -> str:
    """/proc/net/route: IPv4, addresses as little-endian hexadecimal."""
    lines = ["Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT"]
    for route in json.loads(files.get("routes.json", "[]")):
        network = ipaddress.ip_network("0.0.0.0/0" if route["dst"] == "default" else route["dst"])
        gateway = route.get("gateway", "0.0.0.0")
        flags = 0x0003 if "gateway" in route else 0x0001
        words = (_little(network.network_address), _little(gateway), _little(network.netmask))
        lines.append(f"{route['dev']}\t{words[0]}\t{words[1]}\t{flags:04X}\t0\t0\t0\t{words[2]}\t0\t0\t0")
    return "".join(f"{line}\n" for line in lines)


def _little(address: object) -> str:
    return f"{int.from_bytes(ipaddress.ip_address(str(address)).packed, 'little'):08X}"


def _if_inet6(files: Files) -> str:
    scopes = {"host": 0x10, "link": 0x20, "global": 0x00}
    lines = []
    for link in _links(files):
        for info in link["addr_info"]:
            if info["family"] == "inet6":
                ip = ipaddress.ip_address(info["local"]).packed.hex()
                numbers = f"{link['ifindex']:02x} {info['prefixlen']:02x} {scopes[info['scope']]:02x} 80"
                lines.append(f"{ip} {numbers} {link['ifname']:>8}\n")
    return "".join(lines)


def _fib_trie(files: Files) -> str:
    """/proc/net/fib_trie without its inner nodes: each local address is a leaf "host LOCAL"."""
    lines = ["Main:", "  +-- 0.0.0.0/0 3 0 5", *_leaves(files), "Local:", "  +-- 0.0.0.0/0 3 0 5", *_leaves(files)]
    return "".join(f"{line}\n" for line in lines)


def _leaves(files: Files) -> Iterator[str]:
    found = {info["local"] for link in _links(files) for info in link["addr_info"] if info["family"] == "inet"}
    for ip in sorted(found, key=ipaddress.ip_address):
        yield f"     |-- {ip}"
        yield "        /32 host LOCAL"


def _legacy_tables(files: Files, name: str) -> str:
    """The tables that the older iptables has filled."""
    return "".join(f"{line[1:]}\n" for line in files.get(name, "").splitlines() if line.startswith("*"))


FILES: dict[str, Callable[[Files], str | None]] = {
    "/proc/net/ip_vs": lambda files: files.get("ip_vs.txt"),
    "/proc/net/nf_conntrack": _conntrack,
    "/proc/net/dev": _dev,
    "/proc/net/route": _route,
    "/proc/net/if_inet6": _if_inet6,
    "/proc/net/fib_trie": _fib_trie,
    "/proc/net/ip_tables_names": lambda files: _legacy_tables(files, "iptables-legacy-save.txt"),
    "/proc/net/ip6_tables_names": lambda files: _legacy_tables(files, "ip6tables-legacy-save.txt"),
}
