"""The API server's repair loop for node ports: it says which Services hold one outside of the range.

Source: pkg/registry/core/service/portallocator/controller/repair.go of Kubernetes 1.36.
"""

from collections.abc import Iterator
from typing import Any

from ..store import Change, Key, Store
from .backends import SERVICES
from .events import EventRecorder
from .loop import Controller

PERIOD = 180.0
"""Seconds between two looks."""


class NodePortRepair(Controller):
    """Warns once a period, as long as it lasts."""

    name = "node-port-repair"

    def __init__(self, store: Store, ports: tuple[int, int] = (30000, 32767)) -> None:
        super().__init__(store)
        self._ports = ports
        self._events = EventRecorder(store, "portallocator-repair-controller")

    def concerns(self, change: Change) -> Iterator[Key]:
        if change.resource == SERVICES and change.new is not None and b'"nodePort"' in change.new.body:
            yield change.new.key

    def everything(self) -> Iterator[Key]:
        for stored in self.store.list(SERVICES):
            if b'"nodePort"' in stored.body:
                yield stored.key

    def reconcile(self, key: Any) -> None:
        service = self.store.get(SERVICES, *key)
        low, high = self._ports
        held = [port["nodePort"] for port in (service or {"spec": {}})["spec"].get("ports") or () if "nodePort" in port]
        outside = [number for number in held if not low <= number <= high]
        if service is None or not outside:
            return
        for number in outside:
            said = f"Port {number} is not within the port range {low}-{high}; please recreate service"
            self._events.record(service, "Warning", "PortOutOfRange", said)
        self.enqueue([key], PERIOD)
