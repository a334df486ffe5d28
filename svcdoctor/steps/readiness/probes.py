"""Containers that run but fail their probes: is the application ill, or the probe?"""

from datetime import timedelta

from ...model.case import Case
from ...model.cluster import Event
from ...model.diagnosis import Confidence, Evidence, Fix, Rule, RuledOut, Severity
from ...model.pod import Container, ContainerStatus, Pod, Probe
from ..listening import declared, mentions, probe_host, probe_port, probes, resolve
from ..words import ago, kubectl, some, source
from .mend import on_template
from .messages import Failure
from .probe_evidence import SLACK, Complaint, budget, by_hand, complaint, evidence_of
from .trouble import Failing, Trouble

PROBE_FAILING = Rule(
    "SVC301",
    "probe-failing",
    Severity.ERROR,
    "readiness",
    "The readiness probe asks the right thing and the application does not answer it well.",
    "The application is down, overloaded, or waits for something that it needs.",
    "Look at the application: its log, its dependencies.",
)
PROBE_MISCONFIGURED = Rule(
    "SVC302",
    "probe-misconfigured",
    Severity.ERROR,
    "readiness",
    "The readiness probe asks the wrong port, path, scheme or command, so a working application is never ready.",
    "The probe was copied, or the application changed without it.",
    "Correct the probe.",
)
PROBE_TOO_TIGHT = Rule(
    "SVC303",
    "probe-too-tight",
    Severity.WARNING,
    "readiness",
    "The readiness probe times out now and then, so that endpoints come and go.",
    "timeoutSeconds (1 s by default) or failureThreshold leaves no room for a slow answer.",
    "Raise timeoutSeconds and failureThreshold, or make the probed path cheap.",
)
STARTUP_PENDING = Rule(
    "SVC305",
    "startup-pending",
    Severity.ERROR,
    "readiness",
    "The containers are still starting: their startup probe, or their first readiness probe, has not passed yet.",
    "Starting takes its time; a startup probe keeps the readiness probe from being asked before.",
    "Wait, or see why it starts so slowly.",
)
RULES = (PROBE_FAILING, PROBE_MISCONFIGURED, PROBE_TOO_TIGHT, STARTUP_PENDING)

FLAPS = 3
LATE = (Failure.TIMED_OUT, Failure.TOO_SLOW)
IMPATIENT = 2
"""Seconds of timeoutSeconds up to which a slow answer speaks against the probe."""
LATELY = timedelta(minutes=10)
"""A pod that passed its probe until then is more likely slow than dead."""


def trouble(case: Case, pod: Pod, failing: Failing) -> Trouble | None:
    """Why a running container is not ready; None when it does not run or has no probe to fail."""
    container, status = failing.container, failing.status
    if status is None or status.state.running is None:
        return None
    if container.startup_probe is not None and not status.started:
        return _starting(case, pod, container, status, container.startup_probe, "Startup")
    probe = container.readiness_probe
    if probe is None:
        return None
    running = case.age(status.state.running.started_at)
    said = complaint(case, pod, container, probe, "Readiness")
    first_try = budget(probe) + SLACK
    may_come = said is None or said.failure in (Failure.REFUSED, *LATE, Failure.UNCLEAR)
    if running < first_try and may_come and _wrong_place(case, pod, container, probe) is None:
        return _starting(case, pod, container, status, probe, "Readiness")
    return _readiness(case, pod, container, probe, said)


def _starting(case: Case, pod: Pod, container: Container, status: ContainerStatus, probe: Probe, kind: str) -> Trouble:
    running = ago(case.age(status.state.running.started_at if status.state.running else None))
    said = complaint(case, pod, container, probe, kind)
    evidence = evidence_of(case, pod, container, probe, said, kind)
    evidence.insert(0, Evidence(source(pod, f"status.containerStatuses[{container.name}]"), f"running for {running}"))
    if status.restart_count:
        evidence.append(
            Evidence(source(pod, f"status.containerStatuses[{container.name}].restartCount"), str(status.restart_count))
        )
    what = "its startup probe has not passed yet" if kind == "Startup" else "its first readiness probes are still due"
    return Trouble(
        STARTUP_PENDING,
        f"container {container.name} is starting, {what}",
        tuple(evidence),
        Fix(
            f"Wait: it has {ago(budget(probe))} from its start. If it needs longer, raise failureThreshold.",
            kubectl(pod.namespace, "logs", pod.name, "-c", container.name),
        ),
        ruled_out=(RuledOut("crash-loop", f"the container has been running for {running}"),),
    )


