"""The pods that a selector means are not there, or not there yet: scaled away, run to their end, never placed."""

from collections.abc import Iterator

from ... import redact
from ...model.case import Case, WorkloadRef, matches
from ...model.cluster import Workload
from ...model.diagnosis import Confidence, Effect, Evidence, Finding, Fix, Rule, RuledOut, Severity
from ...model.pod import Pod
from ...model.service import Service
from ..placing import told, unplaced
from ..step import find
from ..words import count, kubectl, labels, some, source, subject

SELECTOR_TERMINAL_PODS = Rule(
    "SVC206",
    "selector-terminal-pods",
    Severity.ERROR,
    "endpoints",
    "The selector matches only pods that have run to their end (Succeeded or Failed).",
    "It selects the pods of a Job, or pods that were evicted and never replaced.",
    "Select the pods that serve, or start the workload again.",
)
SCALED_TO_ZERO = Rule(
    "SVC207",
    "scaled-to-zero",
    Severity.ERROR,
    "endpoints",
    "The workload behind the Service has no replicas.",
    "Someone, or an autoscaler (HPA, KEDA), scaled it to zero; or a DaemonSet matches no node.",
    "Scale it up.",
)
PODS_UNSCHEDULED = Rule(
    "SVC208",
    "pods-unscheduled",
    Severity.ERROR,
    "endpoints",
    "The pods exist or are wanted, but have no node or no address.",
    "No node fits (resources, affinity, taints, hostPort), a quota forbids them, or no pod address is left.",
    "Free or add what the scheduler misses.",
)
RULES = (SELECTOR_TERMINAL_PODS, SCALED_TO_ZERO, PODS_UNSCHEDULED)

FAILED_CREATE = "FailedCreate"


def workloads_meant(case: Case) -> Iterator[tuple[WorkloadRef, Workload]]:
    """The workloads whose pods would match the selector, and that no other workload controls."""
    for ref, workload in case.workloads.items():
        if workload.metadata.controller is None and matches(case.selector, workload.spec.template.metadata.labels):
            yield ref, workload


def none_wanted(workload: Workload) -> bool:
    """Whether a workload wants no pod now."""
    if type(workload).__name__ == "DaemonSet":
        return workload.status.desired_number_scheduled == 0
    return workload.spec.replicas == 0


def why_no_pods(case: Case, service: Service) -> Finding | None:
    """Why a selector whose workload is known has no pod at all; None when no workload is meant."""
    meant = list(workloads_meant(case))
    if not meant:
        return None
    empty = [(ref, workload) for ref, workload in meant if none_wanted(workload)]
    if len(empty) == len(meant):
        return scaled_to_zero(case, service, *empty[0])
    ref, workload = next((ref, workload) for ref, workload in meant if not none_wanted(workload))
    return _not_created(case, service, ref, workload)


def scaled_to_zero(case: Case, service: Service, ref: WorkloadRef, workload: Workload) -> Finding:
    """The workload of the Service wants no pod."""
    namespace = service.namespace
    if ref.kind == "DaemonSet":
        fact = "status.desiredNumberScheduled 0: its nodeSelector and tolerations fit no node"
        fix = Fix("Label a node so that it fits.", kubectl(namespace, "describe", "daemonset", ref.name))
    else:
        fact = "spec.replicas 0"
        fix = Fix(
            "Scale it up. If an autoscaler scaled it to zero, look at that one first.",
            kubectl(namespace, "scale", f"{ref.kind.lower()}/{ref.name}", "--replicas=1"),
            '{"spec":{"replicas":1}}',
        )
    evidence = [
        Evidence(source(service, "spec.selector"), labels(service.spec.selector)),
        Evidence(source(workload, "spec.template labels"), labels(workload.spec.template.metadata.labels)),
        Evidence(source(workload), fact),
    ]
    scaling = next(iter(case.events_of(ref.kind, ref.name, "ScalingReplicaSet")), None)
    if scaling:
        evidence.append(told(case, scaling))
    return find(
        SCALED_TO_ZERO,
        subject(workload),
        f"the selector is right, but {ref} has no replicas" if ref.kind != "DaemonSet" else f"{ref} fits no node",
        evidence,
        fix,
        effect=Effect.OUTAGE,
        ruled_out=[RuledOut("selector-typo", f"the selector matches the pod template of {ref}")],
    )


