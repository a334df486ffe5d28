"""DELETE, step by step as the API server's registry does it: grace, finalizers, and only then the end.

Source: apiserver/pkg/registry/rest/delete.go, registry/generic/registry/store.go; pods and namespaces have their own
strategies (pkg/registry/core).
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec
from msgspec import Struct

from ..clock import parse_stamp, stamp
from ..resources import Resource
from ..store import Store
from .paths import is_true
from .status import bad_request, conflict, deleted, invalid_kind
from .validate_errors import not_supported

Json = dict[str, Any]

ORPHAN = "orphan"
FOREGROUND = "foregroundDeletion"
POLICIES = ("Foreground", "Background", "Orphan")
RETURNED = frozenset(
    ("pods", "services", "serviceaccounts", "podtemplates", "resourcequotas", "persistentvolumeclaims")
)
"""What answers a DELETE with itself; all else with a Status."""
GRACE = 30


class Preconditions(Struct, frozen=True, rename="camel"):
    """What must still be so."""

    uid: str | None = None
    resource_version: str | None = None


class DeleteOptions(Struct, frozen=True, rename="camel"):
    """metav1.DeleteOptions."""

    grace_period_seconds: int | None = None
    propagation_policy: str | None = None
    orphan_dependents: bool | None = None
    preconditions: Preconditions = Preconditions()
    dry_run: tuple[str, ...] = ()


def delete_options(given: Json, query: Mapping[str, str]) -> DeleteOptions:
    """From the body, or where that is empty from the query. Raises Refusal: 400, 422."""
    if not given:
        given = {name: query[name] for name in ("gracePeriodSeconds", "propagationPolicy") if query.get(name)}
        if "orphanDependents" in query:
            given["orphanDependents"] = is_true(query["orphanDependents"])
    present = {name: value for name, value in given.items() if value is not None}
    try:
        options = msgspec.convert(present, DeleteOptions, strict=False)
    except msgspec.ValidationError as error:
        raise bad_request(f"DeleteOptions cannot be read: {error}") from None
    if options.propagation_policy not in (None, *POLICIES):
        wrong = not_supported("propagationPolicy", options.propagation_policy, POLICIES)
        raise invalid_kind("meta.k8s.io", "DeleteOptions", "", [wrong])
    if "dryRun" in query and not options.dry_run:
        return msgspec.structs.replace(options, dry_run=(query["dryRun"],))
    return options


class Deleted(Struct, frozen=True):
    """What a DELETE came to: the object or a Status, and whether the object is gone."""

    body: Json
    gone: bool


class Deletion:
    """Deletes objects of the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def delete(self, resource: Resource, live: Json, options: DeleteOptions, dry: bool = False) -> Deleted:
        """Begins the end of ``live``, or ends it. Raises Refusal (409)."""
        meta = live["metadata"]
        _check(resource, meta, options.preconditions)
        if resource.plural == "namespaces" and not self._may_go(live):
            return self._keep(resource, self._terminating(live), dry)
        grace = self._grace(resource, live, options)
        if grace is None:  # a pod whose end has begun, and nobody asks for a sooner one
            return Deleted(live, False)
        finalizers = _finalizers(meta.get("finalizers") or [], options)
        if grace == 0 and not finalizers:
            return Deleted(self._remove(resource, live, dry), True)
        return self._keep(resource, _marked(live, self._moment(meta, grace), grace, finalizers), dry)

    def finish(self, resource: Resource, live: Json) -> bool:
        """Removes ``live`` where nothing keeps it any more, as an update that took the last finalizer finds."""
        meta = live["metadata"]
        if not meta.get("deletionTimestamp") or meta.get("finalizers") or meta.get("deletionGracePeriodSeconds"):
            return False
        if resource.plural == "namespaces" and not self._may_go(live):
            return False
        self._store.delete(resource, meta.get("namespace", ""), meta["name"])
        return True

    def _may_go(self, namespace: Json) -> bool:
        emptied = not (namespace.get("spec") or {}).get("finalizers")
        return bool(namespace["metadata"].get("deletionTimestamp")) and emptied

    def _terminating(self, live: Json) -> Json:
        meta = {"deletionTimestamp": stamp(self._store.clock.now), **live["metadata"]}
        return {**live, "metadata": meta, "status": {**live.get("status", {}), "phase": "Terminating"}}

    def _grace(self, resource: Resource, live: Json, options: DeleteOptions) -> int | None:
        """Seconds of grace; None where an end has begun that nothing hastens."""
        if resource.plural != "pods":
            return 0
        asked = options.grace_period_seconds
        begun = live["metadata"].get("deletionGracePeriodSeconds")
        if live["metadata"].get("deletionTimestamp"):
            return 0 if begun is None else asked if asked is not None and asked < begun else None
        return _pod_grace(live, asked)

    def _moment(self, meta: Json, grace: int) -> str:
        """When the grace is over; a shortened one still counts from the first DELETE."""
        begun, old = meta.get("deletionTimestamp"), meta.get("deletionGracePeriodSeconds") or 0
        start = parse_stamp(begun) - timedelta(seconds=old) if begun else self._store.clock.now
        return stamp(start + timedelta(seconds=grace))

    def _keep(self, resource: Resource, changed: Json, dry: bool) -> Deleted:
        return Deleted(
            changed if dry else self._store.replace(resource, changed, changed["metadata"].get("generation")), False
        )

    def _remove(self, resource: Resource, live: Json, dry: bool) -> Json:
        meta = live["metadata"]
        body = live if dry else self._store.delete(resource, meta.get("namespace", ""), meta["name"])
        return body if resource.plural in RETURNED else deleted(resource, meta["name"], meta["uid"])


