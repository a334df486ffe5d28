"""The row of a pod: what its many statuses come down to in one word.

Source: printPod in pkg/printers/internalversion/printers.go.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from .table_cells import NONE, Cells, age, name, part, since

Json = dict[str, Any]


class Summary(Struct):
    """``reason`` is the STATUS column; the restarts are those of the containers that count."""

    reason: str
    ready: int = 0
    restarts: int = 0
    last_restart: str = ""  # a metav1.Time; empty for never

    def count(self, container: Json) -> None:
        self.restarts += container.get("restartCount", 0)
        finished = part(container, "lastState", "terminated").get("finishedAt") or ""
        self.last_restart = max(self.last_restart, finished)


def pod_cells(pod: Json, now: datetime) -> Cells:
    spec, status = part(pod, "spec"), part(pod, "status")
    found = summarize(pod)
    total = len(spec.get("containers") or ()) + sum(map(_is_sidecar, spec.get("initContainers") or ()))
    restarts = str(found.restarts)
    if found.restarts and found.last_restart:
        restarts += f" ({since(found.last_restart, now)} ago)"
    addresses = status.get("podIPs") or [{"ip": status.get("podIP") or NONE}]
    return [
        *(name(pod), f"{found.ready}/{total}", found.reason, restarts, age(pod, now)),
        *(addresses[0]["ip"], spec.get("nodeName") or NONE, status.get("nominatedNodeName") or NONE),
        _gates(spec.get("readinessGates") or (), status.get("conditions") or ()),
    ]


def pod_conditions(pod: Json) -> list[Json] | None:
    """What a row says of a pod that is over; clients may hide such rows."""
    match part(pod, "status").get("phase"):
        case "Succeeded":
            reason, message = "Succeeded", "The pod has completed successfully."
        case "Failed":
            reason, message = "Failed", "The pod failed."
        case _:
            return None
    return [{"type": "Completed", "status": "True", "reason": reason, "message": message}]


def summarize(pod: Json) -> Summary:
    status = part(pod, "status")
    conditions = {one.get("type"): one for one in status.get("conditions") or ()}
    phase = status.get("phase") or ""
    found = Summary(status.get("reason") or phase)
    if part(conditions, "PodScheduled").get("reason") == "SchedulingGated":
        found.reason = "SchedulingGated"
    initializing, sidecars = _initializing(pod, found)
    if not initializing or part(conditions, "Initialized").get("status") == "True":
        found.restarts, found.last_restart = sidecars.restarts, sidecars.last_restart
        _running(status.get("containerStatuses") or (), found, part(conditions, "Ready").get("status") == "True")
    if pod["metadata"].get("deletionTimestamp"):
        if status.get("reason") == "NodeLost":
            found.reason = "Unknown"
        elif phase not in ("Succeeded", "Failed"):
            found.reason = "Terminating"
    return found


def _initializing(pod: Json, found: Summary) -> tuple[bool, Summary]:
    """Whether it still initializes, which ``found`` then says; and the sidecars' restarts."""
    declared = {one.get("name"): one for one in part(pod, "spec").get("initContainers") or ()}
    sidecars = Summary("")
    for index, container in enumerate(part(pod, "status").get("initContainerStatuses") or ()):
        found.count(container)
        sidecar = _is_sidecar(declared.get(container.get("name"), {}))
        if sidecar:
            sidecars.count(container)
        terminated = part(container, "state").get("terminated")
        if terminated is not None and terminated.get("exitCode", 0) == 0:
            continue
        if sidecar and container.get("started"):
            found.ready += bool(container.get("ready"))
            continue
        found.reason = f"Init:{_unfinished(container, index, len(declared))}"
        return True, sidecars
    return False, sidecars


def _unfinished(container: Json, index: int, total: int) -> str:
    terminated = part(container, "state").get("terminated")
    if terminated is not None:
        return terminated.get("reason") or _exit(terminated)
    waiting = part(container, "state", "waiting").get("reason")
    return waiting if waiting and waiting != "PodInitializing" else f"{index}/{total}"


def _running(containers: Sequence[Json], found: Summary, ready: bool) -> None:
    """The first container that has something to say has the word."""
    running = False
    for container in reversed(containers):
        found.count(container)
        state = part(container, "state")
        terminated = state.get("terminated")
        if part(state, "waiting").get("reason"):
            found.reason = state["waiting"]["reason"]
        elif terminated is not None:
            found.reason = terminated.get("reason") or _exit(terminated)
        elif container.get("ready") and state.get("running") is not None:
            running = True
            found.ready += 1
    if found.reason == "Completed" and running:
        found.reason = "Running" if ready else "NotReady"


def _exit(terminated: Json) -> str:
    signal = terminated.get("signal")
    return f"Signal:{signal}" if signal else f"ExitCode:{terminated.get('exitCode', 0)}"


def _is_sidecar(container: Json) -> bool:
    return container.get("restartPolicy") == "Always"


def _gates(gates: Sequence[Json], conditions: Sequence[Json]) -> str:
    if not gates:
        return NONE
    true = {one.get("type") for one in conditions if one.get("status") == "True"}
    return f"{sum(gate.get('conditionType') in true for gate in gates)}/{len(gates)}"
