"""What the name server reads of the cluster, and what of that its informers show it."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from .selectors import Selector

Json = dict[str, Any]
SERVICE_NAME = "kubernetes.io/service-name"


class View(Protocol):
    """Look-ups in the cluster's objects, each by an index. Addresses come and are indexed in their shortest form."""

    def service(self, namespace: str, name: str) -> Json | None: ...

    def slices(self, namespace: str, service: str) -> Iterable[Json]:
        """The EndpointSlices labelled kubernetes.io/service-name = ``service``."""

    def namespaces(self) -> Mapping[str, Mapping[str, str]]:
        """Every namespace's labels by its name."""

    def services_by_ip(self, ip: str) -> Iterable[Json]:
        """Those that have ``ip`` among their clusterIPs."""

    def endpoints_by_ip(self, ip: str) -> Iterable[tuple[Json, Json]]:
        """(EndpointSlice, one of its endpoints) wherever ``ip`` is among the endpoint's addresses."""

    def pod_by_ip(self, namespace: str, ip: str) -> Json | None: ...


class Informers:
    """The view as CoreDNS's informers hold it: narrowed by label selectors, blind where they never synced."""

    def __init__(
        self, view: View, labels: Selector, namespace_labels: Selector, *, nothing: bool = False, endpoints: bool = True
    ) -> None:
        self._view = view
        self._labels = labels
        self._namespace_labels = namespace_labels
        self._nothing = nothing
        self._endpoints = endpoints and not nothing

    def service(self, namespace: str, name: str) -> Json | None:
        found = None if self._nothing else self._view.service(namespace, name)
        return found if found and self._labels.matches(labels_of(found)) else None

    def slices(self, namespace: str, service: str) -> Iterable[Json]:
        found = self._view.slices(namespace, service) if self._endpoints else ()
        return (one for one in found if self._labels.matches(labels_of(one)))

    def has_namespace(self, name: str) -> bool:
        known: Mapping[str, Mapping[str, str]] = {} if self._nothing else self._view.namespaces()
        return name in known and (not self._namespace_labels or self._namespace_labels.matches(known[name]))

    def services_by_ip(self, ip: str) -> Iterable[Json]:
        found = () if self._nothing else self._view.services_by_ip(ip)
        return (one for one in found if self._labels.matches(labels_of(one)))

    def endpoints_by_ip(self, ip: str) -> Iterable[tuple[Json, Json]]:
        found = self._view.endpoints_by_ip(ip) if self._endpoints else ()
        return (pair for pair in found if self._labels.matches(labels_of(pair[0])) and is_ready(pair[1]))

    def pod_by_ip(self, namespace: str, ip: str) -> Json | None:
        """A pod that still runs: CoreDNS forgets those that end or have ended."""
        pod = None if self._nothing else self._view.pod_by_ip(namespace, ip)
        if pod is None or not self._labels.matches(labels_of(pod)) or pod["metadata"].get("deletionTimestamp"):
            return None
        return None if pod.get("status", {}).get("phase") in ("Succeeded", "Failed") else pod


def labels_of(thing: Json) -> Mapping[str, str]:
    labels: Mapping[str, str] = thing["metadata"].get("labels") or {}
    return labels


def is_ready(endpoint: Json) -> bool:
    """conditions.ready, which is true where it is absent (discovery.k8s.io/v1)."""
    return (endpoint.get("conditions") or {}).get("ready") is not False
