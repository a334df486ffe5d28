"""Connections that a node's kernel remembers, and that lead to where nobody is any more."""

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from ...model.case import Case
from ...model.diagnosis import Effect, Evidence, Finding, Fix, Severity
from ...model.service import Service
from ...network.desired import Backend, Mode, backends, fronts
from ..step import find
from ..words import count, quote, some, subject
from .drift import is_young
from .nodes import Seen
from .rules import IPVS_DEAD_FLOW, UDP_CONNTRACK_STALE
from .telling import on_nodes, severity

EXPIRE = "net.ipv4.vs.expire_nodest_conn"


class Flow(Struct, frozen=True):
    """A line of conntrack's table: whom the client calls, and who is to answer."""

    protocol: str
    client: str
    called: tuple[str, int]
    answers: tuple[str, int]
    replied: bool
    state: str
    text: str


def flows(text: str) -> Iterator[Flow]:
    """``conntrack -L`` or /proc/net/nf_conntrack. Lines of other protocols are passed over."""
    for line in text.splitlines():
        words = line.split()
        protocol = next((word for word in words[:4] if word in ("tcp", "udp", "sctp")), "")
        ends: dict[str, list[str]] = {}
        for word in words:
            key, equals, value = word.partition("=")
            if equals:
                ends.setdefault(key, []).append(value)
        if not protocol or any(len(ends.get(key, ())) != 2 for key in ("src", "dst", "sport", "dport")):
            continue
        try:
            called = ends["dst"][0], int(ends["dport"][0])
            answers = ends["src"][1], int(ends["sport"][1])
        except ValueError:
            continue
        state = next((word for word in words if word.isupper() and word.isalpha()), "")
        yield Flow(protocol, ends["src"][0], called, answers, "[UNREPLIED]" not in words, state, line.strip())


def astray(node: Seen, service: Service, protocol: str) -> Iterator[Flow]:
    """Flows to the Service that are answered by an address that is no endpoint of the port."""
    places: dict[tuple[str, int], tuple[Backend, ...]] = {}
    for half in node.halves:
        for front in fronts(service, half.node.v6):
            if front.port.protocol.lower() == protocol:
                known = backends(node.case.slices, front.port, half.node.v6)
                for frontend in front.frontends(half.node):
                    places[frontend.address, frontend.port] = known
    for flow in flows(node.rules.texts.get("conntrack.txt", "")) if places else ():
        known = places.get(flow.called, ())
        served = flow.protocol == protocol and any(one.serving for one in known)
        if served and flow.answers not in {one.place for one in known}:
            yield flow


def udp_findings(case: Case, service: Service, nodes: Sequence[Seen]) -> Iterator[Finding]:
    """Only flows that nobody has answered: a client that is served has its endpoint."""
    found = {
        node.name: [flow for flow in astray(node, service, "udp") if not flow.replied]
        for node in nodes
        if not is_young(case, service, node)
    }
    mine = [node for node in nodes if found.get(node.name)]
    if not mine:
        return
    lost = [flow for node in mine for flow in found[node.name]]
    first = lost[0]
    yield find(
        UDP_CONNTRACK_STALE,
        subject(service),
        f"the kernel of {on_nodes(mine)} sends {count(len(lost), 'UDP flow')} of {some(_clients(lost))} to "
        f"{some(_answering(lost))}, which is no endpoint of {service.namespace}/{service.name}",
        tuple(quote(f"nodes/{mine[0].name}/conntrack.txt", flow.text) for flow in lost[:3]),
        Fix(
            f"Delete the entries on {mine[0].name}.",
            f"conntrack -D -p udp --orig-dst {first.called[0]} --orig-port-dst {first.called[1]} "
            f"--reply-src {first.answers[0]}",
        ),
        effect=Effect.PARTIAL,
        severity=severity(case, mine),
    )


def _clients(lost: Iterable[Flow]) -> list[str]:
    return list(dict.fromkeys(flow.client for flow in lost))


def _answering(lost: Iterable[Flow]) -> list[str]:
    return list(dict.fromkeys(flow.answers[0] for flow in lost))


def dead_flow_findings(case: Case, service: Service, nodes: Sequence[Seen]) -> Iterator[Finding]:
    """IPVS leaves connections to servers that it no longer has."""
    mine = [node for node in nodes if node.mode is Mode.IPVS and node.rules.sysctls.get(EXPIRE) == "0"]
    if not mine:
        return
    held = {node.name: [f for f in astray(node, service, "tcp") if f.state == "ESTABLISHED"] for node in mine}
    hurt = [node for node in mine if held[node.name]]
    lost = [flow for node in hurt for flow in held[node.name]]
    yield find(
        IPVS_DEAD_FLOW,
        subject(service),
        f"{EXPIRE} is 0 on {on_nodes(mine)}: connections to pods that are gone are never ended"
        + (f", {len(lost)} of them now" if lost else ""),
        (
            *(Evidence(f"nodes/{node.name}/sysctl.json", f"{EXPIRE} = 0") for node in mine[:3]),
            *(quote(f"nodes/{hurt[0].name}/conntrack.txt", flow.text) for flow in lost[:3]),
        ),
        Fix(f"Set it to 1 on {mine[0].name}, as kube-proxy does when it starts.", f"sysctl -w {EXPIRE}=1"),
        effect=Effect.PARTIAL if lost else Effect.NONE,
        severity=severity(case, hurt) if lost else Severity.WARNING,
    )
