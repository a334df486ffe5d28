"""How the ready endpoints are spread: over replicas, and over zones."""

from collections import Counter
from collections.abc import Iterator

from ...model.case import Case, Endpoint
from ...model.cluster import ZONE_LABEL
from ...model.diagnosis import Confidence, Effect, Evidence, Finding, Fix, Rule, Severity
from ...model.meta import each
from ...model.service import Service
from ..step import find
from ..words import count, kubectl_patch, quote, source, subject

SINGLE_ENDPOINT = Rule(
    "SVC228",
    "single-endpoint",
    Severity.ADVICE,
    "endpoints",
    "One ready address serves the whole Service: each restart of that pod is an outage.",
    "The workload has one replica, or only one of its pods is ready.",
    "Run two replicas or more, with a PodDisruptionBudget.",
)
ZONE_HINTS = Rule(
    "SVC229",
    "zone-hints",
    Severity.WARNING,
    "endpoints",
    "Topology hints spread the traffic badly: a zone has few endpoints for many clients, or hints are ignored.",
    "The endpoints are unevenly placed over the zones, or some carry no hint (kube-proxy then ignores all hints).",
    "Spread the pods evenly over the zones, or turn the topology setting off.",
)
RULES = (SINGLE_ENDPOINT, ZONE_HINTS)

OVERLOAD = 2.0
"""A zone whose endpoints get this many times their even share of clients is overloaded."""


def check(case: Case, service: Service) -> Iterator[Finding]:
    """Findings about the ready endpoints of ``service``."""
    ready = {endpoint.address: endpoint for endpoint in case.usable}
    if len(ready) == 1:
        yield _single(service, next(iter(ready.values())))
    yield from _zone_hints(case, service, list(ready.values()))


def _single(service: Service, endpoint: Endpoint) -> Finding:
    return find(
        SINGLE_ENDPOINT,
        subject(service),
        f"one ready address, {endpoint.address}, serves the whole Service",
        [Evidence(source(endpoint.slice, "endpoints"), f"{endpoint.address} {endpoint.pod_name}".rstrip())],
        Fix("Run two replicas or more, and protect them with a PodDisruptionBudget."),
        effect=Effect.NONE,
    )


def _zone_hints(case: Case, service: Service, ready: list[Endpoint]) -> Iterator[Finding]:
    for event in case.events_of("Service", service.name):
        if event.reason == "TopologyAwareHintsDisabled" and event.type == "Warning":
            yield _hints(service, "hints are off, as an event says", [quote(f"Event {event.reason}", event.message)])
            return
    zones = [_hint(endpoint) for endpoint in ready]
    if not any(zones):
        return
    if not all(zones):
        bare = zones.count("")
        said = f"{bare} of {len(zones)} ready endpoints have no zone hint, so kube-proxy ignores the hints of all"
        yield _hints(service, said, [Evidence(source(ready[zones.index("")].slice, "endpoints[].hints"), "none")])
        return
    clients = Counter(zone for node in case.nodes.values() if (zone := node.labels.get(ZONE_LABEL)))
    if not clients:
        return
    share = Counter(zones)
    for zone, nodes in clients.items():
        if zone not in share:
            continue  # kube-proxy falls back to all endpoints there
        load = (nodes / clients.total()) / (share[zone] / len(zones))
        if load >= OVERLOAD:
            said = (
                f"zone {zone} has {nodes} of {clients.total()} nodes but {share[zone]} of {len(zones)} ready endpoints"
            )
            yield _hints(
                service,
                said,
                [Evidence("EndpointSlices: hints", f"{z}: {count(n, 'endpoint')}") for z, n in share.items()],
            )
            return


def _hint(endpoint: Endpoint) -> str:
    hints = endpoint.entry.hints
    return next((zone.name for zone in each(hints.for_zones)), "") if hints else ""


def _hints(service: Service, said: str, evidence: list[Evidence]) -> Finding:
    return find(
        ZONE_HINTS,
        subject(service),
        said,
        evidence,
        Fix(
            "Spread the pods over the zones (topologySpreadConstraints), or let traffic go everywhere.",
            kubectl_patch(service.namespace, "Service", service.name, {"spec": {"trafficDistribution": None}}),
        ),
        effect=Effect.NONE,
        confidence=Confidence.LIKELY,
    )
