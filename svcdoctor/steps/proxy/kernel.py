"""What a node's kernel does to packets beside all rules."""

from collections.abc import Iterator, Sequence

from ...model.case import Case
from ...model.diagnosis import Effect, Evidence, Finding, Fix
from ...model.service import Service
from ...network.desired import fronts, networks, within
from ..step import find
from ..words import some, subject
from .nodes import Seen
from .rules import BR_NETFILTER_OFF, CONNTRACK_FULL
from .telling import on_nodes, severity

COUNT, MOST = "net.netfilter.nf_conntrack_count", "net.netfilter.nf_conntrack_max"
FULL = 0.95
"""Of a table that is so full, little is left; connections come and go between two looks."""
BRIDGED = {False: "net.bridge.bridge-nf-call-iptables", True: "net.bridge.bridge-nf-call-ip6tables"}


def findings(case: Case, service: Service, nodes: Sequence[Seen]) -> Iterator[Finding]:
    yield from _full(case, service, nodes)
    yield from _bridged(case, service, nodes)


def _full(case: Case, service: Service, nodes: Sequence[Seen]) -> Iterator[Finding]:
    mine = [node for node in nodes if _fill(node) >= FULL]
    if mine:
        most = int(mine[0].rules.sysctls[MOST])
        yield find(
            CONNTRACK_FULL,
            subject(service),
            f"the table of connections of {on_nodes(mine)} is full: new connections are dropped at random",
            tuple(
                Evidence(
                    f"nodes/{node.name}/sysctl.json",
                    f"{COUNT} = {node.rules.sysctls[COUNT]}, {MOST} = {node.rules.sysctls[MOST]}",
                )
                for node in mine[:3]
            ),
            Fix(
                f"Make it larger on {mine[0].name}, and see who opens so many.",
                f"sysctl -w {MOST}={2 * most}",
            ),
            effect=Effect.PARTIAL,
            severity=severity(case, mine),
        )


def _fill(node: Seen) -> float:
    count, most = (node.rules.sysctls.get(name, "") for name in (COUNT, MOST))
    return int(count) / int(most) if count.isdecimal() and most.isdecimal() and int(most) else 0.0


def _bridged(case: Case, service: Service, nodes: Sequence[Seen]) -> Iterator[Finding]:
    """Only for endpoints that are beside pods on a bridge of the node."""
    found = {node.name: list(_beside(node, service)) for node in nodes}
    mine = [node for node in nodes if found[node.name]]
    if mine:
        first = mine[0]
        names = dict.fromkeys(name for name, _ in found[first.name])
        yield find(
            BR_NETFILTER_OFF,
            subject(service),
            f"rules do not see packets between pods of {on_nodes(mine)}: answers of "
            f"{some(address for _, address in found[first.name])} come from another address than was called",
            tuple(Evidence(f"nodes/{first.name}/sysctl.json", f"{name} = 0") for name in names),
            Fix(
                f"Load br_netfilter on {first.name}, and let bridges ask the rules.",
                " && ".join(("modprobe br_netfilter", *(f"sysctl -w {name}=1" for name in names))),
            ),
            effect=Effect.PARTIAL,
            severity=severity(case, mine),
        )


def _beside(node: Seen, service: Service) -> Iterator[tuple[str, str]]:
    """(setting, address) of each ready endpoint that pods of the node reach over a bridge."""
    bridges = {link.master for link in node.rules.links or () if link.master}
    for half in node.halves:
        name = BRIDGED[half.node.v6]
        if node.rules.sysctls.get(name) != "0" or not fronts(service, half.node.v6):
            continue
        bridged = networks((route.network for route in half.host.routes or () if route.device in bridges), half.node.v6)
        for endpoint in node.case.usable:
            here = endpoint.entry.node_name == node.name and (":" in endpoint.address) is half.node.v6
            if here and any(within(endpoint.address, network) for network in bridged):
                yield name, endpoint.address
