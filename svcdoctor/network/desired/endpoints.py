"""EndpointSlices -> the endpoints of a Service's port, as kube-proxy reads them (pkg/proxy/endpointslicecache.go)."""

from collections.abc import Iterable

from msgspec import Struct

from ...model.meta import each
from ...model.service import EndpointSlice, ServicePort, SliceEndpoint
from .node import plain

HEADLESS_LABEL = "service.kubernetes.io/headless"


class Backend(Struct, frozen=True):
    """One endpoint: an address with a port. nil ``ready`` and ``serving`` are true, nil ``terminating`` is false."""

    address: str
    port: int
    node: str = ""
    ready: bool = True
    serving: bool = True
    terminating: bool = False
    zone_hints: frozenset[str] = frozenset()
    node_hints: frozenset[str] = frozenset()

    @property
    def place(self) -> tuple[str, int]:
        return self.address, self.port

    @property
    def draining(self) -> bool:
        """It is on its way out, and still answers."""
        return self.serving and self.terminating


def backends(slices: Iterable[EndpointSlice], port: ServicePort, v6: bool) -> tuple[Backend, ...]:
    """The endpoints of ``port``, matched by its name and protocol, sorted as text.

    ``slices`` are those that carry the Service's label, in the Service's namespace.
    """
    found: dict[tuple[str, int], Backend] = {}
    for each_slice in slices:
        if each_slice.address_type != ("IPv6" if v6 else "IPv4") or HEADLESS_LABEL in each_slice.labels:
            continue
        for number in _numbers(each_slice, port):
            for entry in each(each_slice.endpoints):
                backend = _backend(entry, number)
                if backend is not None and (backend.place not in found or not backend.terminating):
                    found[backend.place] = backend  # a pod that runs goes before one that leaves its address
    return tuple(found[place] for place in sorted(found, key=_text))


def _numbers(each_slice: EndpointSlice, port: ServicePort) -> Iterable[int]:
    for candidate in each(each_slice.ports):
        same = candidate.name == port.name and (candidate.protocol or "TCP") == port.protocol
        if same and candidate.port:
            yield candidate.port


def _backend(entry: SliceEndpoint, port: int) -> Backend | None:
    address = plain(entry.addresses[0]) if entry.addresses else None
    if address is None:
        return None
    said, hints = entry.conditions, entry.hints
    return Backend(
        str(address),
        port,
        entry.node_name or "",
        said.ready is not False,
        said.serving is not False,
        said.terminating is True,
        frozenset(zone.name for zone in each(hints.for_zones if hints else ())),
        frozenset(node.name for node in each(hints.for_nodes if hints else ())),
    )


def _text(place: tuple[str, int]) -> str:
    address, port = place
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
