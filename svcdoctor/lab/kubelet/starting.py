"""Starting a container: back-off, image, configuration, create, start - with the events and errors of each step.

Source: pkg/kubelet/kuberuntime (kuberuntime_manager.go, kuberuntime_container.go) and pkg/kubelet/images of
Kubernetes 1.36.
"""

from collections.abc import Generator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from ..images import Image, InvalidName, Launch, Program, PullFailed
from ..images.program import crashed
from ..images.reference import Reference
from ..images.registry import HANDSHAKE, pull_seconds
from .backoff import go_duration
from .containers import Container
from .environment import Unresolved, environment, expand
from .instance import Instance

if TYPE_CHECKING:
    from .worker import PodWorker

Json = dict[str, Any]

CREATE = 0.1
"""Seconds that a runtime needs to create and start a container."""


class Failed(Struct, frozen=True):
    """Why a container was not started; ``until`` is when its back-off ends."""

    reason: str
    message: str
    until: datetime | None = None


class _Stopped(Exception):
    def __init__(self, reason: str, message: str, until: datetime | None = None) -> None:
        self.failed = Failed(reason, message, until)


def start(worker: "PodWorker", one: Container) -> Generator[float, None, Failed | None]:
    """Starts a container, yielding the seconds that pass meanwhile; why it was not started, None if it was."""
    try:
        _back_off(worker, one)
        image, reference = yield from _ensure_image(worker, one)
        launch = _configure(worker, one, image)
        yield CREATE
        _run(worker, one, image, reference, launch)
    except _Stopped as stopped:
        one.waits = (stopped.failed.reason, stopped.failed.message)
        return stopped.failed
    return None


def _back_off(worker: "PodWorker", one: Container) -> None:
    """doBackOff: a container that ended waits, each time longer."""
    now, ended = worker.now, one.ended(worker.now)
    if ended is None or ended.end is None:
        return
    wait = worker.backoff.holds(one.name, ended.end, now)
    if wait is None:
        worker.backoff.grow(one.name, ended.end, now)
        return
    pod = worker.full_name
    worker.tell(one, "Warning", "BackOff", f"Back-off restarting failed container {one.name} in pod {pod}")
    message = f"back-off {go_duration(wait.total_seconds())} restarting failed container={one.name} pod={pod}"
    raise _Stopped("CrashLoopBackOff", message, ended.end + wait)


def _ensure_image(worker: "PodWorker", one: Container) -> Generator[float, None, tuple[Image, Reference]]:
    """EnsureImageExists."""
    node, name = worker.node, one.spec["image"]
    policy = one.spec.get("imagePullPolicy", "IfNotPresent")
    found: tuple[Image, Reference] | None = None
    refusal = ""
    try:
        found = node.images.find(name)
    except InvalidName as error:
        message = f'Failed to apply default image tag "{name}": couldn\'t parse image name "{name}": {error}'
        worker.tell(one, "Warning", "InspectFailed", message)
        raise _fails(worker, one, "InvalidImageName", message) from None
    except PullFailed as error:
        refusal = str(error)
    present = found is not None and node.has(found[0])
    if policy == "Never" and not present:
        message = f'Container image "{name}" is not present with pull policy of Never'
        worker.tell(one, "Warning", "ErrImageNeverPull", message)
        raise _fails(worker, one, "ErrImageNeverPull", message)
    if found is not None and present and policy != "Always":
        message = f'Container image "{name}" already present on machine and can be accessed by the pod'
        worker.tell(one, "Normal", "Pulled", message)
        return found
    return (yield from _pull(worker, one, found, present, refusal))


