"""The endpoint controller's slices held against the pods: has it caught up?"""

from collections.abc import Iterator
from datetime import timedelta

from ...model.case import Case, Endpoint, slice_port
from ...model.diagnosis import Confidence, Effect, Evidence, Finding, Fix, Rule, RuledOut, Severity
from ...model.meta import each
from ...model.pod import Pod
from ...model.service import SLICE_CONTROLLER, TRIGGER_TIME_ANNOTATION, Service, ServicePort
from ..listening import resolve
from ..step import find
from ..words import ago, count, kubectl, some, source, subject

CONTROLLER_LAG = Rule(
    "SVC226",
    "controller-lag",
    Severity.ERROR,
    "endpoints",
    "The EndpointSlices do not say what the pods say, though there was time enough.",
    "kube-controller-manager is down, overloaded, or not allowed to write slices.",
    "Look at kube-controller-manager: its leader, its logs, its rights.",
)
IP_REUSED = Rule(
    "SVC227",
    "ip-reused",
    Severity.WARNING,
    "endpoints",
    "Two endpoints of the Service have one address but mean different pods.",
    "The address of a pod that left was given to a new one before the old endpoint was removed.",
    "Wait for the slices to settle; if it stays, look at kube-controller-manager.",
)
IP_FAMILY_MISMATCH = Rule(
    "SVC230",
    "ip-family-mismatch",
    Severity.ERROR,
    "endpoints",
    "The Service asks for an IP family in which its pods have no address.",
    "The pods were made before the cluster was dual-stack, or the pod network has one family only.",
    "Change the Service's ipFamilies, or give the pods addresses of that family.",
)
RULES = (CONTROLLER_LAG, IP_REUSED, IP_FAMILY_MISMATCH)

GRACE = timedelta(seconds=30)
"""What the controller may take: its batch period is below a second, its queue seldom longer than a few."""

SOON = timedelta(seconds=10)
"""After this a pod that no slice has is worth a word, though not yet an error."""


def check(case: Case, service: Service) -> Iterator[Finding]:
    """Findings about slices of a Service with a selector, for which pods and slices were both read."""
    mismatch = _family_mismatch(case, service)
    if mismatch is not None:
        yield mismatch
    else:
        late = _lag(case, service) or _port_lag(case, service) or _catching_up(case, service)
        if late is not None:
            yield late
    yield from _reused(case, service)


def family_of(address: str) -> str:
    return "IPv6" if ":" in address else "IPv4"


def _family_mismatch(case: Case, service: Service) -> Finding | None:
    families = {family_of(address) for pod in case.backends for address in pod.addresses}
    lacking = [family for family in service.spec.ip_families if families and family not in families]
    if not lacking:
        return None
    whole = len(lacking) == len(service.spec.ip_families)
    has = " and ".join(sorted(families))
    fix = Fix(
        f"Recreate the Service with ipFamilies [{has}]; the primary family of a Service can't be changed.",
        kubectl(service.namespace, "get", "service", service.name, "-o", "yaml"),
    )
    return find(
        IP_FAMILY_MISMATCH,
        subject(service),
        f"the Service asks for {some(lacking)}, but its pods have {has} addresses only",
        [
            Evidence(source(service, "spec.ipFamilies"), ", ".join(service.spec.ip_families)),
            Evidence("Pods behind the Service", some(a for pod in case.backends for a in pod.addresses)),
        ],
        fix,
        effect=Effect.OUTAGE if whole else Effect.PARTIAL,
        severity=Severity.ERROR if whole else Severity.WARNING,
    )


def _lag(case: Case, service: Service) -> Finding | None:
    if case.age(service.metadata.creation_timestamp) < GRACE:
        return None
    listed = {e.pod_name: e for e in case.endpoints if e.slice.managed_by == SLICE_CONTROLLER and e.pod_name}
    known = {e.address for e in case.endpoints}
    missing, differing = [], []
    for pod in case.backends:
        if pod.terminating or not _settled(case, pod):
            continue
        endpoint = listed.get(pod.name)
        if endpoint is None:
            if pod.ready and not known.intersection(pod.addresses):
                missing.append(pod)
        elif endpoint.ready != (pod.ready or service.spec.publish_not_ready_addresses):
            differing.append(pod)
    gone = [name for name, e in listed.items() if e.ready and e.pod is None and _long_gone(case, name)]
    if not missing and not differing and not gone:
        return None
    return _lagging(case, service, missing, differing, gone)


