"""One probe of one container, as the kubelet's worker runs it - without running it while nothing can change.

A probe that keeps succeeding is asked again when the program may answer otherwise; one that keeps failing when the next
event would be written. Source: pkg/kubelet/prober/worker.go of Kubernetes 1.36.
"""

import math
from datetime import datetime, timedelta
from typing import Any, Protocol

from .instance import Instance
from .probes import Outcome

Json = dict[str, Any]
KINDS = ("startup", "liveness", "readiness")
_FIRST: dict[str, bool | None] = {"startup": None, "liveness": True, "readiness": False}


class ProbeWorld(Protocol):
    """What surrounds one container's probes."""

    def check(self, kind: str, probe: Json) -> Outcome:
        """Runs it now."""

    def tell(self, message: str, times: int) -> None:
        """Records the event of ``times`` failures."""

    def told_next(self) -> datetime:
        """When the next such event would be written and not only counted."""

    def changes_next(self) -> datetime | None:
        """When what listens in the pod may next answer otherwise."""


class Prober:
    """Its ``result`` is what the kubelet goes by: None as long as nothing is known."""

    def __init__(self, kind: str, probe: Json, origin: datetime) -> None:
        self.kind, self.probe, self._origin = kind, probe, origin
        self._period = timedelta(seconds=probe.get("periodSeconds", 10))
        self.instance: Instance | None = None
        self.result: bool | None = None
        self.next: datetime | None = None  # when it is due; None for not before something changes
        self._streak: tuple[bool, int] = (True, 0)
        self._failed: datetime | None = None  # its last tick, where it failed then ...
        self._said = ""  # ... and what it said
        self._running: tuple[datetime, Outcome] | None = None  # a probe that is still waiting for its answer

    def attend(self, instance: Instance, now: datetime, at_once: bool = False) -> None:
        """A new run of the container: all begins anew. ``at_once`` does not wait for the next tick."""
        if self.instance is not instance:
            self.instance, self.result, self._streak = instance, _FIRST[self.kind], (True, 0)
            self._failed = self._running = None
            self.next = self._tick(now)
        if at_once:
            self.next = now

    def resume(self, instance: Instance, result: bool) -> None:
        """A run that was probed before, with this result, which is asked about when somebody has a reason."""
        self.instance, self.result = instance, result
        self._streak = (result, 10**6 if result else 0)

    def nudge(self, now: datetime) -> None:
        """Something changed that it may depend on."""
        tick = self._tick(now)
        if self._running is None and self.instance is not None and (self.next is None or tick < self.next):
            self.next = tick

    def step(self, now: datetime, world: "ProbeWorld") -> bool:
        """Runs what is due; whether the result changed."""
        before = self.result
        if self.next is None or self.next > now or self.instance is None:
            return False
        if self._running is None:
            ready = self.instance.started + timedelta(seconds=self.probe.get("initialDelaySeconds", 0))
            if now < ready:
                self.next = self._tick(ready)
                return False
            outcome = world.check(self.kind, self.probe)
            if outcome.took > 0:
                self._running, self.next = (now, outcome), now + timedelta(seconds=outcome.took)
                return False
        else:
            outcome = self._running[1]
        tick = self._running[0] if self._running else now
        self._running = None
        self._tell(outcome, tick, world)
        if not outcome.error:
            self._count(outcome.ok)
        self.next = self._after(now, outcome, world)
        return self.result != before

    def _count(self, ok: bool) -> None:
        self._streak = (ok, self._streak[1] + 1) if self._streak[0] == ok else (ok, 1)
        wanted = self.probe.get("successThreshold", 1) if ok else self.probe.get("failureThreshold", 3)
        if self._streak[1] >= wanted:
            self.result = ok

    def _after(self, now: datetime, outcome: Outcome, world: "ProbeWorld") -> datetime | None:
        """The next tick that can bring something new."""
        following = self._tick(now, strictly=True)
        if outcome.error:
            settled = True
        else:
            wanted = self.probe.get("successThreshold", 1) if outcome.ok else self.probe.get("failureThreshold", 3)
            settled = self.result == outcome.ok and self._streak[1] >= wanted
        if not settled:
            return following
        if self.kind == "startup" and self.result is True:
            return None
        moments = [] if outcome.ok else [world.told_next()]
        change = world.changes_next()
        moments += [change] if change is not None else []
        return max(self._tick(min(moments)), following) if moments else None

    def _tick(self, moment: datetime, strictly: bool = False) -> datetime:
        """The first tick of its period at or after ``moment``."""
        count = (moment - self._origin) / self._period
        return self._origin + (math.floor(count) + 1 if strictly else math.ceil(count)) * self._period

    def _tell(self, outcome: Outcome, tick: datetime, world: "ProbeWorld") -> None:
        """Records this failure, and those of the ticks since the last one that were not run."""
        skipped = 0 if self._failed is None else max(round((tick - self._failed) / self._period) - 1, 0)
        self._failed = None if outcome.ok else tick
        if not outcome.ok:
            word = "errored and resulted in unknown state" if outcome.error else "failed"
            self._said = f"{self.kind.capitalize()} probe {word}: {outcome.message}"
        elif not skipped:
            return
        world.tell(self._said, skipped + (not outcome.ok))
