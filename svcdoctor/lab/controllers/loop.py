"""The way every controller works: a change makes a key due, and reconciling makes the world so.

Level-triggered, as client-go's work queues: several changes of one key are one reconcile, and a controller that was
stopped finds all that it missed when it starts again.
"""

from collections.abc import Callable, Hashable, Iterable
from datetime import timedelta
from functools import partial

from ..clock import Clock, Timer
from ..store import Change, Store


class Controller:
    """One control loop over the store. Subclasses say which keys a change concerns, and what to do about a key."""

    name = ""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.clock: Clock = store.clock
        self._due: dict[Hashable, Timer] = {}
        self._end: Callable[[], None] | None = None

    def concerns(self, change: Change) -> Iterable[Hashable]:
        """The keys that ``change`` makes due."""
        raise NotImplementedError

    def everything(self) -> Iterable[Hashable]:
        """All keys there are: what is looked at when the controller starts."""
        raise NotImplementedError

    def reconcile(self, key: Hashable) -> None:
        """Makes the world as ``key`` wants it. Must change nothing where nothing is to be changed."""
        raise NotImplementedError

    @property
    def running(self) -> bool:
        return self._end is not None

    def start(self, look: bool = True) -> None:
        """Begins to listen; with ``look`` everything there is gets looked at."""
        if self.running:
            return
        self._end = self.store.subscribe(lambda change: self.enqueue(self.concerns(change)))
        if look:
            self.enqueue(self.everything())

    def stop(self) -> None:
        """Sees and does nothing more until it is started again."""
        if self._end is not None:
            self._end()
        self._end = None
        for timer in self._due.values():
            timer.cancel()
        self._due.clear()

    def enqueue(self, keys: Iterable[Hashable], after: float = 0) -> None:
        """Makes ``keys`` due in ``after`` seconds of lab time, or sooner where they were due sooner already."""
        moment = self.clock.now + timedelta(seconds=after)
        for key in keys:
            known = self._due.get(key)
            if known is not None:
                if known.moment <= moment:
                    continue
                known.cancel()
            self._due[key] = self.clock.after(after, partial(self._take, key))

    def _take(self, key: Hashable) -> None:
        self._due.pop(key, None)
        self.reconcile(key)
