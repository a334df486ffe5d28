"""The ReplicaSet controller: as many pods as are asked for, and the count of how far they are.

Source: pkg/controller/replicaset of Kubernetes 1.36.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from ..store import Store
from .deletion import delete
from .events import EventRecorder
from .objects import PODS, REPLICASETS, controller_of, without_zeros
from .owners import Owners
from .pods import Pod, admit, count_available, first_to_go, from_template, view

Json = dict[str, Any]


class ReplicaSetController(Owners):
    """Creates and deletes pods."""

    name = "replicaset-controller"
    owners = REPLICASETS
    parts = PODS

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._events = EventRecorder(store, self.name)

    def reconcile(self, key: Any) -> None:
        replicaset = self.store.get(REPLICASETS, *key)
        if replicaset is None:
            return
        pods = [view(stored) for stored in self.claim(replicaset)]
        active = [pod for pod in pods if pod.active]
        if not replicaset["metadata"].get("deletionTimestamp"):
            self._manage(replicaset, active)
        self._write_status(replicaset, active, sum(pod.terminating for pod in pods))

    def _manage(self, replicaset: Json, active: Sequence[Pod]) -> None:
        lacking = replicaset["spec"].get("replicas", 1) - len(active)
        for _ in range(lacking):
            made = self.store.create(PODS, admit(from_template(replicaset["spec"]["template"], replicaset)))
            name = made["metadata"]["name"]
            self._events.record(replicaset, "Normal", "SuccessfulCreate", f"Created pod: {name}")
        if lacking < 0:
            for pod in first_to_go(active, self._neighbours(replicaset, active))[:-lacking]:
                delete(self.store, PODS, pod.metadata.namespace, pod.metadata.name)
                message = f"Deleted pod: {pod.metadata.name}"
                self._events.record(replicaset, "Normal", "SuccessfulDelete", message)

    def _neighbours(self, replicaset: Json, active: Sequence[Pod]) -> Counter[str]:
        """Pods per node of all sets of the same Deployment."""
        owner = controller_of(replicaset)
        related = self.store.owned(REPLICASETS, owner["uid"]) if owner else []
        others = [view(stored) for other in related for stored in self.store.owned(PODS, other.uid)]
        return Counter(pod.spec.node_name for pod in (others or active) if pod.active)

    def _write_status(self, replicaset: Json, active: Sequence[Pod], terminating: int) -> None:
        spec, template = replicaset["spec"], replicaset["spec"]["template"]
        labels = ((template.get("metadata") or {}).get("labels") or {}).items()
        available, next_one = count_available(active, spec.get("minReadySeconds", 0), self.clock.now)
        counts = {
            "replicas": len(active),
            "fullyLabeledReplicas": sum(labels <= pod.metadata.labels.items() for pod in active),
            "readyReplicas": sum(pod.ready for pod in active),
            "availableReplicas": available,
            "terminatingReplicas": terminating,
            "observedGeneration": replicaset["metadata"].get("generation", 1),
        }
        status = without_zeros(counts, ("replicas", "terminatingReplicas"))
        if status != replicaset.get("status"):
            self.store.replace(REPLICASETS, {**replicaset, "status": status})
        if next_one is not None:
            meta = replicaset["metadata"]
            self.enqueue([(meta["namespace"], meta["name"])], (next_one - self.clock.now).total_seconds())
