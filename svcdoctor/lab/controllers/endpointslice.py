"""The EndpointSlice controller: the pods behind each Service's selector, as slices.

Source: k8s.io/endpointslice/reconciler.go and pkg/controller/endpointslice of Kubernetes 1.36.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from ..store import Change, Key, Store, selected
from .backends import (
    HEADLESS,
    MANAGED_BY,
    NODES,
    SERVICE_NAME,
    SERVICES,
    SLICES,
    TRIGGER_TIME,
    ServiceLoop,
    addresses,
    belongs,
    controller_reference,
    has_endpoints,
    hostname,
    is_headless,
    is_ready,
    is_terminating,
    pod_reference,
    slice_ports,
)
from .hints import ZONE, give_hints
from .packing import pack
from .trigger_times import TriggerTimes

Json = dict[str, Any]

MANAGER = "endpointslice-controller.k8s.io"


class EndpointSliceController(ServiceLoop):
    """Keeps the slices of every Service that has a selector."""

    name = "endpointslice-controller"

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._triggers = TriggerTimes()

    def concerns(self, change: Change) -> Iterator[Key]:
        yield from super().concerns(change)
        if change.resource == SLICES and change.last.labels.get(MANAGED_BY) == MANAGER:
            service = change.last.labels.get(SERVICE_NAME, "")
            yield change.last.namespace, service

    def reconcile(self, key: Any) -> None:
        service = self.store.get(SERVICES, *key)
        if service is None:
            self._triggers.forget(key)
            self._delete(self._slices(key))
        elif has_endpoints(service):
            pods = [pod for pod in self.pods_of(service) if belongs(pod, include_terminating=True)]
            trigger = self._triggers.trigger(key, service, pods)
            for family in service["spec"].get("ipFamilies") or ["IPv4"]:
                self._reconcile_family(service, family, pods, trigger)
            families = set(service["spec"].get("ipFamilies") or ["IPv4"])
            self._delete(each for each in self._slices(key) if each["addressType"] not in families)

    def _slices(self, key: Key) -> list[Json]:
        ours = selected(self.store.list(SLICES, key[0]), {SERVICE_NAME: key[1], MANAGED_BY: MANAGER})
        return [stored.load() for stored in ours]

    def _delete(self, slices: Iterable[Json]) -> None:
        for each in slices:
            self.store.delete(SLICES, each["metadata"]["namespace"], each["metadata"]["name"])

    def _reconcile_family(self, service: Json, family: str, pods: Iterable[Json], trigger: str) -> None:
        meta = service["metadata"]
        existing = [s for s in self._slices((meta["namespace"], meta["name"])) if s["addressType"] == family]
        by_ports: dict[str, tuple[list[Json], list[Json]]] = {}  # the ports as text -> (ports, endpoints)
        for pod in pods:
            if not addresses(pod, family):
                continue
            ports = slice_ports(pod, service)
            _, endpoints = by_ports.setdefault(json.dumps(ports), (ports, []))
            endpoints.append(endpoint_of(pod, service, family, self._zone(pod)))
        for_ports: dict[str, list[Json]] = {}
        for each in existing:
            for_ports.setdefault(json.dumps(each["ports"] or []), []).append(each)

        wanted: list[Json] = []
        for text, (ports, endpoints) in by_ports.items():
            kept, fresh = pack(for_ports.pop(text, []), endpoints)
            wanted += kept
            wanted += [self._slice(service, family, ports, each) for each in fresh]
        wanted += [{**left, "endpoints": []} for slices in for_ports.values() for left in slices]
        give_hints(service, wanted, (stored.load() for stored in self.store.list(NODES)))
        self._write(service, family, existing, wanted, trigger)

    def _write(self, service: Json, family: str, existing: list[Json], wanted: list[Json], trigger: str) -> None:
        """Stores what changed. One empty slice stays or is made where there would be none: consumers watch for it."""
        full = [each for each in wanted if each["endpoints"]]
        empty = [each for each in wanted if not each["endpoints"]]
        if not full:
            placeholder = empty.pop(0) if empty else self._slice(service, family, [], [])
            full.append({**placeholder, "endpoints": None, "ports": None})
        before = {each["metadata"]["name"]: each for each in existing}
        for each in empty:
            old = before.pop(each["metadata"]["name"], None)
            # an emptied slice is used again for the first new set of ports, as the real one turns delete and create
            # into an update
            new = next((f for f in full if "name" not in f["metadata"]), None) if old else None
            if old and new is not None:
                new["metadata"] = old["metadata"]
                before[old["metadata"]["name"]] = old
            elif old:
                self._delete([old])
        for each in full:
            old = before.get(each["metadata"].get("name", ""))
            self._store(service, each, old, trigger)

    def _store(self, service: Json, made: Json, old: Json | None, trigger: str) -> None:
        labels = self._labels(service)
        same = old is not None and old["metadata"].get("labels") == labels
        if same and old is not None and all(old[part] == made[part] for part in ("endpoints", "ports")):
            return
        meta = {**made["metadata"], "labels": labels}
        annotations = {k: v for k, v in (meta.pop("annotations", None) or {}).items() if k != TRIGGER_TIME}
        if trigger:
            annotations[TRIGGER_TIME] = trigger
        if annotations:
            meta["annotations"] = annotations
        self.store.put(SLICES, {**made, "metadata": meta})

    def _slice(self, service: Json, family: str, ports: list[Json], endpoints: list[Json]) -> Json:
        meta = service["metadata"]
        made = {
            "generateName": f"{meta['name']}-",
            "namespace": meta["namespace"],
            "ownerReferences": [controller_reference(service)],
        }
        return {"metadata": made, "addressType": family, "endpoints": endpoints, "ports": ports or None}

    def _labels(self, service: Json) -> dict[str, str]:
        meta = service["metadata"]
        labels = dict(meta.get("labels") or {})
        labels.pop(HEADLESS, None)
        if is_headless(service):
            labels[HEADLESS] = ""
        return {**labels, MANAGED_BY: MANAGER, SERVICE_NAME: meta["name"]}

    def _zone(self, pod: Json) -> str:
        found = self.store.find(NODES, "", pod["spec"].get("nodeName", ""))
        return found.labels.get(ZONE, "") if found else ""


def endpoint_of(pod: Json, service: Json, family: str, zone: str) -> Json:
    """The pod's entry in a slice of ``family``; ``zone`` is its node's, empty where that has none."""
    serving, terminating = is_ready(pod), is_terminating(pod)
    ready = bool(service["spec"].get("publishNotReadyAddresses")) or (serving and not terminating)
    made: Json = {
        "addresses": addresses(pod, family),
        "conditions": {"ready": ready, "serving": serving, "terminating": terminating},
    }
    place = {"hostname": hostname(pod, service), "nodeName": pod["spec"].get("nodeName"), "zone": zone}
    made |= {field: value for field, value in place.items() if value}
    return {**made, "targetRef": pod_reference(pod)}