def _settled(case: Case, pod: Pod) -> bool:
    """Whether the pod has been as it is, with an address, for longer than the controller may take."""
    condition = pod.condition("Ready")
    since = condition.last_transition_time if condition else None
    return bool(pod.addresses) and since is not None and case.age(since) >= GRACE


def _long_gone(case: Case, name: str) -> bool:
    """Whether a pod that was not read had time to leave the slices; without an event of its end nobody knows."""
    killing = next(iter(case.events_of("Pod", name, "Killing")), None)
    return killing is not None and case.age(killing.last_seen) >= GRACE + timedelta(minutes=1)


def _lagging(case: Case, service: Service, missing: list[Pod], differing: list[Pod], gone: list[str]) -> Finding:
    evidence: list[Evidence] = []
    for pod in (*missing[:2], *differing[:2]):
        condition = pod.condition("Ready")
        since = ago(case.age(condition.last_transition_time if condition else None))
        said = "in no slice" if pod in missing else "the slice says otherwise"
        state = "Ready" if pod.ready else "not Ready"
        evidence.append(Evidence(source(pod, "status.conditions[Ready]"), f"{state} for {since}, {said}"))
    for name in gone[:2]:
        evidence.append(Evidence(f"Pod {service.namespace}/{name}", "does not exist, but a slice lists it as ready"))
    for stale in case.slices:
        when = stale.metadata.annotations.get(TRIGGER_TIME_ANNOTATION)
        evidence.append(Evidence(source(stale, TRIGGER_TIME_ANNOTATION), when or "none"))
    if not case.slices:
        evidence.append(Evidence("API: endpointslices of the Service", "none was ever written"))
    parts = (
        (missing, f"{count(len(missing), 'Ready pod')} in no slice"),
        (differing, f"{count(len(differing), 'pod')} with another readiness than its endpoint"),
        (gone, f"{count(len(gone), 'endpoint')} without a pod"),
    )
    said = "; ".join(text for part, text in parts if part)
    usable = any(e.ready and e.pod is not None and e.pod.ready for e in case.endpoints)
    return find(
        CONTROLLER_LAG,
        subject(service),
        f"the slices do not follow the pods: {said}",
        evidence,
        Fix(LOOK, _controller_manager()),
        effect=Effect.PARTIAL if usable else Effect.OUTAGE,
        confidence=Confidence.LIKELY,
        ruled_out=[RuledOut("selector-typo", f"the selector matches {count(len(case.backends), 'pod')}")],
    )


LOOK = "See whether kube-controller-manager runs, leads and may write slices."


def _catching_up(case: Case, service: Service) -> Finding | None:
    """Ready pods that no slice has yet, while it may just be the controller's pace."""
    listed = {endpoint.address for endpoint in case.endpoints if endpoint.ready}
    late = [
        pod
        for pod in case.backends
        if pod.ready and not pod.terminating and pod.addresses and not listed.intersection(pod.addresses)
    ]
    waited = max((_ready_for(case, pod) for pod in late), default=timedelta())
    if service.metadata.creation_timestamp:
        waited = min(waited, case.age(service.metadata.creation_timestamp))
    if not late or (case.usable and waited < SOON):
        return None
    return find(
        CONTROLLER_LAG,
        subject(service),
        f"{count(len(late), 'Ready pod')} in no slice yet, {ago(waited)} on: it should take a second or two",
        [
            Evidence(source(pod, "status.conditions[Ready]"), f"True for {ago(_ready_for(case, pod))}")
            for pod in late[:3]
        ],
        Fix(f"Look again in half a minute. If it stays: {LOOK[0].lower()}{LOOK[1:]}", _controller_manager()),
        severity=Severity.WARNING,
        effect=Effect.NONE if case.usable else Effect.PARTIAL,
        confidence=Confidence.POSSIBLE,
        ruled_out=[RuledOut("selector-typo", f"the selector matches {count(len(case.backends), 'pod')}")],
    )


