"""proxy subresources: a GET that the API server passes on to a node, a pod, or a Service's pod.

Source: pkg/registry/core/{node,pod,service}/... ResourceLocation.
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec
from aiohttp import hdrs
from msgspec import Struct

from ..resources import Resource, named
from ..store import Store
from .answers import Answer
from .calls import Call
from .kubelets import Kubelets
from .status import bad_request, not_found, unavailable

Json = dict[str, Any]

NODES, PODS, SERVICES, SLICES = named("nodes"), named("pods"), named("services"), named("endpointslices")
KUBELET = 10250
SERVICE_NAME = "kubernetes.io/service-name"
ID = re.compile(r"(?:(https?):)?([^:]+)(?::([^:]*))?")
"""[SCHEME:]NAME[:PORT]"""


class Backend(Struct, frozen=True):
    """Where a request goes: a pod or node, and what is dialled to get there."""

    target: Json
    address: str
    port: int


class Proxy:
    """Passes requests on."""

    def __init__(self, store: Store, kubelets: Kubelets) -> None:
        self._store = store
        self._kubelets = kubelets

    async def pass_on(self, call: Call) -> Answer:
        """Raises Refusal: 400, 404, 503 where nobody listens."""
        info = call.info
        found = ID.fullmatch(info.name)
        if found is None:
            raise bad_request(f'invalid {info.plural.removesuffix("s")} request "{info.name}"')
        name, port = found[2], found[3] or ""
        path = "/" + info.rest + (f"?{call.request.query_string}" if call.request.query_string else "")
        if info.plural == "nodes" and not port and info.rest.strip("/") == "configz":
            self._get(NODES, "", name)
            return self._answer(200, "application/json", msgspec.json.encode(self._kubelets.configz(name)))
        backend = self._backend(info.plural, info.namespace, name, port)
        try:
            return self._answer(*self._kubelets.http(backend.target, backend.port, path, dict(call.request.headers)))
        except ConnectionRefusedError:
            host = f"[{backend.address}]" if ":" in backend.address else backend.address
            refused = f"dial tcp {host}:{backend.port}: connect: connection refused"
            raise unavailable(f"error trying to reach service: {refused}") from None
        except TimeoutError:
            raise unavailable("error trying to reach service: context deadline exceeded") from None

    def _answer(self, status: int, content_type: str, body: bytes) -> Answer:
        return Answer(status, (body,), {hdrs.CONTENT_TYPE: content_type, "X-Content-Type-Options": "nosniff"})

    def _backend(self, plural: str, namespace: str, name: str, port: str) -> Backend:
        if plural == "services":
            return self._of_service(namespace, name, port)
        if plural == "nodes":
            node = self._get(NODES, "", name)
            addresses = (node.get("status") or {}).get("addresses") or ()
            address = next((one["address"] for one in addresses if one["type"] == "InternalIP"), name)
            return Backend(node, address, _number(port) or KUBELET)
        pod = self._get(PODS, namespace, name)
        address = (pod.get("status") or {}).get("podIP", "")
        if not address:
            raise bad_request("address not allowed")
        return Backend(pod, address, _number(port) or _first_port(pod))

    def _of_service(self, namespace: str, name: str, port: str) -> Backend:
        """Any ready endpoint of the port that is meant: an unnamed one where none is said."""
        service = self._get(SERVICES, namespace, name)
        if port.isdigit():
            ports = (service.get("spec") or {}).get("ports") or ()
            meant = next((one.get("name", "") for one in ports if one["port"] == int(port)), None)
            if meant is None:
                raise unavailable(f'no service port {port} found for service "{name}"')
            port = meant
        backend = next(self._endpoints(namespace, name, port), None)
        if backend is None:
            raise unavailable(f'no endpoints available for service "{name}{":" + port if port else ""}"')
        return backend

    def _endpoints(self, namespace: str, service: str, port_name: str) -> Iterator[Backend]:
        for stored in self._store.list(SLICES, namespace):
            if stored.labels.get(SERVICE_NAME) != service:
                continue
            found = stored.load()
            ports = [one["port"] for one in found.get("ports") or () if one.get("name", "") == port_name]
            for endpoint in found.get("endpoints") or () if ports else ():
                target = endpoint.get("targetRef") or {}
                pod = self._store.get(PODS, namespace, target.get("name", ""))
                if pod is not None and (endpoint.get("conditions") or {}).get("ready", True):
                    yield Backend(pod, endpoint["addresses"][0], ports[0])

    def _get(self, resource: Resource, namespace: str, name: str) -> Json:
        found = self._store.get(resource, namespace, name)
        if found is None:
            raise not_found(resource, name)
        return found


def _number(port: str) -> int:
    return int(port) if port.isdigit() else 0


def _first_port(pod: Json) -> int:
    """The first that a container declares, else HTTP's."""
    declared = (one["containerPort"] for container in pod["spec"]["containers"] for one in container.get("ports") or ())
    return next(declared, 80)
