"""The namespace controller: a namespace that is being deleted is emptied first.

Source: pkg/controller/namespace/deletion of Kubernetes 1.36.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from ..clock import stamp
from ..resources import RESOURCES
from ..store import Change, Key, Store
from .deletion import delete
from .loop import Controller
from .objects import NAMESPACES

Json = dict[str, Any]

FINALIZER = "kubernetes"
_CONDITIONS = (
    ("NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered", "All resources successfully discovered"),
    ("NamespaceDeletionGroupVersionParsingFailure", "ParsedGroupVersions", "All legacy kube types successfully parsed"),
    (
        "NamespaceDeletionContentFailure",
        "ContentDeleted",
        "All content successfully deleted, may be waiting on finalization",
    ),
)


class NamespaceController(Controller):
    """Deletes all that is in a namespace, then takes its finalizer off."""

    name = "namespace-controller"

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._ending: set[str] = set()

    def everything(self) -> Iterator[Key]:
        for stored in self.store.list(NAMESPACES):
            if b'"deletionTimestamp"' in stored.body:
                self._ending.add(stored.name)
                yield stored.key

    def concerns(self, change: Change) -> Iterable[Key]:
        if change.resource == NAMESPACES:
            if change.new is None:
                self._ending.discard(change.last.name)
            elif b'"deletionTimestamp"' in change.new.body:
                self._ending.add(change.last.name)
                return (change.last.key,)
        elif change.last.namespace in self._ending and change.new is None:
            return (("", change.last.namespace),)
        return ()

    def reconcile(self, key: Any) -> None:
        found = self.store.get(NAMESPACES, *key)
        if found is None or not found["metadata"].get("deletionTimestamp"):
            return
        left = list(self._empty(key[1]))
        now = stamp(self.clock.now)
        conditions = [_condition(kind, False, reason, text, now) for kind, reason, text in _CONDITIONS]
        conditions += [_remaining(left, now), _condition("NamespaceFinalizersRemaining", False, *_DONE[1], now)]
        spec = dict(found.get("spec") or {})
        if left:
            status = {"phase": "Terminating", "conditions": _kept(conditions, found)}
            self.store.replace(NAMESPACES, {**found, "status": status})
            return
        spec["finalizers"] = [one for one in spec.get("finalizers") or () if one != FINALIZER]
        if not spec["finalizers"] and not found["metadata"].get("finalizers"):
            self.store.delete(NAMESPACES, "", key[1])
        else:
            self.store.replace(NAMESPACES, {**found, "spec": spec})

    def _empty(self, namespace: str) -> Iterator[str]:
        """Deletes what is there; says of each kind that is not gone at once how many objects are left."""
        for resource in RESOURCES:
            if resource.namespaced:
                for stored in self.store.list(resource, namespace):
                    delete(self.store, resource, *stored.key)
                count = len(self.store.list(resource, namespace))
                if count:
                    yield f"{resource.group_resource} has {count} resource instances"


_DONE = (
    ("ContentRemoved", "All content successfully removed"),
    ("ContentHasNoFinalizers", "All content-preserving finalizers finished"),
)


def _remaining(left: list[str], now: str) -> Json:
    if not left:
        return _condition("NamespaceContentRemaining", False, *_DONE[0], now)
    message = f"Some resources are remaining: {', '.join(left)}"
    return _condition("NamespaceContentRemaining", True, "SomeResourcesRemain", message, now)


def _condition(kind: str, holds: bool, reason: str, message: str, now: str) -> Json:
    return {"type": kind, "status": str(holds), "reason": reason, "message": message, "lastTransitionTime": now}


def _kept(conditions: list[Json], namespace: Json) -> list[Json]:
    """With the times of those that were so before."""
    before = {one["type"]: one for one in (namespace.get("status") or {}).get("conditions") or ()}
    return [
        {**one, "lastTransitionTime": known["lastTransitionTime"]}
        if (known := before.get(one["type"])) and known["status"] == one["status"]
        else one
        for one in conditions
    ]
