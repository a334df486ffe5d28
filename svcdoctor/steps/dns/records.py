"""Records that a Service has, or lacks, by its kind: headless names, names of single pods, SRV, large answers."""

from collections.abc import Iterator

from ...model.case import WorkloadRef
from ...model.cluster import Workload
from ...model.diagnosis import Confidence, Effect, Evidence, Finding, Fix, Rule, RuledOut, Severity
from ...model.observation import DnsAnswer
from ...model.service import SERVICE_NAME_LABEL
from ...model.snapshot import Gap
from ..step import find
from ..words import count, kubectl, kubectl_json_patch, some, source, subject
from .answer import Kind
from .asked import DNS_TCP_BLOCKED
from .caching import denial_seconds
from .names import absolute, within
from .view import View
from .wrong_answers import negative_cache

HEADLESS_NONE_READY = Rule(
    "SVC422",
    "headless-none-ready",
    Severity.ADVICE,
    "dns",
    "A headless name does not exist while none of its endpoints is ready: NXDOMAIN is then the right answer.",
    "DNS gives the ready addresses of a headless Service, and a name without records does not exist.",
    "Make its endpoints ready; for peers that must find each other before, set publishNotReadyAddresses.",
)
STS_SERVICENAME = Rule(
    "SVC423",
    "sts-servicename",
    Severity.WARNING,
    "dns",
    "The pods of a StatefulSet have no names of their own: pod-0.SERVICE does not resolve, SERVICE does.",
    "Its serviceName is not the name of a headless Service that selects its pods.",
    "Make the StatefulSet anew with serviceName set to the headless Service, or create that Service.",
)
SRV_MISSING = Rule(
    "SVC424",
    "srv-missing",
    Severity.WARNING,
    "dns",
    "Somebody asks for an SRV record that the Service does not have.",
    "Only a port with a name has one, and under that name: _NAME._PROTOCOL.SERVICE.",
    "Give the port the name that clients ask for.",
)
RULES = (HEADLESS_NONE_READY, STS_SERVICENAME, SRV_MISSING)

SMALL = 512
"""Bytes of an answer that UDP carries at least (RFC 1035)."""
HEADER, RECORD = 64, 16
"""Bytes of an answer before its records, and of each address record."""


def blind(view: View) -> Iterator[Gap]:
    """A headless name is made of endpoints."""
    if view.specified.kind is Kind.UNKNOWN and view.specified.gap is not None:
        yield view.specified.gap


def check(view: View) -> Iterator[Finding]:
    """What follows from the objects alone; of SRV, from questions that were asked in vain."""
    if view.case.headless and view.case.slices_known:
        yield from _none_ready(view)
        yield from _too_large(view)
    yield from _stateful(view)
    yield from _srv(view)
    made = view.service.metadata.creation_timestamp
    young = made is not None and 0 <= (view.case.now - made).total_seconds() < denial_seconds(view)
    if young and not view.snapshot.dns_answers:
        yield negative_cache(view, seen=False)


def _none_ready(view: View) -> Iterator[Finding]:
    """No cause, but what follows: the steps before say why no endpoint is ready."""
    endpoints, service = view.case.endpoints, view.service
    if not endpoints or any(endpoint.ready for endpoint in endpoints):
        return
    of_pods = bool(view.case.backends)
    yield find(
        HEADLESS_NONE_READY,
        subject(view.service),
        f"none of its {count(len(endpoints), 'endpoint')} is ready, so {view.name} does not exist: NXDOMAIN is right",
        [
            Evidence("EndpointSlices: conditions.ready", f"false for all {len(endpoints)}"),
            Evidence(source(view.service, "spec.publishNotReadyAddresses"), "false"),
        ],
        Fix(
            "See why the pods are not ready." if of_pods else "Let whoever writes the slices set conditions.ready.",
            kubectl(service.namespace, "get", "endpointslices", "-l", f"{SERVICE_NAME_LABEL}={service.name}"),
        ),
        effect=Effect.NONE,
        ruled_out=[RuledOut("headless-set-drift", "DNS says what the slices say")],
    )


# ------------------------------------------------------------------------------------------------------ sts-servicename


def _stateful(view: View) -> Iterator[Finding]:
    """Per-pod names need serviceName = a headless Service, which this one may have been meant to be."""
    owners = {ref for pod in view.case.matched if (ref := view.case.workload_of(pod)) and ref.kind == "StatefulSet"}
    for ref in sorted(owners, key=str):
        stateful = view.case.workloads.get(ref)
        why = _nameless(view, stateful) if stateful else ""
        if stateful is not None and why:
            yield _no_pod_names(view, ref, stateful, why)


