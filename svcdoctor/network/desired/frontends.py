"""Where a Service's port can be reached on a node: every address and port that kube-proxy takes packets at."""

from collections.abc import Iterator
from enum import StrEnum

from msgspec import Struct

from ...model.meta import each
from ...model.service import Service, ServicePort
from .node import Mode, Network, ProxyNode, networks, plain

NOT_OURS_LABEL = "service.kubernetes.io/service-proxy-name"
OUTWARD = ("NodePort", "LoadBalancer")
LOCAL = "Local"


class Kind(StrEnum):
    CLUSTER_IP = "ClusterIP"
    EXTERNAL_IP = "externalIP"
    LOAD_BALANCER = "load balancer IP"
    NODE_PORT = "node port"
    HEALTH_CHECK = "health check node port"


class Frontend(Struct, frozen=True):
    """One of them."""

    kind: Kind
    address: str
    port: int
    protocol: str  # tcp, udp or sctp
    name: str = ""  # of the Service's port

    def __str__(self) -> str:
        address = f"[{self.address}]" if ":" in self.address else self.address
        return f"{self.kind} {address}:{self.port}/{self.protocol.upper()}"


class Front(Struct, frozen=True):
    """What a Service says of one of its ports, of one IP family (pkg/proxy/serviceport.go)."""

    port: ServicePort
    cluster_ip: str
    external_ips: tuple[str, ...] = ()
    vips: tuple[str, ...] = ()  # of load balancers that leave the delivery to kube-proxy
    ranges: tuple[Network, ...] = ()  # whom the load balancer's addresses are for; empty: everybody
    node_port: int = 0
    health_check_port: int = 0
    internal_local: bool = False
    external_local: bool = False

    @property
    def exposed(self) -> bool:
        return bool(self.node_port or self.vips or self.external_ips)

    @property
    def uses_cluster(self) -> bool:
        return not self.internal_local or self.exposed

    @property
    def uses_local(self) -> bool:
        return self.internal_local or (self.external_local and self.exposed)

    def frontends(self, node: ProxyNode) -> Iterator[Frontend]:
        """Those on ``node``; of its addresses for node ports only its own, and 127.0.0.1 where that is one."""
        protocol = self.port.protocol.lower()
        for kind, addresses in (
            (Kind.CLUSTER_IP, (self.cluster_ip,)),
            (Kind.EXTERNAL_IP, self.external_ips),
            (Kind.LOAD_BALANCER, self.vips),
        ):
            for address in addresses:
                yield Frontend(kind, address, self.port.port, protocol, self.port.name)
        if self.node_port:
            for address in (node.primary, "" if node.v6 else "127.0.0.1"):
                if address and node.takes_node_ports(address):
                    yield Frontend(Kind.NODE_PORT, address, self.node_port, protocol, self.port.name)
        if self.health_check_port and node.primary and node.takes_node_ports(node.primary):
            yield Frontend(Kind.HEALTH_CHECK, node.primary, self.health_check_port, "tcp")


def is_served(service: Service) -> bool:
    """Whether kube-proxy makes rules for it."""
    ips = service.spec.cluster_ips or (service.spec.cluster_ip,)
    return (
        service.spec.type != "ExternalName"
        and NOT_OURS_LABEL not in service.labels
        and any(ip not in ("", "None") for ip in ips)
    )


def fronts(service: Service, v6: bool) -> tuple[Front, ...]:
    """One for each port; none where kube-proxy has nothing to do with the Service in that family."""
    cluster_ip = _cluster_ip(service, v6)
    if not is_served(service) or cluster_ip is None:
        return ()
    spec = service.spec
    external_ips = _family(spec.external_ips, v6)
    local = spec.external_traffic_policy == LOCAL
    outward = spec.type in OUTWARD or bool(spec.external_ips)
    balanced = spec.type == "LoadBalancer"
    return tuple(
        Front(
            port,
            cluster_ip,
            external_ips,
            _family((one.ip for one in each(service.status.load_balancer.ingress) if one.ip_mode in (None, "VIP")), v6),
            _ranges(service, v6),
            port.node_port,
            spec.health_check_node_port if balanced and local else 0,
            spec.internal_traffic_policy == LOCAL,
            outward and local,
        )
        for port in spec.ports
    )


def _cluster_ip(service: Service, v6: bool) -> str | None:
    ips = service.spec.cluster_ips or (service.spec.cluster_ip,)
    return next(iter(_family(ips, v6)), None)


def _family(addresses: Iterator[str] | tuple[str, ...], v6: bool) -> tuple[str, ...]:
    found = (plain(address) for address in addresses)
    return tuple(str(one) for one in found if one is not None and (one.version == 6) is v6)


def _ranges(service: Service, v6: bool) -> tuple[Network, ...]:
    """A range that holds everybody makes the others vain; if all are of the other family, nobody is kept out."""
    found = networks(each(service.spec.load_balancer_source_ranges), v6)
    return () if any(network.prefixlen == 0 for network in found) else found


def is_local(frontend: Frontend, front: Front) -> bool:
    """Whether the traffic policy of this frontend is Local."""
    return front.internal_local if frontend.kind is Kind.CLUSTER_IP else front.external_local


def bound(frontend: Frontend, node: ProxyNode) -> bool:
    """Whether IPVS has its address on an interface of the node, so that the node's own packets leave from it."""
    return node.mode is Mode.IPVS and frontend.kind not in (Kind.NODE_PORT, Kind.HEALTH_CHECK)
