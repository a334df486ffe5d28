"""How a lab becomes well again: by its objects as they were when it was."""

from typing import Any

from .controllers.backends import PODS
from .controllers.deployment_sets import REVISION
from .controllers.endpoints import MANAGED_BY
from .crowd import CROWD
from .resources import RESOURCES, Resource, named
from .store import Key, Store, Stored

Json = dict[str, Any]

MADE = (named("events"), named("leases"), named("servicecidrs"), named("ipaddresses"))
"""What the cluster itself writes, though nothing owns it."""


class Well:
    """What somebody wrote into a store, remembered from a moment when all was well."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._objects: dict[tuple[Resource, Key], Json] = {}

    def remember(self) -> None:
        self._objects = {
            (resource, stored.key): stored.load()
            for resource in RESOURCES
            for stored in self._store.list(resource)
            if _was_written(resource, stored)
        }

    def restore(self) -> None:
        """Writes them as they were, and removes what was added. What controllers make of them follows by itself."""
        for resource in RESOURCES:
            for stored in self._store.list(resource):
                ends = b'"deletionTimestamp"' in stored.body
                well = None if ends else self._objects.get((resource, stored.key))
                if well is not None and self._mend(resource, stored, well):
                    continue
                if ends or _was_written(resource, stored):
                    self._remove(resource, stored)
        for (resource, key), well in self._objects.items():
            if self._store.find(resource, *key) is None:
                self._store.create(resource, _anew(well))

    def _mend(self, resource: Resource, stored: Stored, well: Json) -> bool:
        """Whether it can stay: all but a pod can be written into what it was, and a pod may be as good as the first."""
        live = stored.load()
        if resource == PODS and stored.uid != well["metadata"]["uid"]:
            return live.get("status", {}).get("phase") == "Running" and _anew(live) == _anew(well)
        self._store.replace(resource, _restored(live, well))
        return True

    def _remove(self, resource: Resource, stored: Stored) -> None:
        """At once, whatever graces and finalizers it has; it may be gone already, with what it belonged to."""
        if self._store.find(resource, *stored.key) is not None:
            self._store.delete(resource, *stored.key)


def _was_written(resource: Resource, stored: Stored) -> bool:
    """Whether somebody wrote it, and no controller. What a large lab has for its size stays out of this."""
    name = stored.namespace or (stored.name if resource.plural == "namespaces" else "")
    made = stored.owner or resource in MADE or stored.labels.get(MANAGED_BY)
    return not made and not name.startswith(CROWD)


def _restored(live: Json, well: Json) -> Json:
    """``live`` as it was when all was well; of its status what no controller here writes."""
    meta = {**live["metadata"]}
    # it counts rollouts, and so also the one by which a Deployment becomes well again
    revision = {key: text for key, text in (meta.get("annotations") or {}).items() if key == REVISION}
    for field in ("labels", "annotations", "finalizers"):
        meta.pop(field, None)
        if field in well["metadata"]:
            meta[field] = well["metadata"][field]
    if revision:
        meta["annotations"] = {**(meta.get("annotations") or {}), **revision}
    made = {**well, "metadata": meta}
    if well["kind"] == "Node":
        made["status"] = {**live["status"], "nodeInfo": well["status"]["nodeInfo"]}
    elif well["kind"] != "Service" and "status" in live:
        made["status"] = live["status"]
    return made


def _anew(well: Json) -> Json:
    """A new object of the same content."""
    own = ("uid", "resourceVersion", "creationTimestamp", "generation")
    meta = {field: value for field, value in well["metadata"].items() if field not in own}
    made = {field: value for field, value in well.items() if field != "status"} | {"metadata": meta}
    if well["kind"] == "Pod":
        made["spec"] = {field: value for field, value in well["spec"].items() if field != "nodeName"}
    return made
