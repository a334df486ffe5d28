"""Rules of another time beside those of today: of another mode, or in iptables' other tables."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ...model.case import Case
from ...model.diagnosis import Confidence, Effect, Evidence, Finding, Fix, Severity
from ...model.service import Service
from ...network.compare import Kind, host_of
from ...network.desired import Mode, fronts
from ...network.packet import Kind as End
from ...network.packet import Origin, Outcome, Packet
from ...network.walk import walk
from ..step import find
from ..words import quote, subject
from .nodes import Seen
from .rules import DUAL_IPTABLES, MODE_LEFTOVERS
from .telling import effect, on_nodes, rule_evidence, severity

DUMMY = "kube-ipvs0"
IPTABLES_RULE = re.compile(
    r"^(?:\[\d+:\d+\] )?(-A KUBE-SERVICES .* -j KUBE-(?:SVC|SVL|EXT|FW|XLB)-.*|-A KUBE-(?:SVC|SVL|SEP)-.*)$",
    re.MULTILINE,
)
"""A rule that only iptables mode has."""
IPVS_RULE = re.compile(r"^(?:\[\d+:\d+\] )?(-A \S+ .*-j KUBE-IPVS-FILTER.*)$", re.MULTILINE)
SAVED = ("iptables-save.txt", "ip6tables-save.txt")
TABLES = ("nft-ip-kube-proxy.json", "nft-ip6-kube-proxy.json")
CLEANUP = "kube-proxy --cleanup"


class Trace(NamedTuple):
    """What a mode has left, and the words that show it."""

    mode: Mode
    evidence: Evidence


def leftovers(node: Seen) -> Iterator[Trace]:
    """Traces of the modes that the node's kube-proxy is not in."""
    for trace in _traces(node):
        if node.mode is not None and trace.mode is not node.mode:
            yield trace


def _traces(node: Seen) -> Iterator[Trace]:
    texts = node.rules.texts
    for name in SAVED:
        for mode, pattern in ((Mode.IPTABLES, IPTABLES_RULE), (Mode.IPVS, IPVS_RULE)):
            if match := pattern.search(texts.get(name, "")):
                yield Trace(mode, quote(f"nodes/{node.name}/{name}", match[1]))
    for server in node.readout.ruleset.virtual_servers[:1]:
        yield Trace(Mode.IPVS, quote(f"Node {node.name}: virtual servers of IPVS", server.raw))
    for link in node.rules.links or ():
        if link.ifname == DUMMY and link.addr_info:
            held = f"{DUMMY} has {link.addr_info[0].local} and {len(link.addr_info) - 1} more"
            yield Trace(Mode.IPVS, Evidence(f"Node {node.name}: interfaces", held))
    for name in TABLES:
        table = next((t for t in node.readout.ruleset.tables if t.name == "kube-proxy"), None)
        if name in texts and table is not None and table.sets.get("service-ips"):
            yield Trace(Mode.NFTABLES, Evidence(f"nodes/{node.name}/{name}", f"table {table} has a map service-ips"))


def findings(case: Case, service: Service, nodes: Sequence[Seen]) -> Iterator[Finding]:
    mine = [node for node in nodes if any(leftovers(node))]
    if mine:
        yield _of_modes(case, service, mine, [node for node in nodes if node not in mine])
    dual = [(node, tuple(_legacy(node, service))) for node in nodes if is_dual(node)]
    if dual:
        yield _of_legacy(case, service, dual)


def _of_modes(case: Case, service: Service, mine: list[Seen], others: list[Seen]) -> Finding:
    first = mine[0]
    left = sorted({str(trace.mode) for trace in leftovers(first)})
    hurt = [node for node in mine if any(d.kind is not Kind.MASQUERADE for d in node.differences)]
    return find(
        MODE_LEFTOVERS,
        subject(service),
        f"{on_nodes(mine)} still {'has' if len(mine) == 1 else 'have'} rules of mode {' and '.join(left)}, while "
        f"kube-proxy runs in mode {first.mode}",
        tuple(trace.evidence for node in mine[:2] for trace in leftovers(node))[:5],
        Fix(
            f"On {first.name}: stop kube-proxy, run `{CLEANUP}` in its image, start it again. Restarting the node does "
            "the same.",
            CLEANUP,
        ),
        effect=effect(case, hurt, others) if hurt else Effect.NONE,
        severity=severity(case, hurt) if hurt else Severity.WARNING,
    )


# -------------------------------------------------------------------------------------------------------------- legacy


def is_dual(node: Seen) -> bool:
    """Whether iptables' older tables have Services' rules too."""
    texts = node.rules.texts
    legacy = any(IPTABLES_RULE.search(texts.get(name.replace("-save", "-legacy-save"), "")) for name in SAVED)
    return legacy and any(texts.get(name, "").strip() for name in SAVED)


def _legacy(node: Seen, service: Service) -> Iterator[Outcome]:
    """Where the older tables alone send packets to the Service."""
    for half in node.halves:
        host = host_of(node.rules, half.node.v6)
        for front in fronts(service, half.node.v6):
            source = half.node.primary
            if not source:
                continue
            protocol = front.port.protocol.lower()
            packet = Packet(source, front.cluster_ip, front.port.port, protocol, Origin.NODE, new_client=True)
            for outcome in walk(node.readout.legacy, packet, host).outcomes:
                if outcome.kind in (End.ENDPOINT, End.REJECT, End.DROP):
                    yield outcome


def _of_legacy(case: Case, service: Service, dual: list[tuple[Seen, tuple[Outcome, ...]]]) -> Finding:
    nodes = [node for node, _ in dual]
    hurt = [node for node, outcomes in dual if outcomes]
    first = nodes[0]
    match = next(
        found
        for name in SAVED
        if (found := IPTABLES_RULE.search(first.rules.texts.get(name.replace("-save", "-legacy-save"), "")))
    )
    so = f"; both lead {service.namespace}/{service.name}, and not to the same places" if hurt else ""
    led = [hop for node, outs in dual for out in outs for hop in out.hops if hop.effect.startswith("dnat")]
    return find(
        DUAL_IPTABLES,
        subject(service),
        f"{on_nodes(nodes)} {'has' if len(nodes) == 1 else 'have'} kube-proxy's rules in the older tables too{so}",
        (
            quote(f"nodes/{first.name}/iptables-legacy-save.txt", match[1]),
            *(rule_evidence(first, hop, "of the older tables") for hop in led[:2]),
        ),
        Fix(
            f"On {first.name}, flush the older tables; kube-proxy does not write them.",
            "iptables-legacy -t nat -F && iptables-legacy -t filter -F",
        ),
        effect=Effect.PARTIAL if hurt else Effect.NONE,
        severity=severity(case, hurt) if hurt else Severity.WARNING,
        confidence=Confidence.LIKELY,
    )
