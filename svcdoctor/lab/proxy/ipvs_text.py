"""How the kernel, ipvsadm and ipset print what ipvs mode keeps."""

import hashlib
import ipaddress
from collections.abc import Iterable, Iterator
from functools import cmp_to_key

from .endpoints import Endpoint
from .family import V4, V6, Family, endpoint_text
from .ipvs import SET_TYPES, Ipvs, VirtualServer
from .names import ipset

VERSION = "IP Virtual Server version 1.2.1 (size=4096)"
JIFFIES = 250
"""Timer ticks a second (CONFIG_HZ), in which the kernel counts persistence."""
MAX_ELEMENTS = 65536
"""What the kernel refuses beyond; kube-proxy only logs that."""

Part = tuple[Family, Ipvs]


def kernel(parts: Iterable[Part], scheduler: str) -> str:
    """/proc/net/ip_vs: hexadecimal, IPv6 addresses in full. New real servers go to the head of their list."""
    lines = [VERSION, "Prot LocalAddress:Port Scheduler Flags"]
    lines.append("  -> RemoteAddress:Port Forward Weight ActiveConn InActConn")
    for family, ipvs in parts:
        for server in ipvs.servers:
            lines.append(_kernel_server(family, server, scheduler))
            for real in reversed(server.real_servers):
                where = _hex(family, real.ip, real.port)
                lines.append(f"  -> {where}      {'Masq':<7} {1:<6} {0:<10} {0:<10}")
    return "".join(f"{line}\n" for line in lines)


def _kernel_server(family: Family, server: VirtualServer, scheduler: str) -> str:
    flags = " " if family is V4 else ""
    start = f"{server.protocol.upper():<4} {_hex(family, server.address, server.port)} {scheduler} {flags}"
    if not server.affinity:
        return start
    mask = "FFFFFFFF" if family is V4 else "80000000"
    return f"{start}persistent {server.affinity * JIFFIES} {mask}"


def _hex(family: Family, ip: str, port: int) -> str:
    if family is V6:
        return f"[{ipaddress.ip_address(ip).exploded}]:{port:04X}"
    return f"{int(ipaddress.ip_address(ip)):08X}:{port:04X}"


def saved(parts: Iterable[Part], scheduler: str) -> str:
    """``ipvsadm -Sn``: the commands that would make it so."""
    lines = []
    for family, server in _listed(parts):
        option = {"tcp": "-t", "udp": "-u", "sctp": "--sctp-service"}[server.protocol]
        service = f"{option} {endpoint_text(family, server.address, server.port)}"
        persistent = f" -p {server.affinity}" if server.affinity else ""
        flags = " -b mh-port" if scheduler == "mh" else ""
        lines.append(f"-A {service} -s {scheduler}{persistent}{flags}")
        lines += [f"-a {service} -r {real.text} -m -w 1" for real in _reals(server)]
    return "".join(f"{line}\n" for line in lines)


def listed(parts: Iterable[Part], scheduler: str) -> str:
    """``ipvsadm -Ln``, with its columns."""
    lines = [VERSION, "Prot LocalAddress:Port Scheduler Flags"]
    lines.append("  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn")
    for family, server in _listed(parts):
        flags = " (mh-port)" if scheduler == "mh" else ""
        persistent = f" persistent {server.affinity}" if server.affinity else ""
        frontend = endpoint_text(family, server.address, server.port)
        lines.append(f"{server.protocol.upper():<4} {frontend} {scheduler}{flags}{persistent}")
        for real in _reals(server):
            lines.append(f"  -> {real.text:<28} {'Masq':<7} {1:<6} {0:<10} {0:<10}")
    return "".join(f"{line}\n" for line in lines)


def _listed(parts: Iterable[Part]) -> Iterator[tuple[Family, VirtualServer]]:
    """As ipvsadm sorts: by family, protocol number and address, where it subtracts IPv4 addresses as signed 32-bit
    numbers (so that 192.0.2.80 precedes 10.96.0.1)."""
    for family, ipvs in sorted(parts, key=lambda part: part[0].number):
        yield from ((family, server) for server in sorted(ipvs.servers, key=cmp_to_key(_compare)))


def _compare(one: VirtualServer, other: VirtualServer) -> int:
    protocols = ("tcp", "udp", "sctp")
    return (
        protocols.index(one.protocol) - protocols.index(other.protocol)
        or _address_order(one.address, other.address)
        or one.port - other.port
    )


def _address_order(one: str, other: str) -> int:
    difference = int(ipaddress.ip_address(one)) - int(ipaddress.ip_address(other))
    if ":" in one:
        return difference
    return (difference + 2**31) % 2**32 - 2**31


def _reals(server: VirtualServer) -> list[Endpoint]:
    return sorted(server.real_servers, key=cmp_to_key(_compare_reals))


def _compare_reals(one: Endpoint, other: Endpoint) -> int:
    return _address_order(one.ip, other.ip) or one.port - other.port


def sets(parts: Iterable[Part]) -> str:
    """``ipset save``. The hash seed is the kernel's dice; here it follows from the name."""
    lines = []
    for family, ipvs in parts:
        inet = "inet" if family is V4 else "inet6"
        for name, kind in SET_TYPES.items():
            full = ipset(family, name)
            if kind == "bitmap:port":
                lines.append(f"create {full} {kind} range 0-65535")
                elements = sorted(ipvs.sets[name], key=int)
            else:
                seed = hashlib.sha256(full.encode()).hexdigest()[:8]
                size = f"family {inet} hashsize 1024 maxelem 65536 bucketsize 12 initval 0x{seed}"
                lines.append(f"create {full} {kind} {size}")
                elements = ipvs.sets[name]
            lines += [f"add {full} {element}" for element in elements[:MAX_ELEMENTS]]
    return "".join(f"{line}\n" for line in lines)
