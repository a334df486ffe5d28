"""Watches as the API server's watch cache serves them: what has happened since, then what happens.

An event says how the *selection* changed: what leaves it is DELETED, as it last was inside it.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from types import TracebackType

import msgspec
from msgspec import Struct

from ..resources import Resource
from ..store import Change, Gone, Store, Stored
from .list_options import ListOptions
from .selection import Selection
from .status import Refusal, failure, too_old

QUEUE = 1000
"""Events that may wait for a slow reader before it is cut off."""
NO_PROGRESS = (
    "a watch stream was requested by the client but the required storage feature RequestWatchProgress is disabled"
)


class Event(Struct, frozen=True):
    """One step of a watch; ``stored`` is what it shows."""

    type: str
    stored: Stored


class TooSlow(Exception):
    """The reader did not keep up, and what it missed can't be told any more."""


def seen(change: Change, selection: Selection) -> Event | None:
    """A change as somebody sees it who looks through ``selection``; None where nothing is to be seen."""
    old, new = change.old, change.new
    before = old is not None and selection.takes(old)
    after = new is not None and selection.takes(new)
    if after and new is not None:
        return Event("MODIFIED" if before else "ADDED", new)
    if before and old is not None:
        return Event("DELETED", change.last if new is None else _at(old, change.revision))
    return None


def _at(stored: Stored, revision: int) -> Stored:
    """The same object under a later revision."""
    body = stored.load()
    body["metadata"]["resourceVersion"] = str(revision)
    return msgspec.structs.replace(stored, revision=revision, body=msgspec.json.encode(body))


class Watcher:
    """One watch: a context manager that listens to the store while it is open, and an iterator over what it saw."""

    def __init__(
        self,
        store: Store,
        resource: Resource,
        selection: Selection,
        options: ListOptions,
        on_overrun: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._resource = resource
        self._selection = selection
        self._options = options
        self._start = 0 if options.is_legacy else options.revision or 0
        self._waiting: deque[Event] = deque()
        self._arrived = asyncio.Event()
        self._overrun = False
        self._on_overrun = on_overrun
        self.revision = max(store.revision, self._start)  # up to which everything was seen

    def __enter__(self) -> "Watcher":
        self._end = self._store.subscribe(self._on_change)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end()

    def first(self) -> Iterator[Event]:
        """What a new watch is told: all there is where it begins anywhere, else what happened since its revision.

        Raises Refusal.
        """
        if self._needs_progress():
            raise Refusal(500, failure(500, "InternalError", NO_PROGRESS))
        if self._options.initial_events is False and self._options.is_legacy:
            return iter(())
        if self._options.is_legacy:
            held = self._store.list(self._resource, self._selection.namespace)
            return (Event("ADDED", stored) for stored in self._selection.of(held))
        return self._history()

    async def next(self, seconds: float) -> Event | None:
        """The next event; None when ``seconds`` pass without one. Raises TooSlow."""
        if not self._waiting:
            self._arrived.clear()
            try:
                await asyncio.wait_for(self._arrived.wait(), max(seconds, 0))
            except TimeoutError:
                return None
        if self._overrun:
            raise TooSlow
        return self._waiting.popleft()

    def _history(self) -> Iterator[Event]:
        try:
            changes = self._store.since(self._start)
        except Gone:
            raise too_old(self._start, self._store.compacted) from None
        mine = (change for change in changes if change.resource == self._resource)
        return (event for change in mine if (event := seen(change, self._selection)) is not None)

    def _needs_progress(self) -> bool:
        """An etcd without progress notifications can't say when the initial events are over.

        The API server asks for initial events by itself where a legacy watch takes bookmarks.
        """
        if self._options.initial_events is None:
            return self._options.is_legacy and self._options.bookmarks
        return self._options.initial_events and not (self._options.is_legacy and not self._options.bookmarks)

    def _on_change(self, change: Change) -> None:
        if change.revision <= self._start:
            return
        self.revision = change.revision
        if change.resource != self._resource or self._overrun:
            return
        event = seen(change, self._selection)
        if event is None:
            return
        if len(self._waiting) >= QUEUE:
            self._overrun = True
            self._waiting.clear()
            self._on_overrun()
        self._waiting.append(event)
        self._arrived.set()
