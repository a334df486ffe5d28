"""A pod's containers while it lives: their runs, why the next one waits, and what their probes found."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from .conditions import is_sidecar
from .instance import Instance
from .prober import KINDS, Prober

Json = dict[str, Any]


class Container:
    """One container of the spec. ``runs`` are its last two, the newest last; ``field`` is where in the spec it is."""

    def __init__(self, spec: Json, field: str, origin: datetime) -> None:
        self.spec, self.field = spec, field
        self.init, self.ephemeral = field == "initContainers", field == "ephemeralContainers"
        self.name: str = spec["name"]
        self.changed = False  # what runs is not what the spec says any more
        self.runs: list[Instance] = []
        self.waits: tuple[str, str] | None = None  # reason and message of the last failure to start it
        self.probers = {
            kind: Prober(kind, spec[f"{kind}Probe"], origin) for kind in KINDS if spec.get(f"{kind}Probe") is not None
        }

    @property
    def sidecar(self) -> bool:
        return self.init and is_sidecar(self.spec)

    @property
    def latest(self) -> Instance | None:
        return self.runs[-1] if self.runs else None

    def running(self, now: datetime) -> Instance | None:
        latest = self.latest
        return latest if latest is not None and latest.runs(now) else None

    def ended(self, now: datetime) -> Instance | None:
        latest = self.latest
        return latest if latest is not None and not latest.runs(now) else None

    def add(self, instance: Instance) -> None:
        self.runs = [*self.runs[-1:], instance]
        self.waits, self.changed = None, False

    def result(self, kind: str, default: bool) -> bool | None:
        prober = self.probers.get(kind)
        return default if prober is None or prober.instance is not self.latest else prober.result

    def started(self, now: datetime) -> bool:
        """Running, and through its startup probe."""
        if self.running(now) is None:
            return False
        return "startup" not in self.probers or self.result("startup", False) is True

    def ready(self, now: datetime) -> bool:
        """As its readiness probe says; an init container when it is done."""
        if self.init and not self.sidecar:
            done = self.ended(now)
            return done is not None and done.code == 0
        if not self.started(now):
            return False
        return "readiness" not in self.probers or self.result("readiness", False) is True

    def failed_probe(self, now: datetime) -> str:
        """The probe because of which it is to be restarted: startup, liveness; empty for none."""
        if self.running(now) is None:
            return ""
        for kind in ("startup", "liveness"):
            if kind in self.probers and self.result(kind, True) is False:
                return kind
        return ""

    def should_restart(self, policy: str, now: datetime) -> bool:
        """Whether it is to be started (again): ShouldContainerBeRestarted."""
        latest = self.latest
        if latest is None:
            return True
        if latest.runs(now) or self.ephemeral:
            return False
        own = self.spec.get("restartPolicy") if self.sidecar else policy
        if own == "Always" and (not self.init or self.sidecar):
            return True
        return own != "Never" and latest.code != 0


class Containers:
    """All of one pod."""

    def __init__(self, spec: Json, origin: datetime) -> None:
        self._origin = origin
        self.inits = [Container(one, "initContainers", origin) for one in spec.get("initContainers") or ()]
        self.mains = [Container(one, "containers", origin) for one in spec["containers"]]
        self.ephemerals: list[Container] = []
        self.policy: str = spec.get("restartPolicy", "Always")
        self.refresh(spec)

    def __iter__(self) -> Iterator[Container]:
        yield from self.inits
        yield from self.mains
        yield from self.ephemerals

    def refresh(self, spec: Json) -> None:
        """Takes over what can change of a pod that is there: images, and containers to debug it with."""
        by_name = {one.name: one for one in self}
        for given in (*(spec.get("initContainers") or ()), *spec["containers"]):
            one = by_name[given["name"]]
            if one.spec["image"] != given["image"]:
                one.spec, one.changed = given, True
        for given in spec.get("ephemeralContainers") or ():
            if given["name"] not in by_name:
                self.ephemerals.append(Container(given, "ephemeralContainers", self._origin))

    def named(self, name: str) -> Container | None:
        return next((one for one in self if one.name == name), None)

    @property
    def initialized(self) -> bool:
        """Once a main container has run, init containers are not looked at again."""
        return any(one.latest is not None for one in self.mains)

    def done(self, now: datetime) -> bool:
        """Whether all main containers have ended for good."""
        return all(one.ended(now) and not one.should_restart(self.policy, now) for one in self.mains)

    def init_failed(self, now: datetime) -> bool:
        """Whether an init container failed that is not to be tried again."""
        plain = (one for one in self.inits if not one.sidecar)
        return any(
            (ended := one.ended(now)) is not None and ended.code != 0 and not one.should_restart(self.policy, now)
            for one in plain
        )

    def to_start(self, now: datetime) -> Iterator[Container]:
        """What is to be started next, in order: sidecars and init containers one after another, then all the rest."""
        if self.done(now):
            return
        yield from (one for one in self.ephemerals if one.latest is None)
        for one in self.inits:
            if one.sidecar:
                if one.running(now) is None:
                    yield one
                if not one.started(now) and not self.initialized:
                    return
            elif not self.initialized:
                ended = one.ended(now)
                if ended is None or ended.code != 0:
                    if one.should_restart(self.policy, now):
                        yield one
                    return
        yield from (one for one in self.mains if one.should_restart(self.policy, now))

    def phase(self, now: datetime) -> str:
        """getPhase."""
        if self.init_failed(now):
            return "Failed"
        plain = [one for one in self.inits if not one.sidecar]
        if not self.initialized and any((end := one.ended(now)) is None or end.code for one in plain):
            return "Pending"
        if any(one.latest is None for one in self.mains):
            return "Pending"
        if not self.done(now) or any(one.sidecar and one.running(now) for one in self.inits):
            return "Running"
        codes = [one.latest.code for one in self.mains if one.latest is not None]
        return "Failed" if any(codes) else "Succeeded"
