"""The garbage collector: what is owned goes with its last owner, or is orphaned, or goes first; and podgc.

Source: pkg/controller/garbagecollector and pkg/controller/podgc of Kubernetes 1.36.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from ..resources import RESOURCES, Resource, of_kind
from ..store import Change, Key, Store, Stored
from .deletion import delete, drop_finalizer
from .loop import Controller
from .objects import NODES, PODS

Json = dict[str, Any]

ORPHAN = "orphan"
FOREGROUND = "foregroundDeletion"
QUARANTINE = 40.0
"""Seconds that a node must be gone before its pods are taken away."""
_MARK = b'"ownerReferences"'
Place = tuple[Resource, Key]


class GarbageCollector(Controller):
    """Keys are (what to do, resource, object)."""

    name = "garbage-collector-controller"

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._loose: dict[str, set[Place]] = {}  # owners that are no controllers, by uid -> what they own

    def start(self, look: bool = True) -> None:
        self._loose.clear()
        for resource in RESOURCES:
            for stored in self.store.list(resource):
                self._note(resource, stored)
        super().start(look)

    def everything(self) -> Iterator[Any]:
        """What lost its owners, or is waiting for its end, while nobody looked."""
        for resource in RESOURCES:
            for stored in self.store.list(resource):
                if b'"deletionTimestamp"' in stored.body:
                    yield "finalize", resource, stored.key
                if _MARK in stored.body:
                    yield "check", resource, stored.key

    def concerns(self, change: Change) -> Iterable[Any]:
        resource, last = change.resource, change.last
        self._note(resource, last, gone=change.new is None)
        if change.new is not None:
            due: list[Any] = []
            if b'"deletionTimestamp"' in last.body and b'"finalizers"' in last.body:
                due.append(("finalize", resource, last.key))
            if change.old is None and _MARK in last.body:
                due.append(("check", resource, last.key))
            return due
        if resource == NODES:
            self.enqueue([("podgc", NODES, last.key)], QUARANTINE)
        due = [("check", *place) for place in self._dependents(last.uid)]
        if _MARK in last.body:  # an owner in foreground deletion may have waited for it
            due += [("finalize", *place) for place in _owners(last.load())]
        return due

    def reconcile(self, key: Any) -> None:
        action, resource, (namespace, name) = key
        if action == "podgc":
            self._collect_pods_of(name)
            return
        found = self.store.get(resource, namespace, name)
        if found is not None:
            (self._check if action == "check" else self._finalize)(resource, found)

    def _check(self, resource: Resource, obj: Json) -> None:
        """Deletes what no owner is left of; dangling references beside living ones are taken off."""
        references = obj["metadata"].get("ownerReferences") or []
        living = [ref for ref in references if self._exists(obj, ref)]
        if not references or len(living) == len(references):
            return
        meta = obj["metadata"]
        if living:
            self.store.replace(resource, {**obj, "metadata": {**meta, "ownerReferences": living}})
        elif not meta.get("deletionTimestamp"):
            delete(self.store, resource, meta.get("namespace", ""), meta["name"])

    def _exists(self, obj: Json, ref: Json) -> bool:
        resource = of_kind(ref["apiVersion"], ref["kind"])
        if resource is None:
            return True  # of a kind that is not served: nothing is known of it
        namespace = obj["metadata"].get("namespace", "") if resource.namespaced else ""
        found = self.store.find(resource, namespace, ref["name"])
        return found is not None and found.uid == ref["uid"]

    def _finalize(self, resource: Resource, obj: Json) -> None:
        """What an object that is being deleted asked for first: its dependents' freedom, or their end."""
        meta = obj["metadata"]
        finalizers = meta.get("finalizers") or ()
        if not meta.get("deletionTimestamp"):
            return
        dependents = list(self._dependents(meta["uid"]))
        if ORPHAN in finalizers:
            for place in dependents:
                self._release(place, meta["uid"])
            drop_finalizer(self.store, resource, obj, ORPHAN)
        elif FOREGROUND in finalizers:
            blocking = [place for place in dependents if self._blocks(place, meta["uid"])]
            for kind, (namespace, name) in dependents:
                found = self.store.find(kind, namespace, name)
                owns = found is not None and next(self._dependents(found.uid), None) is not None
                delete(self.store, kind, namespace, name, policy="Foreground" if owns else None)
            if not any(self.store.find(kind, *key) for kind, key in blocking):
                left = self.store.get(resource, meta.get("namespace", ""), meta["name"])
                if left is not None:
                    drop_finalizer(self.store, resource, left, FOREGROUND)

    def _release(self, place: Place, uid: str) -> None:
        resource, key = place
        found = self.store.get(resource, *key)
        if found is not None:
            meta = dict(found["metadata"])
            kept = [ref for ref in meta.pop("ownerReferences", ()) if ref["uid"] != uid]
            self.store.replace(resource, {**found, "metadata": meta | ({"ownerReferences": kept} if kept else {})})

    def _blocks(self, place: Place, uid: str) -> bool:
        found = self.store.get(place[0], *place[1])
        references = found["metadata"].get("ownerReferences") or () if found else ()
        return any(ref["uid"] == uid and ref.get("blockOwnerDeletion") for ref in references)

    def _dependents(self, uid: str) -> Iterator[Place]:
        for resource in RESOURCES:
            for stored in self.store.owned(resource, uid):
                yield resource, stored.key
        yield from sorted(self._loose.get(uid, ()), key=lambda place: (place[0].plural, place[1]))

    def _note(self, resource: Resource, stored: Stored, gone: bool = False) -> None:
        """Remembers owners that are no controllers; the store knows the others."""
        if _MARK not in stored.body or (stored.owner and stored.body.count(b'"blockOwnerDeletion"') == 1):
            return
        for ref in stored.load()["metadata"].get("ownerReferences") or ():
            held = self._loose.setdefault(ref["uid"], set())
            if gone or ref.get("controller"):
                held.discard((resource, stored.key))
            else:
                held.add((resource, stored.key))

    def _collect_pods_of(self, node: str) -> None:
        """Pods of a node that is gone for good have nobody else who would remove them."""
        if self.store.find(NODES, "", node) is not None:
            return
        for stored in self.store.list(PODS):
            if f'"{node}"'.encode() in stored.body and stored.load()["spec"].get("nodeName") == node:
                delete(self.store, PODS, *stored.key, grace=0)


def _owners(obj: Json) -> Iterator[Place]:
    for ref in obj["metadata"].get("ownerReferences") or ():
        resource = of_kind(ref["apiVersion"], ref["kind"])
        if resource is not None:
            yield resource, (obj["metadata"].get("namespace", "") if resource.namespaced else "", ref["name"])