# ------------------------------------------------------------------------------------------------------------ judgement


def _readiness(case: Case, pod: Pod, container: Container, probe: Probe, said: Complaint | None) -> Trouble:
    evidence = evidence_of(case, pod, container, probe, said, "Readiness")
    failure = said.failure if said and not said.stale else None
    wrong = _wrong_request(failure, container) or _wrong_place(case, pod, container, probe)
    if wrong is not None:
        return _misconfigured(case, pod, container, probe, evidence, wrong)
    if failure in LATE and _passed_lately(case, pod):
        return _too_tight(case, pod, container, probe, evidence, ", and passed before")
    if failure is Failure.TOO_SLOW and not _was_ready(case, pod) and probe.timeout_seconds <= IMPATIENT:
        return _too_tight(case, pod, container, probe, evidence, "; it never passed")
    return _failing(case, pod, container, probe, evidence, failure)


def _too_tight(
    case: Case, pod: Pod, container: Container, probe: Probe, evidence: list[Evidence], history: str
) -> Trouble:
    return Trouble(
        PROBE_TOO_TIGHT,
        f"the readiness probe of {container.name} times out after {probe.timeout_seconds} s{history}",
        tuple(evidence),
        _more_time(case, pod, container, probe),
        Confidence.POSSIBLE,
        (RuledOut("crash-loop", "the container runs"),),
    )


def _failing(
    case: Case, pod: Pod, container: Container, probe: Probe, evidence: list[Evidence], failure: Failure | None
) -> Trouble:
    number = probe_port(container, probe)
    decides = Fix("The check that decides between application and probe:", by_hand(pod, container, probe, number))
    look = Fix(
        "Look at what the application says.",
        kubectl(pod.namespace, "logs", pod.name, "-c", container.name),
        None,
        (decides,),
    )
    if failure is Failure.SAYS_NO:
        confidence, why = Confidence.CERTAIN, failure.value
    elif failure is Failure.UNCLEAR and probe.exec:
        confidence, why = Confidence.LIKELY, "its command runs and ends with an error"
    elif failure is Failure.REFUSED and number is not None and number in _targets(case, pod):
        confidence, why = Confidence.LIKELY, f"nothing accepts connections on {number}, where the Service leads too"
    else:
        confidence, why = Confidence.POSSIBLE, failure.value if failure else "nothing tells how it fails"
    ruled_out = [
        RuledOut("crash-loop", "the container runs"),
        RuledOut(STARTUP_PENDING.name, "it had the time to start"),
    ]
    if confidence is not Confidence.POSSIBLE:
        said = (
            "it is the Service's own port" if failure is Failure.REFUSED else "the probe was carried out and answered"
        )
        ruled_out.append(RuledOut(PROBE_MISCONFIGURED.name, said))
    return Trouble(
        PROBE_FAILING,
        f"the readiness probe of {container.name} fails: {why}",
        tuple(evidence),
        look,
        confidence,
        tuple(ruled_out),
        case.need("events") if failure is None else None,
    )


def _wrong_request(failure: Failure | None, container: Container) -> str | None:
    """What the failure itself says of the probe."""
    wrong = (Failure.NOT_THERE, Failure.OTHER_SCHEME, Failure.NO_COMMAND, Failure.NO_PORT, Failure.NO_HOST)
    return failure.value if failure in wrong else None


def _wrong_place(case: Case, pod: Pod, container: Container, probe: Probe) -> str | None:
    """What the spec says of where the probe asks: a port that nobody speaks of, or another host than the pod."""
    if isinstance(probe.port, str) and probe_port(container, probe) is None:
        return f"it asks port {probe.port!r}, which is no port's name in container {container.name}"
    host = probe_host(probe)
    if host in ("localhost", "127.0.0.1", "::1"):
        return f"its host {host} is the node's own loopback, not the pod's: the kubelet asks from the node"
    number = probe_port(container, probe)
    if number is None or number in {p.container_port for _, p in declared(pod)} or number in _targets(case, pod):
        return _refused_beside(pod, container, probe, number)
    if mentions(pod, number) or any(number == probe_port(container, p) for p in probes(container) if p is not probe):
        return None
    said = {p.container_port for _, p in declared(pod)} | _targets(case, pod)
    if not said:
        return None
    return f"it asks port {number}, of which nothing else speaks; the container serves {some(sorted(said))}"


