"""The taint eviction controller: pods leave a node with a NoExecute taint when their tolerance is over.

Source: pkg/controller/tainteviction/taint_eviction.go of Kubernetes 1.36.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from ..clock import parse_stamp, stamp
from ..store import Change, Key, Store
from .deletion import delete
from .events import EventRecorder
from .fitting import tolerates
from .loop import Controller
from .objects import NODES, PODS

Json = dict[str, Any]


class TaintEvictionController(Controller):
    """Keys are pods of tainted nodes."""

    name = "taint-eviction-controller"

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._events = EventRecorder(store, self.name)
        self._taints: dict[str, list[Json]] = {}  # NoExecute taints by node

    def everything(self) -> Iterator[Key]:
        for stored in self.store.list(NODES):
            self._taints[stored.name] = _drives_out(stored.load())
            if self._taints[stored.name]:
                yield from self._pods_of(stored.name)

    def concerns(self, change: Change) -> Iterable[Key]:
        if change.resource == NODES:
            name, before = change.last.name, self._taints.get(change.last.name, [])
            self._taints[name] = _drives_out(change.new.load()) if change.new else []
            return tuple(self._pods_of(name)) if self._taints[name] != before else ()
        if change.resource == PODS and change.new is not None and any(self._taints.values()):
            return (change.new.key,)
        return ()

    def _pods_of(self, node: str) -> Iterator[Key]:
        needle = f'"nodeName":"{node}"'.encode()
        return (stored.key for stored in self.store.list(PODS) if needle in stored.body)

    def reconcile(self, key: Any) -> None:
        pod = self.store.get(PODS, *key)
        taints = self._taints.get(pod["spec"].get("nodeName", ""), []) if pod else []
        if pod is None or not taints or pod["metadata"].get("deletionTimestamp"):
            return
        moments = [_tolerated_until(pod, taint) for taint in taints]
        end = min((moment for moment in moments if moment is not None), default=None)
        if end is not None and end <= self.clock.now:
            self._evict(pod)
        elif end is not None:
            self.enqueue([key], (end - self.clock.now).total_seconds())

    def _evict(self, pod: Json) -> None:
        meta, status = pod["metadata"], pod.get("status") or {}
        message = "Taint manager: deleting due to NoExecute taint"
        condition = {
            "type": "DisruptionTarget",
            "status": "True",
            "reason": "DeletionByTaintManager",
            "message": message,
            "lastProbeTime": None,
            "lastTransitionTime": stamp(self.clock.now),
            "observedGeneration": meta.get("generation", 1),
        }
        self._events.record(
            pod, "Normal", "TaintManagerEviction", f"Marking for deletion Pod {meta['namespace']}/{meta['name']}"
        )
        others = [one for one in status.get("conditions") or () if one["type"] != "DisruptionTarget"]
        self.store.replace(PODS, {**pod, "status": {**status, "conditions": [*others, condition]}})
        delete(self.store, PODS, meta["namespace"], meta["name"])


def _drives_out(node: Json) -> list[Json]:
    return [taint for taint in node["spec"].get("taints") or () if taint["effect"] == "NoExecute"]


def _tolerated_until(pod: Json, taint: Json) -> datetime | None:
    """The end of a pod's tolerance: None for ever, the distant past for none."""
    matching = [one for one in pod["spec"].get("tolerations") or () if tolerates(one, taint)]
    if not matching:
        return parse_stamp("1970-01-01T00:00:00Z")
    limits = [one["tolerationSeconds"] for one in matching if one.get("tolerationSeconds") is not None]
    if not limits:
        return None
    return parse_stamp(taint["timeAdded"]) + timedelta(seconds=max(min(limits), 0))
