"""The nftables mode: map elements and chains of one service port."""

from . import nft_atoms as nft
from .endpoints import Endpoint
from .family import host_cidr
from .names import nft_endpoint
from .nft_table import Table
from .plan import Entry, Plan


def write_service(plan: Plan, table: Table, entry: Entry) -> None:
    """All that one service port adds to the table."""
    port, backends = entry.port, entry.backends
    table.add("cluster-ips", (port.cluster_ip,))
    cluster_ip = (port.cluster_ip, port.protocol, port.port)
    if entry.has_internal:
        chain = f"{'local' if port.internal_local else 'service'}-{entry.nft_base}"
        table.add("service-ips", cluster_ip, nft.goto(chain))
    else:
        table.add("no-endpoint-services", cluster_ip, _refusal(entry), port.spn)
    _external(table, entry)
    if port.vips and port.source_ranges:
        _firewall(plan, table, entry)
    for endpoint in backends.reachable:
        if endpoint.is_local:
            table.add("hairpin-connections", (endpoint.ip, endpoint.ip, port.protocol, endpoint.port))
    _chains(plan, table, entry)


def _refusal(entry: Entry) -> nft.Atom:
    """What becomes of packets to a frontend that leads nowhere."""
    return nft.DROP if entry.backends.has_endpoints else nft.goto("reject-chain")


def _external(table: Table, entry: Entry) -> None:
    """The external frontends: in the maps that lead on, in those that refuse, or in both (Local policy with endpoints
    on other nodes only, which the node and its pods may reach)."""
    port, external = entry.port, nft.goto(f"external-{entry.nft_base}")
    for ip in (*port.external_ips, *port.vips):
        key = (ip, port.protocol, port.port)
        if entry.backends.has_endpoints:
            table.add("service-ips", key, external)
        if not entry.has_external:
            table.add("no-endpoint-services", key, _refusal(entry), port.spn)
    if port.node_port:
        node_port = (port.protocol, port.node_port)
        if entry.backends.has_endpoints:
            table.add("service-nodeports", node_port, external)
        if not entry.has_external:
            table.add("no-endpoint-nodeports", node_port, _refusal(entry), port.spn)


def _firewall(plan: Plan, table: Table, entry: Entry) -> None:
    """loadBalancerSourceRanges: others are dropped, whether there are endpoints or not."""
    port, chain = entry.port, f"firewall-{entry.nft_base}"
    table.chain(chain)
    for ip in port.vips:
        table.add("firewall-ips", (ip, port.protocol, port.port), nft.goto(chain))
    allowed = [*port.source_ranges, *(host_cidr(plan.family, ip) for ip in plan.allowed_vips(port))]
    table.rule(chain, nft.match(nft.field(plan.family, "saddr"), nft.anonymous(allowed), "!="), nft.DROP)


def _chains(plan: Plan, table: Table, entry: Entry) -> None:
    port, backends = entry.port, entry.backends
    names = {one.text: nft_endpoint(port, one) for one in backends.reachable} if port.affinity else {}
    for endpoint in backends.reachable if port.affinity else ():
        table.timed_set(f"affinity-{names[endpoint.text]}", plan.family.nft_type, port.affinity)
        table.chain(f"endpoint-{names[endpoint.text]}")
    used = []
    if backends.cluster and port.uses_cluster:
        used.append(("service", backends.cluster))
    if backends.local and port.uses_local:
        used.append(("local", backends.local))
    external = backends.has_endpoints and port.externally_accessible
    for prefix in (*(prefix for prefix, _ in used), *(["external"] if external else [])):
        table.chain(f"{prefix}-{entry.nft_base}")
    if external:
        _external_chain(plan, table, entry)
    for prefix, endpoints in used:
        _load_balancing(plan, table, entry, f"{prefix}-{entry.nft_base}", endpoints, names)
    for endpoint in backends.reachable if port.affinity else ():
        _sticky_endpoint(plan, table, entry, endpoint, names[endpoint.text])


def _external_chain(plan: Plan, table: Table, entry: Entry) -> None:
    chain, cluster = f"external-{entry.nft_base}", nft.goto(f"service-{entry.nft_base}")
    mark = nft.set_mark(plan.config.mark)
    if not entry.port.external_local:
        table.rule(chain, mark, comment="masquerade")
    else:
        if plan.detector.implemented:
            table.rule(chain, plan.detector.nft(True, plan.family), cluster, comment="short-circuit pod traffic")
        local = nft.type_is_local("saddr")
        table.rule(chain, local, mark, comment="masquerade local traffic")
        table.rule(chain, local, cluster, comment="short-circuit local traffic")
    if entry.has_external:
        table.rule(chain, nft.goto(f"local-{entry.nft_base}") if entry.port.external_local else cluster)


def _load_balancing(
    plan: Plan, table: Table, entry: Entry, chain: str, endpoints: tuple[Endpoint, ...], names: dict[str, str]
) -> None:
    """A random one of the endpoints; with affinity, first the one that the client had."""
    key = nft.numgen(len(endpoints))
    if not entry.port.affinity:
        choice = [[index, nft.concat(one.ip, one.port)] for index, one in enumerate(endpoints)]
        target = {"map": {"key": key, "data": {"set": choice}}}
        translation: nft.Atom = {"dnat": {"family": plan.family.nft, "addr": target}}
        table.rule(chain, nft.protocol_is(entry.port.protocol), translation)
        return
    source = nft.field(plan.family, "saddr")
    for one in endpoints:
        name = names[one.text]
        table.rule(chain, nft.match(source, f"@affinity-{name}"), nft.goto(f"endpoint-{name}"))
    verdicts = [[index, nft.goto(f"endpoint-{names[one.text]}")] for index, one in enumerate(endpoints)]
    table.rule(chain, nft.vmap(key, {"set": verdicts}))


def _sticky_endpoint(plan: Plan, table: Table, entry: Entry, endpoint: Endpoint, name: str) -> None:
    """An endpoint's own chain, there with affinity only: remembers the client and translates."""
    source = nft.field(plan.family, "saddr")
    table.rule(f"endpoint-{name}", {"set": {"op": "update", "elem": source, "set": f"@affinity-{name}"}})
    translation: nft.Atom = {"dnat": {"addr": endpoint.ip, "port": endpoint.port}}
    table.rule(f"endpoint-{name}", nft.protocol_is(entry.port.protocol), translation)
