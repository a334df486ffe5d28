"""Writes: from what a client sent to what is stored, through the gates that the real server has.

Decoding, defaults, admission, validation, allocation, optimistic locking - in this order, and nothing is kept of what
does not pass them all.
"""

import uuid
from typing import Any

from msgspec import Struct

from ..clock import stamp
from ..resources import Resource, named
from ..store import Exists, Store
from .allocation import Allocation
from .defaults import created, updated
from .deletion import Deletion
from .openapi_decode import decode, warnings
from .parts import PARTS
from .patch import APPLY_PATCH, PATCHES, patched
from .status import already_exists, conflict, denied, not_found, unsupported_media_type
from .validate import located, validate_create, validate_update

Json = dict[str, Any]

NAMESPACES = named("namespaces")
LONGEST_BASE = 58
"""Of a generateName: what five more characters make a name of 63."""


class Wish(Struct, frozen=True):
    """What is to be written: where, and how strictly."""

    resource: Resource
    namespace: str
    name: str = ""
    subresource: str = ""
    dry: bool = False
    field_validation: str = "Warn"


class Written(Struct, frozen=True):
    """What is stored now, whether it is new, and what is to be said beside it."""

    body: Json
    is_new: bool = False
    warnings: tuple[str, ...] = ()


class Writer:
    """Writes to the store as the API server does."""

    def __init__(self, store: Store, allocation: Allocation, deletion: Deletion) -> None:
        self._store = store
        self._allocation = allocation
        self._deletion = deletion

    def create(self, wish: Wish, given: Json) -> Written:
        """Raises Refusal: 400, 403, 404, 409, 422."""
        resource = wish.resource
        value, said = _decoded(wish, given)
        made = created(resource, located(resource, value, wish.namespace))
        self._admit(resource, made["metadata"], wish.namespace)
        self._name(made["metadata"])
        validate_create(resource, made)
        if self._store.find(resource, wish.namespace, made["metadata"]["name"]) is not None:
            raise already_exists(resource, made["metadata"]["name"])
        made = self._allocation.create(resource, made)
        return Written(self._new(made) if wish.dry else self._create(resource, made), True, said)

    def update(self, wish: Wish, given: Json) -> Written:
        """Raises Refusal: 400, 404, 409, 422."""
        live = self.live(wish)
        value, said = _decoded(wish, given)
        return Written(self._replace(wish, live, value), False, said)

    def patch(self, wish: Wish, media_type: str, body: bytes) -> Written:
        """Raises Refusal: 400, 404, 409, 413, 415, 422."""
        if media_type.partition(";")[0].strip() not in PATCHES:
            raise unsupported_media_type()
        found = self._store.get(wish.resource, wish.namespace, wish.name)
        if found is None:
            return self._apply_new(wish, media_type, body)
        value, said = _decoded(wish, patched(wish.resource, found, media_type, body))
        return Written(self._replace(wish, found, value), False, said)

    def live(self, wish: Wish) -> Json:
        """The object as it is. Raises Refusal (404)."""
        found = self._store.get(wish.resource, wish.namespace, wish.name)
        if found is None:
            raise not_found(wish.resource, wish.name)
        return found

    def _apply_new(self, wish: Wish, media_type: str, body: bytes) -> Written:
        """A server-side apply to what is not there makes it; any other patch needs something to change."""
        if not media_type.startswith(APPLY_PATCH) or wish.subresource:
            raise not_found(wish.resource, wish.name)
        given = patched(wish.resource, {}, media_type, body)
        given["metadata"] = {"name": wish.name, **(given.get("metadata") or {})}
        return self.create(wish, given)

    def _replace(self, wish: Wish, live: Json, value: Json) -> Json:
        resource = wish.resource
        value = located(resource, value, wish.namespace, wish.name)
        _check_versions(resource, live["metadata"], value["metadata"])
        part = PARTS.get(wish.subresource)
        made = updated(resource, live, value) if part is None else part(resource, live, value)
        made["metadata"].pop("managedFields", None)
        if part is None:
            validate_update(resource, live, made)
        made = self._allocation.update(resource, live, made)
        if wish.dry:
            return made
        stored = self._store.replace(resource, made)
        self._deletion.finish(resource, stored)
        return stored

    def _admit(self, resource: Resource, meta: Json, namespace: str) -> None:
        """The NamespaceLifecycle admission plugin."""
        if not resource.namespaced:
            return
        home = self._store.get(NAMESPACES, "", namespace)
        if home is None:
            raise not_found(NAMESPACES, namespace)
        if home["metadata"].get("deletionTimestamp"):
            why = f"unable to create new content in namespace {namespace} because it is being terminated"
            refusal = denied(resource, meta.get("name", ""), why)
            assert isinstance(refusal.body, dict)
            cause = {"reason": "NamespaceTerminating", "message": f"namespace {namespace} is being terminated"}
            refusal.body["details"]["causes"] = [cause | {"field": "metadata.namespace"}]
            raise refusal

    def _name(self, meta: Json) -> None:
        base = meta.get("generateName")
        if base and not meta.get("name"):
            meta["name"] = base[:LONGEST_BASE] + self._store.suffix()

    def _create(self, resource: Resource, made: Json) -> Json:
        try:
            return self._store.create(resource, made)
        except Exists:
            raise already_exists(resource, made["metadata"]["name"]) from None

    def _new(self, made: Json) -> Json:
        """What a dry run shows of a new object: all but a revision."""
        own = {"uid": str(uuid.uuid4()), "creationTimestamp": stamp(self._store.clock.now)}
        return {**made, "metadata": {**made["metadata"], **own}}


def _decoded(wish: Wish, given: Json) -> tuple[Json, tuple[str, ...]]:
    found = decode(wish.resource, given, wish.field_validation == "Strict")
    said = tuple(warnings(found.unknown)) if wish.field_validation == "Warn" else ()
    return found.value, said


def _check_versions(resource: Resource, live: Json, given: Json) -> None:
    """Optimistic locking: who names a revision means only that one."""
    uid = given.get("uid")
    if uid and uid != live["uid"]:
        why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {live['uid']}"
        raise conflict(resource, live["name"], why)
    version = given.get("resourceVersion")
    if version and version != live["resourceVersion"]:
        raise conflict(resource, live["name"])