def _pull(
    worker: "PodWorker", one: Container, found: tuple[Image, Reference] | None, present: bool, refusal: str
) -> Generator[float, None, tuple[Image, Reference]]:
    name = one.spec["image"]
    if worker.pulls.holds_since_update(name, worker.now):
        worker.tell(one, "Normal", "BackOff", f'Back-off pulling image "{name}"')
        message = f'Back-off pulling image "{name}": ErrImagePull: {worker.pull_errors.get(name, "")}'
        raise _fails(worker, one, "ImagePullBackOff", message)
    worker.tell(one, "Normal", "Pulling", f'Pulling image "{name}"')
    took = HANDSHAKE if found is None or present else round(pull_seconds(found[0]), 3)
    yield took
    if found is None:
        worker.tell(one, "Warning", "Failed", f'Failed to pull image "{name}": {refusal}')
        worker.pulls.grow(name, worker.now, worker.now)
        worker.pull_errors[name] = refusal
        raise _fails(worker, one, "ErrImagePull", refusal)
    worker.node.keep(found[0])
    took_text = go_duration(took)
    message = f'Successfully pulled image "{name}" in {took_text} ({took_text} including waiting). '
    worker.tell(one, "Normal", "Pulled", f"{message}Image size: {found[0].size} bytes.")
    return found


def _fails(worker: "PodWorker", one: Container, reason: str, message: str, said: str = "") -> _Stopped:
    worker.tell(one, "Warning", "Failed", f"Error: {said or reason}")
    return _Stopped(reason, message)


def _configure(worker: "PodWorker", one: Container, image: Image) -> Launch:
    """generateContainerConfig: the command line and the environment."""
    try:
        return launch_of(worker, one.spec, image)
    except Unresolved as error:
        raise _fails(worker, one, "CreateContainerConfigError", str(error), str(error)) from None


def launch_of(worker: "PodWorker", spec: Json, image: Image) -> Launch:
    """Raises Unresolved."""
    addresses = [{"ip": address} for address in worker.addresses]
    pod = {**worker.pod, "status": {**(worker.pod.get("status") or {}), "podIPs": addresses}}
    blank = Launch((), {}, pod, spec["name"])
    env = environment(worker.node.store, pod, spec, worker.addresses, blank.hostname)
    words = image.argv(spec.get("command") or (), spec.get("args") or ())
    return Launch(tuple(expand(word, env) for word in words), env, pod, spec["name"])


def _run(worker: "PodWorker", one: Container, image: Image, reference: Reference, launch: Launch) -> None:
    program = _fitting(worker, image.run(launch))
    restarts = one.latest.restarts + 1 if one.latest else 0
    made = Instance(
        worker.uid, launch, program, f"{reference.repository}@{image.digest(reference.tag)}", restarts, worker.now
    )
    worker.tell(one, "Normal", "Created", "Container created")
    one.add(made)
    if program.cannot_start:
        raise _fails(worker, one, "RunContainerError", program.cannot_start, program.cannot_start)
    worker.tell(one, "Normal", "Started", "Container started")


def _fitting(worker: "PodWorker", program: Program) -> Program:
    """The program, or what becomes of it where another one has its port already."""
    taken = [socket for other in worker.neighbours() for socket in other.program.sockets]
    for socket in program.sockets:
        if any(socket.clashes(other) for other in taken):
            where = f"{'' if socket.address == '::' else socket.address}:{socket.port}"
            return crashed(f"listen {socket.protocol.lower()} {where}: bind: address already in use")
    return program


def stop(one: Container, now: datetime, grace: float) -> datetime | None:
    """Ends a running container: its preStop hook, SIGTERM, SIGKILL; when it will have ended."""
    running = one.running(now)
    if running is None:
        return None
    hook = min(_hook_seconds(one.spec), grace)
    running.kill(now + timedelta(seconds=hook), now + timedelta(seconds=max(grace, hook)))
    return running.end


def _hook_seconds(spec: Json) -> float:
    """How long a preStop hook takes: as long as it sleeps."""
    hook = (spec.get("lifecycle") or {}).get("preStop") or {}
    if "sleep" in hook:
        return float(hook["sleep"].get("seconds", 0))
    words = " ".join((hook.get("exec") or {}).get("command") or ()).split()
    if "sleep" in [word.rpartition("/")[2] for word in words]:
        after = words[[word.rpartition("/")[2] for word in words].index("sleep") + 1 :]
        return float(after[0].rstrip("s;")) if after and after[0].rstrip("s;").replace(".", "", 1).isdigit() else 0.0
    return 0.0
