"""The DaemonSet controller: one pod on every node where it fits.

Source: pkg/controller/daemon of Kubernetes 1.36.
"""

from collections.abc import Iterator
from typing import Any

from ..api.defaults_kinds import TEMPLATE_GENERATION
from ..store import Change, Key, Store
from .deletion import delete
from .events import EventRecorder
from .fitting import matches_affinity, untolerated
from .objects import DAEMONSETS, NODES, PODS, percent, without_zeros
from .owners import Owners
from .pods import Pod, admit, from_template, view
from .revisions import HASH_LABEL, forget, sync_revisions

Json = dict[str, Any]

GENERATION = "pod-template-generation"
_TAINTS = (
    ("not-ready", "NoExecute"),
    ("unreachable", "NoExecute"),
    ("disk-pressure", "NoSchedule"),
    ("memory-pressure", "NoSchedule"),
    ("pid-pressure", "NoSchedule"),
    ("unschedulable", "NoSchedule"),
)


class DaemonSetController(Owners):
    """Creates pods that are bound to their node by affinity, and replaces old ones node by node."""

    name = "daemonset-controller"
    owners = DAEMONSETS
    parts = PODS

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._events = EventRecorder(store, self.name)

    def concerns(self, change: Change) -> Iterator[Key]:
        yield from super().concerns(change)
        if change.resource == NODES and _matters(change):
            yield from self.everything()

    def reconcile(self, key: Any) -> None:
        found = self.store.get(DAEMONSETS, *key)
        if found is None:
            return
        pods = [view(stored) for stored in self.claim(found)]
        revision, others = sync_revisions(self.store, found, HASH_LABEL)
        digest = revision["metadata"]["labels"][HASH_LABEL]
        turn = _Turn(found, self._nodes(), pods, digest)
        if not found["metadata"].get("deletionTimestamp"):
            self._manage(turn)
        self._write_status(turn)
        used = {f"{key[1]}-{pod.metadata.labels.get(HASH_LABEL)}" for pod in pods}
        forget(self.store, others, used, found["spec"].get("revisionHistoryLimit", 10))

    def _nodes(self) -> list[Json]:
        return [stored.load() for stored in self.store.list(NODES)]

    def _manage(self, turn: "_Turn") -> None:
        for name, node in turn.nodes.items():
            held = turn.on.get(name, [])
            if turn.should_run(node) and not held:
                self._create(turn, name)
            for pod in held:
                failed, unwanted = pod.status.phase in ("Failed", "Succeeded"), not turn.should_continue(node)
                if (failed or unwanted) and not pod.metadata.deletion_timestamp:
                    if failed:
                        message = f"Found failed daemon pod {_key(pod)} on node {name}, will try to kill it"
                        self._events.record(turn.set, "Warning", "FailedDaemonPod", message)
                    self._delete(turn, pod)
        if turn.rolls:
            self._update(turn)

    def _update(self, turn: "_Turn") -> None:
        """Deletes old pods as far as maxUnavailable lets it; those that don't work anyway first."""
        wanted = [name for name, node in turn.nodes.items() if turn.should_run(node)]
        held = [pod for name in wanted for pod in turn.on.get(name, [])]
        room = turn.max_unavailable(len(wanted)) - (len(wanted) - sum(pod.active and pod.ready for pod in held))
        old = [pod for pod in held if pod.active and pod.metadata.labels.get(HASH_LABEL) != turn.digest]
        for pod in sorted(old, key=lambda pod: pod.ready):
            room -= pod.ready
            if room < 0:
                return
            self._delete(turn, pod)

    def _create(self, turn: "_Turn", node: str) -> None:
        made = self.store.create(PODS, turn.new_pod(node))
        message = f"Created pod: {made['metadata']['name']}"
        self._events.record(turn.set, "Normal", "SuccessfulCreate", message)

    def _delete(self, turn: "_Turn", pod: Pod) -> None:
        delete(self.store, PODS, pod.metadata.namespace, pod.metadata.name)
        self._events.record(turn.set, "Normal", "SuccessfulDelete", f"Deleted pod: {pod.metadata.name}")

    def _write_status(self, turn: "_Turn") -> None:
        status = turn.status()
        if status != turn.set.get("status"):
            self.store.replace(DAEMONSETS, {**turn.set, "status": status})


