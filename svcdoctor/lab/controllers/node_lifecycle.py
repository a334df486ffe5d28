"""The node lifecycle controller: a kubelet that is not heard of makes its node unknown and its pods unready.

Source: pkg/controller/nodelifecycle and pkg/controller/tainteviction of Kubernetes 1.36.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from ..clock import parse_stamp, stamp
from ..store import Change, Key, Store
from .events import EventRecorder
from .fitting import UNSCHEDULABLE
from .loop import Controller
from .objects import LEASES, NODES, PODS, find_condition

Json = dict[str, Any]

GRACE = 50.0
"""Seconds without a heartbeat (--node-monitor-grace-period)."""
LEASE_NAMESPACE = "kube-node-lease"
UNREACHABLE = "node.kubernetes.io/unreachable"
NOT_READY = "node.kubernetes.io/not-ready"
_BY_CONDITION = {
    ("MemoryPressure", "True"): "node.kubernetes.io/memory-pressure",
    ("DiskPressure", "True"): "node.kubernetes.io/disk-pressure",
    ("PIDPressure", "True"): "node.kubernetes.io/pid-pressure",
    ("NetworkUnavailable", "True"): "node.kubernetes.io/network-unavailable",
    ("Ready", "False"): NOT_READY,
    ("Ready", "Unknown"): UNREACHABLE,
}
_OURS = {*_BY_CONDITION.values(), UNSCHEDULABLE}
_POSTED = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")


class NodeLifecycleController(Controller):
    """Watches leases; writes conditions, taints, and the readiness of pods whose kubelet can't."""

    name = "node-lifecycle-controller"

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._events = EventRecorder(store, "node-controller")
        self._heard: dict[str, datetime] = {}
        self._told: set[str] = set()  # nodes whose pods were marked unready

    def everything(self) -> Iterator[Key]:
        for stored in self.store.list(NODES):
            yield stored.key

    def concerns(self, change: Change) -> Iterable[Key]:
        if change.resource == NODES:
            return (change.last.key,)
        if change.resource == LEASES and change.last.namespace == LEASE_NAMESPACE and change.new is not None:
            name = change.last.name
            self._heard[name] = self.clock.now
            if name in self._told:
                return (("", name),)
        return ()

    def start(self, look: bool = True) -> None:
        now = self.clock.now
        for stored in self.store.list(NODES):
            lease = self.store.get(LEASES, LEASE_NAMESPACE, stored.name)
            renewed = (lease or {"spec": {}})["spec"].get("renewTime")
            self._heard[stored.name] = parse_stamp(renewed) if renewed else now
        super().start(look)

    def reconcile(self, key: Any) -> None:
        name = key[1]
        node = self.store.get(NODES, "", name)
        if node is None:
            self._heard.pop(name, None)
            self._told.discard(name)
            return
        silent_since = self._heard.setdefault(name, self.clock.now) + timedelta(seconds=GRACE)
        if silent_since <= self.clock.now:
            node = self._make_unknown(node)
        else:
            self.enqueue([key], (silent_since - self.clock.now).total_seconds())
        node = self._taint(node)
        self._tell_pods(node)

    def _make_unknown(self, node: Json) -> Json:
        now = stamp(self.clock.now)
        unknown = {"status": "Unknown", "reason": "NodeStatusUnknown", "lastTransitionTime": now}
        unknown["message"] = "Kubelet stopped posting node status."
        conditions = [
            {**one, **unknown} if one["type"] in _POSTED and one["status"] != "Unknown" else one
            for one in node["status"].get("conditions") or ()
        ]
        if conditions == (node["status"].get("conditions") or []):
            return node
        return self.store.replace(NODES, {**node, "status": {**node["status"], "conditions": conditions}})

    def _taint(self, node: Json) -> Json:
        """One NoSchedule taint per bad condition, one NoExecute taint for a node that is not ready."""
        conditions = [(one["type"], one["status"]) for one in node["status"].get("conditions") or ()]
        wanted = [(_BY_CONDITION[one], "NoSchedule") for one in conditions if one in _BY_CONDITION]
        wanted += [(UNSCHEDULABLE, "NoSchedule")] if node["spec"].get("unschedulable") else []
        wanted += [(key, "NoExecute") for key, _ in wanted if key in (NOT_READY, UNREACHABLE)]
        taints = node["spec"].get("taints") or []
        kept = [one for one in taints if one["key"] not in _OURS or (one["key"], one["effect"]) in wanted]
        have = {(one["key"], one["effect"]) for one in kept}
        now = stamp(self.clock.now)
        kept += [{"effect": e, "key": k, "timeAdded": now} for k, e in wanted if (k, e) not in have]
        if kept == taints:
            return node
        spec = {key: value for key, value in node["spec"].items() if key != "taints"}
        return self.store.replace(NODES, {**node, "spec": spec | ({"taints": kept} if kept else {})})

    def _tell_pods(self, node: Json) -> None:
        """Once, when a node that was ready is so no more: its pods are not ready either."""
        name, ready = node["metadata"]["name"], find_condition(node, "Ready")
        if ready is None or ready["status"] == "True":
            self._told.discard(name)
            return
        if name in self._told:
            return
        self._told.add(name)
        self._events.record(node, "Normal", "NodeNotReady", f"Node {name} status is now: NodeNotReady")
        for stored in self.store.list(PODS):
            if f'"nodeName":"{name}"'.encode() in stored.body:
                self._make_unready(stored.load())

    def _make_unready(self, pod: Json) -> None:
        now = stamp(self.clock.now)
        conditions = [
            {**one, "status": "False", "lastTransitionTime": now}
            if one["type"] == "Ready" and one["status"] != "False"
            else one
            for one in (pod.get("status") or {}).get("conditions") or ()
        ]
        if conditions != ((pod.get("status") or {}).get("conditions") or []):
            pod = self.store.replace(PODS, {**pod, "status": {**pod["status"], "conditions": conditions}})
            self._events.record(pod, "Warning", "NodeNotReady", "Node is not ready")
