"""Lab time: simulated as far as wanted in no time, then following the real clock.

Everything in the lab that waits, waits here: a probe's period, a back-off, a grace period. Timers run one after another
in order of their moment, so the same lab always lives the same life.
"""

import asyncio
import heapq
import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class Timer:
    """One action at one moment; `cancel` takes it back."""

    __slots__ = ("action", "moment")

    def __init__(self, moment: datetime, action: Callable[[], None]) -> None:
        self.moment = moment
        self.action: Callable[[], None] | None = action

    def cancel(self) -> None:
        self.action = None


class Clock:
    """The lab's now, and what is due later. Belongs to one thread."""

    def __init__(self, start: datetime) -> None:
        self._simulated = start
        self._follows: Callable[[], datetime] | None = None
        self._timers: list[tuple[datetime, int, Timer]] = []
        self._order = itertools.count()
        self._sooner = asyncio.Event()

    @property
    def now(self) -> datetime:
        """Lab time, UTC. It never runs backwards."""
        if self._follows is not None:
            self._simulated = max(self._simulated, self._follows())
        return self._simulated

    def after(self, seconds: float, action: Callable[[], None]) -> Timer:
        """Runs ``action`` in ``seconds`` of lab time; at the next turn where that is 0."""
        timer = Timer(self.now + timedelta(seconds=seconds), action)
        heapq.heappush(self._timers, (timer.moment, next(self._order), timer))
        if self._timers[0][2] is timer:
            self._sooner.set()
        return timer

    def run_until(self, moment: datetime) -> None:
        """Simulates: runs all that is due up to ``moment``, which then is now."""
        while self._timers and self._timers[0][0] <= moment:
            due, _, timer = heapq.heappop(self._timers)
            self._simulated = max(self._simulated, due)
            if timer.action is not None:
                timer.action()
        self._simulated = max(self._simulated, moment)

    async def follow(self, speed: float = 1.0) -> None:
        """Follows the real clock, ``speed`` times as fast, until it is cancelled."""
        loop = asyncio.get_running_loop()
        begun, real = self.now, loop.time()
        self._follows = lambda: begun + timedelta(seconds=(loop.time() - real) * speed)
        while True:
            self.run_until(self.now)
            self._sooner.clear()
            pause = (self._timers[0][0] - self.now).total_seconds() / speed if self._timers else None
            try:
                await asyncio.wait_for(self._sooner.wait(), pause if pause is None else max(pause, 0))
            except TimeoutError:
                continue


def real_now() -> datetime:
    """The machine's clock: where a lab begins, and nothing else."""
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """A metav1.Time: whole seconds, UTC."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def micro_stamp(moment: datetime) -> str:
    """A metav1.MicroTime, as leases and new-style events carry it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_stamp(text: str) -> datetime:
    """The moment that a metav1.Time or MicroTime names."""
    return datetime.fromisoformat(text)
