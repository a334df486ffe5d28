"""Where a client's packets go once the Service's address is translated: to which pod, on which port of that pod."""

from collections.abc import Iterator
from enum import StrEnum

from msgspec import Struct

from ...model.case import Case, slice_port
from ...model.name_service import addresses
from ...model.pod import Pod
from ...model.service import Service, ServicePort
from ...network.netpol import AnyPod, AtAddress, AtPod, End, Question, ThroughService
from ..listening import resolve


class Purpose(StrEnum):
    """What a packet is for."""

    SERVICE = "service"
    DNS = "dns"


class Place(Struct, frozen=True):
    """One endpoint of one port."""

    address: str
    number: int  # the port on which the endpoint itself listens
    pod: Pod | None
    unseen: str = ""  # the namespace of a pod that was not read

    def end(self, service: Service) -> End:
        """Of a pod that was not read no more is known than what the Service selects it by."""
        if self.pod is not None:
            return AtPod(self.pod, self.address)
        return AnyPod(self.unseen, service.spec.selector) if self.unseen else AtAddress(self.address)


class Route(Struct, frozen=True):
    """One packet that a client sends."""

    purpose: Purpose
    place: Place
    question: Question
    node_local: bool = False  # to the name server that every node has for itself

    @property
    def to(self) -> str:
        """``Pod web-1, 10.244.1.3:8080/TCP``."""
        address = f"[{self.place.address}]" if ":" in self.place.address else self.place.address
        where = f"{address}:{self.question.port}/{self.question.protocol}"
        return f"Pod {self.place.pod.name}, {where}" if self.place.pod else where


def ports_asked(case: Case, service: Service) -> tuple[ServicePort, ...]:
    """The port that was asked for, or all of the Service."""
    wanted = case.target.port
    if wanted is None:
        return service.spec.ports
    return tuple(port for port in service.spec.ports if wanted in (str(port.port), port.name))


def places(case: Case, port: ServicePort) -> Iterator[Place]:
    """The ready endpoints of ``port``, each once; where slices were not read, the ready pods of the selector."""
    if not case.endpoints and not case.slices_known:
        yield from _by_pods(case, port)
        return
    seen: set[tuple[str, int]] = set()
    for endpoint in case.usable:
        found = slice_port(endpoint.slice, port)
        number = (port.port if found.port is None else found.port) if found else 0
        if not number or (endpoint.address, number) in seen:
            continue
        seen.add((endpoint.address, number))
        unseen = case.target.namespace if endpoint.pod is None and endpoint.pod_name else ""
        yield Place(endpoint.address, number, endpoint.pod, unseen)


def _by_pods(case: Case, port: ServicePort) -> Iterator[Place]:
    for pod in case.backends:
        number = resolve(pod, port.target, port.protocol)
        if pod.ready and pod.addresses and number:
            yield Place(pod.addresses[0], number, pod)


def routes(
    case: Case, service: Service, ports: tuple[ServicePort, ...], source: End, purpose: Purpose = Purpose.SERVICE
) -> Iterator[Route]:
    """Every packet that ``source`` may send to ``service``."""
    client = source.pod if isinstance(source, AtPod) else None
    for port in ports:
        through = ThroughService(service.name, port.port, addresses(service), service.spec.selector)
        for place in places(case, port):
            if client is not None and not _may_be_chosen(service, client, place):
                continue
            yield Route(purpose, place, Question(source, place.end(service), place.number, port.protocol, through))


def _may_be_chosen(service: Service, client: Pod, place: Place) -> bool:
    """Whether a proxy on the client's node sends there: by internalTrafficPolicy and by IP family."""
    family = [":" in address for address in client.addresses]
    if family and (":" in place.address) not in family:
        return False
    local = service.spec.internal_traffic_policy == "Local" and service.spec.cluster_ip != "None"
    return not local or place.pod is None or place.pod.spec.node_name == client.spec.node_name
