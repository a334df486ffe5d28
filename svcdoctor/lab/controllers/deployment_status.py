"""What a Deployment says of itself: counts and the conditions Available, Progressing and ReplicaFailure.

Source: pkg/controller/deployment/{sync,progress}.go and util/deployment_util.go of Kubernetes 1.36.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from ..clock import parse_stamp, stamp
from .objects import find_condition, without_zeros
from .rollout import bounds

Json = dict[str, Any]

COMPLETE = "NewReplicaSetAvailable"
TIMED_OUT = "ProgressDeadlineExceeded"
NO_DEADLINE = 2**31 - 1


def status_of(deployment: Json, sets: Sequence[Json], newest: Json | None, now: datetime) -> Json:
    """The status, from the statuses of the ReplicaSets; ``newest`` is the one of the present template."""
    counts = _counts(deployment, sets, newest)
    status = {"conditions": list((deployment.get("status") or {}).get("conditions") or ()), **counts}
    available = counts["availableReplicas"] >= bounds(deployment["spec"]).minimum
    if available:
        condition = ("Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    else:
        reason, message = "MinimumReplicasUnavailable", "Deployment does not have minimum availability."
        condition = ("Available", "False", reason, message)
    set_condition(status, *condition, now)
    return without_zeros(status, ("terminatingReplicas",))


def _counts(deployment: Json, sets: Sequence[Json], newest: Json | None) -> Json:
    def total(field: str, among: Sequence[Json] = sets) -> int:
        return sum((one.get("status") or {}).get(field, 0) for one in among)

    asked = sum(one["spec"].get("replicas", 1) for one in sets)
    counts = {
        "observedGeneration": deployment["metadata"].get("generation", 1),
        "replicas": total("replicas"),
        "updatedReplicas": total("replicas", [newest] if newest else []),
        "readyReplicas": total("readyReplicas"),
        "availableReplicas": total("availableReplicas"),
        "unavailableReplicas": max(asked - total("availableReplicas"), 0),
        "terminatingReplicas": total("terminatingReplicas"),
    }
    collisions = (deployment.get("status") or {}).get("collisionCount")
    return counts | ({"collisionCount": collisions} if collisions is not None else {})


def is_complete(deployment: Json, status: Json) -> bool:
    """Every pod is of the present template and available, and no other is left."""
    desired = deployment["spec"].get("replicas", 1)
    return all(status.get(field, 0) == desired for field in ("updatedReplicas", "replicas", "availableReplicas"))


def progress(deployment: Json, status: Json, newest: Json | None, now: datetime) -> None:
    """Brings the condition Progressing up to date in ``status``."""
    spec, known = deployment["spec"], find_condition(deployment, "Progressing")
    if spec.get("progressDeadlineSeconds", 600) == NO_DEADLINE:
        status["conditions"] = [one for one in status["conditions"] if one["type"] != "Progressing"]
        return
    done = known is not None and known["reason"] == COMPLETE
    if done and status.get("replicas", 0) == status.get("updatedReplicas", 0):
        return
    if known is not None and known["reason"] == "DeploymentPaused":
        set_condition(status, "Progressing", "Unknown", "DeploymentResumed", "Deployment is resumed", now)
    name = newest["metadata"]["name"] if newest else None
    what = f'ReplicaSet "{name}"' if name else f'Deployment "{deployment["metadata"]["name"]}"'
    if is_complete(deployment, status):
        set_condition(status, "Progressing", "True", COMPLETE, f"{what} has successfully progressed.", now)
    elif _moves(deployment.get("status") or {}, status):
        since = known["lastTransitionTime"] if known and known["status"] == "True" else stamp(now)
        status["conditions"] = [one for one in status["conditions"] if one["type"] != "Progressing"]
        set_condition(status, "Progressing", "True", "ReplicaSetUpdated", f"{what} is progressing.", now, since)
    elif known is not None and (left := deadline(deployment)) is not None and left <= now:
        set_condition(status, "Progressing", "False", TIMED_OUT, f"{what} has timed out progressing.", now)


def pause(deployment: Json, status: Json, now: datetime) -> None:
    """What Progressing says of a rollout that somebody stopped; one that took too long stays so."""
    known = find_condition(deployment, "Progressing")
    if deployment["spec"].get("progressDeadlineSeconds", 600) == NO_DEADLINE or (
        known and known["reason"] == TIMED_OUT
    ):
        return
    set_condition(status, "Progressing", "Unknown", "DeploymentPaused", "Deployment is paused", now)


def _moves(old: Json, new: Json) -> bool:
    """Whether more pods are updated, ready or available than before, or fewer old ones are left."""
    grows = any(new.get(f, 0) > old.get(f, 0) for f in ("updatedReplicas", "readyReplicas", "availableReplicas"))
    before, after = (one.get("replicas", 0) - one.get("updatedReplicas", 0) for one in (old, new))
    return grows or after < before


def deadline(deployment: Json) -> datetime | None:
    """When an unfinished rollout will have taken too long; None where none is under way."""
    known = find_condition(deployment, "Progressing")
    if known is None or known["reason"] in (COMPLETE, TIMED_OUT, "DeploymentPaused"):
        return None
    allowed = deployment["spec"].get("progressDeadlineSeconds", 600)
    return parse_stamp(known["lastUpdateTime"]) + timedelta(seconds=allowed)


def set_condition(
    status: Json, kind: str, value: str, reason: str, message: str, now: datetime, since: str = ""
) -> None:
    """SetDeploymentCondition: a new one goes to the end; where status and reason stay, nothing changes."""
    known = next((one for one in status["conditions"] if one["type"] == kind), None)
    if known is not None and (known["status"], known["reason"]) == (value, reason):
        return
    if known is not None and known["status"] == value:
        since = known["lastTransitionTime"]
    made = {"type": kind, "status": value, "reason": reason, "message": message}
    made |= {"lastUpdateTime": stamp(now), "lastTransitionTime": since or stamp(now)}
    status["conditions"] = [*(one for one in status["conditions"] if one["type"] != kind), made]
