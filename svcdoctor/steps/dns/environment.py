"""Discovery by environment: which ``*_SERVICE_HOST`` variables a container was started with.

The kubelet makes them anew for each start of a container, from the Services that exist then (pkg/kubelet/envvars,
getServiceEnvVarMap): those of the pod's namespace, unless enableServiceLinks is false, and always default/kubernetes.
What a container declares in ``env`` wins. Values that containers declare are not known here, only their names.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from ...model.meta import each
from ...model.pod import Container, Pod
from ...model.service import Service
from .objects import cluster_ips


class Injection(StrEnum):
    """Whether a container has the variables of a Service, and if not, why."""

    PRESENT = "present"
    YOUNGER = "younger"  # the Service was made after the container had started
    OTHER_NAMESPACE = "other namespace"
    DISABLED = "disabled"  # enableServiceLinks: false
    NO_ADDRESS = "no address"  # headless or ExternalName: such Services have no variables
    UNKNOWN = "unknown"  # not started, or a time is missing


class Variable(Struct, frozen=True):
    """One variable that the kubelet adds."""

    name: str
    value: str  # made of the Service's address and ports
    service: str


class Collision(Struct, frozen=True):
    """A variable of a Service that a container may take for its own setting."""

    variable: Variable
    container: str
    declared: bool  # the container sets it itself, and wins: then the Service's is lost
    beside: tuple[str, ...] = ()  # what the container declares of the same family: REDIS_HOST beside REDIS_PORT


def injection(service: Service, pod: Pod, container: Container) -> Injection:
    """Whether ``container`` of ``pod`` was started with the variables of ``service``."""
    if not cluster_ips(service) or service.spec.type == "ExternalName":
        return Injection.NO_ADDRESS
    if not _is_master(service):
        if service.namespace != pod.namespace:
            return Injection.OTHER_NAMESPACE
        if pod.spec.enable_service_links is False:
            return Injection.DISABLED
    started, made = started_at(pod, container), service.metadata.creation_timestamp
    if started is None or made is None:
        return Injection.UNKNOWN
    return Injection.YOUNGER if made > started else Injection.PRESENT


def started_at(pod: Pod, container: Container) -> datetime | None:
    """When the container's present run began: a restart renews its environment."""
    status = pod.container_status(container.name)
    if status is None:
        return None
    if status.state.running is not None:
        return status.state.running.started_at
    last = status.state.terminated or status.last_state.terminated
    return last.started_at if last else None


def _is_master(service: Service) -> bool:
    return (service.namespace, service.name) == ("default", "kubernetes")


def variables(service: Service) -> tuple[Variable, ...]:
    """All variables of one Service with an address, in the kubelet's order."""
    addresses = cluster_ips(service)
    return tuple(Variable(n, v, service.name) for n, v in _pairs(service, addresses[0])) if addresses else ()


def _pairs(service: Service, address: str) -> Iterator[tuple[str, str]]:
    prefix, ports = upper(service.name), service.spec.ports
    yield f"{prefix}_SERVICE_HOST", address
    if not ports:
        return
    yield f"{prefix}_SERVICE_PORT", str(ports[0].port)
    for port in ports:
        if port.name:
            yield f"{prefix}_SERVICE_PORT_{upper(port.name)}", str(port.port)
    shown = f"[{address}]" if ":" in address else address
    yield f"{prefix}_PORT", f"{ports[0].protocol.lower()}://{shown}:{ports[0].port}"
    for port in ports:
        protocol = port.protocol.lower()
        name = f"{prefix}_PORT_{port.port}_{protocol.upper()}"
        yield name, f"{protocol}://{shown}:{port.port}"
        yield f"{name}_PROTO", protocol
        yield f"{name}_PORT", str(port.port)
        yield f"{name}_ADDR", address


def upper(name: str) -> str:
    """``my-db`` -> ``MY_DB``, ``1st`` -> ``_1ST`` (makeEnvVariableName)."""
    shouted = name.replace("-", "_").replace(".", "_").upper()
    return f"_{shouted}" if shouted[:1].isdigit() else shouted


def injected(pod: Pod, container: Container, services: Iterable[Service]) -> Mapping[str, Variable]:
    """The variables that a container was given and does not set itself; Services that may be older count as older."""
    own = {variable.name for variable in each(container.env)}
    return {
        variable.name: variable
        for service in services
        if injection(service, pod, container) in (Injection.PRESENT, Injection.UNKNOWN)
        for variable in variables(service)
        if variable.name not in own
    }


def collisions(pod: Pod, services: Iterable[Service]) -> tuple[Collision, ...]:
    """Variables ``X_PORT`` and ``X_SERVICE_*`` that an application may read as its own settings.

    ``REDIS_PORT=tcp://10.0.0.5:6379`` hurts a program that expects a number there. That a program reads the variable
    can't be seen; that the container declares others of the same family (``beside``) speaks for it.
    """
    return tuple(
        found
        for service in services
        for container in (*pod.spec.containers, *pod.spec.init_containers)
        if injection(service, pod, container) in (Injection.PRESENT, Injection.UNKNOWN)
        for found in _collisions(service, container)
    )


def _collisions(service: Service, container: Container) -> Iterator[Collision]:
    own = [variable.name for variable in each(container.env)]
    prefix = upper(service.name) + "_"
    family = tuple(name for name in own if name.startswith(prefix))
    for variable in variables(service):
        if variable.name in own:
            yield Collision(variable, container.name, True)
        elif variable.name == f"{prefix}PORT" and family:
            yield Collision(variable, container.name, False, family)
