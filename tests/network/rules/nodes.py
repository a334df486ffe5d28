"""Walkers over the dumps of recorded and of generated nodes."""

import json
from collections.abc import Mapping
from fractions import Fraction

from svcdoctor.network import iptables, ipvs, nftables
from svcdoctor.network.packet import Host, Kind, Packet, Route, Walk
from svcdoctor.network.ruleset import Ruleset, combine
from svcdoctor.network.walk import UNTOLD, Walker
from tests.lab.proxy.dumps import recorded

READERS = {
    "iptables-save.txt": iptables.read,
    "ip6tables-save.txt": iptables.read,
    "nft-ip-kube-proxy.json": nftables.read,
    "nft-ip6-kube-proxy.json": nftables.read,
    "ip_vs.txt": ipvs.read,
    "ipset.txt": ipvs.read_sets,
}


def ruleset(files: Mapping[str, str]) -> Ruleset:
    """All that the dumps of a node say."""
    return combine(read(files[name], name) for name, read in READERS.items() if name in files)


def host(files: Mapping[str, str]) -> Host:
    """Addresses and routes as `ip -j` shows them."""
    links, routes = json.loads(files["addresses.json"]), json.loads(files["routes.json"])
    return Host(
        frozenset(info["local"] for link in links for info in link["addr_info"]),
        (*(Route(_network(route["dst"]), route["dev"]) for route in routes), Route("::/0", "eth0")),
    )


def recorded_node(key: str) -> Walker:
    """A recorded node of iptables or nftables mode; where it has no list of addresses, as the recorded cluster was."""
    files = recorded()[key]
    number = key.removesuffix("\n")[-1]
    known = Host(
        frozenset({f"172.30.0.1{number}", f"10.244.{number}.1", "127.0.0.1"}),
        (Route("0.0.0.0/0", "eth0"), Route("172.30.0.0/24", "eth0"), Route(f"10.244.{number}.0/24", "cni0")),
    )
    return Walker(ruleset(files), known)


def _network(text: str) -> str:
    return "0.0.0.0/0" if text == "default" else text


def told(walk: Walk) -> dict[str, str]:
    """Each end with its share: ``10.244.1.3:8080 masqueraded`` -> ``1/2``, ``drop policy drop of FORWARD`` -> ``1``."""
    found: dict[str, Fraction] = {}
    for one in walk.outcomes:
        if one.kind is Kind.ENDPOINT:
            name = f"{one.address}:{one.port}" if "." in one.address else f"[{one.address}]:{one.port}"
            name += " masqueraded" if one.masqueraded else ""
        else:
            name = f"{one.kind} {one.why}".strip()
        found[name] = found.get(name, Fraction()) + one.share
    return {name: str(share) for name, share in found.items()}


def ends(rules: Ruleset, packet: Packet, known: Host = UNTOLD) -> dict[str, str]:
    return told(Walker(rules, known).walk(packet))
