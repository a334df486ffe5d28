"""A small cluster in simulated time: nodes, workload controllers and kubelets over a store, without an API server."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from svcdoctor.lab import base
from svcdoctor.lab.api.defaults import created, updated
from svcdoctor.lab.clock import Clock
from svcdoctor.lab.controllers.deletion import delete
from svcdoctor.lab.controllers.workloads import workload_controllers
from svcdoctor.lab.kubelet import Kubelets
from svcdoctor.lab.resources import named, of_kind
from svcdoctor.lab.store import Store

Json = dict[str, Any]

START = datetime(2026, 11, 25, 12, 0, 0, tzinfo=UTC)


class World:
    """What a test asks of a cluster."""

    def __init__(self, nodes: int | Iterable[Json] = 2, images: Any = None, seed: int = 1) -> None:
        self.clock = Clock(START)
        self.store = Store(self.clock, seed)
        self.controllers = {made.name: made for made in workload_controllers(self.store)}
        for controller in self.controllers.values():
            controller.start()
        self.kubelets = Kubelets(self.store, images)
        self.kubelets.begin()
        made = [base.node(number) for number in range(1, nodes + 1)] if isinstance(nodes, int) else nodes
        for node in made:
            self.store.create(named("nodes"), node)

    def apply(self, *objects: Json) -> None:
        """Creates objects as the API server would."""
        for obj in objects:
            resource = of_kind(obj["apiVersion"], obj["kind"])
            assert resource
            self.store.create(resource, created(resource, obj))

    def change(self, plural: str, name: str, namespace: str = "default", **spec: Any) -> None:
        """Replaces fields of an object's spec."""
        resource = named(plural)
        old = self.store.get(resource, namespace, name)
        assert old
        self.store.replace(resource, updated(resource, old, {**old, "spec": {**old["spec"], **spec}}))

    def delete(self, plural: str, name: str, namespace: str = "default", grace: int | None = None) -> None:
        delete(self.store, named(plural), namespace, name, grace)

    def run(self, seconds: float = 0, **more: float) -> None:
        self.clock.run_until(self.clock.now + timedelta(seconds=seconds, **more))

    def get(self, plural: str, name: str, namespace: str = "default") -> Json:
        found = self.store.get(named(plural), namespace, name)
        assert found, f"no {plural} {namespace}/{name}"
        return found

    def all(self, plural: str, namespace: str = "default") -> list[Json]:
        return [stored.load() for stored in self.store.list(named(plural), namespace)]

    def pods(self, app: str = "web", namespace: str = "default") -> list[Json]:
        return [pod for pod in self.all("pods", namespace) if (pod["metadata"].get("labels") or {}).get("app") == app]

    def pod(self, app: str = "web") -> Json:
        (only,) = self.pods(app)
        return only

    def state(self, app: str = "web", container: int = 0) -> Json:
        """The state of a container of the only pod of ``app``."""
        state: Json = self.pod(app)["status"]["containerStatuses"][container]["state"]
        return state

    def events(self, name: str, namespace: str = "default") -> list[tuple[int, str, str]]:
        """(count, reason, message) of the events about what is called so, or begins so; the oldest first."""
        found = [event for event in self.all("events", namespace) if event["involvedObject"]["name"].startswith(name)]
        found.sort(key=lambda event: event.get("firstTimestamp") or event["eventTime"])
        return [(_count(event), event["reason"], event["message"]) for event in found]

    def busy(self) -> int:
        """Timers that will do something."""
        return sum(timer.action is not None for _, _, timer in self.clock._timers)


def _count(event: Json) -> int:
    return int((event.get("series") or event).get("count", 1))


def deployment(*containers: Json, name: str = "web", replicas: int = 1, **more: Any) -> Json:
    """A Deployment whose pods are labelled app=NAME. ``more`` goes into the pods' spec."""
    return base.deployment(name, replicas, {"app": name}, base.pod_spec(*containers, **more))


def condition(obj: Json, kind: str) -> Json:
    return next(one for one in obj["status"]["conditions"] if one["type"] == kind)


def conditions(obj: Json) -> dict[str, str]:
    return {one["type"]: one["status"] for one in obj["status"]["conditions"]}
