"""Containers that do not run: images, crashes, configuration, ports that two of them want."""

import re

from ...model.case import Case
from ...model.diagnosis import Confidence, Evidence, Fix, Rule, RuledOut, Severity
from ...model.pod import Container, ContainerStateTerminated, ContainerStatus, Pod
from ..listening import command_line
from ..placing import told
from ..words import ago, count, kubectl, quote, source
from .trouble import Failing, Trouble

SIDECAR_PORT_CLASH = Rule(
    "SVC311",
    "sidecar-port-clash",
    Severity.ERROR,
    "readiness",
    "Two containers of a pod want the same port; the later one can't bind it and never gets ready.",
    "Containers of a pod share one network namespace, so a port can be taken once.",
    "Move one of them to another port.",
)
CRASH_LOOP = Rule(
    "SVC312",
    "crash-loop",
    Severity.ERROR,
    "readiness",
    "A container ends again and again, so its pod is never ready.",
    "The process exits: a wrong flag or file, a missing dependency, too little memory, a failing liveness probe.",
    "Read the log of its last run and mend what it says.",
)
IMAGE_PULL = Rule(
    "SVC313",
    "image-pull",
    Severity.ERROR,
    "readiness",
    "A container's image can't be had, so it never starts.",
    "The name or tag does not exist, the registry wants credentials, or the pull policy forbids fetching it.",
    "Correct the image, or give the pod an imagePullSecret.",
)
CONTAINER_NOT_STARTING = Rule(
    "SVC316",
    "container-not-starting",
    Severity.ERROR,
    "readiness",
    "A container can't be created.",
    "A ConfigMap, Secret, volume or security setting that it needs is missing or refused.",
    "Supply what the message names.",
)
RULES = (SIDECAR_PORT_CLASH, CRASH_LOOP, IMAGE_PULL, CONTAINER_NOT_STARTING)

IMAGE_REASONS = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "ErrImageNeverPull",
        "InvalidImageName",
        "ImageInspectError",
        "RegistryUnavailable",
        "SignatureValidationFailed",
    }
)
CREATE_REASONS = frozenset(
    {
        "CreateContainerConfigError",
        "CreateContainerError",
        "RunContainerError",
        "PreCreateHookError",
        "PreStartHookError",
        "PostStartHookError",
        "StartError",
        "ContainerCannotRun",
    }
)
STUCK_REASONS = ("FailedMount", "FailedAttachVolume", "Failed")
"""Events that explain a container which stays in ContainerCreating."""

ADDRESS_IN_USE = re.compile(r"EADDRINUSE|address already in use|port is already allocated", re.IGNORECASE)
PORT_FLAG = re.compile(r"(?<!\S)--?(?:(?:http|https|grpc|listen|web|server|bind)[-.]?)?port[= ](\d{2,5})\b")
LAST_LINES = 3


def trouble(case: Case, pod: Pod, failing: Failing) -> Trouble | None:
    """What keeps a container from running; None when it runs, or is only on its way."""
    status = failing.status
    if status is None:
        return None
    waiting = status.state.waiting
    if waiting is not None and waiting.reason in IMAGE_REASONS:
        return _image_pull(case, pod, failing)
    if _crashes(pod, status):
        return _crash(case, pod, failing, status)
    if waiting is not None and waiting.reason in CREATE_REASONS:
        return _not_starting(case, pod, failing, waiting.reason, waiting.message)
    if waiting is not None:
        stuck = next((e for reason in STUCK_REASONS for e in case.events_of("Pod", pod.name, reason)), None)
        if stuck is not None:
            return _not_starting(case, pod, failing, stuck.reason, stuck.message)
    return None


def _crashes(pod: Pod, status: ContainerStatus) -> bool:
    waiting, ended = status.state.waiting, status.state.terminated
    if waiting is not None and waiting.reason == "CrashLoopBackOff":
        return True
    return ended is not None and (
        status.restart_count > 0 or ended.exit_code != 0 or pod.spec.restart_policy == "Always"
    )


def _name(failing: Failing) -> str:
    return f"{'init container' if failing.init else 'container'} {failing.container.name}"


def _state(pod: Pod, failing: Failing) -> str:
    kind = "initContainerStatuses" if failing.container in pod.spec.init_containers else "containerStatuses"
    return source(pod, f"status.{kind}[{failing.container.name}]")


def _image_pull(case: Case, pod: Pod, failing: Failing) -> Trouble:
    waiting = failing.status.state.waiting if failing.status else None
    reason = waiting.reason if waiting else ""
    evidence = [Evidence(source(pod, f"spec.containers[{failing.container.name}].image"), failing.container.image)]
    evidence.append(quote(_state(pod, failing), f"waiting: {reason}" + (f": {waiting.message}" if waiting else "")))
    pulls = (e for e in case.events_of("Pod", pod.name, "Failed") if "pull" in e.message.lower())
    pull = next(pulls, None) or next(iter(case.events_of("Pod", pod.name, "ErrImageNeverPull")), None)
    if pull is not None:
        evidence.append(told(case, pull))
    return Trouble(
        IMAGE_PULL,
        f"{_name(failing)} waits for image {failing.container.image} ({reason})",
        tuple(evidence),
        Fix(
            "Correct the image or its credentials on the workload, after reading the full message.",
            kubectl(pod.namespace, "describe", "pod", pod.name),
        ),
        ruled_out=(RuledOut(CRASH_LOOP.name, "the container has never started"),),
    )


