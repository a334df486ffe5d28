"""The StatefulSet controller: pods with names that last, one after another.

Volume claims are not made: the lab has no storage. Source: pkg/controller/statefulset of Kubernetes 1.36.
"""

import re
from datetime import datetime
from typing import Any

from ..store import Store
from .deletion import delete
from .events import EventRecorder
from .objects import PODS, STATEFULSETS, percent, without_zeros
from .owners import Owners
from .pods import Pod, admit, from_template, view
from .revisions import HASH_LABEL, forget, sync_revisions, template_of

Json = dict[str, Any]

POD_NAME = "statefulset.kubernetes.io/pod-name"
POD_INDEX = "apps.kubernetes.io/pod-index"


class StatefulSetController(Owners):
    """Creates in order, deletes in reverse order, and waits for each pod unless it is told not to."""

    name = "statefulset-controller"
    owners = STATEFULSETS
    parts = PODS

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._events = EventRecorder(store, self.name)

    def reconcile(self, key: Any) -> None:
        found = self.store.get(STATEFULSETS, *key)
        if found is None:
            return
        pods = {pod.metadata.name: pod for pod in map(view, self.claim(found))}
        update, others = sync_revisions(self.store, found, HASH_LABEL)
        current_name = (found.get("status") or {}).get("currentRevision") or update["metadata"]["name"]
        current = next((one for one in others if one["metadata"]["name"] == current_name), update)
        one = _Turn(found, pods, update, current, self.clock.now)
        if not found["metadata"].get("deletionTimestamp"):
            self._act(one)
        status = one.status()
        if status != found.get("status"):
            self.store.replace(STATEFULSETS, {**found, "status": status})
        used = {pod.metadata.labels.get(HASH_LABEL, "") for pod in pods.values()} | {status["currentRevision"]}
        forget(self.store, others, used, found["spec"].get("revisionHistoryLimit", 10))
        if one.wake is not None:
            self.enqueue([key], (one.wake - self.clock.now).total_seconds())

    def _act(self, turn: "_Turn") -> None:
        """UpdateStatefulSet: makes what is missing, deletes what is too much, then updates; in order one by one."""
        for ordinal in turn.ordinals:
            name = turn.pod_name(ordinal)
            pod = turn.pods.get(name)
            if pod is None:
                self._create(turn, ordinal)
                if turn.ordered:
                    return
            elif pod.status.phase in ("Failed", "Succeeded") and not pod.metadata.deletion_timestamp:
                self._delete(turn, name)
                if turn.ordered:
                    return
            elif turn.ordered and not turn.is_available(pod):
                return
        surplus = sorted(set(turn.pods) - {turn.pod_name(n) for n in turn.ordinals}, key=_ordinal, reverse=True)
        for name in surplus:
            if turn.ordered and turn.pods[name].metadata.deletion_timestamp:
                return
            if not turn.pods[name].metadata.deletion_timestamp:
                self._delete(turn, name)
                if turn.ordered:
                    return
        if turn.rolls and not surplus:
            self._update(turn)

    def _update(self, turn: "_Turn") -> None:
        """Deletes what is of another revision, from the highest ordinal down, within maxUnavailable."""
        room = turn.max_unavailable - sum(not turn.is_available(pod) for pod in turn.pods.values())
        for ordinal in reversed([n for n in turn.ordinals if n >= turn.partition]):
            pod = turn.pods.get(turn.pod_name(ordinal))
            if pod is None:
                continue
            if pod.metadata.labels.get(HASH_LABEL) != turn.update_name and not pod.metadata.deletion_timestamp:
                room -= turn.is_available(pod)
                if room < 0:
                    return
                self._delete(turn, pod.metadata.name)
            elif not turn.is_available(pod):
                return

    def _create(self, turn: "_Turn", ordinal: int) -> None:
        made = turn.new_pod(ordinal)
        self.store.create(PODS, made)
        self._say(turn.set, "SuccessfulCreate", "create", made["metadata"]["name"])

    def _delete(self, turn: "_Turn", name: str) -> None:
        delete(self.store, PODS, turn.set["metadata"]["namespace"], name)
        self._say(turn.set, "SuccessfulDelete", "delete", name)

    def _say(self, owner: Json, reason: str, verb: str, pod: str) -> None:
        message = f"{verb} Pod {pod} in StatefulSet {owner['metadata']['name']} successful"
        self._events.record(owner, "Normal", reason, message)