def _pod_grace(pod: Json, asked: int | None) -> int:
    """What is asked for, else the pod's own; none for a pod that no kubelet has, or that has ended."""
    spec = pod.get("spec") or {}
    if not spec.get("nodeName") or (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
        return 0
    period: int = asked if asked is not None else spec.get("terminationGracePeriodSeconds", GRACE)
    return 1 if period < 0 else period


def _finalizers(present: list[str], options: DeleteOptions) -> list[str]:
    """With what the garbage collector is to do first, where the options say something of it."""
    policy = options.propagation_policy
    if options.orphan_dependents is not None:
        policy = "Orphan" if options.orphan_dependents else "Background"
    if policy is None:
        return present
    kept = [one for one in present if one not in (ORPHAN, FOREGROUND)]
    return kept + {"Orphan": [ORPHAN], "Foreground": [FOREGROUND]}.get(policy, [])


def _marked(live: Json, moment: str, grace: int, finalizers: list[str]) -> Json:
    """The first mark counts as a change of the spec, since controllers are to act otherwise from then on."""
    meta = {**live["metadata"], "deletionTimestamp": moment, "deletionGracePeriodSeconds": grace}
    meta.pop("finalizers", None)
    if "generation" in meta and "deletionTimestamp" not in live["metadata"]:
        meta["generation"] += 1
    return {**live, "metadata": meta | ({"finalizers": finalizers} if finalizers else {})}


def _check(resource: Resource, meta: Json, wanted: Preconditions) -> None:
    if wanted.uid is not None and wanted.uid != meta["uid"]:
        why = f"the UID in the precondition ({wanted.uid}) does not match the UID in record ({meta['uid']})"
        raise conflict(resource, meta["name"], f"{why}. The object might have been deleted and then recreated")
    version = wanted.resource_version
    if version is not None and version != meta["resourceVersion"]:
        why = (
            f"the ResourceVersion in the precondition ({version}) does not match the ResourceVersion in record "
            f"({meta['resourceVersion']}). The object might have been modified"
        )
        raise conflict(resource, meta["name"], why)
