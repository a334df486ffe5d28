"""The Deployment controller: a ReplicaSet per template, rolled over within the bounds of the strategy.

Source: pkg/controller/deployment of Kubernetes 1.36.
"""

from collections.abc import Sequence
from typing import Any

from ..store import Exists, Store
from .deletion import delete
from .deployment_sets import (
    HISTORY,
    REVISION,
    age,
    annotated,
    annotation,
    is_saturated,
    new_set,
    next_revision,
    own_annotations,
    recreates,
    revision_of,
    same_template,
    size_of,
    sizes_of,
    updated,
)
from .deployment_status import deadline, is_complete, pause, progress, set_condition, status_of
from .events import EventRecorder
from .objects import DEPLOYMENTS, REPLICASETS, find_condition
from .owners import Owners
from .rollout import DESIRED, MAXIMUM, bounds, new_size, proportional, shrink_old

Json = dict[str, Any]


class DeploymentController(Owners):
    """Scales ReplicaSets up and down."""

    name = "deployment-controller"
    owners = DEPLOYMENTS
    parts = REPLICASETS

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._events = EventRecorder(store, self.name)

    def reconcile(self, key: Any) -> None:
        deployment = self.store.get(DEPLOYMENTS, *key)
        if deployment is None:
            return
        sets = sorted((stored.load() for stored in self.claim(deployment)), key=age)
        newest = next((one for one in sets if same_template(one, deployment)), None)
        if not deployment["metadata"].get("deletionTimestamp"):
            deployment, sets, newest = self._act(deployment, sets, newest)
        self._write_status(deployment, sets, newest)

    def _act(self, deployment: Json, sets: list[Json], newest: Json | None) -> tuple[Json, list[Json], Json | None]:
        """One step towards what is wanted; all three as they are after it."""
        spec = deployment["spec"]
        if spec.get("paused") or self._was_scaled(deployment, sets):
            if newest is not None:
                deployment, newest = self._name_revision(deployment, sets, newest)
            sets = self._scale_all(deployment, updated(sets, newest), newest)
        elif recreates(spec) and self._old_run(sets, newest):
            sets = [self._scale(deployment, one, 0) if one is not newest else one for one in sets]
        else:
            deployment, sets, newest = self._with_newest(deployment, sets, newest)
            sets = self._roll(deployment, sets, newest)
        newest = next((one for one in sets if same_template(one, deployment)), None)
        if newest is not None and is_complete(deployment, deployment.get("status") or {}):
            sets = self._forget_old(deployment, sets, newest)
        return deployment, sets, newest

    # -------------------------------------------------------------------------------------------------- the newest set

    def _with_newest(self, deployment: Json, sets: list[Json], newest: Json | None) -> tuple[Json, list[Json], Json]:
        """With a ReplicaSet of the present template, and the revision that it has."""
        if newest is None:
            newest, deployment = self._create(deployment, sets)
            sets = [*sets, newest]
        deployment, newest = self._name_revision(deployment, sets, newest)
        return deployment, updated(sets, newest), newest

    def _create(self, deployment: Json, sets: Sequence[Json]) -> tuple[Json, Json]:
        meta, spec = deployment["metadata"], deployment["spec"]
        total = sum(one["spec"].get("replicas", 1) for one in sets)
        while True:
            made = new_set(deployment, new_size(spec, 0, total), next_revision(sets))
            try:
                created = self.store.create(REPLICASETS, made)
                break
            except Exists:  # another template has that hash: the hash gets another ingredient
                status = deployment.get("status") or {}
                status = {**status, "collisionCount": status.get("collisionCount", 0) + 1}
                deployment = self.store.replace(DEPLOYMENTS, {**deployment, "status": status})
        name, count = created["metadata"]["name"], created["spec"]["replicas"]
        if count:
            message = f"Scaled up replica set {name} from 0 to {count}"
            self._events.record(deployment, "Normal", "ScalingReplicaSet", message)
        if not find_condition(deployment, "Progressing") and meta.get("uid"):
            status = {"conditions": [], **(deployment.get("status") or {})}
            text = f'Created new replica set "{name}"'
            set_condition(status, "Progressing", "True", "NewReplicaSetCreated", text, self.clock.now)
            deployment = self.store.replace(DEPLOYMENTS, {**deployment, "status": status})
        return created, deployment

    def _name_revision(self, deployment: Json, sets: Sequence[Json], newest: Json) -> tuple[Json, Json]:
        """The newest set has the highest revision, and the Deployment is of that revision."""
        others = [revision_of(one) for one in sets if one is not newest]
        notes = dict(newest["metadata"].get("annotations") or {})
        former = revision_of(newest)
        if former <= max(others, default=0):
            if former and HISTORY in notes:
                notes[HISTORY] = f"{notes[HISTORY]},{former}"
            elif former:
                notes[HISTORY] = str(former)
            notes[REVISION] = str(max(others, default=0) + 1)
        notes |= own_annotations(deployment)
        spec = {key: value for key, value in newest["spec"].items() if key != "minReadySeconds"}
        quiet = deployment["spec"].get("minReadySeconds")
        made = annotated({**newest, "spec": spec | ({"minReadySeconds": quiet} if quiet else {})}, notes)
        if made != newest:
            newest = self.store.replace(REPLICASETS, made)
        own = deployment["metadata"].get("annotations") or {}
        if own.get(REVISION) != notes[REVISION]:
            deployment = self.store.replace(DEPLOYMENTS, annotated(deployment, {**own, REVISION: notes[REVISION]}))
        return deployment, newest

    # --------------------------------------------------------------------------------------------------------- scaling

    def _roll(self, deployment: Json, sets: list[Json], newest: Json) -> list[Json]:
        """Up with the new set where there is room, else down with the old ones."""
        spec, wanted = deployment["spec"], newest["spec"].get("replicas", 1)
        total = sum(one["spec"].get("replicas", 1) for one in sets)
        size = spec.get("replicas", 1) if wanted > spec.get("replicas", 1) else new_size(spec, wanted, total)
        if size != wanted:
            return updated(sets, self._scale(deployment, newest, size))
        old = [one for one in sets if one is not newest]
        for one, left in zip(
            old, shrink_old(bounds(spec), size_of(newest), [size_of(one) for one in old]), strict=True
        ):
            sets = updated(sets, self._scale(deployment, one, left))
        return sets

    def _was_scaled(self, deployment: Json, sets: Sequence[Json]) -> bool:
        """Whether spec.replicas changed since the sets were last scaled."""
        for one in sets:
            desired = (one["metadata"].get("annotations") or {}).get(DESIRED)
            if one["spec"].get("replicas", 1) and desired is not None:
                return bool(desired != str(deployment["spec"].get("replicas", 1)))
        return False

    def _scale_all(self, deployment: Json, sets: list[Json], newest: Json | None) -> list[Json]:
        """Scaling without a rollout: of the one set in use, or of all of them in proportion."""
        allowed = bounds(deployment["spec"])
        used = [one for one in sets if one["spec"].get("replicas", 1)]
        if len(used) <= 1:
            target = used[0] if used else (newest or (sets[-1] if sets else None))
            return updated(sets, self._scale(deployment, target, allowed.desired)) if target else sets
        if newest is not None and is_saturated(deployment, newest):
            for one in used:
                sets = updated(sets, self._scale(deployment, one, 0)) if one is not newest else sets
            return sets
        if recreates(deployment["spec"]):
            return sets
        grows = (allowed.maximum if allowed.desired else 0) > sum(one["spec"]["replicas"] for one in used)
        order = sorted(used, key=lambda one: one["spec"]["replicas"], reverse=True)
        order = sorted(order, key=age, reverse=grows)
        order.sort(key=lambda one: -one["spec"]["replicas"])
        former = [annotation(one, MAXIMUM, allowed.maximum) or allowed.maximum for one in order]
        for one, size in zip(order, proportional(allowed, [o["spec"]["replicas"] for o in order], former), strict=True):
            sets = updated(sets, self._scale(deployment, one, size, always=True))
        return sets

    def _scale(self, deployment: Json, one: Json, size: int, always: bool = False) -> Json:
        """One ReplicaSet to ``size``, told what the Deployment wants altogether; the set as it then is."""
        before = one["spec"].get("replicas", 1)
        notes = {**(one["metadata"].get("annotations") or {}), **sizes_of(deployment)}
        if before == size and (not always or notes == one["metadata"].get("annotations")):
            return one
        made = self.store.replace(REPLICASETS, annotated({**one, "spec": {**one["spec"], "replicas": size}}, notes))
        if before != size:
            direction, name = "up" if size > before else "down", one["metadata"]["name"]
            message = f"Scaled {direction} replica set {name} from {before} to {size}"
            self._events.record(deployment, "Normal", "ScalingReplicaSet", message)
        return made

    def _old_run(self, sets: Sequence[Json], newest: Json | None) -> bool:
        """Whether a pod of another template is still there, ending or not: Recreate waits for that."""
        for one in sets:
            status = one.get("status") or {}
            left = one["spec"].get("replicas", 1), status.get("replicas", 0), status.get("terminatingReplicas", 0)
            if one is not newest and any(left):
                return True
        return False

    def _forget_old(self, deployment: Json, sets: list[Json], newest: Json) -> list[Json]:
        """Deletes the oldest sets beyond spec.revisionHistoryLimit."""
        limit = deployment["spec"].get("revisionHistoryLimit", 10)
        idle = [
            one
            for one in sorted(sets, key=revision_of)
            if one is not newest
            and not one["spec"].get("replicas", 1)
            and not (one.get("status") or {}).get("replicas")
        ]
        gone = idle[: max(len(idle) - limit, 0)]
        for one in gone:
            delete(self.store, REPLICASETS, one["metadata"]["namespace"], one["metadata"]["name"])
        return [one for one in sets if one not in gone]

    # ---------------------------------------------------------------------------------------------------------- status

    def _write_status(self, deployment: Json, sets: Sequence[Json], newest: Json | None) -> None:
        now = self.clock.now
        status = status_of(deployment, sets, newest, now)
        if deployment["spec"].get("paused"):
            pause(deployment, status, now)
        elif not deployment["metadata"].get("deletionTimestamp"):
            progress(deployment, status, newest, now)
        if status != deployment.get("status"):
            deployment = self.store.replace(DEPLOYMENTS, {**deployment, "status": status})
        end = deadline(deployment)
        if end is not None and end >= now:
            meta = deployment["metadata"]
            self.enqueue([(meta["namespace"], meta["name"])], (end - now).total_seconds() + 1)