def _nameless(view: View, stateful: Workload) -> str:
    """Why the pods have no names of their own; "" where they have, or where that is not known."""
    given = stateful.spec.service_name
    services = view.snapshot.services
    if given == view.service.name:
        return "" if view.case.headless else f"Service {given} is not headless"
    if not view.case.headless:
        return ""  # another Service may be there for the names; this one is there for the address
    if not given:
        return ""  # allowed, and a plain wish for no names
    governing = services.get(view.service.namespace, given)
    if governing is None:
        known = services.knows(view.service.namespace, given)
        return f"serviceName is {given}, and there is no Service of that name" if known else ""
    return "" if governing.spec.cluster_ip == "None" else f"serviceName is {given}, which is not headless"


def _no_pod_names(view: View, ref: WorkloadRef, stateful: Workload, why: str) -> Finding:
    pods = [pod for pod in view.case.matched if view.case.workload_of(pod) == ref]
    name = f"{pods[0].name}.{view.name}"
    headless = view.case.headless
    delete = kubectl(view.service.namespace, "delete", "statefulset", ref.name, "--cascade=orphan")
    return find(
        STS_SERVICENAME,
        subject(stateful),
        f"{name} does not resolve, though {view.service.name} does: {why}",
        [
            Evidence(source(stateful, "spec.serviceName"), stateful.spec.service_name or "empty"),
            Evidence(source(view.service, "spec.clusterIP"), view.service.spec.cluster_ip or "empty"),
            *(Evidence(source(pod, "spec.subdomain"), pod.spec.subdomain or "empty") for pod in pods[:2]),
        ],
        Fix(
            f"Make {ref} anew with serviceName {view.service.name}: the field can't be changed in place."
            if headless
            else f"Add a headless Service (clusterIP: None), and make {ref} anew with its name as serviceName.",
            delete if headless else None,
            f"spec:\n  serviceName: {view.service.name}\n" if headless else None,
        ),
        effect=Effect.PARTIAL if headless else Effect.NONE,
        ruled_out=[RuledOut("headless-none-ready", "the Service's own name resolves")],
    )


# ---------------------------------------------------------------------------------------------------------- srv-missing


def _srv(view: View) -> Iterator[Finding]:
    """SRV names below the Service that were asked for, and do not exist."""
    asked = [answer for answer in (*view.queries, *view.snapshot.dns_answers) if _failed_srv(view, answer)]
    if not asked:
        return
    wanted = sorted({absolute(answer.name).lower() for answer in asked})
    named = (f"{port.name or 'without a name'} {port.port}/{port.protocol}" for port in view.service.spec.ports)
    port = wanted[0].split(".")[0].lstrip("_")
    yield find(
        SRV_MISSING,
        subject(view.service),
        f"{some(wanted)} is asked for, and no port of the Service has that name",
        [
            Evidence("Asked", some((f"{a.name} SRV: {a.rcode}" for a in asked), 3)),
            Evidence(source(view.service, "spec.ports"), some(named, 5) or "none"),
            Evidence(view.fqdn, view.specified.why),
        ],
        Fix(f"Call the port {port}, or let clients ask for the name that it has."),
        effect=Effect.PARTIAL,
        confidence=Confidence.CERTAIN,
        ruled_out=[RuledOut("svc-missing", "the Service's own name is answered")],
    )


def _failed_srv(view: View, answer: DnsAnswer) -> bool:
    name = absolute(answer.name)
    below = answer.type == "SRV" and within(view.fqdn, name) and name.startswith("_")
    empty = answer.rcode == "NXDOMAIN" or (answer.rcode == "NOERROR" and bool(answer.server) and not answer.answers)
    return below and empty and view.authority.expect(name, "SRV").kind in (Kind.NXDOMAIN, Kind.NODATA)


# ------------------------------------------------------------------------------------------------------ dns-tcp-blocked


def _too_large(view: View) -> Iterator[Finding]:
    """An answer that needs TCP, which the name servers' Service does not offer."""
    service = view.servers.service
    if service is None or any(port.port == 53 and port.protocol == "TCP" for port in service.spec.ports):
        return
    size = HEADER + len(view.fqdn) + RECORD * len(view.specified.records)
    if size <= SMALL:
        return
    ports = some((f"{port.port}/{port.protocol}" for port in service.spec.ports), 5)
    port = {"name": "dns-tcp", "port": 53, "protocol": "TCP", "targetPort": view.server_port or 53}
    yield find(
        DNS_TCP_BLOCKED,
        subject(service),
        f"{view.name} has an answer of about {size} bytes, which needs TCP, and the name servers' Service has only UDP",
        [
            Evidence(source(service, "spec.ports"), ports),
            Evidence("EndpointSlices: ready addresses", str(len(view.specified.records))),
        ],
        Fix(
            "Give the Service TCP port 53.",
            kubectl_json_patch(
                service.namespace, "Service", service.name, [{"op": "add", "path": "/spec/ports/-", "value": port}]
            ),
        ),
        effect=Effect.PARTIAL,
        confidence=Confidence.CERTAIN,
        ruled_out=[RuledOut("dns-down", "small answers fit into UDP")],
    )