class _Turn:
    """One look at a StatefulSet and its pods."""

    def __init__(self, owner: Json, pods: dict[str, Pod], update: Json, current: Json, now: datetime) -> None:
        self.set, self.pods, self._update, self._current, self._now = owner, pods, update, current, now
        spec = owner["spec"]
        strategy = spec.get("updateStrategy") or {}
        rolling = strategy.get("rollingUpdate") or {}
        first, self.replicas = (spec.get("ordinals") or {}).get("start", 0), spec.get("replicas", 1)
        self.ordinals = range(first, first + self.replicas)
        self.ordered = spec.get("podManagementPolicy", "OrderedReady") == "OrderedReady"
        self.rolls = strategy.get("type", "RollingUpdate") == "RollingUpdate"
        self.partition = rolling.get("partition", 0)
        self.max_unavailable = max(percent(rolling.get("maxUnavailable", 1), self.replicas, round_up=True), 1)
        self.update_name, self.current_name = update["metadata"]["name"], current["metadata"]["name"]
        self.wake: datetime | None = None

    def pod_name(self, ordinal: int) -> str:
        return f"{self.set['metadata']['name']}-{ordinal}"

    def is_available(self, pod: Pod) -> bool:
        """Running, ready for long enough, and not about to end."""
        since = pod.available_at(self.set["spec"].get("minReadySeconds", 0))
        if since is None or pod.metadata.deletion_timestamp or pod.status.phase != "Running":
            return False
        if since > self._now:
            self.wake = min(self.wake or since, since)
        return since <= self._now

    def new_pod(self, ordinal: int) -> Json:
        """Below the partition a pod comes back as it was, else as the newest template has it."""
        keeps = self.rolls and ordinal < self.ordinals.start + self.partition
        revision = self._current if keeps else self._update
        name = self.pod_name(ordinal)
        labels = {HASH_LABEL: revision["metadata"]["name"], POD_NAME: name, POD_INDEX: str(ordinal)}
        made = from_template(template_of(revision), self.set, name, labels)
        service = self.set["spec"].get("serviceName")
        made["spec"] = {**made["spec"], "hostname": name} | ({"subdomain": service} if service else {})
        made["metadata"]["generateName"] = f"{self.set['metadata']['name']}-"
        return admit(made)

    def status(self) -> Json:
        """Counts as of before anything was done; once all are of the newest revision, that is the current one."""
        pods = [pod for pod in self.pods.values() if pod.active]
        of = [pod.metadata.labels.get(HASH_LABEL, "") for pod in pods]
        ready = sum(pod.ready and pod.status.phase == "Running" for pod in pods)
        available, updated = sum(map(self.is_available, pods)), of.count(self.update_name)
        done = updated == ready == len(self.pods) == self.replicas and self.current_name != self.update_name
        current = self.update_name if done else self.current_name
        counts = {
            "observedGeneration": self.set["metadata"].get("generation", 1),
            "replicas": len(pods),
            "readyReplicas": ready,
            "availableReplicas": available,
            "currentReplicas": of.count(current),
            "updatedReplicas": updated,
            "currentRevision": current,
            "updateRevision": self.update_name,
            "collisionCount": 0,
        }
        return without_zeros(counts, ("replicas", "availableReplicas", "collisionCount"))


def _ordinal(name: str) -> int:
    found = re.search(r"\d+$", name)
    return int(found[0]) if found else -1