def _ready_for(case: Case, pod: Pod) -> timedelta:
    condition = pod.condition("Ready")
    return case.age(condition.last_transition_time if condition else None)


def _controller_manager() -> str:
    return kubectl("kube-system", "get", "pods,leases", "-o", "wide")


def _port_lag(case: Case, service: Service) -> Finding | None:
    """Ready endpoints of the controller's own slices that lack a port, or give it another number than their pod."""
    for port in service.spec.ports if not case.headless else ():
        for endpoint in case.endpoints:
            said = _differing_port(endpoint, port)
            if said is not None and not any(slice_port(e.slice, port) for e in _same_pod(case, endpoint)):
                return _port_lagging(case, service, port, endpoint, said)
    return None


def _same_pod(case: Case, endpoint: Endpoint) -> list[Endpoint]:
    """The other entries of the same pod; one of them may carry the port already."""
    return [e for e in case.endpoints if e is not endpoint and e.pod_name == endpoint.pod_name]


def _differing_port(endpoint: Endpoint, port: ServicePort) -> str | None:
    if endpoint.slice.managed_by != SLICE_CONTROLLER or endpoint.pod is None or not endpoint.ready:
        return None
    wanted = resolve(endpoint.pod, port.target, port.protocol)
    written = slice_port(endpoint.slice, port)
    if wanted is None or (written is not None and written.port == wanted):
        return None
    if written is not None:
        return f"the slice says {written.port}"
    ports = some(f"{p.name or '(no name)'} {p.port}/{p.protocol}" for p in each(endpoint.slice.ports))
    return f"the slice has {ports or 'no port'}"


def _port_lagging(case: Case, service: Service, port: ServicePort, endpoint: Endpoint, said: str) -> Finding:
    spoken = f"{port.name} {port.port}/{port.protocol}".lstrip()
    return find(
        CONTROLLER_LAG,
        subject(service),
        f"the slices do not follow the Service: port {spoken} leads to {port.target}, but {said}",
        [
            Evidence(source(service, "spec.ports"), f"{spoken} -> {port.target}"),
            Evidence(source(endpoint.slice, "ports"), said),
            Evidence(
                source(endpoint.slice, TRIGGER_TIME_ANNOTATION),
                endpoint.slice.metadata.annotations.get(TRIGGER_TIME_ANNOTATION) or "none",
            ),
        ],
        Fix(f"{LOOK} If the Service was changed this moment, look again.", _controller_manager()),
        effect=Effect.OUTAGE if len(service.spec.ports) == 1 else Effect.PARTIAL,
        confidence=Confidence.LIKELY,
        ruled_out=[RuledOut("named-port-absent", "the pods have the port")],
    )


def _reused(case: Case, service: Service) -> Iterator[Finding]:
    """One address, two pods. Pods on the host network share their node's address by design."""
    owners: dict[str, set[str]] = {}
    for endpoint in case.endpoints:
        pod = endpoint.pod
        if endpoint.pod_name and endpoint.ready and not (pod and pod.spec.host_network):
            owners.setdefault(endpoint.address, set()).add(endpoint.pod_name)
    for address, names in owners.items():
        if len(names) < 2:
            continue
        yield find(
            IP_REUSED,
            subject(service),
            f"address {address} stands for {count(len(names), 'pod')}: {some(sorted(names))}",
            [
                Evidence(source(e.slice, "endpoints"), f"{address} -> Pod {e.pod_name}")
                for e in case.endpoints
                if e.address == address
            ],
            Fix(
                "It settles once the controller removes the old endpoint. If not, look at kube-controller-manager.",
                kubectl(service.namespace, "get", "pods", "-o", "wide"),
            ),
            effect=Effect.PARTIAL,
            confidence=Confidence.LIKELY,
        )
        return
