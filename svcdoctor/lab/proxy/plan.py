"""What one single-stack proxier works from: every service port of a family with its backends on one node."""

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from msgspec import Struct

from .backends import Backends, choose
from .endpoints import Endpoint, endpoints_by_port
from .family import Family, contains
from .local import Detector, NodePorts, detector, node_ports, primary
from .names import nft_service, service_hash
from .services import ServicePort, service_ports
from .settings import NodeView, ProxyConfig

Json = dict[str, Any]


class Entry(Struct, frozen=True, dict=True):
    """A service port, all its endpoints, and those that traffic may reach from the node."""

    port: ServicePort
    endpoints: tuple[Endpoint, ...]
    backends: Backends

    @property
    def has_internal(self) -> bool:
        """Whether the ClusterIP leads anywhere."""
        return bool(self.backends.local) if self.port.internal_local else self.backends.has_endpoints

    @property
    def has_external(self) -> bool:
        """Whether a stranger's traffic leads anywhere."""
        return bool(self.backends.local) if self.port.external_local else self.backends.has_endpoints

    @cached_property
    def hash(self) -> str:
        return service_hash(self.port)

    @cached_property
    def nft_base(self) -> str:
        return nft_service(self.port)


class Plan(Struct, frozen=True):
    """One family's work on one node."""

    family: Family
    config: ProxyConfig
    node: NodeView
    detector: Detector
    node_ports: NodePorts
    entries: tuple[Entry, ...]
    large: bool
    """Whether the cluster is so large that endpoint rules go without comments."""

    def allowed_vips(self, port: ServicePort) -> tuple[str, ...]:
        """The load balancer addresses that may call themselves: all where a source range holds the node itself.

        A node's packet to a VIP that is bound on it has the VIP for its source.
        """
        ip = primary(self.node, self.family)
        return port.vips if ip and any(contains(cidr, ip) for cidr in port.source_ranges) else ()

    def no_local_endpoints(self, traffic: str) -> int:
        """The metric sync_proxy_rules_no_local_endpoints_total: what has endpoints, but none that it may use here.

        ipvs mode counts Services, the others service ports.
        """
        lost = [
            entry.port
            for entry in self.entries
            if entry.backends.has_endpoints
            and not (entry.has_internal if traffic == "internal" else entry.has_external)
        ]
        if self.config.mode == "ipvs":
            return len({(port.namespace, port.name) for port in lost})
        return len(lost)


def plan(services: Iterable[Json], slices: Iterable[Json], node: NodeView, config: ProxyConfig, family: Family) -> Plan:
    """The plan of one family, its service ports sorted by namespace, Service and place in the Service."""
    known = endpoints_by_port(slices, family, node.name)
    entries = []
    for port in sorted(service_ports(services, family), key=lambda port: (port.namespace, port.name)):
        endpoints = known.get((port.namespace, port.name, port.port_name, port.protocol), ())
        entries.append(Entry(port, endpoints, choose(port, endpoints, node.name, node.zone)))
    return Plan(
        family=family,
        config=config,
        node=node,
        detector=detector(config, node, family),
        node_ports=node_ports(config, node, family),
        entries=tuple(entries),
        large=sum(len(entry.endpoints) for entry in entries) > config.large_cluster_endpoints,
    )
