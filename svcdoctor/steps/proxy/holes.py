"""Refusals that are as they must be: by traffic policy Local where a node has no endpoint, or for want of any."""

import re
from collections.abc import Iterator, Sequence

from ...model.case import Case
from ...model.diagnosis import Confidence, Effect, Evidence, Finding, Fix, Severity
from ...model.service import Service
from ...network.compare import Refusal
from ...network.desired import NO_ENDPOINTS, NO_LOCAL, Kind
from ...network.packet import Origin
from ..step import find
from ..words import count, kubectl, kubectl_patch, patch, subject
from .nodes import Seen, client_node
from .rules import ETP_LOCAL_HOLE, ITP_LOCAL_HOLE, REJECT_NO_ENDPOINTS
from .telling import on_nodes, rule_evidence, severity

COUNTED = re.compile(r"\[(\d+):\d+\] ")


def findings(case: Case, service: Service, nodes: Sequence[Seen]) -> Iterator[Finding]:
    yield from _internal(case, service, nodes)
    yield from _external(case, service, nodes)
    yield from _without_endpoints(service, nodes)


def _refused(node: Seen, why: str, internal: bool | None = None) -> list[Refusal]:
    return [
        refusal
        for refusal in node.refusals
        if refusal.expected.why == why and (internal is None or (refusal.frontend.kind is Kind.CLUSTER_IP) is internal)
    ]


def _internal(case: Case, service: Service, nodes: Sequence[Seen]) -> Iterator[Finding]:
    holes = [node for node in nodes if _refused(node, NO_LOCAL, internal=True)]
    if not holes:
        return
    change = {"spec": {"internalTrafficPolicy": "Cluster"}}
    at_home = client_node(case) in {node.name for node in holes}
    yield find(
        ITP_LOCAL_HOLE,
        subject(service),
        f"internalTrafficPolicy is Local, and {on_nodes(holes)} {_has(holes)} no endpoint of "
        f"{service.namespace}/{service.name}: packets from there are dropped in silence",
        (
            Evidence(f"Service {service.namespace}/{service.name}: spec.internalTrafficPolicy", "Local"),
            *_rules(holes, internal=True),
        ),
        Fix(
            "Let every endpoint serve every node.",
            kubectl_patch(service.namespace, "Service", service.name, change),
            patch(change),
            (Fix("Run a pod on every node that has clients: a DaemonSet instead of a Deployment."),),
        ),
        effect=Effect.OUTAGE if at_home or len(holes) == len(nodes) else Effect.PARTIAL,
        severity=severity(case, holes),
    )


def _external(case: Case, service: Service, nodes: Sequence[Seen]) -> Iterator[Finding]:
    """That a node has none is usual; that packets were dropped there shows that somebody sends them."""
    holes = [node for node in nodes if _outside(node)]
    if not holes:
        return
    dropped = {node.name: _dropped(node, _outside(node)) for node in holes}
    hit = [node for node in holes if dropped[node.name]]
    check = service.spec.health_check_node_port
    change = {"spec": {"externalTrafficPolicy": "Cluster"}}
    counters = [
        Evidence(f"Node {node.name}: counters", count(dropped[node.name], "packet") + " dropped") for node in hit
    ]
    yield find(
        ETP_LOCAL_HOLE,
        subject(service),
        f"externalTrafficPolicy is Local, and {on_nodes(holes)} {_has(holes)} no endpoint of "
        f"{service.namespace}/{service.name}: what comes in there from outside is dropped",
        (
            Evidence(f"Service {service.namespace}/{service.name}: spec.externalTrafficPolicy", "Local"),
            *_rules(holes, internal=False),
            *counters[:3],
        ),
        Fix(
            f"Let the balancer ask each node's port {check}, which says 503 where there is no endpoint."
            if check
            else "Send only to nodes that have an endpoint.",
            kubectl(service.namespace, "get", "service", service.name, "-o", "jsonpath={.spec.healthCheckNodePort}")
            if check
            else None,
            alternatives=(
                Fix(
                    "Let every node send on to any endpoint; then the client's address is lost.",
                    kubectl_patch(service.namespace, "Service", service.name, change),
                    patch(change),
                ),
            ),
        ),
        effect=Effect.PARTIAL if hit else Effect.NONE,
        severity=Severity.ERROR if hit and not case.target.client else Severity.WARNING,
        confidence=Confidence.CERTAIN if hit else Confidence.POSSIBLE,
    )


def _outside(node: Seen) -> list[Refusal]:
    return [one for one in _refused(node, NO_LOCAL, internal=False) if one.client.origin is Origin.OUTSIDE]


def _has(nodes: Sequence[Seen]) -> str:
    return "has" if len(nodes) == 1 else "have"


def _rules(holes: Sequence[Seen], internal: bool) -> Iterator[Evidence]:
    for node in holes[:3]:
        refusal = _refused(node, NO_LOCAL, internal)[0] if internal else _outside(node)[0]
        if refusal.outcome.rule:
            yield rule_evidence(node, refusal.outcome.rule, str(refusal.frontend))


def _dropped(node: Seen, refusals: Sequence[Refusal]) -> int:
    """What the counters of the rules say that drop them; no counters count nothing."""
    rules = {(hop.table, hop.chain, hop.rule) for refusal in refusals if (hop := refusal.outcome.rule)}
    total = 0
    for table in node.readout.ruleset.tables:
        for chain_name, rule in ((chain, rule) for name, chain, rule in rules if name == str(table) and rule):
            chain = table.chains.get(chain_name)
            for text in chain.texts if chain else ():
                match = COUNTED.match(text)
                if match and text[match.end() :] == rule:
                    total += int(match[1])
    return total


def _without_endpoints(service: Service, nodes: Sequence[Seen]) -> Iterator[Finding]:
    refusing = [node for node in nodes if _refused(node, NO_ENDPOINTS)]
    if not refusing:
        return
    first = _refused(refusing[0], NO_ENDPOINTS)[0]
    yield find(
        REJECT_NO_ENDPOINTS,
        subject(service),
        f"{on_nodes(refusing)} {'refuses' if len(refusing) == 1 else 'refuse'} connections to {first.frontend} at "
        "once: there is no endpoint",
        tuple(rule_evidence(refusing[0], hop) for hop in [first.outcome.rule] if hop),
        Fix("Nothing is wrong with the rules: see why there is no endpoint."),
        effect=Effect.NONE,
    )
