"""The Endpoints controller: the same pods in the old form, at most 1,000 addresses of the Service's first family.

Source: pkg/controller/endpoint/endpoints_controller.go and pkg/api/v1/endpoints/util.go (RepackSubsets).
"""

import json
from typing import Any

from ..store import Store
from .backends import (
    ENDPOINTS,
    HEADLESS,
    SERVICES,
    TRIGGER_TIME,
    ServiceLoop,
    addresses,
    belongs,
    has_endpoints,
    hostname,
    is_headless,
    is_ready,
    pod_reference,
    slice_ports,
)
from .trigger_times import TriggerTimes

Json = dict[str, Any]

CAPACITY = 1000
OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity"
MANAGED_BY = "endpoints.kubernetes.io/managed-by"


class EndpointsController(ServiceLoop):
    """Keeps the Endpoints of every Service that has a selector. Those without one are left as somebody made them."""

    name = "endpoint-controller"

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._triggers = TriggerTimes()

    def reconcile(self, key: Any) -> None:
        service = self.store.get(SERVICES, *key)
        old = self.store.get(ENDPOINTS, *key)
        if service is None:
            self._triggers.forget(key)
            if old is not None:
                self.store.delete(ENDPOINTS, *key)
        elif has_endpoints(service):
            late = bool(service["spec"].get("publishNotReadyAddresses"))
            pods = [pod for pod in self.pods_of(service) if belongs(pod, include_terminating=late)]
            self._write(service, old, subsets(service, pods), self._triggers.trigger(key, service, pods))

    def _write(self, service: Json, old: Json | None, wanted: list[Json], trigger: str) -> None:
        meta = service["metadata"]
        kept, truncated = truncate(wanted)
        labels = {**(meta.get("labels") or {}), MANAGED_BY: "endpoint-controller"}
        if is_headless(service):
            labels[HEADLESS] = ""
        over = ((old or {}).get("metadata", {}).get("annotations") or {}).get(OVER_CAPACITY) == "truncated"
        same = old is not None and (old.get("subsets") or []) == kept and old["metadata"].get("labels") == labels
        if same and over == truncated:
            return
        annotations = dict((old or {"metadata": {}})["metadata"].get("annotations") or {})
        annotations.pop(TRIGGER_TIME, None)
        annotations.pop(OVER_CAPACITY, None)
        annotations |= {TRIGGER_TIME: trigger} if trigger else {}
        annotations |= {OVER_CAPACITY: "truncated"} if truncated else {}
        made: Json = {"name": meta["name"], "namespace": meta["namespace"], "labels": labels}
        if annotations:
            made["annotations"] = annotations
        self.store.put(
            ENDPOINTS,
            {"apiVersion": "v1", "kind": "Endpoints", "metadata": made, **({"subsets": kept} if kept else {})},
        )


def subsets(service: Json, pods: list[Json]) -> list[Json]:
    """The pods grouped by the ports they serve, ordered by address."""
    family = (service["spec"].get("ipFamilies") or ["IPv4"])[0]
    groups: dict[str, Json] = {}
    for pod in pods:
        ports, ips = slice_ports(pod, service), addresses(pod, family)
        if not ips or (service["spec"].get("ports") and not ports):
            continue
        ready = bool(service["spec"].get("publishNotReadyAddresses")) or is_ready(pod)
        group = groups.setdefault(json.dumps(ports), {"addresses": [], "notReadyAddresses": [], "ports": ports})
        group["addresses" if ready else "notReadyAddresses"].append(_address(pod, service, ips[0]))
    for group in groups.values():
        for part in ("addresses", "notReadyAddresses"):
            group[part].sort(key=lambda entry: (entry["ip"], entry["targetRef"]["uid"]))
    ordered = sorted(groups.items())
    return [{part: value for part, value in group.items() if value} for _, group in ordered]


def _address(pod: Json, service: Json, ip: str) -> Json:
    name = hostname(pod, service)
    node = pod["spec"].get("nodeName")
    made: Json = {"ip": ip} | ({"hostname": name} if name else {}) | ({"nodeName": node} if node else {})
    return {**made, "targetRef": pod_reference(pod)}


def truncate(wanted: list[Json]) -> tuple[list[Json], bool]:
    """``wanted`` with at most CAPACITY addresses, the ready ones first; and whether any were left out."""
    parts = ("addresses", "notReadyAddresses")
    if sum(len(subset.get(part, ())) for subset in wanted for part in parts) <= CAPACITY:
        return wanted, False
    room = CAPACITY
    kept = [{"ports": subset["ports"]} if "ports" in subset else {} for subset in wanted]
    for part in parts:
        for subset, short in zip(wanted, kept, strict=True):
            taken = subset.get(part, [])[:room]
            room -= len(taken)
            short.update({part: taken} if taken else {})
    return [short for short in kept if any(part in short for part in parts)], True
