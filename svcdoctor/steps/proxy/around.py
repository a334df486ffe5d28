"""What stands around kube-proxy's rules and keeps packets from where those send them."""

import shlex
from collections.abc import Iterator, Sequence

from ...model.case import Case
from ...model.diagnosis import Effect, Evidence, Finding, Fix, Rule
from ...model.service import Service
from ...network.compare import Difference, Kind
from ...network.desired import Frontend, Mode
from ...network.packet import Hop, Origin
from ..step import find
from ..words import count, quote, some, subject
from .nodes import Seen
from .rules import FOREIGN_DROP, FORWARD_DROP, IP_FORWARD_OFF
from .telling import effect, on_nodes, place, severity

FORWARD = "FORWARD"
OF_POLICIES = ("cali-", "KUBE-NWPLCY-", "KUBE-POD-FW-", "KUBE-ROUTER-", "CILIUM_", "ANTREA-", "WEAVE-NPC")
"""How chains begin in which network plugins carry out policies."""
SYSCTL = {False: "net.ipv4.ip_forward", True: "net.ipv6.conf.all.forwarding"}


def findings(case: Case, service: Service, nodes: Sequence[Seen]) -> Iterator[Finding]:
    """One for each name."""
    yield from _without_answers(case, service, nodes)
    for rule in (IP_FORWARD_OFF, FORWARD_DROP, FOREIGN_DROP):
        found = {
            node.name: [d for d in node.differences if name(d) is rule and node.is_real(d.client)] for node in nodes
        }
        mine = [node for node in nodes if found[node.name]]
        if mine:
            first = found[mine[0].name]
            yield find(
                rule,
                subject(service),
                _summary(rule, mine, first),
                tuple(_evidence(rule, mine, found)),
                _fix(rule, mine[0], first[0]),
                effect=effect(case, mine, [node for node in nodes if node not in mine]),
                severity=severity(case, mine),
            )


def _without_answers(case: Case, service: Service, nodes: Sequence[Seen]) -> Iterator[Finding]:
    """What IPVS sends is not forwarded; what comes back to a pod is."""
    mine = [node for node in nodes if node.mode is Mode.IPVS and any(not half.host.forwarding for half in node.halves)]
    if mine:
        v6 = next(half.node.v6 for half in mine[0].halves if not half.host.forwarding)
        where = f"{on_nodes(mine)} {'forwards' if len(mine) == 1 else 'forward'}"
        yield find(
            IP_FORWARD_OFF,
            subject(service),
            f"{where} no packets: answers of other nodes' endpoints do not get back to pods",
            tuple(_evidence(IP_FORWARD_OFF, mine, {})),
            _switched_on(mine[0], v6),
            effect=Effect.PARTIAL,
            severity=severity(case, mine),
        )


def _switched_on(node: Seen, v6: bool) -> Fix:
    return Fix(f"Let {node.name} forward, and keep it so in /etc/sysctl.d.", f"sysctl -w {SYSCTL[v6]}=1")


def name(difference: Difference) -> Rule | None:
    """None for what kube-proxy's own rules do, and for a missing route."""
    hop = difference.hop
    if difference.client.origin is Origin.OUTSIDE or (hop and hop.chain.startswith(OF_POLICIES)):
        return None  # a firewall may well keep strangers out; policies are a question of their own
    if difference.kind is Kind.FORWARDING:
        return IP_FORWARD_OFF
    if difference.kind is Kind.POLICY:
        return FORWARD_DROP if hop and hop.hook == "forward" else FOREIGN_DROP
    return FOREIGN_DROP if difference.kind is Kind.FOREIGN else None


def _summary(rule: Rule, mine: Sequence[Seen], found: Sequence[Difference]) -> str:
    where, hop = on_nodes(mine), found[0].hop
    if rule is IP_FORWARD_OFF:
        return f"{where} {'forwards' if len(mine) == 1 else 'forward'} no packets: those of pods reach no endpoint"
    chain = f"{hop.table} {hop.chain}" if hop else "a chain"
    if rule is FORWARD_DROP:
        return (
            f"{where}: {chain} drops what nothing accepts, and nothing accepts packets of pods to {found[0].frontend}"
        )
    places = {difference.place for difference in found if difference.place}
    to = f"to {count(len(places), 'endpoint')}" if places else f"to {found[0].frontend}"
    return f"{where}: a rule in {chain} that is not kube-proxy's keeps packets {to} out"


def _evidence(rule: Rule, mine: Sequence[Seen], found: dict[str, list[Difference]]) -> Iterator[Evidence]:
    for node in mine[:3]:
        if rule is IP_FORWARD_OFF:
            for half in node.halves:
                if not half.host.forwarding:
                    yield Evidence(f"nodes/{node.name}/sysctl.json", f"{SYSCTL[half.node.v6]} = 0")
            continue
        hop = found[node.name][0].hop
        if hop is not None:
            yield quote(f"Node {node.name}: {hop.table}", hop.rule or _header(node, hop))
        ended = {difference.place or difference.frontend: None for difference in found[node.name]}
        yield Evidence(f"Node {node.name}", f"packets to {some(map(_address, ended))} end there")


def _address(end: tuple[str, int] | Frontend) -> str:
    return str(end) if isinstance(end, Frontend) else place(end)


def _header(node: Seen, hop: Hop) -> str:
    """What declares a chain, with its policy and its counters."""
    tables = (table for table in node.readout.ruleset.tables if str(table) == hop.table)
    chain = next((table.chains[hop.chain] for table in tables if hop.chain in table.chains), None)
    return chain.header if chain else f"{hop.chain}: {hop.effect}"


def _fix(rule: Rule, node: Seen, difference: Difference) -> Fix:
    v6 = ":" in difference.frontend.address
    if rule is IP_FORWARD_OFF:
        return _switched_on(node, v6)
    tool = "ip6tables" if v6 else "iptables"
    hop = difference.hop
    if rule is FORWARD_DROP and hop and hop.chain == FORWARD:
        return Fix(
            f"Accept by default on {node.name}; or accept the pods' networks only, as its firewall's own rules.",
            f"{tool} -P FORWARD ACCEPT",
        )
    if hop and hop.rule.startswith("-A "):
        table = hop.table.rpartition(" ")[2]
        words = shlex.split(hop.rule.replace("-A ", "-D ", 1))
        return Fix(
            f"Take the rule out on {node.name}, and see who put it there.", shlex.join([tool, "-t", table, *words])
        )
    return Fix(f"Take the rule out on {node.name}, or let it spare the Service; and see who put it there.")