def _refused_beside(pod: Pod, container: Container, probe: Probe, number: int | None) -> str | None:
    """A liveness probe that holds on another port shows that the application answers there."""
    alive = container.liveness_probe
    status = pod.container_status(container.name)
    if alive is None or status is None or status.restart_count or number is None:
        return None
    other = probe_port(container, alive)
    same_kind = other is not None and other != number and not probe_host(alive)
    if same_kind and number not in {p.container_port for p in container.ports}:
        return f"it asks port {number}; the liveness probe on {other} passes"
    return None


def _targets(case: Case, pod: Pod) -> set[int]:
    """The ports of ``pod`` that the Service leads to."""
    ports = case.service.spec.ports if case.service else ()
    return {number for port in ports if (number := resolve(pod, port.target, port.protocol)) is not None}


def _passed_lately(case: Case, pod: Pod) -> bool:
    condition = pod.condition("Ready")
    since = condition.last_transition_time if condition else None
    return _was_ready(case, pod) and case.age(since) < LATELY


def _was_ready(case: Case, pod: Pod) -> bool:
    """Whether the pod turned unready well after its start: then it was ready in between."""
    condition = pod.condition("Ready")
    since = condition.last_transition_time if condition else None
    starts = [s.state.running.started_at for s in pod.status.container_statuses if s.state.running]
    return since is not None and any(start is not None and since > start + SLACK for start in starts)


# ----------------------------------------------------------------------------------------------------------------- fix


def _misconfigured(
    case: Case, pod: Pod, container: Container, probe: Probe, evidence: list[Evidence], wrong: str
) -> Trouble:
    ports = [port for port in container.ports if port.protocol == "TCP"]
    asked = probe_port(container, probe)
    better = next((port for port in ports if port.container_port != asked), None)
    known = asked in {port.container_port for port in ports}
    check = Fix(
        "To see first that the application answers, dial it yourself.",
        by_hand(pod, container, probe, better.container_port if better and not known else asked),
    )
    kind = "httpGet" if probe.http_get else "tcpSocket" if probe.tcp_socket else "grpc"
    if better is not None and not known and not probe.exec:
        port = better.container_port if probe.grpc else better.name or better.container_port
        command, patch = on_template(case, pod, container, {"readinessProbe": {kind: {"port": port}}})
        fix = Fix(f"Let the probe ask port {port}.", command, patch, (check,))
    else:
        fix = Fix("Correct the probe on the workload.", alternatives=(check,))
    return Trouble(
        PROBE_MISCONFIGURED,
        f"the readiness probe of {container.name} is wrong: {wrong}",
        tuple(evidence),
        fix,
        Confidence.LIKELY,
        (
            RuledOut("crash-loop", "the container runs"),
            RuledOut(PROBE_FAILING.name, "what is asked is not what the container offers"),
        ),
    )


def _more_time(case: Case, pod: Pod, container: Container, probe: Probe) -> Fix:
    longer = max(5, min(probe.timeout_seconds, 3600) * 3)
    command, patch = on_template(case, pod, container, {"readinessProbe": {"timeoutSeconds": longer}})
    look = Fix(
        "Or find out why the answer takes so long.",
        kubectl(pod.namespace, "logs", pod.name, "-c", container.name),
    )
    return Fix(f"Raise timeoutSeconds to {longer}.", command, patch, (look,))


# ------------------------------------------------------------------------------------------------------------- flapping


def flapping(case: Case, pod: Pod) -> Trouble | None:
    """A pod that is Ready now, but whose readiness probe has timed out again and again since it became so."""
    for container in pod.spec.servers:
        probe = container.readiness_probe
        said = complaint(case, pod, container, probe, "Readiness") if probe else None
        if probe is None or said is None or said.failure not in LATE or said.event.times < FLAPS:
            continue
        if said.stale and not _comes_and_goes(case, pod, probe, said.event):
            continue
        return Trouble(
            PROBE_TOO_TIGHT,
            f"the readiness probe of {container.name} times out now and then ({said.event.times} times so far)",
            tuple(evidence_of(case, pod, container, probe, said, "Readiness")),
            _more_time(case, pod, container, probe),
            Confidence.LIKELY,
            (RuledOut(PROBE_FAILING.name, "the pod is Ready now"),),
        )
    return None


def _comes_and_goes(case: Case, pod: Pod, probe: Probe, event: Event) -> bool:
    """Whether the pod, Ready since a short while, has been so in between too.

    A probe that failed all along would have been counted once a period; half as often means that it also passed.
    """
    condition, first, last = pod.condition("Ready"), event.first_timestamp, event.last_seen
    since = condition.last_transition_time if condition else None
    if since is None or first is None or last is None or case.age(since) > LATELY:
        return False
    return (last - first).total_seconds() >= 2 * event.times * probe.period_seconds
