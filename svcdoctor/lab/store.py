"""Objects at rest, as etcd and the watch cache hold them: bytes under a revision, with a bounded history.

What is stored is JSON, so nobody can change an object but by storing another one. Every reader gets a dict of its own.
"""

import bisect
import random
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from .clock import Clock, stamp
from .resources import Resource

Json = dict[str, Any]
Key = tuple[str, str]
"""(namespace, name); the namespace is empty for what has none."""

HISTORY = 20_000
"""Changes that are remembered; a watch that begins before them is told 410 Gone."""
UNCOUNTED = frozenset(
    {"services", "namespaces", "nodes", "persistentvolumeclaims", "resourcequotas", "leases", "servicecidrs"}
)
"""Kinds with a spec whose strategy leaves metadata.generation alone."""
COUNTED = frozenset({"endpointslices"})
"""Kinds without a spec whose strategy counts metadata.generation all the same."""
SUFFIX = "bcdfghjklmnpqrstvwxz2456789"  # apimachinery's rand.String: no vowels, no lookalikes


class Exists(Exception):
    """An object of that name is there already."""


class Missing(Exception):
    """No such object."""


class Gone(Exception):
    """The revision is older than what is remembered."""


class Stored(Struct, frozen=True, gc=False):
    """One version of one object. Labels and owner stand beside the body so that selecting decodes nothing."""

    namespace: str
    name: str
    uid: str
    revision: int
    labels: Mapping[str, str]
    owner: str  # the uid of its controller; empty without one
    body: bytes

    @property
    def key(self) -> Key:
        return self.namespace, self.name

    def load(self) -> Json:
        """The object, the caller's own."""
        loaded: Json = msgspec.json.decode(self.body)
        return loaded


class Change(Struct, frozen=True, gc=False):
    """One step of history: ``old`` is None for what was added, ``new`` for what was deleted.

    ``last`` is what a watch shows of it: for a deletion the object as it last was, under the deletion's revision.
    """

    revision: int
    resource: Resource
    old: Stored | None
    new: Stored | None
    last: Stored

    @property
    def type(self) -> str:
        return "ADDED" if self.old is None else "DELETED" if self.new is None else "MODIFIED"


