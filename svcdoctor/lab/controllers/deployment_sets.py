"""What a Deployment's ReplicaSets are made of, and what their annotations say.

Source: pkg/controller/deployment/util/deployment_util.go of Kubernetes 1.36.
"""

from collections.abc import Sequence
from typing import Any

from ..clock import parse_stamp
from .objects import owner_reference, stable_hash
from .rollout import DESIRED, MAXIMUM, Size, bounds

Json = dict[str, Any]

HASH = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
HISTORY = "deployment.kubernetes.io/revision-history"
OWN_NOTES = ("kubectl.kubernetes.io/last-applied-configuration", REVISION, HISTORY, DESIRED, MAXIMUM)


def recreates(spec: Json) -> bool:
    return bool((spec.get("strategy") or {}).get("type", "RollingUpdate") == "Recreate")


def new_set(deployment: Json, replicas: int, revision: int) -> Json:
    meta, template = deployment["metadata"], deployment["spec"]["template"]
    collisions = (deployment.get("status") or {}).get("collisionCount")
    digest = stable_hash([template, collisions] if collisions else template)
    labels = {**(template.get("metadata") or {}).get("labels", {}), HASH: digest}
    selector = deployment["spec"]["selector"]
    spec = {
        "replicas": replicas,
        "selector": {**selector, "matchLabels": {**(selector.get("matchLabels") or {}), HASH: digest}},
        "template": {**template, "metadata": {**(template.get("metadata") or {}), "labels": labels}},
    }
    quiet = deployment["spec"].get("minReadySeconds")
    made = {
        "name": f"{meta['name']}-{digest}",
        "namespace": meta["namespace"],
        "labels": labels,
        "annotations": {**own_annotations(deployment), REVISION: str(revision)},
        "ownerReferences": [owner_reference(deployment)],
    }
    return {"metadata": made, "spec": spec | ({"minReadySeconds": quiet} if quiet else {})}


def same_template(replicaset: Json, deployment: Json) -> bool:
    """EqualIgnoreHash."""
    theirs, ours = replicaset["spec"]["template"], deployment["spec"]["template"]
    meta = dict(theirs.get("metadata") or {})
    meta["labels"] = {key: value for key, value in (meta.get("labels") or {}).items() if key != HASH}
    own = {**(ours.get("metadata") or {}), "labels": (ours.get("metadata") or {}).get("labels") or {}}

    return bool(theirs["spec"] == ours["spec"] and meta == own)


def own_annotations(deployment: Json) -> Json:
    """What a ReplicaSet takes over of its Deployment's annotations, and what it is told of sizes."""
    given = deployment["metadata"].get("annotations") or {}
    return {key: value for key, value in given.items() if key not in OWN_NOTES} | sizes_of(deployment)


def sizes_of(deployment: Json) -> Json:
    allowed = bounds(deployment["spec"])
    return {DESIRED: str(allowed.desired), MAXIMUM: str(allowed.maximum if allowed.desired else 0)}


def annotated(obj: Json, notes: Json) -> Json:
    return {**obj, "metadata": {**obj["metadata"], "annotations": notes}}


def annotation(obj: Json, name: str, default: int = 0) -> int:
    text = (obj["metadata"].get("annotations") or {}).get(name, "")
    return int(text) if text.isdigit() else default


def revision_of(replicaset: Json) -> int:
    return annotation(replicaset, REVISION)


def next_revision(sets: Sequence[Json]) -> int:
    return max((revision_of(one) for one in sets), default=0) + 1


def size_of(replicaset: Json) -> Size:
    return Size(replicaset["spec"].get("replicas", 1), (replicaset.get("status") or {}).get("availableReplicas", 0))


def is_saturated(deployment: Json, replicaset: Json) -> bool:
    desired = deployment["spec"].get("replicas", 1)
    told = annotation(replicaset, DESIRED, -1)
    return size_of(replicaset) == Size(desired, desired) and bool(told == desired)


def age(replicaset: Json) -> tuple[Any, str]:
    meta = replicaset["metadata"]
    return parse_stamp(meta["creationTimestamp"]), meta["name"]


def updated(sets: list[Json], one: Json | None) -> list[Json]:
    """``sets`` with ``one`` in its new version."""
    if one is None:
        return sets
    return [one if other["metadata"]["uid"] == one["metadata"]["uid"] else other for other in sets]
