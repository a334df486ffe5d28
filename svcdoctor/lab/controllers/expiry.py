"""Events live for an hour after their last change (kube-apiserver's --event-ttl)."""

from collections import deque
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from ..clock import parse_stamp
from ..store import Change, Key, Store
from .events import EVENTS
from .loop import Controller

TTL = timedelta(hours=1)
EVERY = 60.0
"""Seconds between two looks while there are events; one timer serves them all."""


class EventExpiry(Controller):
    """Removes old events, oldest first."""

    name = "event-ttl"

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._queue: deque[tuple[datetime, int, Key]] = deque()  # last change, its revision, event

    def concerns(self, change: Change) -> Iterator[str]:
        if change.resource == EVENTS and change.new is not None:
            self._queue.append((self.clock.now, change.revision, change.new.key))
            if len(self._queue) == 1:
                self.enqueue(("expired",), after=TTL.total_seconds())
        return iter(())

    def everything(self) -> Iterator[str]:
        """What is there already counts from its own last change."""
        for stored in self.store.list(EVENTS):
            event = stored.load()
            last = event.get("lastTimestamp") or event.get("eventTime") or event["metadata"]["creationTimestamp"]
            self._queue.append((parse_stamp(last), stored.revision, stored.key))
        self._queue = deque(sorted(self._queue))
        yield "expired"

    def reconcile(self, key: Any) -> None:
        while self._queue and self._queue[0][0] + TTL <= self.clock.now:
            _, revision, event = self._queue.popleft()
            found = self.store.find(EVENTS, *event)
            if found is not None and found.revision == revision:
                self.store.delete(EVENTS, *event)
        if self._queue:
            left = (self._queue[0][0] + TTL - self.clock.now).total_seconds()
            self.enqueue((key,), after=max(left, EVERY))
