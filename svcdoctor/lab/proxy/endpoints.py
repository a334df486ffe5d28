"""EndpointSlices as kube-proxy reads them (pkg/proxy/endpointslicecache.go)."""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from .family import Family, address, endpoint_text

Json = dict[str, Any]
PortKey = tuple[str, str, str, str]
"""Namespace, Service, port name, protocol in lower case: slices and Services meet by these, not by targetPort."""

SERVICE_NAME = "kubernetes.io/service-name"
HEADLESS = "service.kubernetes.io/headless"


class Endpoint(Struct, frozen=True):
    """One address and port behind a service port."""

    ip: str
    port: int
    text: str
    """``ip:port``: its identity, and what endpoints are sorted by."""
    ready: bool
    serving: bool
    terminating: bool
    is_local: bool
    zone_hints: frozenset[str]
    node_hints: frozenset[str]

    @property
    def draining(self) -> bool:
        """Still answering while it goes away: the fallback where nothing is ready."""
        return self.serving and self.terminating


def endpoints_by_port(slices: Iterable[Json], family: Family, node: str) -> dict[PortKey, tuple[Endpoint, ...]]:
    """The endpoints of every service port, in kube-proxy's order: by text, so that 10.0.0.10 precedes 10.0.0.2.

    Of two with one ``ip:port`` a later one wins unless it is terminating: a new pod may have an old one's address.
    """
    found: dict[PortKey, dict[str, Endpoint]] = {}
    for one in slices:
        labels = (one.get("metadata") or {}).get("labels") or {}
        service = labels.get(SERVICE_NAME)
        if not service or HEADLESS in labels or one.get("addressType") != family.label:
            continue
        namespace = one["metadata"].get("namespace", "")
        records = [_record(endpoint, family, node) for endpoint in one.get("endpoints") or ()]
        for port in one.get("ports") or ():
            number = port.get("port")
            if not number:
                continue
            # The API server fills in the empty name and TCP; an object that never went through it may lack them.
            key = (namespace, service, port.get("name") or "", (port.get("protocol") or "TCP").lower())
            known = found.setdefault(key, {})
            for record in records:
                if record is not None:
                    _add(known, record, number, family)
    return {key: tuple(known[text] for text in sorted(known)) for key, known in found.items()}


Record = tuple[str, bool, bool, bool, bool, frozenset[str], frozenset[str]]


def _record(endpoint: Json, family: Family, node: str) -> Record | None:
    """An endpoint without its port: ip, ready, serving, terminating, local, hints. Only its first address counts."""
    addresses = endpoint.get("addresses") or ()
    parsed = address(addresses[0]) if addresses else None
    if parsed is None or parsed[0] is not family:
        return None
    conditions = endpoint.get("conditions") or {}
    hints = endpoint.get("hints") or {}
    return (
        parsed[1],
        conditions.get("ready") is not False,
        conditions.get("serving") is not False,
        conditions.get("terminating") is True,
        endpoint.get("nodeName") == node,
        _names(hints.get("forZones")),
        _names(hints.get("forNodes")),
    )


NO_NAMES: frozenset[str] = frozenset()


def _names(hints: list[Json] | None) -> frozenset[str]:
    return frozenset(hint.get("name", "") for hint in hints) if hints else NO_NAMES


def _add(known: dict[str, Endpoint], record: Record, port: int, family: Family) -> None:
    ip, ready, serving, terminating, local, zones, nodes = record
    text = endpoint_text(family, ip, port)
    if terminating and text in known:
        return
    known[text] = Endpoint(ip, port, text, ready, serving, terminating, local, zones, nodes)