class Store:
    """All objects of the lab. Belongs to one thread; listeners are called after each change, in order."""

    def __init__(self, clock: Clock, seed: int = 1) -> None:
        self.clock = clock
        self.revision = 1
        self.compacted = 0  # changes up to this revision are forgotten
        self._random = random.Random(seed)
        self._objects: dict[Resource, dict[Key, Stored]] = {}
        self._namespaces: dict[tuple[Resource, str], dict[Key, Stored]] = {}
        self._owned: dict[tuple[Resource, str], dict[Key, Stored]] = {}
        self._ordered: dict[tuple[Resource, str], tuple[Stored, ...]] = {}  # lists that nothing has changed since
        self._history: list[Change] = []
        self._listeners: list[Callable[[Change], None]] = []

    # -------------------------------------------------------------------------------------------------------- reading

    def get(self, resource: Resource, namespace: str, name: str) -> Json | None:
        found = self.find(resource, namespace, name)
        return found.load() if found else None

    def find(self, resource: Resource, namespace: str, name: str) -> Stored | None:
        return self._objects.get(resource, {}).get((namespace, name))

    def list(self, resource: Resource, namespace: str = "") -> Sequence[Stored]:
        """By namespace and name, as etcd orders its keys. The empty namespace means all."""
        known = self._ordered.get((resource, namespace))
        if known is None:
            held = self._namespaces.get((resource, namespace)) if namespace else self._objects.get(resource)
            known = tuple(held[key] for key in sorted(held)) if held else ()
            self._ordered[resource, namespace] = known
        return known

    def owned(self, resource: Resource, uid: str) -> Sequence[Stored]:
        """What the object ``uid`` controls (metadata.ownerReferences with controller: true)."""
        held = self._owned.get((resource, uid), {})
        return [held[key] for key in sorted(held)]

    def list_at(self, resource: Resource, namespace: str, revision: int) -> Sequence[Stored]:
        """`list` as it was at ``revision``: what a continue token pages through. Raises Gone."""
        since = [change for change in self.since(revision) if change.resource == resource]
        changes = [change for change in since if not namespace or change.last.namespace == namespace]
        if not changes:
            return self.list(resource, namespace)
        then = {stored.key: stored for stored in self.list(resource, namespace)}
        for change in reversed(changes):
            then.pop(change.last.key, None)
            if change.old is not None:
                then[change.last.key] = change.old
        return [then[key] for key in sorted(then)]

    def since(self, revision: int) -> Sequence[Change]:
        """The changes after ``revision``. Raises Gone where some of them are forgotten."""
        if revision < self.compacted:
            raise Gone
        start = bisect.bisect_right(self._history, revision, key=lambda change: change.revision)
        return self._history[start:]

    # -------------------------------------------------------------------------------------------------------- writing

    def create(self, resource: Resource, given: Json) -> Json:
        """Stores a new object; the server's own metadata is filled in. Raises Exists."""
        made = {"apiVersion": resource.api_version, "kind": resource.kind, **given}
        meta = dict(given.get("metadata") or {})
        if not meta.get("name") and meta.get("generateName"):
            meta["name"] = meta["generateName"] + self.suffix()
        if (meta.get("namespace", ""), meta["name"]) in self._objects.get(resource, {}):
            raise Exists(meta["name"])
        meta["uid"] = self.new_uid()
        meta["creationTimestamp"] = meta.get("creationTimestamp") or stamp(self.clock.now)
        if ("spec" in made and resource.plural not in UNCOUNTED) or resource.plural in COUNTED:
            meta["generation"] = 1
        return self._commit(resource, {**made, "metadata": meta}, None)

    def replace(self, resource: Resource, given: Json, generation: int | None = None) -> Json:
        """Stores a new version; nothing happens where it says what is there. Raises Missing.

        metadata.generation counts the changes of spec, as the API server does for what has a status of its own;
        ``generation`` is for writes that are counted otherwise: a binding is no change, a graceful deletion is one.
        """
        meta = dict(given["metadata"])
        old = self.find(resource, meta.get("namespace", ""), meta["name"])
        if old is None:
            raise Missing(meta["name"])
        before = old.load()
        meta |= {field: before["metadata"][field] for field in ("uid", "creationTimestamp")}
        meta["resourceVersion"] = before["metadata"]["resourceVersion"]
        counted = before["metadata"].get("generation")
        if counted is not None:
            changed = _counted(resource, given) != _counted(resource, before)
            meta["generation"] = counted + changed if generation is None else generation
        made = {**given, "metadata": meta}
        return before if made == before else self._commit(resource, made, old)

    def put(self, resource: Resource, given: Json) -> Json:
        """Creates or replaces."""
        meta = given["metadata"]
        known = self.find(resource, meta.get("namespace", ""), meta.get("name", ""))
        return self.replace(resource, given) if known else self.create(resource, given)

    def delete(self, resource: Resource, namespace: str, name: str) -> Json:
        """Removes an object at once, and returns it as it last was. Raises Missing."""
        old = self.find(resource, namespace, name)
        if old is None:
            raise Missing(name)
        self.revision += 1
        body = old.load()
        body["metadata"]["resourceVersion"] = str(self.revision)
        last = msgspec.structs.replace(old, revision=self.revision, body=msgspec.json.encode(body))
        self._index(resource, old, None)
        self._tell(Change(self.revision, resource, old, None, last))
        return body

    def version(self, made: Json) -> Stored:
        """``made``, whose metadata is complete but for resourceVersion, as `load` takes it."""
        self.revision += 1
        made["metadata"]["resourceVersion"] = str(self.revision)
        return _stored(made, self.revision)

    def load(self, resource: Resource, versions: Iterable[Stored]) -> None:
        """Stores many new objects without history: a cluster that was large before anybody looked. Then `compact`."""
        for version in versions:
            self._index(resource, None, version)

    def compact(self) -> None:
        """Forgets all history."""
        self._history.clear()
        self.compacted = self.revision

    def _commit(self, resource: Resource, made: Json, old: Stored | None) -> Json:
        self.revision += 1
        made["metadata"]["resourceVersion"] = str(self.revision)
        new = _stored(made, self.revision)
        self._index(resource, old, new)
        self._tell(Change(self.revision, resource, old, new, new))
        return new.load()

    def _index(self, resource: Resource, old: Stored | None, new: Stored | None) -> None:
        for stored in filter(None, (old, new)):
            self._ordered.pop((resource, ""), None)
            self._ordered.pop((resource, stored.namespace), None)
            places = [self._objects.setdefault(resource, {})]
            places.append(self._namespaces.setdefault((resource, stored.namespace), {}))
            if stored.owner:
                places.append(self._owned.setdefault((resource, stored.owner), {}))
            for place in places:
                if stored is new:
                    place[stored.key] = stored
                else:
                    place.pop(stored.key, None)

    # ------------------------------------------------------------------------------------------------------- watching

    def subscribe(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        """Calls ``listener`` on every change from now on; what it returns ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _tell(self, change: Change) -> None:
        self._history.append(change)
        if len(self._history) > HISTORY:
            dropped = len(self._history) - HISTORY * 3 // 4
            self.compacted = self._history[dropped - 1].revision
            del self._history[:dropped]
        for listener in tuple(self._listeners):
            listener(change)

    # --------------------------------------------------------------------------------------------------------- naming

    def suffix(self, length: int = 5) -> str:
        """What generateName is completed with."""
        return "".join(self._random.choices(SUFFIX, k=length))

    def new_uid(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))


def _counted(resource: Resource, made: Json) -> Any:
    """What of an object metadata.generation counts the changes of."""
    if resource.plural in COUNTED:
        return {field: value for field, value in made.items() if field not in ("apiVersion", "kind", "metadata")}
    return made.get("spec")


def _stored(made: Json, revision: int) -> Stored:
    meta = made["metadata"]
    labels: Mapping[str, str] = meta.get("labels") or {}
    owner = next((ref["uid"] for ref in meta.get("ownerReferences") or () if ref.get("controller")), "")
    body = msgspec.json.encode(made)
    return Stored(meta.get("namespace", ""), meta["name"], meta["uid"], revision, labels, owner, body)


def selected(objects: Iterable[Stored], labels: Mapping[str, str]) -> Iterator[Stored]:
    """Those that carry all of ``labels``."""
    wanted = labels.items()
    return (stored for stored in objects if wanted <= stored.labels.items())