class _Turn:
    """One look at a DaemonSet, its pods and all nodes."""

    def __init__(self, owner: Json, nodes: list[Json], pods: list[Pod], digest: str) -> None:
        self.set, self.digest = owner, digest
        self.nodes = {node["metadata"]["name"]: node for node in nodes}
        self.on: dict[str, list[Pod]] = {}
        self._spec = self.new_pod("")["spec"] | {"affinity": owner["spec"]["template"]["spec"].get("affinity") or {}}
        for pod in pods:
            self.on.setdefault(pod.spec.node_name or meant_for(pod.spec.affinity), []).append(pod)

    @property
    def rolls(self) -> bool:
        return bool((self.set["spec"].get("updateStrategy") or {}).get("type", "RollingUpdate") == "RollingUpdate")

    def max_unavailable(self, total: int) -> int:
        rolling = (self.set["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}
        return percent(rolling.get("maxUnavailable", 1), total, round_up=True)

    def should_run(self, node: Json) -> bool:
        """Whether its pod belongs there: affinity and all taints but those of pressure allow it."""
        return self.should_continue(node) and untolerated(self._spec, node, ("NoSchedule",)) is None

    def should_continue(self, node: Json) -> bool:
        """Whether a pod that is there may stay: NoSchedule keeps out, it does not drive out."""
        return matches_affinity(self._spec, node) and untolerated(self._spec, node, ("NoExecute",)) is None

    def new_pod(self, node: str) -> Json:
        """Bound to ``node`` by affinity, which the scheduler then finds; tolerant of what befalls nodes."""
        generation = (self.set["metadata"].get("annotations") or {}).get(TEMPLATE_GENERATION, "1")
        labels = {HASH_LABEL: self.digest, GENERATION: generation}
        made = from_template(self.set["spec"]["template"], self.set, labels=labels)
        spec = dict(made["spec"])
        taints = [*_TAINTS, *([("network-unavailable", "NoSchedule")] if spec.get("hostNetwork") else [])]
        own = list(spec.get("tolerations") or ())
        added = [{"effect": e, "key": f"node.kubernetes.io/{k}", "operator": "Exists"} for k, e in taints]
        spec |= {"tolerations": [*own, *(one for one in added if one not in own)], "affinity": _pinned(spec, node)}
        return admit({**made, "spec": spec})

    def status(self) -> Json:
        wanted = [name for name, node in self.nodes.items() if self.should_run(node)]
        placed = [pods[0] for name in wanted if (pods := self.on.get(name))]
        ready = [pod for pod in placed if pod.ready]
        misplaced = sum(bool(self.on.get(name)) for name in self.nodes if name not in wanted)
        counts = {
            "currentNumberScheduled": len(placed),
            "numberMisscheduled": misplaced,
            "desiredNumberScheduled": len(wanted),
            "numberReady": len(ready),
            "observedGeneration": self.set["metadata"].get("generation", 1),
            "updatedNumberScheduled": sum(pod.metadata.labels.get(HASH_LABEL) == self.digest for pod in placed),
            "numberAvailable": len(ready),
            "numberUnavailable": len(wanted) - len(ready),
        }
        kept = ("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady")
        return without_zeros(counts, kept)


def _pinned(spec: Json, node: str) -> Json:
    """ReplaceDaemonSetPodNodeNameNodeAffinity: the node by name instead of all terms that were there."""
    field = {"key": "metadata.name", "operator": "In", "values": [node]}
    required = {"nodeSelectorTerms": [{"matchFields": [field]}]}
    affinity = dict(spec.get("affinity") or {})
    own = {**(affinity.get("nodeAffinity") or {}), "requiredDuringSchedulingIgnoredDuringExecution": required}
    return {**affinity, "nodeAffinity": own}


def meant_for(affinity: Json) -> str:
    """The node that a pod of a DaemonSet waits for."""
    required = (affinity.get("nodeAffinity") or {}).get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    for term in required.get("nodeSelectorTerms") or ():
        for field in term.get("matchFields") or ():
            if field["key"] == "metadata.name" and field.get("values"):
                return str(field["values"][0])
    return ""


def _key(pod: Pod) -> str:
    return f"{pod.metadata.namespace}/{pod.metadata.name}"


def _matters(change: Change) -> bool:
    """Whether a node came, went, or changed its labels or taints; heartbeats don't matter."""
    if change.old is None or change.new is None or change.old.labels != change.new.labels:
        return True
    return bool(change.old.load().get("spec") != change.new.load().get("spec"))
