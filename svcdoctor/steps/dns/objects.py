"""The objects that DNS is made of, as a kubernetes plugin with its options sees them."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from ...model.meta import Object, each
from ...model.service import SERVICE_NAME_LABEL, EndpointSlice, Service, SliceEndpoint
from ...model.snapshot import Snapshot
from . import names
from .kubernetes_plugin import KubernetesPlugin
from .label_selector import matches
from .question import Absent, Unread

Address = tuple[str, str, EndpointSlice]
"""An endpoint's address, what DNS calls the endpoint, and the slice that lists it."""


class Objects:
    """One snapshot through the eyes of one plugin. All look-ups raise Absent or Unread."""

    def __init__(self, snapshot: Snapshot, plugin: KubernetesPlugin) -> None:
        self.snapshot = snapshot
        self.plugin = plugin

    def service(self, namespace: str, name: str) -> Service:
        service = self._services.get((namespace, name))
        if service is None:
            if not self.snapshot.services.knows(namespace, name):
                self.namespace_exists(namespace, needed=False)
                raise Unread(self.snapshot.gap("services", namespace), f"Services of {namespace} were not read")
            raise Absent(f"there is no Service {name} in namespace {namespace}")
        if not matches(self.plugin.labels, service.labels):
            raise Absent(f"the labels option of the kubernetes plugin hides Service {namespace}/{name}")
        if self.plugin.namespace_labels:
            self.namespace_exists(namespace)
        return service

    def services(self) -> Iterator[Service]:
        """All that are served, as far as they were read."""
        for service in self._services.values():
            if self._exposed(service.namespace) and matches(self.plugin.labels, service.labels):
                yield service

    def addresses(self, service: Service) -> Iterator[Address]:
        """Every ready address behind a Service. Raises Unread before the first."""
        namespace = service.namespace
        reading = self.snapshot.endpointslices
        query = f"labelSelector={SERVICE_NAME_LABEL}={service.name}"
        if not reading.covers(namespace) and (namespace, query) not in reading.selected:
            raise Unread(self.snapshot.gap("endpointslices", namespace), f"endpoints of {service.name} were not read")
        for endpoint_slice in self._slices.get((namespace, service.name), ()):
            yield from self._ready(endpoint_slice)

    def all_addresses(self) -> Iterator[tuple[str, str, Address]]:
        """Every ready address of every Service, with the Service's namespace and name, as far as they were read."""
        for (namespace, service), slices in self._slices.items():
            if self._exposed(namespace):
                for endpoint_slice in slices:
                    for address in self._ready(endpoint_slice):
                        yield namespace, service, address

    def expose(self, namespace: str) -> None:
        """Raises Absent for a namespace that is not served."""
        if not self._exposed(namespace):
            raise Absent(f"the namespaces option of the kubernetes plugin hides namespace {namespace}")

    def namespace_exists(self, namespace: str, needed: bool = True) -> None:
        """Raises Absent where it is known not to exist or to be hidden; Unread where that is not known but needed."""
        reading = self.snapshot.namespaces
        found = reading.get("", namespace)
        if found is None:
            if reading.knows("", namespace):
                raise Absent(f"there is no namespace {namespace}")
            if needed and (namespace not in self._inhabited or self.plugin.namespace_labels):
                raise Unread(self.snapshot.gap("namespaces"), f"whether namespace {namespace} exists is not known")
        elif not matches(self.plugin.namespace_labels, found.labels):
            raise Absent(f"the namespace_labels option of the kubernetes plugin hides namespace {namespace}")

    # ----------------------------------------------------------------------------------------------------------- within

    def _exposed(self, namespace: str) -> bool:
        return not self.plugin.namespaces or namespace in self.plugin.namespaces

    def _ready(self, endpoint_slice: EndpointSlice) -> Iterator[Address]:
        if endpoint_slice.address_type == "FQDN" or not matches(self.plugin.labels, endpoint_slice.labels):
            return
        for endpoint in each(endpoint_slice.endpoints):
            state = endpoint.conditions
            leaving = self.plugin.terminating and state.terminating and state.serving
            if state.ready is not False or leaving:
                for address in endpoint.addresses:
                    yield address, self._label(endpoint, address), endpoint_slice

    def _label(self, endpoint: SliceEndpoint, address: str) -> str:
        """What CoreDNS calls an endpoint: its hostname, its pod where told so, its address with dashes."""
        if endpoint.hostname:
            return endpoint.hostname
        if self.plugin.pod_names and endpoint.target_ref and endpoint.target_ref.name:
            return endpoint.target_ref.name
        return dashed(address)

    @cached_property
    def _inhabited(self) -> frozenset[str]:
        """The namespaces that objects were read of: those exist."""
        read: Iterable[Iterable[Object]] = (self.snapshot.services.items, self.snapshot.pods.items)
        return frozenset(item.namespace for items in read for item in items)

    @cached_property
    def _services(self) -> Mapping[tuple[str, str], Service]:
        return {(service.namespace, service.name): service for service in self.snapshot.services.items}

    @cached_property
    def _slices(self) -> Mapping[tuple[str, str], list[EndpointSlice]]:
        piles: dict[tuple[str, str], list[EndpointSlice]] = {}
        for endpoint_slice in self.snapshot.endpointslices.items:
            if service := endpoint_slice.service_name:
                piles.setdefault((endpoint_slice.namespace, service), []).append(endpoint_slice)
        return piles


def dashed(address: str) -> str:
    """``10.0.0.1`` -> ``10-0-0-1``, ``fd00::1`` -> ``fd00--1``."""
    return address.replace(".", "-").replace(":", "-")


def cluster_ips(service: Service) -> tuple[str, ...]:
    """The virtual addresses of a Service, of either family; none of a headless one."""
    given = service.spec.cluster_ips or (service.spec.cluster_ip,)
    return tuple(names.canonical(address) for address in given if address not in ("", "None"))
