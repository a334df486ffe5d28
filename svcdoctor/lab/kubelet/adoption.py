"""A kubelet takes over pods that ran before it looked.

What runs is read from their status, as a restarted one reads it from its runtime. A pod that is well needs nothing of
this until something happens to it.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..clock import parse_stamp
from ..controllers.objects import find_condition
from ..images import InvalidName, Launch, Program, PullFailed
from .containers import Container
from .environment import Unresolved
from .instance import Instance
from .starting import launch_of

if TYPE_CHECKING:
    from .worker import PodWorker

Json = dict[str, Any]


def adopt(worker: "PodWorker") -> None:
    """Sets the worker to where the pod's status says it is."""
    status = worker.pod.get("status") or {}
    if not status.get("startTime"):
        return
    ready = find_condition(worker.pod, "PodReadyToStartContainers")
    worker.addresses = tuple(one["ip"] for one in status.get("podIPs") or ()) or worker.addresses
    worker.sandbox = ready is not None and ready["status"] == "True"
    for field in ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"):
        for known in status.get(field) or ():
            one = worker.containers.named(known["name"])
            if one is not None:
                _take_over(worker, one, known)


def _take_over(worker: "PodWorker", one: Container, known: Json) -> None:
    waiting = known["state"].get("waiting")
    state = known["lastState"] if waiting else known["state"]
    runs = [] if waiting else [_run(worker, one, known, known["lastState"], known["restartCount"] - 1)]
    runs.append(_run(worker, one, known, state, known["restartCount"]))
    one.runs = [run for run in runs if run is not None]
    if waiting and waiting.get("message"):
        one.waits = (waiting["reason"], waiting["message"])
    if known["restartCount"]:
        worker.backoff.resume(one.name, known["restartCount"], worker.now)
    latest = one.latest
    if latest is None or not latest.runs(worker.now):
        return
    for kind, prober in one.probers.items():
        if kind == "liveness" or known["ready"] or (kind == "startup" and known.get("started")):
            prober.resume(latest, True)
        else:
            prober.attend(latest, worker.now)


def _run(worker: "PodWorker", one: Container, known: Json, state: Json, restarts: int) -> Instance | None:
    """The run that this state tells of."""
    running, ended = state.get("running"), state.get("terminated")
    if not running and not ended:
        return None
    launch, program = _program(worker, one)
    began = _moment(running or ended or {}, "startedAt", worker.now)
    made = Instance(worker.uid, launch, program, known.get("imageID", ""), restarts, began)
    made.seen_running = True
    if ended:
        made.seen_ended = True
        made.end = _moment(ended, "finishedAt", worker.now)
        made.code, made.reason = ended["exitCode"], ended.get("reason", "Error")
        made.message = ended.get("message", "")
    if running:
        made.id = known.get("containerID", made.id)
    elif ended and ended.get("containerID"):
        made.id = ended["containerID"]
    return made


def _program(worker: "PodWorker", one: Container) -> tuple[Launch, Program]:
    """What it must be running, by its spec; where that can't be said any more, something that just runs."""
    try:
        image, _ = worker.node.images.find(one.spec["image"])
        launch = launch_of(worker, one.spec, image)
        return launch, image.run(launch)
    except (InvalidName, PullFailed, Unresolved):
        return Launch((), {}, worker.pod, one.name), Program()


def _moment(state: Json, field: str, default: datetime) -> datetime:
    return parse_stamp(state[field]) if state.get(field) else default
