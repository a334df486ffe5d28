"""Which cluster IPs and node ports are taken now, and what a Service that is written gets of the rest."""

from typing import Any

from ..resources import Resource, named
from ..store import Change, Store
from .allocate import Ranges, Taken, allocate

Json = dict[str, Any]

SERVICES = named("services")


class Allocation:
    """Follows the Services of the store, whoever writes them: what is deleted is free again."""

    def __init__(self, store: Store, ranges: Ranges) -> None:
        self._store = store
        self._ranges = ranges
        self._taken: Taken | None = None

    def create(self, resource: Resource, made: Json) -> Json:
        """A new Service with its addresses and ports; all else as it is. Raises Refusal: 422, 500."""
        return made if resource != SERVICES else allocate(made, self._ranges, self._now())

    def update(self, resource: Resource, live: Json, made: Json) -> Json:
        """The same for a new version of ``live``."""
        return made if resource != SERVICES else allocate(made, self._ranges, self._now(), live)

    def _now(self) -> Taken:
        """Looked up when it is first asked for: a large cluster is there before anybody writes."""
        if self._taken is None:
            self._taken = Taken()
            for stored in self._store.list(SERVICES):
                self._taken.add(stored.load())
            self._store.subscribe(self._note)
        return self._taken

    def _note(self, change: Change) -> None:
        if change.resource != SERVICES or self._taken is None:
            return
        if change.old is not None:
            self._taken.remove(change.old.load())
        if change.new is not None:
            self._taken.add(change.new.load())
