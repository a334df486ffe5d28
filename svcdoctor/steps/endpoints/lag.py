"""The endpoint controller's slices held against the pods: has it caught up?"""

from collections.abc import Iterator
from datetime import timedelta

from ...model.case import Case
from ...model.diagnosis import Confidence, Effect, Evidence, Finding, Fix, Rule, RuledOut, Severity
from ...model.pod import Pod
from ...model.service import SLICE_CONTROLLER, TRIGGER_TIME_ANNOTATION, Service
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


def check(case: Case, service: Service) -> Iterator[Finding]:
    """Findings about slices of a Service with a selector, for which pods and slices were both read."""
    mismatch = _family_mismatch(case, service)
    if mismatch is not None:
        yield mismatch
    else:
        yield from _lag(case, service)
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


def _lag(case: Case, service: Service) -> Iterator[Finding]:
    if case.age(service.metadata.creation_timestamp) < GRACE:
        return
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
        return
    yield _lagging(case, service, missing, differing, gone)


def _settled(case: Case, pod: Pod) -> bool:
    """Whether the pod has been as it is, with an address, for longer than the controller may take."""
    condition = pod.condition("Ready")
    since = condition.last_transition_time if condition else None
    return bool(pod.addresses) and since is not None and case.age(since) >= GRACE


def _long_gone(case: Case, name: str) -> bool:
    """Whether a pod that was not read had time to leave the slices; without an event of its end nobody knows."""
    killing = next(iter(case.events_of("Pod", name, "Killing")), None)
    return killing is not None and case.age(killing.last_seen) >= GRACE + timedelta(minutes=1)


def _lagging(
    case: Case, service: Service, missing: list[Pod], differing: list[Pod], gone: list[str]
) -> Finding:
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
        Fix(
            "See whether kube-controller-manager runs, leads and may write slices.",
            kubectl("kube-system", "get", "pods,leases", "-o", "wide"),
        ),
        effect=Effect.PARTIAL if usable else Effect.OUTAGE,
        confidence=Confidence.LIKELY,
        ruled_out=[RuledOut("selector-typo", f"the selector matches {count(len(case.backends), 'pod')}")],
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
                "It settles when the controller removes the old endpoint. If it stays, look at kube-controller-manager.",
                kubectl(service.namespace, "get", "pods", "-o", "wide"),
            ),
            effect=Effect.PARTIAL,
            confidence=Confidence.LIKELY,
        )
        return
