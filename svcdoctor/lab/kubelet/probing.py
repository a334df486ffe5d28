"""What surrounds one container's probes: the rest of its pod, and the event recorder."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from .containers import Container
from .probes import Outcome, Surroundings, check

if TYPE_CHECKING:
    from .worker import PodWorker

Json = dict[str, Any]


class Probing:
    """`prober.ProbeWorld` of a container."""

    def __init__(self, worker: "PodWorker", one: Container) -> None:
        self._worker, self._one = worker, one

    def check(self, kind: str, probe: Json) -> Outcome:
        worker, run = self._worker, self._one.latest
        assert run is not None
        address = worker.addresses[0] if worker.addresses else "127.0.0.1"
        return check(probe, Surroundings(self._one.spec, run, address, worker.neighbours, worker.now))

    def tell(self, message: str, times: int) -> None:
        self._worker.tell(self._one, "Warning", "Unhealthy", message, times)

    def told_next(self) -> datetime:
        worker = self._worker
        field = f"spec.{self._one.field}{{{self._one.name}}}"
        return worker.node.events.due(worker.pod, "Warning", "Unhealthy", field)

    def changes_next(self) -> datetime | None:
        now = self._worker.now
        moments = []
        for run in self._worker.neighbours():
            age = run.program.next_change(run.age(now))
            moments += [run.moment(age)] if age is not None else []
        return min(moments, default=None)
