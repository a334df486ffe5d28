"""Service objects as kube-proxy keeps them: one record per port and IP family (pkg/proxy/serviceport.go)."""

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct

from .family import Family, addresses_of, networks_of

Json = dict[str, Any]

PROXY_NAME = "service.kubernetes.io/service-proxy-name"
AFFINITY_SECONDS = 10800


class ServicePort(Struct, frozen=True):
    """One port of one Service in one IP family."""

    namespace: str
    name: str
    port_name: str
    protocol: str
    """Lower case."""
    cluster_ip: str
    port: int
    node_port: int
    """0 for none."""
    external_ips: tuple[str, ...]
    vips: tuple[str, ...]
    """Load balancer addresses that the node must answer for: ingress addresses with ipMode VIP."""
    source_ranges: tuple[str, ...]
    """Canonical CIDRs; empty means that everybody may come."""
    internal_local: bool
    external_local: bool
    affinity: int
    """Seconds that a client sticks to its endpoint, 0 for no affinity."""
    health_check_port: int
    """0 for none."""

    @property
    def spn(self) -> str:
        """ServicePortName as kube-proxy prints it in comments."""
        suffix = f":{self.port_name}" if self.port_name else ""
        return f"{self.namespace}/{self.name}{suffix}"

    @property
    def externally_accessible(self) -> bool:
        return bool(self.node_port or self.vips or self.external_ips)

    @property
    def uses_cluster(self) -> bool:
        """Whether any traffic may go to endpoints on other nodes."""
        return not self.internal_local or self.externally_accessible

    @property
    def uses_local(self) -> bool:
        """Whether any traffic may go to endpoints on this node only."""
        return self.internal_local or (self.external_local and self.externally_accessible)


def service_ports(services: Iterable[Json], family: Family) -> Iterator[ServicePort]:
    """All service ports of the family. Services that kube-proxy does not serve are left out: headless ones,
    ExternalName, those of another proxy, and those without an address of the family."""
    for service in services:
        metadata, spec = service.get("metadata") or {}, service.get("spec") or {}
        if spec.get("type") == "ExternalName" or PROXY_NAME in (metadata.get("labels") or {}):
            continue
        cluster_ip = _cluster_ip(spec, family)
        if cluster_ip is None:
            continue
        common = _common(service, spec, family)
        for port in spec.get("ports") or ():
            yield ServicePort(
                namespace=metadata.get("namespace", ""),
                name=metadata.get("name", ""),
                port_name=port.get("name") or "",
                protocol=(port.get("protocol") or "TCP").lower(),
                cluster_ip=cluster_ip,
                port=port.get("port") or 0,
                node_port=port.get("nodePort") or 0,
                **common,
            )


def _cluster_ip(spec: Json, family: Family) -> str | None:
    """The ClusterIP of the family (util.GetClusterIPByFamily)."""
    texts = spec.get("clusterIPs") or [spec.get("clusterIP") or ""]
    return next(iter(addresses_of(family, texts)), None)


def _common(service: Json, spec: Json, family: Family) -> Json:
    """What all ports of a Service share."""
    kind = spec.get("type") or "ClusterIP"
    external_ips = addresses_of(family, spec.get("externalIPs") or [])
    exposed = kind in ("NodePort", "LoadBalancer") or bool(spec.get("externalIPs"))
    external_local = exposed and spec.get("externalTrafficPolicy") == "Local"
    checked = kind == "LoadBalancer" and external_local
    return {
        "external_ips": external_ips,
        "vips": _vips(service, family),
        "source_ranges": _source_ranges(spec, family),
        "internal_local": spec.get("internalTrafficPolicy") == "Local",
        "external_local": external_local,
        "affinity": _affinity(spec),
        "health_check_port": (spec.get("healthCheckNodePort") or 0) if checked else 0,
    }


def _vips(service: Json, family: Family) -> tuple[str, ...]:
    status = (service.get("status") or {}).get("loadBalancer") or {}
    ingresses = status.get("ingress") or []
    texts = [entry["ip"] for entry in ingresses if entry.get("ip") and entry.get("ipMode", "VIP") != "Proxy"]
    return addresses_of(family, texts)


def _source_ranges(spec: Json, family: Family) -> tuple[str, ...]:
    ranges = networks_of(family, spec.get("loadBalancerSourceRanges") or [])
    return () if any(cidr.endswith("/0") for cidr in ranges) else ranges


def _affinity(spec: Json) -> int:
    if spec.get("sessionAffinity") != "ClientIP":
        return 0
    config = (spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}
    return int(config.get("timeoutSeconds") or AFFINITY_SECONDS)
