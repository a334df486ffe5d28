"""Carries out what a fault, or an administrator, does to the cluster."""

from collections.abc import Callable, Iterable
from typing import Any, Protocol, assert_never

import msgspec

from .api.allocate import Ranges
from .api.allocation import Allocation
from .api.deletion import DeleteOptions, Deletion
from .api.patch import MERGE_PATCH
from .api.writing import Wish, Writer
from .controllers.events import EventRecorder
from .faults import fault
from .flows import connections
from .resources import Resource, named, of_kind
from .store import Store

Json = dict[str, Any]


class Parts(Protocol):
    """What of the cluster lies outside its objects."""

    def stop(self, part: str) -> None: ...

    def change_file(self, node: str, file: str, change: Callable[[str], str]) -> None: ...

    def configure(self, part: str, settings: Json) -> None: ...

    def behave(self, at: str, behaviour: Json) -> None: ...

    def say(self, said: fault.Log) -> None: ...


class Hands:
    """Writes objects: as a user does through the API server, or past all its checks."""

    def __init__(self, store: Store, ranges: Ranges) -> None:
        self._store = store
        self._deletion = Deletion(store)
        self._writer = Writer(store, Allocation(store, ranges), self._deletion)

    def apply(self, objects: Iterable[Json]) -> None:
        """Creates what is not there, and puts the rest into the state that is wanted. Raises Refusal."""
        for given in objects:
            resource = resource_of(given)
            wish = _wish(resource, given["metadata"])
            live = self._store.get(resource, wish.namespace, wish.name)
            if live is None:
                self._writer.create(wish, given)
            else:
                self._writer.patch(wish, MERGE_PATCH, msgspec.json.encode(given))

    def patch(self, resource: Resource, namespace: str, name: str, patch: Json) -> None:
        """A JSON merge patch. Raises Refusal."""
        self._writer.patch(Wish(resource, namespace, name), MERGE_PATCH, msgspec.json.encode(patch))

    def edit(self, resource: Resource, namespace: str, name: str, change: Callable[[Json], Json]) -> None:
        """Raises Refusal."""
        wish = Wish(resource, namespace, name)
        self._writer.update(wish, change(self._writer.live(wish)))

    def delete(self, resource: Resource, namespace: str, name: str, grace: int | None = None) -> None:
        """Raises Refusal where it is not there."""
        live = self._writer.live(Wish(resource, namespace, name))
        self._deletion.delete(resource, live, DeleteOptions(grace_period_seconds=grace))

    def plant(self, objects: Iterable[Json]) -> None:
        for given in objects:
            self._store.put(resource_of(given), given)

    def report(self, event: fault.Event) -> None:
        """Raises Refusal where the object is not there."""
        about = self._writer.live(Wish(named(event.resource), event.namespace, event.name))
        recorder = EventRecorder(self._store, event.component)
        recorder.record(about, event.type, event.reason, event.message, times=event.times)

    def connections(self, flow: fault.Flow) -> tuple[str, tuple[str, ...]]:
        """A node, and the lines of its conntrack table. Raises LookupError."""
        return connections(flow, self._store)

    def doctor(self, resource: Resource, namespace: str, change: Callable[[Json], Json | None]) -> None:
        for stored in self._store.list(resource, namespace):
            changed = change(stored.load())
            if changed is not None:
                self._store.replace(resource, changed)


def resource_of(given: Json) -> Resource:
    found = of_kind(given["apiVersion"], given["kind"])
    if found is None:
        raise ValueError(f"the lab serves no {given['apiVersion']} {given['kind']}")
    return found


def _wish(resource: Resource, meta: Json) -> Wish:
    return Wish(resource, meta.get("namespace", "default") if resource.namespaced else "", meta["name"])


def perform(act: fault.Deed, hands: Hands, parts: Parts) -> None:
    """Does one act."""
    match act:
        case fault.Apply(objects):
            hands.apply(objects)
        case fault.Patch(resource, name, patch, namespace):
            hands.patch(named(resource), namespace, name, patch)
        case fault.Edit(resource, name, change, namespace):
            hands.edit(named(resource), namespace, name, change)
        case fault.Delete(resource, name, namespace):
            hands.delete(named(resource), namespace, name)
        case fault.Plant(objects):
            hands.plant(objects)
        case fault.Doctor(resource, change, namespace):
            hands.doctor(named(resource), namespace, change)
        case fault.Event():
            hands.report(act)
        case fault.Stop(part):
            parts.stop(part)
        case fault.Rules(node, file, change):
            parts.change_file(node, file, change)
        case fault.Flow():
            node, lines = hands.connections(act)
            parts.configure(f"kernel/{node}", {"connections": lines})
        case fault.Configure(part, settings):
            parts.configure(part, settings)
        case fault.Dns(behaviour, at):
            parts.behave(at, behaviour)
        case fault.Log():
            parts.say(act)
        case _:
            assert_never(act)
