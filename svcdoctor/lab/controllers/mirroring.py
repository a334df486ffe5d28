"""The EndpointSlice mirroring controller: Endpoints that somebody made by hand, as slices.

Source: pkg/controller/endpointslicemirroring of Kubernetes 1.36 (KEP-752).
"""

from collections.abc import Iterator
from typing import Any

from ..store import Change, Key, selected
from .backends import (
    ENDPOINTS,
    LAST_APPLIED,
    MANAGED_BY,
    SERVICE_NAME,
    SERVICES,
    SLICES,
    controller_reference,
    family_of,
)
from .loop import Controller

Json = dict[str, Any]

MANAGER = "endpointslicemirroring-controller.k8s.io"
SKIP = "endpointslice.kubernetes.io/skip-mirror"
LEADER = "control-plane.alpha.kubernetes.io/leader"
FULL = 1000
"""--mirroring-max-endpoints-per-subset."""


class MirroringController(Controller):
    """Mirrors the Endpoints of Services that have no selector."""

    name = "endpointslicemirroring-controller"

    def concerns(self, change: Change) -> Iterator[Key]:
        if change.resource in (ENDPOINTS, SERVICES):
            yield change.last.key
        elif change.resource == SLICES and change.last.labels.get(MANAGED_BY) == MANAGER:
            yield change.last.namespace, change.last.labels.get(SERVICE_NAME, "")

    def everything(self) -> Iterator[Key]:
        for stored in self.store.list(ENDPOINTS):
            yield stored.key

    def reconcile(self, key: Any) -> None:
        namespace, name = key
        endpoints = self.store.get(ENDPOINTS, namespace, name)
        service = self.store.get(SERVICES, namespace, name)
        mirrored = service is not None and not service["spec"].get("selector") and _to_be_mirrored(endpoints)
        ours = selected(self.store.list(SLICES, namespace), {SERVICE_NAME: name, MANAGED_BY: MANAGER})
        existing = [stored.load() for stored in ours]
        wanted = mirror(endpoints) if mirrored and endpoints is not None else []
        for each in wanted:
            old = next(
                (e for e in existing if (e["addressType"], e["ports"]) == (each["addressType"], each["ports"])), None
            )
            if old is None:
                self.store.create(SLICES, each)
            else:
                existing.remove(old)
                self._update(old, each)
        for left in existing:
            self.store.delete(SLICES, namespace, left["metadata"]["name"])

    def _update(self, old: Json, wanted: Json) -> None:
        if old["endpoints"] == wanted["endpoints"]:
            return
        self.store.replace(SLICES, {**wanted, "metadata": old["metadata"]})


def _to_be_mirrored(endpoints: Json | None) -> bool:
    if endpoints is None:
        return False
    meta = endpoints["metadata"]
    return (meta.get("labels") or {}).get(SKIP) != "true" and LEADER not in (meta.get("annotations") or {})


def mirror(endpoints: Json) -> list[Json]:
    """One slice per subset and family; addresses are ready, notReadyAddresses are not."""
    meta = endpoints["metadata"]
    annotations = {k: v for k, v in (meta.get("annotations") or {}).items() if k != LAST_APPLIED}
    made = {
        "generateName": f"{meta['name']}-",
        "namespace": meta["namespace"],
        "labels": {**(meta.get("labels") or {}), SERVICE_NAME: meta["name"], MANAGED_BY: MANAGER},
        "ownerReferences": [controller_reference(endpoints)],
    } | ({"annotations": annotations} if annotations else {})
    slices = []
    for subset in endpoints.get("subsets") or ():
        ports = [
            {"name": p.get("name", ""), "port": p["port"], "protocol": p.get("protocol", "TCP")}
            for p in subset.get("ports") or ()
        ]
        found: dict[str, list[Json]] = {}
        for part, ready in (("addresses", True), ("notReadyAddresses", False)):
            for address in subset.get(part) or ():
                found.setdefault(family_of(address["ip"]), []).append(_endpoint(address, ready))
        slices += [
            {"metadata": dict(made), "addressType": family, "endpoints": held[:FULL], "ports": ports}
            for family, held in found.items()
        ]
    return slices


def _endpoint(address: Json, ready: bool) -> Json:
    made: Json = {"addresses": [address["ip"]], "conditions": {"ready": ready}}
    for field in ("hostname", "nodeName", "targetRef"):
        if address.get(field):
            made[field] = address[field]
    return made
