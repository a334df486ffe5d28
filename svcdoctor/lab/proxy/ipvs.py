"""The ipvs mode: virtual servers and ipsets (pkg/proxy/ipvs/proxier.go)."""

from collections.abc import Iterator

from msgspec import Struct

from .endpoints import Endpoint
from .local import local_addresses
from .plan import Entry, Plan
from .services import ServicePort

SET_TYPES = {
    "LOOP-BACK": "hash:ip,port,ip",
    "CLUSTER-IP": "hash:ip,port",
    "EXTERNAL-IP": "hash:ip,port",
    "EXTERNAL-IP-LOCAL": "hash:ip,port",
    "LOAD-BALANCER": "hash:ip,port",
    "LOAD-BALANCER-LOCAL": "hash:ip,port",
    "LOAD-BALANCER-FW": "hash:ip,port",
    "LOAD-BALANCER-SOURCE-IP": "hash:ip,port,ip",
    "LOAD-BALANCER-SOURCE-CIDR": "hash:ip,port,net",
    "NODE-PORT-TCP": "bitmap:port",
    "NODE-PORT-LOCAL-TCP": "bitmap:port",
    "NODE-PORT-UDP": "bitmap:port",
    "NODE-PORT-LOCAL-UDP": "bitmap:port",
    "NODE-PORT-SCTP-HASH": "hash:ip,port",
    "NODE-PORT-LOCAL-SCTP-HASH": "hash:ip,port",
    "HEALTH-CHECK-NODE-PORT": "bitmap:port",
    "IPVS-IPS": "hash:ip",
}


class VirtualServer(Struct, frozen=True):
    """One frontend in the kernel and the real servers behind it, all masqueraded (NAT) with weight 1."""

    protocol: str
    address: str
    port: int
    affinity: int
    """Seconds, 0 for none."""
    real_servers: tuple[Endpoint, ...]


class Ipvs(Struct, frozen=True):
    """What one family's ipvs proxier keeps in the kernel, besides iptables rules."""

    servers: tuple[VirtualServer, ...]
    sets: dict[str, list[str]]
    """Entries by the set's name without ``KUBE-``."""
    bound: tuple[str, ...]
    """The addresses on the dummy interface kube-ipvs0."""

    def has(self, name: str) -> bool:
        """Whether the set has entries; most rules over an empty set are left out."""
        return bool(self.sets[name])


def build(plan: Plan) -> Ipvs:
    """The virtual servers and sets of a family."""
    sets: dict[str, dict[str, None]] = {name: {} for name in SET_TYPES}
    servers: dict[tuple[str, str, int], VirtualServer] = {}
    own = local_addresses(plan.node, plan.family)
    for entry in plan.entries:
        port = entry.port
        for address, number, external in _frontends(plan, port):
            server = _server(entry, address, number, external)
            servers.setdefault((server.protocol, address, number), server)
        for address in (port.cluster_ip, *(ip for ip in (*port.external_ips, *port.vips) if ip not in own)):
            sets["IPVS-IPS"][address] = None
        for name, element in _elements(plan, entry):
            sets[name][element] = None
    return Ipvs(tuple(servers.values()), {name: list(found) for name, found in sets.items()}, tuple(sets["IPVS-IPS"]))


def node_port_addresses(plan: Plan) -> tuple[str, ...]:
    """Where node ports have a virtual server: never on loopback."""
    return tuple(ip for ip in plan.node_ports.addresses if ip not in ("127.0.0.1", "::1"))


def _frontends(plan: Plan, port: ServicePort) -> Iterator[tuple[str, int, bool]]:
    """Address, port, and whether the frontend is an external one."""
    yield port.cluster_ip, port.port, False
    for ip in (*port.external_ips, *port.vips):
        yield ip, port.port, True
    if port.node_port:
        for ip in node_port_addresses(plan):
            yield ip, port.node_port, True


def _server(entry: Entry, address: str, number: int, external: bool) -> VirtualServer:
    """Where the Local policy finds no endpoint of this node, ipvs mode takes those of the others."""
    port = entry.port
    local = port.external_local if external else port.internal_local
    chosen = (local and entry.backends.local) or entry.backends.cluster
    return VirtualServer(port.protocol, address, number, port.affinity, chosen)


def _elements(plan: Plan, entry: Entry) -> Iterator[tuple[str, str]]:
    """What one service port puts into which sets."""
    port = entry.port
    for endpoint in entry.endpoints:
        if endpoint.is_local:
            yield "LOOP-BACK", f"{endpoint.ip},{port.protocol}:{endpoint.port},{endpoint.ip}"
    yield "CLUSTER-IP", f"{port.cluster_ip},{port.protocol}:{port.port}"
    for ip in port.external_ips:
        name = "EXTERNAL-IP-LOCAL" if port.external_local else "EXTERNAL-IP"
        yield name, f"{ip},{port.protocol}:{port.port}"
    for ip in port.vips:
        yield from _load_balancer(plan, port, ip)
    if port.node_port:
        yield from _node_port(plan, port)
    if port.health_check_port:
        yield "HEALTH-CHECK-NODE-PORT", str(port.health_check_port)


def _load_balancer(plan: Plan, port: ServicePort, ip: str) -> Iterator[tuple[str, str]]:
    element = f"{ip},{port.protocol}:{port.port}"
    yield "LOAD-BALANCER", element
    if port.external_local:
        yield "LOAD-BALANCER-LOCAL", element
    if port.source_ranges:
        yield "LOAD-BALANCER-FW", element
    for cidr in port.source_ranges:
        yield "LOAD-BALANCER-SOURCE-CIDR", f"{element},{cidr}"
    if ip in plan.allowed_vips(port):
        yield "LOAD-BALANCER-SOURCE-IP", f"{element},{ip}"


def _node_port(plan: Plan, port: ServicePort) -> Iterator[tuple[str, str]]:
    if port.protocol == "sctp":
        elements = [f"{ip},sctp:{port.node_port}" for ip in node_port_addresses(plan)]
    else:
        elements = [str(port.node_port)]
    suffix = "SCTP-HASH" if port.protocol == "sctp" else port.protocol.upper()
    for element in elements:
        yield f"NODE-PORT-{suffix}", element
        if port.external_local:
            yield f"NODE-PORT-LOCAL-{suffix}", element