def _not_created(case: Case, service: Service, ref: WorkloadRef, workload: Workload) -> Finding:
    """A workload that wants pods and has none: something refuses to create them."""
    makers = [(ref.kind, ref.name)] + [
        (other.kind, other.name)
        for other, item in case.workloads.items()
        if (owner := item.metadata.controller) and (owner.kind, owner.name) == (ref.kind, ref.name)
    ]
    failed = next((event for maker in makers for event in case.events_of(*maker, FAILED_CREATE)), None)
    wanted = workload.spec.replicas if workload.spec.replicas is not None else 1
    evidence = [Evidence(source(workload, "spec.replicas"), f"{wanted}, but no pod exists")]
    if failed:
        evidence.append(told(case, failed))
    if workload.spec.paused:
        evidence.append(Evidence(source(workload, "spec.paused"), "true: no new ReplicaSet is made while it is paused"))
    return find(
        PODS_UNSCHEDULED,
        subject(workload),
        f"{ref} wants {count(wanted, 'pod')}, but none could be created"
        + (f": {redact.text(failed.message)}" if failed else ""),
        evidence,
        Fix(
            "Free what the message names (quota, admission, service account)."
            if failed
            else "See why it makes no pods.",
            kubectl(service.namespace, "describe", ref.kind.lower(), ref.name),
        ),
        effect=Effect.OUTAGE,
        confidence=Confidence.CERTAIN if failed else Confidence.POSSIBLE,
        ruled_out=[RuledOut("scaled-to-zero", f"spec.replicas is {wanted}")],
    )


def only_terminal(case: Case, service: Service) -> Finding:
    """Every matched pod has ended."""
    pods = case.matched
    owners = sorted({str(case.workload_of(pod) or "no owner") for pod in pods})
    phases = ", ".join(f"{count(n, 'pod')} {phase}" for phase, n in sorted(_phases(pods).items()))
    reasons = sorted({pod.status.reason for pod in pods if pod.status.reason})
    evidence = [
        Evidence(source(service, "spec.selector"), labels(service.spec.selector)),
        Evidence("Pods that match", phases + (f" ({some(reasons)})" if reasons else "")),
        Evidence("Their owners", some(owners)),
    ]
    return find(
        SELECTOR_TERMINAL_PODS,
        subject(service),
        f"the selector matches only pods that have ended: {phases}",
        evidence,
        Fix(
            "Select the pods that serve; ended pods never become endpoints.",
            kubectl(service.namespace, "get", "pods", "--show-labels", "--field-selector", "status.phase=Running"),
        ),
        effect=Effect.OUTAGE,
        ruled_out=[RuledOut("scaled-to-zero", "no workload with a matching template was found")],
    )


def _phases(pods: tuple[Pod, ...]) -> dict[str, int]:
    phases: dict[str, int] = {}
    for pod in pods:
        phases[pod.status.phase] = phases.get(pod.status.phase, 0) + 1
    return phases


def unscheduled(case: Case, service: Service) -> Iterator[Finding]:
    """The pods without a node or an address."""
    stuck = [(pod, evidence) for pod in case.backends if (evidence := unplaced(case, pod))]
    if not stuck:
        return
    serving = any(pod.ready for pod in case.backends)
    reasons = sorted({evidence.fact for _, evidence in stuck})
    yield find(
        PODS_UNSCHEDULED,
        subject(stuck[0][0]),
        f"{count(len(stuck), 'pod')} of {len(case.backends)} cannot be placed: {_brief(reasons[0])}",
        [evidence for _, evidence in stuck[:3]],
        Fix(
            "Free or add what the message names.",
            kubectl(service.namespace, "describe", "pod", stuck[0][0].name),
        ),
        effect=Effect.PARTIAL if serving else Effect.OUTAGE,
        severity=Severity.WARNING if serving else Severity.ERROR,
        ruled_out=[RuledOut("selector-typo", f"the selector matches {count(len(case.backends), 'pod')}")],
    )


def _brief(message: str) -> str:
    """The scheduler's message without its second half, which repeats it for preemption."""
    return message.split(" preemption:", maxsplit=1)[0].rstrip(". ")
