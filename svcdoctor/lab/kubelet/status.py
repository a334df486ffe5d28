"""A pod's status as its kubelet writes it: pure, from the spec and what runs.

Source: pkg/kubelet/kubelet_pods.go (generateAPIPodStatus, convertToAPIContainerStatuses) of Kubernetes 1.36.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from ..clock import stamp
from .conditions import conditions, dated
from .containers import Container, Containers
from .instance import Instance

Json = dict[str, Any]

EPOCH = "1970-01-01T00:00:00Z"


class Place(Struct, frozen=True):
    """Where a pod runs: the node's addresses, the pod's own, whether its sandbox is there, and since when."""

    hosts: Sequence[str]
    addresses: Sequence[str]
    sandbox: bool
    since: str


def pod_status(pod: Json, containers: Containers, place: Place, now: datetime) -> Json:
    """The whole status; what others wrote into it stays."""
    before = pod.get("status") or {}
    ended = before.get("phase") in ("Succeeded", "Failed")
    phase = str(before["phase"]) if ended else containers.phase(now)
    default = "PodInitializing" if containers.inits else "ContainerCreating"
    inits = [_container(one, containers, "PodInitializing", now) for one in containers.inits]
    mains = [_container(one, containers, default, now) for one in sorted(containers.mains, key=lambda one: one.name)]
    generation = pod["metadata"].get("generation", 1)
    found = conditions(pod, phase, inits, mains, place.sandbox)
    status = {
        **before,
        "conditions": dated(found, before.get("conditions") or (), generation, stamp(now)),
        "containerStatuses": mains,
        "hostIP": place.hosts[0],
        "hostIPs": [{"ip": address} for address in place.hosts],
        "observedGeneration": generation,
        "phase": phase,
        "resources": {},
        "startTime": before.get("startTime") or place.since,
    }
    status |= {"initContainerStatuses": inits} if inits else {}
    if containers.ephemerals:
        debugging = [_container(one, containers, "ContainerCreating", now) for one in containers.ephemerals]
        status["ephemeralContainerStatuses"] = [_without(one, "started") | {"ready": False} for one in debugging]
    if place.addresses:
        status |= {"podIP": place.addresses[0], "podIPs": [{"ip": address} for address in place.addresses]}
    return status


def _container(one: Container, containers: Containers, default: str, now: datetime) -> Json:
    latest, spec = one.latest, one.spec
    state, last = _states(one, containers, default, now)
    made: Json = {
        "name": one.name,
        "image": spec["image"],
        "imageID": latest.image_id if latest else "",
        "lastState": last,
        "ready": one.ready(now),
        "restartCount": latest.restarts if latest else 0,
        "started": one.started(now),
        "state": state,
    }
    if latest is not None:
        made |= {"containerID": latest.id, "resources": _resources(spec)}
        requests = made["resources"].get("requests")
        made |= {"allocatedResources": requests} if requests else {}
    mounts = [_mount(mount) for mount in spec.get("volumeMounts") or ()]
    return made | ({"volumeMounts": mounts} if mounts else {})


def _states(one: Container, containers: Containers, default: str, now: datetime) -> tuple[Json, Json]:
    """state and lastState. A run that ended is what it is until the next start of it has failed."""
    latest = one.latest
    last = _terminated(one.runs[0], now) if len(one.runs) > 1 else {}
    if latest is None:
        reason, message = one.waits or (default, "")
        return {"waiting": {"reason": reason} | ({"message": message} if message else {})}, {}
    if latest.runs(now):
        return {"running": {"startedAt": stamp(latest.started)}}, last
    if one.waits is not None and one.should_restart(containers.policy, now):
        reason, message = one.waits
        return {"waiting": {"reason": reason, "message": message}}, _terminated(latest, now)
    return _terminated(latest, now), last


def _terminated(run: Instance, now: datetime) -> Json:
    end = run.end or now
    never = run.reason == "StartError"
    made = {
        "containerID": run.id,
        "exitCode": run.code,
        "finishedAt": stamp(end),
        "reason": run.reason,
        "startedAt": EPOCH if never else stamp(run.started),
    }
    return {"terminated": made | ({"message": run.message} if run.message else {})}


def _resources(spec: Json) -> Json:
    """As they are in force: where only limits were given, requests are the same."""
    return {kind: amounts for kind, amounts in (spec.get("resources") or {}).items() if amounts and kind != "claims"}


def _mount(mount: Json) -> Json:
    made = {"mountPath": mount["mountPath"], "name": mount["name"]}
    return made | ({"readOnly": True, "recursiveReadOnly": "Disabled"} if mount.get("readOnly") else {})


def _without(given: Json, field: str) -> Json:
    return {key: value for key, value in given.items() if key != field}
