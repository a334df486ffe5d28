"""Deletion as controllers ask for it, and what comes after: finalizers that are done."""

from typing import Any

from ..api.deletion import DeleteOptions, Deletion
from ..resources import Resource
from ..store import Store

Json = dict[str, Any]


def delete(
    store: Store, resource: Resource, namespace: str, name: str, grace: int | None = None, policy: str | None = None
) -> None:
    """Deletes an object, or begins to: a pod has its grace, finalizers are waited for. What is not there is gone.

    ``grace`` in seconds overrides the pod's own; 0 removes it at once, whatever its kubelet does. ``policy`` says
    what is to become of what it owns: Background, Foreground or Orphan.
    """
    found = store.get(resource, namespace, name)
    if found is not None:
        Deletion(store).delete(resource, found, DeleteOptions(grace_period_seconds=grace, propagation_policy=policy))


def drop_finalizer(store: Store, resource: Resource, obj: Json, finalizer: str) -> None:
    """Takes a finalizer off; an object that waited only for that goes."""
    meta = dict(obj["metadata"])
    left = [other for other in meta.pop("finalizers", ()) if other != finalizer]
    meta |= {"finalizers": left} if left else {}
    Deletion(store).finish(resource, store.replace(resource, {**obj, "metadata": meta}))
