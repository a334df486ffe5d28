"""A node's texts in the layout of a snapshot's ``nodes/<node>/`` folder."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from . import host, iptables, ipvs, ipvs_rules, ipvs_text, kernel, kubelet, links, metrics, nftables, status
from .family import FAMILIES, V4, Family
from .plan import Plan, plan
from .settings import NodeView, ProxyConfig
from .tables import Tables

Json = dict[str, Any]

SAVED = {4: "iptables-save.txt", 6: "ip6tables-save.txt"}


def node_files(
    services: Iterable[Json],
    slices: Iterable[Json],
    node: NodeView,
    config: ProxyConfig,
    at: datetime,
    written: datetime | None = None,
    queued: datetime | None = None,
) -> dict[str, str]:
    """File name -> text of all that kube-proxy, kubelet and kernel of the node show at the moment ``at`` (with a time
    zone). Files that the mode does not have are not there.

    kube-proxy is taken to have synced right after the newest of the objects changed, at ``written``, or as far as they
    tell of it themselves; so a proxy that stands still is told by older objects. One that does not get its rules into
    the kernel (``config.syncs``) knows besides of a change that was ``queued`` after those.
    """
    services, slices = list(services), list(slices)
    plans = tuple(plan(services, slices, node, config, family) for family in FAMILIES)
    files: dict[str, str] = {}
    rules: dict[tuple[str, str], int] = {}
    kept = [(one.family, ipvs.build(one)) for one in plans] if config.mode == "ipvs" else []
    for index, one in enumerate(plans):
        tables = Tables()
        _proxy_rules(one, tables, kept[index][1] if kept else None)
        rules.update({(one.family.label, table): tables.rules_of(table) for table in ("filter", "nat")})
        host.write(node, one.family, tables)
        files[SAVED[one.family.number]] = host.text(node, one.family, tables, at)
        if config.mode == "nftables":
            files[f"nft-{one.family.nft}-kube-proxy.json"] = nftables.write(one).text()
    if kept:
        files |= _ipvs_files(kept, config.scheduler)
    bound = [address for _, held in kept for address in held.bound]
    files |= _node_files(plans, bound)
    changed = written or status.last_change((*services, *slices), at)
    facts = metrics.Facts(
        plans,
        services=len(services),
        slices=len(slices),
        queued=changed if config.syncs or queued is None else max(queued, changed),
        synced=min(changed + status.SYNC_TAKES, at),
        at=at,
        rules=rules,
    )
    files |= _status_files(facts)
    return files


def stopped(files: Mapping[str, str]) -> dict[str, str]:
    """The same node while its kube-proxy process stands still: rules stay, and its HTTP ports answer nothing."""
    silent = ("proxy-mode.txt", "proxy-healthz.json", "proxy-configz.json")
    left = {name: text for name, text in files.items() if name not in silent}
    return {**left, "proxy-metrics.txt": "\n"}


def _proxy_rules(one: Plan, tables: Tables, kept: ipvs.Ipvs | None) -> None:
    """kube-proxy's own iptables rules: none in nftables mode."""
    if kept is not None:
        ipvs_rules.write(one, kept, tables)
    elif one.config.mode == "iptables":
        iptables.write(one, tables)


def _ipvs_files(kept: Sequence[tuple[Family, ipvs.Ipvs]], scheduler: str) -> dict[str, str]:
    return {
        "ip_vs.txt": ipvs_text.kernel(kept, scheduler),
        "ipvsadm-Sn.txt": ipvs_text.saved(kept, scheduler),
        "ipvsadm-Ln.txt": ipvs_text.listed(kept, scheduler),
        "ipset.txt": ipvs_text.sets(kept),
    }


def _node_files(plans: Sequence[Plan], bound: Sequence[str]) -> dict[str, str]:
    first = next(one for one in plans if one.family is V4)
    lines = (f"{line}\n" for line in first.node.connections)
    connections = "".join((*(kernel.conntrack(one) for one in plans), *lines))
    return {
        "addresses.json": links.addresses(first.node, bound),
        "routes.json": links.routes(first.node),
        "conntrack.txt": connections,
        "sysctl.json": kernel.sysctls(first.node, first.config, first.node_ports.localhost, connections),
    }


def _status_files(facts: metrics.Facts) -> dict[str, str]:
    node, config = facts.plans[0].node, facts.plans[0].config
    waiting = facts.queued if facts.tries else None
    files = {
        "proxy-mode.txt": config.mode,
        "proxy-healthz.json": status.healthz(facts.synced, facts.at, waiting),
        "proxy-configz.json": status.configz(node, config),
        "proxy-metrics.txt": metrics.text(facts),
    }
    if node.kubelet:
        files["kubelet-configz.json"] = kubelet.configz(node)
    return files
