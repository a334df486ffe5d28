"""A node's interfaces and routes, as ``ip -j address`` and ``ip -j route`` print them."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Any

from .family import FAMILIES, V4, V6, Family, addresses_of, networks_of
from .local import first_address, primary
from .settings import NodeView

Json = dict[str, Any]
FOREVER = 4294967295
PREFIX = {V4: 24, V6: 64}
UPLINK = "eth0"
BRIDGE = "cni0"
DUMMY = "kube-ipvs0"


def addresses(node: NodeView, bound: Sequence[str] = ()) -> str:
    """``ip -j address``: loopback, the uplink, the CNI's bridge with a veth for each pod, and in ipvs mode the dummy
    interface with all addresses that are ``bound``."""
    links = [_loopback(), _uplink(node)]
    if node.bridge and node.pod_cidrs:
        links.append(_bridge(node))
        links += [_veth(node, index, ip) for index, ip in enumerate(node.pods, start=1)]
    if bound:
        links.append(_dummy(node, bound))
    for index, link in enumerate(links, start=1):
        link["ifindex"] = index
    return json.dumps(links, separators=(",", ":")) + "\n"


def _loopback() -> Json:
    link = _link("lo", "LOOPBACK UP LOWER_UP", "UNKNOWN", "00:00:00:00:00:00", mtu=65536)
    link["link_type"] = "loopback"
    link["broadcast"] = "00:00:00:00:00:00"
    link["addr_info"] = [_address(V4, "127.0.0.1", 8, "host", "lo"), _address(V6, "::1", 128, "host")]
    return link


def _uplink(node: NodeView) -> Json:
    mac = _mac(node.name, UPLINK)
    link = _link(UPLINK, "BROADCAST MULTICAST UP LOWER_UP", "UP", mac)
    for family in FAMILIES:
        for ip in addresses_of(family, node.addresses):
            link["addr_info"].append(_address(family, ip, PREFIX[family], "global", UPLINK))
    link["addr_info"].append(_link_local(mac))
    return link


def _bridge(node: NodeView) -> Json:
    mac = _mac(node.name, BRIDGE)
    link = _link(BRIDGE, "BROADCAST MULTICAST UP LOWER_UP", "UP", mac)
    for family in FAMILIES:
        for cidr in networks_of(family, node.pod_cidrs):
            length = int(cidr.partition("/")[2])
            link["addr_info"].append(_address(family, first_address(cidr), length, "global", BRIDGE))
    link["addr_info"].append(_link_local(mac))
    return link


def _veth(node: NodeView, index: int, ip: str) -> Json:
    mac = _mac(node.name, ip)
    name = "veth" + hashlib.sha256(f"{node.name} {ip}".encode()).hexdigest()[:8]
    link = _link(name, "BROADCAST MULTICAST UP LOWER_UP", "UP", mac)
    link.update({"link_index": 2, "master": BRIDGE, "link_netnsid": index, "addr_info": [_link_local(mac)]})
    return link


def _dummy(node: NodeView, bound: Sequence[str]) -> Json:
    link = _link(DUMMY, "BROADCAST NOARP", "DOWN", _mac(node.name, DUMMY))
    link["qdisc"] = "noop"
    for family in FAMILIES:
        link["addr_info"] += [
            _address(family, ip, family.bits, "global", DUMMY) for ip in addresses_of(family, list(bound))
        ]
    return link


def _link(name: str, flags: str, state: str, mac: str, mtu: int = 1500) -> Json:
    return {
        "ifindex": 0,
        "ifname": name,
        "flags": flags.split(),
        "mtu": mtu,
        "qdisc": "noqueue",
        "operstate": state,
        "group": "default",
        "txqlen": 1000,
        "link_type": "ether",
        "address": mac,
        "broadcast": "ff:ff:ff:ff:ff:ff",
        "addr_info": [],
    }


def _address(family: Family, ip: str, length: int, scope: str, label: str = "") -> Json:
    info: Json = {"family": "inet" if family is V4 else "inet6", "local": ip, "prefixlen": length, "scope": scope}
    if family is V4:
        info["label"] = label
    return {**info, "valid_life_time": FOREVER, "preferred_life_time": FOREVER}


def _mac(*of: str) -> str:
    """A locally administered unicast address, always the same of the same names."""
    digest = bytearray(hashlib.sha256(" ".join(of).encode()).digest()[:6])
    digest[0] = digest[0] & 0xFE | 0x02
    return ":".join(f"{octet:02x}" for octet in digest)


def _link_local(mac: str) -> Json:
    """The interface's own fe80:: address (EUI-64)."""
    octets = [int(octet, 16) for octet in mac.split(":")]
    words = [octets[0] ^ 2, octets[1], octets[2], 0xFF, 0xFE, *octets[3:]]
    text = ":".join(f"{words[i] << 8 | words[i + 1]:x}" for i in range(0, 8, 2))
    return _address(V6, addresses_of(V6, [f"fe80::{text}"])[0], 64, "link")


def routes(node: NodeView) -> str:
    """``ip -j route``: the default route, the own pods' bridge, the other nodes' pods by their nodes, the uplink."""
    found = [*_default(node), *_pod_routes(node), *_uplink_routes(node)]
    return json.dumps(found, separators=(",", ":")) + "\n"


def _default(node: NodeView) -> Iterator[Json]:
    ip = primary(node, V4)
    if ip:
        gateway = ip.rpartition(".")[0] + ".254"
        yield {"dst": "default", "gateway": gateway, "dev": UPLINK, "flags": []}


def _pod_routes(node: NodeView) -> Iterator[Json]:
    if not node.bridge:
        return
    for cidr in networks_of(V4, node.pod_cidrs):
        yield _connected(cidr, BRIDGE, first_address(cidr))
    for peer in node.peers:
        for cidr in networks_of(V4, (peer.pod_cidr,)):
            yield {"dst": cidr, "gateway": peer.address, "dev": UPLINK, "flags": []}


def _uplink_routes(node: NodeView) -> Iterator[Json]:
    for ip in addresses_of(V4, node.addresses):
        for cidr in networks_of(V4, (f"{ip}/{PREFIX[V4]}",)):
            yield _connected(cidr, UPLINK, ip)


def _connected(cidr: str, device: str, source: str) -> Json:
    return {"dst": cidr, "dev": device, "protocol": "kernel", "scope": "link", "prefsrc": source, "flags": []}
