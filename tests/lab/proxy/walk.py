"""Where iptables, nft and ipvs texts lead a new connection: the few steps that the tests ask about."""

import json
import re
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from msgspec.structs import replace

from svcdoctor.lab.proxy import NodeView, ProxyConfig, node_files

from .dumps import Chains, chains
from .worlds import CONFIG, NODE

AT = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
Json = dict[str, Any]


def files(services: list[Json], slices: list[Json], node: NodeView = NODE, **config: Any) -> dict[str, str]:
    changed: ProxyConfig = replace(CONFIG, **config)
    return node_files(services, slices, node, changed, AT)


def rules(services: list[Json], slices: list[Json], node: NodeView = NODE, **config: Any) -> Chains:
    return chains(files(services, slices, node, **config)["iptables-save.txt"])


def target(rule: str) -> str:
    """Where a rule jumps to, empty for nowhere."""
    found = re.search(r" -j (\S+)", rule)
    return found[1] if found else ""


def endpoints(found: Chains, chain: str) -> dict[str, Fraction]:
    """The endpoints that a load-balancing chain chooses from, with their probabilities."""
    chosen: dict[str, Fraction] = {}
    left = Fraction(1)
    for rule in found["nat", chain]:
        if "KUBE-SEP-" not in target(rule) or "--rcheck" in rule:
            continue
        probability = re.search(r"--probability (\S+)", rule)
        share = left * (Fraction(probability[1]) if probability else 1)
        left -= share
        translated = found["nat", target(rule)][-1]
        chosen[translated.rpartition("--to-destination ")[2]] = share
    return chosen


def dispatch(found: Chains, ip: str) -> list[str]:
    """What the top-level chains do with an address: chains of nat, verdicts of filter."""
    return [
        target(rule)
        for chain in (("nat", "KUBE-SERVICES"), ("filter", "KUBE-SERVICES"), ("filter", "KUBE-EXTERNAL-SERVICES"))
        for rule in found[chain]
        if f"-d {ip}/" in rule and "--dport" in rule
    ]


def of_cluster_ip(found: Chains, ip: str) -> list[str] | str:
    """The endpoints behind a ClusterIP in order, or the verdict where there are none."""
    (where,) = dispatch(found, ip)
    return list(endpoints(found, where)) if where.startswith("KUBE-") else where


def nft(text: str) -> dict[str, dict[str, Any]]:
    """The objects of an nft listing: kind -> name -> fields; rules by their chain."""
    found: dict[str, dict[str, Any]] = {"set": {}, "map": {}, "chain": {}, "rule": {}}
    for one in json.loads(text)["nftables"]:
        kind, fields = next(iter(one.items()))
        if kind == "rule":
            found[kind].setdefault(fields["chain"], []).append(fields["expr"])
        elif kind in found:
            found[kind][fields["name"]] = fields
    return found


def nft_cluster_ip(text: str, ip: str) -> list[str] | str:
    """As of_cluster_ip, in nftables mode."""
    found = nft(text)
    for key, verdict in found["map"]["service-ips"].get("elem", []):
        if key["concat"][0] == ip:
            (*_, last) = found["rule"][verdict["goto"]["target"]]
            return _nft_endpoints(found, last[-1])
    for key, verdict in found["map"]["no-endpoint-services"].get("elem", []):
        if key["elem"]["val"]["concat"][0] == ip:
            return "DROP" if "drop" in verdict else "REJECT"
    raise AssertionError(f"{ip} is nowhere")


def _nft_endpoints(found: dict[str, dict[str, Any]], choice: Json) -> list[str]:
    if "dnat" in choice:
        return [":".join(map(str, value["concat"])) for _, value in choice["dnat"]["addr"]["map"]["data"]["set"]]
    chains = [verdict["goto"]["target"] for _, verdict in choice["vmap"]["data"]["set"]]
    translations = [found["rule"][chain][-1][-1]["dnat"] for chain in chains]
    return [f"{one['addr']}:{one['port']}" for one in translations]


def ipvs_cluster_ip(text: str, ip: str) -> list[str]:
    """The real servers of a ClusterIP in an ``ipvsadm -Sn`` text."""
    return re.findall(rf"^-a \S+ {re.escape(ip)}:80 -r (\S+) -m -w 1$", text, re.MULTILINE)
