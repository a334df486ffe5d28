"""Which pods stand behind a Service, and where each of them listens: what all endpoint controllers share.

Source: k8s.io/endpointslice/util and k8s.io/kubernetes/pkg/api/v1/pod of Kubernetes 1.36.
"""

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from ..resources import named
from ..store import Change, Key, Stored, selected
from .loop import Controller

Json = dict[str, Any]

SERVICES = named("services")
PODS = named("pods")
NODES = named("nodes")
SLICES = named("endpointslices")
ENDPOINTS = named("endpoints")

SERVICE_NAME = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
HEADLESS = "service.kubernetes.io/headless"
TRIGGER_TIME = "endpoints.kubernetes.io/last-change-trigger-time"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


class ServiceLoop(Controller):
    """A loop whose keys are Services, made due by the Service itself and by the pods that its selector finds."""

    def __init__(self, store: Any) -> None:
        super().__init__(store)
        self._selectors: dict[str, dict[str, Mapping[str, str]]] = {}  # namespace -> service -> selector
        for stored in store.list(SERVICES):
            self._learn(stored)
        store.subscribe(self._note)

    def _note(self, change: Change) -> None:
        if change.resource != SERVICES:
            return
        if change.new is None:
            self._selectors.get(change.last.namespace, {}).pop(change.last.name, None)
        else:
            self._learn(change.new)

    def _learn(self, stored: Stored) -> None:
        selector = (stored.load().get("spec") or {}).get("selector") or {}
        self._selectors.setdefault(stored.namespace, {})[stored.name] = selector

    def concerns(self, change: Change) -> Iterator[Key]:
        if change.resource == SERVICES:
            yield change.last.key
        elif change.resource == PODS:
            yield from self._services_of(change)

    def _services_of(self, change: Change) -> Iterator[Key]:
        labels = [stored.labels.items() for stored in (change.old, change.new) if stored is not None]
        for name, selector in self._selectors.get(change.last.namespace, {}).items():
            if selector and any(selector.items() <= carried for carried in labels):
                yield change.last.namespace, name

    def everything(self) -> Iterator[Key]:
        for stored in self.store.list(SERVICES):
            yield stored.key

    def pods_of(self, service: Json) -> Iterator[Json]:
        meta = service["metadata"]
        for stored in selected(self.store.list(PODS, meta["namespace"]), service["spec"]["selector"]):
            yield stored.load()


def has_endpoints(service: Json) -> bool:
    """Whether the endpoint controllers care for it: it has a selector and is no alias."""
    spec = service["spec"]
    return bool(spec.get("selector")) and spec.get("type") != "ExternalName"


def is_headless(service: Json) -> bool:
    return bool(service["spec"].get("clusterIP") == "None")


def is_ready(pod: Json) -> bool:
    return any(c["type"] == "Ready" and c["status"] == "True" for c in _conditions(pod))


def _conditions(pod: Json) -> list[Json]:
    return (pod.get("status") or {}).get("conditions") or []


def is_terminating(pod: Json) -> bool:
    return bool(pod["metadata"].get("deletionTimestamp"))


def belongs(pod: Json, include_terminating: bool) -> bool:
    """ShouldPodBeInEndpoints: it has an address and has not run to its end."""
    status = pod.get("status") or {}
    if status.get("phase") in ("Failed", "Succeeded") or not status.get("podIP"):
        return False
    return include_terminating or not is_terminating(pod)


def addresses(pod: Json, family: str) -> list[str]:
    """The pod's addresses of ``family`` (IPv4 or IPv6)."""
    ips = [entry["ip"] for entry in pod["status"].get("podIPs") or [{"ip": pod["status"]["podIP"]}]]
    return [ip for ip in ips if family_of(ip) == family]


def family_of(address: str) -> str:
    return f"IPv{ipaddress.ip_address(address).version}"


def find_port(pod: Json, port: Json) -> int | None:
    """FindPort: the number itself, or the first container port of that name and protocol.

    Native sidecars (init containers with restartPolicy Always) are searched after the containers.
    """
    target = port.get("targetPort") or port["port"]
    if isinstance(target, int):
        return target
    spec = pod["spec"]
    sidecars = [c for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always"]
    for container in [*spec["containers"], *sidecars]:
        for declared in container.get("ports") or ():
            same = declared.get("protocol", "TCP") == port.get("protocol", "TCP")
            if declared.get("name") == target and same:
                return int(declared["containerPort"])
    return None


def slice_ports(pod: Json, service: Json) -> list[Json]:
    """The Service's ports as this pod serves them; a port whose name the pod lacks is left out."""
    ports = []
    for port in service["spec"].get("ports") or ():
        number = find_port(pod, port)
        if number is not None:
            made = {"name": port.get("name", ""), "port": number, "protocol": port.get("protocol", "TCP")}
            ports.append(made | ({"appProtocol": port["appProtocol"]} if "appProtocol" in port else {}))
    return ports


def hostname(pod: Json, service: Json) -> str:
    """The pod's name within a headless Service: its hostname, where its subdomain is the Service."""
    spec = pod["spec"]
    return spec.get("hostname", "") if spec.get("subdomain") == service["metadata"]["name"] else ""


def pod_reference(pod: Json) -> Json:
    meta = pod["metadata"]
    return {"kind": "Pod", "namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"]}


def controller_reference(owner: Json, api_version: str = "v1") -> Json:
    meta = owner["metadata"]
    reference = {"apiVersion": api_version, "kind": owner["kind"], "name": meta["name"], "uid": meta["uid"]}
    return {**reference, "controller": True, "blockOwnerDeletion": True}
