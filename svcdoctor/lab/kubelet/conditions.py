"""A pod's conditions, as its kubelet derives them from its containers.

Source: pkg/kubelet/status/generate.go of Kubernetes 1.36.
"""

from collections.abc import Sequence
from typing import Any

Json = dict[str, Any]

OWN = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
"""What the kubelet writes, in its order; all others it leaves alone."""


def conditions(pod: Json, phase: str, inits: Sequence[Json], containers: Sequence[Json], sandbox: bool) -> list[Json]:
    """Those of others first, then its own; without times (`dated`)."""
    kept = [one for one in (pod.get("status") or {}).get("conditions") or () if one["type"] not in OWN]
    ready = _containers_ready(pod["spec"], phase, inits, containers)
    own = [
        {"type": "PodReadyToStartContainers", "status": str(sandbox)},
        {"type": "Initialized", **_initialized(pod["spec"], phase, inits, containers)},
        {"type": "Ready", **_ready(pod["spec"], ready, kept)},
        {"type": "ContainersReady", **ready},
        {"type": "PodScheduled", "status": "True"},
    ]
    return [*kept, *own]


def dated(new: Sequence[Json], old: Sequence[Json], generation: int, now: str) -> list[Json]:
    """With the moment since which each has its status; a condition that kept its status keeps its time."""
    before = {one["type"]: one for one in old}
    made = []
    for one in new:
        if one["type"] not in OWN:
            made.append(one)
            continue
        known = before.get(one["type"])
        same = known is not None and known["status"] == one["status"]
        since = known["lastTransitionTime"] if same and known else now
        made.append({**one, "lastProbeTime": None, "lastTransitionTime": since, "observedGeneration": generation})
    return made


def is_sidecar(container: Json) -> bool:
    """A native one: an init container that is never done."""
    return bool(container.get("restartPolicy") == "Always")


def _containers_ready(spec: Json, phase: str, inits: Sequence[Json], containers: Sequence[Json]) -> Json:
    ready = {status["name"]: status["ready"] for status in (*inits, *containers)}
    counted = [one["name"] for one in spec.get("initContainers") or () if is_sidecar(one)]
    counted += [one["name"] for one in spec["containers"]]
    unknown = [name for name in counted if name not in ready]
    if phase in ("Succeeded", "Failed") and not unknown:
        return {"status": "False", "reason": "PodCompleted" if phase == "Succeeded" else "PodFailed"}
    unready = [name for name in counted if name in ready and not ready[name]]
    said = [f"containers with unknown status: [{' '.join(unknown)}]"] if unknown else []
    said += [f"containers with unready status: [{' '.join(unready)}]"] if unready else []
    if said:
        return {"status": "False", "reason": "ContainersNotReady", "message": ", ".join(said)}
    return {"status": "True"}


def _ready(spec: Json, containers: Json, others: Sequence[Json]) -> Json:
    if containers["status"] != "True":
        return containers
    known = {one["type"]: one["status"] for one in others}
    said = []
    for gate in spec.get("readinessGates") or ():
        name = gate["conditionType"]
        if name not in known:
            said.append(f'corresponding condition of pod readiness gate "{name}" does not exist.')
        elif known[name] != "True":
            said.append(f'the status of pod readiness gate "{name}" is not "True", but {known[name]}')
    if said:
        return {"status": "False", "reason": "ReadinessGatesNotReady", "message": ", ".join(said)}
    return {"status": "True"}


def _initialized(spec: Json, phase: str, inits: Sequence[Json], containers: Sequence[Json]) -> Json:
    """Once a container has started, the init containers must have been through."""
    if phase == "Succeeded":
        return {"status": "True", "reason": "PodCompleted"}
    begun = any("running" in one["state"] or "terminated" in one["state"] or one["lastState"] for one in containers)
    by_name = {status["name"]: status for status in inits}
    incomplete = [one["name"] for one in spec.get("initContainers") or () if not _through(one, by_name)]
    if begun or not incomplete:
        return {"status": "True"}
    message = f"containers with incomplete status: [{' '.join(incomplete)}]"
    return {"status": "False", "reason": "ContainersNotInitialized", "message": message}


def _through(container: Json, statuses: dict[str, Json]) -> bool:
    status = statuses.get(container["name"])
    if status is None:
        return False
    if is_sidecar(container):
        return bool(status.get("started"))
    return bool(status["state"].get("terminated", {}).get("exitCode", 1) == 0)