def _not_starting(case: Case, pod: Pod, failing: Failing, reason: str, message: str) -> Trouble:
    return Trouble(
        CONTAINER_NOT_STARTING,
        f"{_name(failing)} can't be created ({reason})",
        (quote(_state(pod, failing), f"{reason}: {message}" if message else reason),),
        Fix("Supply what the message names.", kubectl(pod.namespace, "describe", "pod", pod.name)),
        ruled_out=(RuledOut(IMAGE_PULL.name, "no image is being waited for"),),
    )


# ------------------------------------------------------------------------------------------------------------- crashes


def _crash(case: Case, pod: Pod, failing: Failing, status: ContainerStatus) -> Trouble:
    ended = status.last_state.terminated or status.state.terminated
    current = status.state.terminated or ended
    log = case.snapshot.logs.get((pod.namespace, pod.name, failing.container.name), "")
    evidence = [Evidence(_state(pod, failing), _history(case, status, current))]
    killed = next((e for e in case.events_of("Pod", pod.name, "Killing") if "failed liveness probe" in e.message), None)
    if killed is not None:
        evidence.append(told(case, killed))
    if current is not None and current.message:
        evidence.append(quote(f"{_state(pod, failing)}: termination message", current.message))
    if log.strip():
        tail = " | ".join(line.strip() for line in log.strip().splitlines()[-LAST_LINES:])
        evidence.append(quote(f"Log of the last run of {failing.container.name}", tail))
    clash = _clash(pod, failing, f"{log}\n{current.message if current else ''}")
    if clash is not None:
        return _port_clash(pod, failing, clash, evidence)
    return Trouble(
        CRASH_LOOP,
        f"{_name(failing)} ends again and again ({_ending(current)})",
        tuple(evidence),
        Fix(
            _advice(current, killed is not None),
            kubectl(pod.namespace, "logs", pod.name, "-c", failing.container.name, "--previous"),
        ),
        ruled_out=(
            RuledOut(IMAGE_PULL.name, "the container has started before"),
            RuledOut("probe-failing", "the container does not stay up long enough to be probed")
            if killed is None
            else RuledOut("node-notready", "the kubelet itself stops the container"),
        ),
        gap=next((gap for gap in case.snapshot.gaps if gap.what.endswith(f"/pods/{pod.name}/log")), None),
    )


def _history(case: Case, status: ContainerStatus, ended: ContainerStateTerminated | None) -> str:
    state = status.state.waiting.reason if status.state.waiting else "terminated"
    last = f", last ended {ago(case.age(ended.finished_at))} ago with {_ending(ended)}" if ended else ""
    return f"{state}, {count(status.restart_count, 'restart')}{last}"


def _ending(ended: ContainerStateTerminated | None) -> str:
    if ended is None:
        return "no exit code known"
    reason = f" {ended.reason}" if ended.reason not in ("", "Error") else ""
    return f"exit code {ended.exit_code}{reason}"


def _advice(ended: ContainerStateTerminated | None, killed: bool) -> str:
    if killed:
        return "The kubelet kills it: its liveness probe fails. See whether the probe or the application is wrong."
    if ended is not None and ended.reason == "OOMKilled":
        return "It ran out of memory: raise its memory limit, or make it need less."
    if ended is not None and ended.exit_code == 0:
        return "It ends by itself without an error: a server must stay in the foreground. Look at its command."
    return "Read what it said before it ended, and mend that."


def _clash(pod: Pod, failing: Failing, said: str) -> str | None:
    """The container that holds the port which ``failing`` wants, as far as declared ports or words tell."""
    if said.strip() and not ADDRESS_IN_USE.search(said):
        return None
    mine = _wanted(failing.container)
    for other in pod.spec.servers:
        if other.name != failing.container.name and mine & _wanted(other):
            return other.name
    if not said.strip():
        return None
    others = [other.name for other in pod.spec.servers if other.name != failing.container.name]
    return others[0] if len(others) == 1 else "another process"


def _wanted(container: Container) -> set[tuple[int, str]]:
    """The ports that a container says it takes: declared ones, and those of flags such as ``--http-port=8080``."""
    declared = {(port.container_port, port.protocol) for port in container.ports}
    flagged = {(int(number), "TCP") for number in PORT_FLAG.findall(command_line(container))}
    return declared | flagged


def _port_clash(pod: Pod, failing: Failing, other: str, evidence: list[Evidence]) -> Trouble:
    evidence += [
        Evidence(
            source(pod, f"spec.containers[{container.name}].ports"),
            ", ".join(str(p.container_port) for p in container.ports),
        )
        for container in pod.spec.servers
        if container.name in (failing.container.name, other) and container.ports
    ]
    return Trouble(
        SIDECAR_PORT_CLASH,
        f"{_name(failing)} wants a port that {other} holds",
        tuple(evidence),
        Fix(
            f"Move {failing.container.name} or {other} to another port.",
            kubectl(pod.namespace, "logs", pod.name, "-c", failing.container.name, "--previous"),
        ),
        Confidence.LIKELY,
        (RuledOut(IMAGE_PULL.name, "the container has started before"),),
    )
