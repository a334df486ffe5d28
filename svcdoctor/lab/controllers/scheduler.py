"""The scheduler: a node for each pod that has none.

It filters as the real one does and then spreads: fewest pods of the same controller on the node and in its zone, then
most room. Preemption, pod affinity and topology constraints are not there.
Source: pkg/scheduler of Kubernetes 1.36.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from ..api.quantity import parse_quantity
from ..clock import stamp
from ..store import Change, Key, Store
from .events import SeriesRecorder
from .fitting import Misfit, misfits, requests
from .loop import Controller
from .node_rooms import NodeRooms
from .objects import NODES, PODS, controller_of, find_condition

Json = dict[str, Any]

NAME = "default-scheduler"
RETRY = 300.0
"""Seconds after which a pod that fitted nowhere is tried again although nothing happened."""
TOPOLOGY = ("topology.kubernetes.io/region", "topology.kubernetes.io/zone")
"""What a pod is told of its node's place when it is bound (PodTopologyLabels)."""


class Scheduler(Controller):
    """Binds pods to nodes."""

    name = NAME

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._events = SeriesRecorder(store, NAME, f"{NAME}-lab")
        self._rooms = NodeRooms()
        self._unschedulable: set[Key] = set()
        self._nodes: dict[str, Json] | None = None

    def start(self, look: bool = True) -> None:
        self._rooms.refill(self.store)
        self._nodes = None
        super().start(look)

    def everything(self) -> Iterator[Key]:
        for stored in self.store.list(PODS):
            if b'"nodeName"' not in stored.body:
                yield stored.key

    def concerns(self, change: Change) -> Iterable[Key]:
        if change.resource == NODES:
            if _matters(change):
                self._nodes = None
                return tuple(self._unschedulable)
        elif change.resource == PODS:
            self._rooms.note(change)
            if change.new is None:
                self._unschedulable.discard(change.last.key)
                return tuple(self._unschedulable)
            if b'"nodeName"' not in change.new.body and change.last.key not in self._unschedulable:
                return (change.new.key,)
        return ()

    def reconcile(self, key: Any) -> None:
        pod = self.store.get(PODS, *key)
        self._unschedulable.discard(key)
        if pod is None or pod["spec"].get("nodeName") or pod["metadata"].get("deletionTimestamp"):
            return
        if pod["spec"].get("schedulerName", NAME) != NAME or pod["spec"].get("schedulingGates"):
            return
        refusals = {name: tuple(misfits(pod, node, self._rooms.on(name))) for name, node in self._all_nodes().items()}
        fitting = [name for name, why in refusals.items() if not why]
        if fitting:
            self._bind(pod, self._best(pod, fitting))
        else:
            self._refuse(key, pod, list(refusals.values()))

    def _all_nodes(self) -> dict[str, Json]:
        if self._nodes is None:
            self._nodes = {stored.name: stored.load() for stored in self.store.list(NODES)}
        return self._nodes

    def _best(self, pod: Json, names: list[str]) -> str:
        nodes, owner = self._all_nodes(), (controller_of(pod) or {"uid": ""})["uid"]
        zones: Counter[str] = Counter()
        for name, node in nodes.items():
            zones[_zone(node)] += self._rooms.of_owner(name, owner)

        def rank(name: str) -> tuple[Any, ...]:
            room, node = self._rooms.on(name), nodes[name]
            sizes = {what: parse_quantity(text) for what, text in node["status"].get("allocatable", {}).items()}
            used = [
                (room.requested.get(what, Decimal()) + amount) / sizes[what]
                for what, amount in requests(pod["spec"]).items()
                if sizes.get(what)
            ]
            return self._rooms.of_owner(name, owner), zones[_zone(node)], sum(used), room.pods, name

        return min(names, key=rank)

    def _bind(self, pod: Json, name: str) -> None:
        """What the API server makes of a Binding, and the event of it."""
        meta, node = pod["metadata"], self._all_nodes()[name]
        place = {key: value for key, value in (node["metadata"].get("labels") or {}).items() if key in TOPOLOGY}
        meta = {**meta, "labels": {**(meta.get("labels") or {}), **place}}
        scheduled = _scheduled(pod, self._now, {"status": "True"})
        bound = {**pod, "metadata": meta, "spec": {**pod["spec"], "nodeName": name}, "status": scheduled}
        made = self.store.replace(PODS, bound, meta.get("generation"))
        where = f"{meta['namespace']}/{meta['name']}"
        message = f"Successfully assigned {where} to {name}"
        self._events.record(pod, "Normal", "Scheduled", "Binding", message)
        self._rooms.put(meta["uid"], (controller_of(made) or {"uid": ""})["uid"], made)

    def _refuse(self, key: Key, pod: Json, refusals: list[tuple[Misfit, ...]]) -> None:
        """Says why in the pod's status and an event; it is tried again when nodes or pods change."""
        message = explain(refusals)
        self._unschedulable.add(key)
        self._events.record(pod, "Warning", "FailedScheduling", "Scheduling", message)
        condition = {"status": "False", "reason": "Unschedulable", "message": message}
        status = _scheduled(pod, self._now, condition)
        if status != pod.get("status"):
            self.store.replace(PODS, {**pod, "status": status})
        self.enqueue([key], RETRY)

    @property
    def _now(self) -> str:
        return stamp(self.clock.now)


def _scheduled(pod: Json, now: str, condition: Json) -> Json:
    """The pod's status with this condition PodScheduled."""
    status, known = pod.get("status") or {}, find_condition(pod, "PodScheduled")
    made = {"type": "PodScheduled", "lastProbeTime": None, "lastTransitionTime": now, **condition}
    made["observedGeneration"] = pod["metadata"].get("generation", 1)
    if known is not None and known["status"] == made["status"]:
        made["lastTransitionTime"] = known["lastTransitionTime"]
    others = [one for one in status.get("conditions") or () if one["type"] != "PodScheduled"]
    return {**status, "conditions": [*others, made]}


def explain(refusals: list[tuple[Misfit, ...]]) -> str:
    """FitError.Error: how many nodes gave each reason, and what preemption came to."""
    if not refusals:
        return "no nodes available to schedule pods"
    total = len(refusals)
    none = f"0/{total} nodes are available"
    reasons = Counter(misfit.reason for why in refusals for misfit in why)
    hopeless = sum(any(misfit.hopeless for misfit in why) for why in refusals)
    helps = {"Preemption is not helpful for scheduling": hopeless}
    helps["No preemption victims found for incoming pod"] = total - hopeless
    preemption = f"no new claims to deallocate, preemption: {none}: {_histogram(helps)}."
    return f"{none}: {_histogram(reasons)}. {preemption}"


def _histogram(counts: Any) -> str:
    return ", ".join(sorted(f"{count} {reason}" for reason, count in counts.items() if count))


def _zone(node: Json) -> str:
    return str((node["metadata"].get("labels") or {}).get("topology.kubernetes.io/zone", ""))


def _matters(change: Change) -> bool:
    """Whether a node changed in what scheduling looks at; heartbeats do not."""
    old, new = (stored.load() if stored else {} for stored in (change.old, change.new))
    same = all((old.get(part) or {}) == (new.get(part) or {}) for part in ("spec",))
    labels = [(one.get("metadata") or {}).get("labels") for one in (old, new)]
    amounts = [(one.get("status") or {}).get("allocatable") for one in (old, new)]
    return not same or labels[0] != labels[1] or amounts[0] != amounts[1]
