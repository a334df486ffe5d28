"""One pod's trouble: which rule it breaks, why, and where that was read."""

from msgspec import Struct

from ...model.diagnosis import Confidence, Evidence, Fix, Rule, RuledOut
from ...model.pod import Container, ContainerStatus, Pod
from ...model.snapshot import Gap


class Trouble(Struct, frozen=True):
    """Why one pod is not ready. Pods with equal ``rule`` and ``cause`` become one finding."""

    rule: Rule
    cause: str  # completes "2 of 3 pods are not ready: "
    evidence: tuple[Evidence, ...]
    fix: Fix
    confidence: Confidence = Confidence.CERTAIN
    ruled_out: tuple[RuledOut, ...] = ()
    gap: Gap | None = None  # what would have told more


class Failing(Struct, frozen=True):
    """A container that keeps its pod from being ready."""

    container: Container
    status: ContainerStatus | None
    init: bool = False


def failing_containers(pod: Pod) -> tuple[Failing, ...]:
    """The containers that are not ready: init containers that have not finished first, for they hold up the rest."""
    found = []
    for container in pod.spec.init_containers:
        status = pod.container_status(container.name)
        sidecar = container.restart_policy == "Always"
        done = status is not None and (status.ready or (not sidecar and _succeeded(status)))
        if not done and (status is not None or not pod.status.container_statuses):
            found.append(Failing(container, status, init=not sidecar))
    for container in pod.spec.containers:
        status = pod.container_status(container.name)
        if status is None or not status.ready:
            found.append(Failing(container, status))
    return tuple(found)


def _succeeded(status: ContainerStatus) -> bool:
    ended = status.state.terminated
    return ended is not None and ended.exit_code == 0
