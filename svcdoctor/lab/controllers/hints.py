"""Topology hints: for which zones and nodes an endpoint is meant.

trafficDistribution hints each endpoint for its own place. topology-mode: Auto shares endpoints out by the zones' CPUs
and gives up where that can't be even. Source: k8s.io/endpointslice/trafficdist and /topologycache (KEP-2433, KEP-4444,
KEP-3015).
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from ..api.quantity import parse_quantity

Json = dict[str, Any]

OVERLOAD = 0.2
"""How far a zone may be overloaded before hints are given up."""
ZONE = "topology.kubernetes.io/zone"
MODE = "service.kubernetes.io/topology-mode"
OLD_MODE = "service.kubernetes.io/topology-aware-hints"
CONTROL_PLANE = "node-role.kubernetes.io/control-plane"


def give_hints(service: Json, slices: list[Json], nodes: Iterable[Json]) -> None:
    """Writes hints into the endpoints of ``slices``, all of one address type; removes those that no longer hold."""
    endpoints = [endpoint for each in slices for endpoint in each["endpoints"] or ()]
    distribution = service["spec"].get("trafficDistribution")
    for endpoint in endpoints:
        endpoint.pop("hints", None)
    if distribution:
        for endpoint in filter(_ready, endpoints):
            _hint_own_place(endpoint, distribution)
    elif _auto(service):
        _share_out([endpoint for endpoint in endpoints if _ready(endpoint)], zone_shares(nodes))


def _auto(service: Json) -> bool:
    annotations = service["metadata"].get("annotations") or {}
    return annotations.get(MODE, annotations.get(OLD_MODE, "")) in ("Auto", "auto")


def _ready(endpoint: Json) -> bool:
    return bool(endpoint["conditions"]["ready"])


def _hint_own_place(endpoint: Json, distribution: str) -> None:
    hints = {}
    if distribution == "PreferSameNode" and endpoint.get("nodeName"):
        hints["forNodes"] = [{"name": endpoint["nodeName"]}]
    if endpoint.get("zone"):
        hints["forZones"] = [{"name": endpoint["zone"]}]
    if hints:
        endpoint["hints"] = hints


def zone_shares(nodes: Iterable[Json]) -> dict[str, float]:
    """Zone -> its share of the ready nodes' CPUs; empty where a node's zone or CPU is not known."""
    cpus: dict[str, float] = {}
    for node in nodes:
        meta, status = node["metadata"], node.get("status") or {}
        if CONTROL_PLANE in (meta.get("labels") or {}) or not _node_ready(status):
            continue
        zone = (meta.get("labels") or {}).get(ZONE)
        cpu = float(parse_quantity((status.get("allocatable") or {}).get("cpu", "0")))
        if not zone or not cpu:
            return {}
        cpus[zone] = cpus.get(zone, 0) + cpu
    total = sum(cpus.values())
    return {zone: cpu / total for zone, cpu in cpus.items()}


def _node_ready(status: Json) -> bool:
    return any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions") or ())


class _Allocation(Struct, frozen=True):
    minimum: int
    maximum: int
    desired: float


def _allocations(count: int, shares: Mapping[str, float]) -> dict[str, _Allocation] | None:
    """How many of ``count`` endpoints each zone must, may and should have; None where no even share is possible."""
    if not 2 <= len(shares) <= count:
        return None
    desired = {zone: share * count for zone, share in shares.items()}
    minimum = {zone: math.ceil(number / (1 + OVERLOAD)) for zone, number in desired.items()}
    spare = count - sum(minimum.values())
    if spare < 0:
        return None
    return {
        zone: _Allocation(minimum[zone], minimum[zone] + spare, max(desired[zone], minimum[zone])) for zone in shares
    }


def _share_out(endpoints: list[Json], shares: Mapping[str, float]) -> None:
    allocations = _allocations(len(endpoints), shares)
    if allocations is None or any(endpoint.get("zone") not in allocations for endpoint in endpoints):
        return
    zones = [endpoint["zone"] for endpoint in endpoints]
    for giving, receiving in _transfers(allocations, {zone: zones.count(zone) for zone in allocations}):
        zones[zones.index(giving)] = receiving
    for endpoint, zone in zip(endpoints, zones, strict=True):
        endpoint["hints"] = {"forZones": [{"name": zone}]}


def _transfers(allocations: Mapping[str, _Allocation], held: dict[str, int]) -> Iterator[tuple[str, str]]:
    """(from, to): endpoints moved from zones with more than their share to zones with less than their least."""
    for zone in sorted(allocations):
        while held[zone] < allocations[zone].minimum:
            giver = max(sorted(held), key=lambda other: held[other] - allocations[other].desired)
            if held[giver] <= allocations[giver].minimum:
                return
            held[giver] -= 1
            held[zone] += 1
            yield giver, zone
