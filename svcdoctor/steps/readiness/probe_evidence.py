"""What there is to know of a probe: what it asks, what the kubelet said of it, and how to ask the same oneself."""

from datetime import timedelta

from msgspec import Struct

from ... import redact
from ...model.case import Case
from ...model.cluster import Event
from ...model.diagnosis import Evidence
from ...model.meta import each
from ...model.pod import Container, Pod, Probe
from ..listening import probe_port
from ..placing import told
from ..words import kubectl, some, source
from .messages import Failure, meaning

SLACK = timedelta(seconds=10)
LONGEST = 10**6  # seconds; more than that overflows a timedelta sooner or later, and says no more


def budget(probe: Probe) -> timedelta:
    """How long a probe may fail before the kubelet acts on it."""
    rounds = probe.period_seconds * probe.failure_threshold
    return timedelta(seconds=min(probe.initial_delay_seconds + rounds + probe.timeout_seconds, LONGEST))


class Complaint(Struct, frozen=True):
    """The newest Unhealthy event about one kind of probe."""

    event: Event
    failure: Failure
    stale: bool  # older than the pod's last Ready transition: it proves nothing


def complaint(case: Case, pod: Pod, container: Container, probe: Probe, kind: str) -> Complaint | None:
    """What the kubelet said last of the ``kind`` ("Readiness", "Startup") probe of ``container``."""
    condition = pod.condition("Ready")
    since = condition.last_transition_time if condition else None
    lead = timedelta() if pod.ready else budget(probe) + SLACK
    for event in case.events_of("Pod", pod.name, "Unhealthy"):
        if not event.message.startswith(kind) or not _about(pod, container, probe, event):
            continue
        seen = event.last_seen
        stale = since is not None and seen is not None and since - seen > lead
        return Complaint(event, meaning(event.message), stale)
    return None


def _about(pod: Pod, container: Container, probe: Probe, event: Event) -> bool:
    """Whether an event means this container; of several probed ones its message or its field path must tell."""
    path = event.involved_object.field_path
    if path:
        return f"{{{container.name}}}" in path
    rivals = [c for c in pod.spec.servers if c.readiness_probe is not None]
    number = probe_port(container, probe)
    return len(rivals) < 2 or number is None or f":{number}" in event.message


def spoken(probe: Probe) -> str:
    """A probe as its spec says it: ``GET http :8080/healthz every 10 s, 3 failures, 1 s to answer``."""
    if probe.http_get:
        action = probe.http_get
        what = f"GET {action.scheme.lower()}://{action.host or '<pod>'}:{action.port}{action.path or '/'}"
    elif probe.tcp_socket:
        what = f"TCP connect to {probe.tcp_socket.host or '<pod>'}:{probe.tcp_socket.port}"
    elif probe.grpc:
        what = f"gRPC health of {probe.grpc.service or 'the server'} on <pod>:{probe.grpc.port}"
    elif probe.exec:
        what = f"exec {redact.text(' '.join(each(probe.exec.command)))}"
    else:
        what = "no handler"
    patience = f"{probe.failure_threshold} failures, {probe.timeout_seconds} s to answer"
    return f"{what}, every {probe.period_seconds} s, {patience}"


def evidence_of(
    case: Case, pod: Pod, container: Container, probe: Probe, said: Complaint | None, kind: str
) -> list[Evidence]:
    place = source(pod, f"spec.containers[{container.name}]")
    field = "startupProbe" if kind == "Startup" else "readinessProbe"
    listens = some((f"{p.name} {p.container_port}/{p.protocol}".lstrip() for p in container.ports), 5)
    found = [
        Evidence(f"{place}.{field}", spoken(probe)),
        Evidence(f"{place}.ports", listens or "none declared"),
    ]
    if said is None:
        kept = case.need("events")
        found.append(
            Evidence("Events", "could not be read" if kept else "none about this probe (they are kept an hour)")
        )
    elif said.stale:
        old = told(case, said.event)
        found.append(Evidence(old.source, f"older than the last Ready transition, proves nothing: {old.fact}"))
    else:
        found.append(told(case, said.event))
    return found


def by_hand(pod: Pod, container: Container, probe: Probe, number: int | None) -> str:
    """The command that asks what the probe asks."""
    if probe.exec:
        return kubectl(
            pod.namespace,
            "exec",
            pod.name,
            "-c",
            container.name,
            "--",
            *redact.command_line(list(each(probe.exec.command))),
        )
    if number is None:
        return kubectl(pod.namespace, "describe", "pod", pod.name)
    return kubectl(pod.namespace, "port-forward", f"pod/{pod.name}", f"{number}:{number}")
