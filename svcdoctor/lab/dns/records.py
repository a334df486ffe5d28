"""Objects to what their names lead to (coredns plugin/kubernetes, findServices and findPods)."""

import ipaddress
from collections.abc import Iterator, Sequence

from msgspec import Struct

from .names import POD, Asked
from .selectors import Selector
from .view import SERVICE_NAME, Informers, Json, is_ready

NO_PORT: Json = {"name": "", "port": -1, "protocol": ""}
"""Stands where an object declares no port: its name has addresses, but no SRV records."""


class Target(Struct, frozen=True):
    """One address (or name) that a name leads to; ``owner`` is the name of its own, without the zone."""

    host: str
    owner: tuple[str, ...]
    port: int = -1


class Exposure(Struct, frozen=True):
    """Which objects have names at all: the options of the kubernetes plugin."""

    pods: str = "disabled"
    namespaces: frozenset[str] = frozenset()
    labels: Selector = Selector()
    namespace_labels: Selector = Selector()
    endpoint_pod_names: bool = False
    ignore_empty_service: bool = False
    endpoints: bool = True


class Records:
    """The names of the informers' objects. None says that a name does not exist, () that it leads nowhere."""

    def __init__(self, informers: Informers, exposure: Exposure) -> None:
        self._informers = informers
        self._exposure = exposure

    def find(self, asked: Asked | None) -> Sequence[Target] | None:
        if asked is None:
            return None
        if not asked.namespace:
            return ()
        if not self.exposes(asked.namespace) or (asked.kind == POD and self._exposure.pods == "disabled"):
            return None
        if not asked.service:
            return ()
        return self._pod(asked) if asked.kind == POD else self._service(asked)

    def exposes(self, namespace: str) -> bool:
        named = self._exposure.namespaces
        return (not named or namespace in named) and self._informers.has_namespace(namespace)

    # ----------------------------------------------------------------------------------------------------------- pods

    def _pod(self, asked: Asked) -> Sequence[Target] | None:
        ip = undashed(asked.service)
        if ip is None:
            return None
        if self._exposure.pods == "verified" and self._informers.pod_by_ip(asked.namespace, ip) is None:
            return None
        return (Target(ip, (asked.service, asked.namespace, POD)),)

    # ------------------------------------------------------------------------------------------------------- services

    def _service(self, asked: Asked) -> Sequence[Target] | None:
        service = self._informers.service(asked.namespace, asked.service)
        if service is None:
            return None
        spec = service["spec"]
        if spec.get("type") == "ExternalName":
            return self._external(spec, asked)
        if asked.endpoint or is_headless(spec):
            return tuple(self._endpoints(service, asked)) or None
        if self._exposure.ignore_empty_service and not any(self._ready(service)):
            return None
        ports = [port for port in spec.get("ports") or [NO_PORT] if _has_port(port, asked)]
        owner = (*_path(service), "svc")
        return tuple(Target(ip, owner, port["port"]) for port in ports for ip in cluster_ips(spec)) if ports else None

    def _external(self, spec: Json, asked: Asked) -> Sequence[Target] | None:
        """An externalName that is an address is no name, so the Service has none either."""
        host = spec.get("externalName", "")
        if asked.endpoint or asked.port or asked.protocol or is_address(host):
            return None
        return (Target(host, (asked.service, asked.namespace, "svc")),)

    def _endpoints(self, service: Json, asked: Asked) -> Iterator[Target]:
        for piece, endpoint in self._ready(service):
            ports = [port for port in map(_declared, piece.get("ports") or [NO_PORT]) if _has_port(port, asked)]
            for address in endpoint["addresses"]:
                hostname = self.hostname(endpoint, address)
                if asked.endpoint in ("", hostname.lower()):
                    for port in ports:
                        yield Target(address, (hostname, *_path(service), "svc"), port["port"])

    def _ready(self, service: Json) -> Iterator[tuple[Json, Json]]:
        name, namespace = _path(service)
        for piece in self._informers.slices(namespace, name) if self._exposure.endpoints else ():
            for endpoint in piece.get("endpoints") or ():
                if is_ready(endpoint):
                    yield piece, endpoint

    def hostname(self, endpoint: Json, address: str) -> str:
        """The label of one endpoint: its hostname, its pod's name where that was wanted, or its address with dashes."""
        pod = (endpoint.get("targetRef") or {}).get("name") if self._exposure.endpoint_pod_names else ""
        return endpoint.get("hostname") or pod or address.replace(".", "-").replace(":", "-")

    # -------------------------------------------------------------------------------------------------------- reverse

    def reverse(self, ip: str) -> Sequence[tuple[str, ...]]:
        """The names that ``ip`` has, without the zone: its Service's, else those of its endpoints."""
        named = self._exposure.namespaces
        for service in self._informers.services_by_ip(ip):
            name, namespace = _path(service)
            if not named or self.exposes(namespace):
                return ((name, namespace, "svc"),)
        found = self._informers.endpoints_by_ip(ip) if self._exposure.endpoints else ()
        return tuple(
            (
                self.hostname(endpoint, ip),
                piece["metadata"]["labels"][SERVICE_NAME],
                piece["metadata"]["namespace"],
                "svc",
            )
            for piece, endpoint in found
            if not named or self.exposes(piece["metadata"]["namespace"])
        )


def undashed(label: str) -> str | None:
    """``10-244-1-5`` -> ``10.244.1.5``, ``fd00--5`` -> ``fd00::5``; None where that is no address."""
    dotted = label.count("-") == 3 and "--" not in label
    try:
        return str(ipaddress.ip_address(label.replace("-", "." if dotted else ":")))
    except ValueError:
        return None


def is_headless(spec: Json) -> bool:
    return "None" in cluster_ips(spec)


def cluster_ips(spec: Json) -> Sequence[str]:
    """Both families' where there are two; ``None`` itself for a headless Service."""
    return spec.get("clusterIPs") or [ip for ip in [spec.get("clusterIP", "")] if ip]


def is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _path(service: Json) -> tuple[str, str]:
    return service["metadata"]["name"], service["metadata"]["namespace"]


def _declared(port: Json) -> Json:
    """A slice's port, whose fields may be null or absent."""
    number = port.get("port")
    return {
        "name": port.get("name") or "",
        "port": -1 if number is None else number,
        "protocol": port.get("protocol") or "",
    }


def _has_port(port: Json, asked: Asked) -> bool:
    return asked.port in ("", port.get("name", "").lower()) and asked.protocol in (
        "",
        port.get("protocol", "TCP").lower(),
    )
