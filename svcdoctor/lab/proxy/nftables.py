"""The nftables mode: the tables ``ip kube-proxy`` and ``ip6 kube-proxy`` (pkg/proxy/nftables/proxier.go)."""

from . import nft_atoms as nft
from .family import Family, networks_of
from .local import nft_network
from .nft_service import write_service
from .nft_table import Table
from .plan import Plan

BASE_CHAINS = (
    ("filter-prerouting-pre-dnat", "filter", "prerouting", -110),
    ("filter-output-pre-dnat", "filter", "output", -110),
    ("filter-input", "filter", "input", 0),
    ("filter-forward", "filter", "forward", 0),
    ("filter-output", "filter", "output", 0),
    ("nat-prerouting", "nat", "prerouting", -100),
    ("nat-output", "nat", "output", -100),
    ("nat-postrouting", "nat", "postrouting", 100),
)
NEW_JUMPS = (
    ("filter-input", "nodeport-endpoints-check"),
    ("filter-input", "service-endpoints-check"),
    ("filter-forward", "service-endpoints-check"),
    ("filter-output", "service-endpoints-check"),
    ("filter-prerouting-pre-dnat", "firewall-check"),
    ("filter-output-pre-dnat", "firewall-check"),
    ("filter-forward", "cluster-ips-check"),
    ("filter-output", "cluster-ips-check"),
)
JUMPS = (
    ("nat-output", "services"),
    ("nat-prerouting", "services"),
    ("nat-postrouting", "masquerading"),
)
CHAINS = (
    "nodeport-endpoints-check",
    "service-endpoints-check",
    "firewall-check",
    "services",
    "masquerading",
    "cluster-ips-check",
    "reject-chain",
)


def write(plan: Plan) -> Table:
    """All that kube-proxy writes in nftables mode."""
    table = Table(plan.family)
    for name, kind, hook, priority in BASE_CHAINS:
        table.base_chain(name, kind, hook, priority)
    for name in CHAINS:
        table.chain(name)
    for chain, target in NEW_JUMPS:
        table.rule(chain, nft.NEW, nft.jump(target))
    for chain, target in JUMPS:
        table.rule(chain, nft.jump(target))
    _sets(plan, table)
    _services(plan, table)
    _masquerading(plan, table)
    _cluster_ips_check(plan, table)
    _endpoint_checks(plan, table)
    for entry in plan.entries:
        write_service(plan, table, entry)
    return table


def _sets(plan: Plan, table: Table) -> None:
    ip = plan.family.nft_type
    frontend, node_port = (ip, "inet_proto", "inet_service"), ("inet_proto", "inet_service")
    table.set("hairpin-connections", (ip, ip, "inet_proto", "inet_service"), "service hairpin connections")
    table.set("cluster-ips", ip, "Active ClusterIPs")
    if not plan.node_ports.match_all:
        table.set("nodeport-ips", ip, "IPs that accept NodePort traffic")
        for address in plan.node_ports.addresses:
            if address not in ("127.0.0.1", "::1"):
                table.add("nodeport-ips", (address,))
    table.map("no-endpoint-services", frontend, "vmap to drop or reject packets to services with no endpoints")
    table.map(
        "no-endpoint-nodeports", node_port, "vmap to drop or reject packets to service nodeports with no endpoints"
    )
    table.map("firewall-ips", frontend, "destinations that are subject to LoadBalancerSourceRanges")
    table.map("service-ips", frontend, "ClusterIP, ExternalIP and LoadBalancer IP traffic")
    table.map("service-nodeports", node_port, "NodePort traffic")


def _frontend(family: Family) -> nft.Atom:
    return nft.concat(nft.field(family, "daddr"), nft.PROTOCOL, nft.PORT)


NODE_PORT = nft.concat(nft.PROTOCOL, nft.PORT)


def _accepting(plan: Plan) -> nft.Atom:
    """Matches the addresses that answer for node ports, or all but loopback."""
    daddr = nft.field(plan.family, "daddr")
    if not plan.node_ports.match_all:
        return nft.match(daddr, "@nodeport-ips")
    return nft.match(daddr, nft_network(plan.family.loopback), "!=")


def _services(plan: Plan, table: Table) -> None:
    daddr, mark = nft.field(plan.family, "daddr"), nft.set_mark(plan.config.mark)
    to_cluster_ip = nft.match(daddr, "@cluster-ips")
    if plan.config.masquerade_all:
        table.rule("services", to_cluster_ip, mark, comment="masquerade all clusterIP traffic")
    elif plan.detector.implemented:
        stranger = plan.detector.nft(False, plan.family)
        table.rule(
            "services", to_cluster_ip, stranger, mark, comment="masquerade clusterIP traffic from outside cluster"
        )
    table.rule("services", nft.vmap(_frontend(plan.family), "@service-ips"))
    local = [nft.type_is_local("daddr")] if plan.node_ports.match_all else []
    table.rule("services", *local, _accepting(plan), nft.vmap(NODE_PORT, "@service-nodeports"))


def _masquerading(plan: Plan, table: Table) -> None:
    mark, family = plan.config.mark, plan.family
    table.rule("masquerading", nft.marked(mark), nft.set_mark(mark, "^"), nft.MASQUERADE)
    hairpin = nft.concat(nft.field(family, "saddr"), nft.field(family, "daddr"), nft.PROTOCOL, nft.PORT)
    table.rule(
        "masquerading",
        nft.match({"ct": {"key": "status"}}, "dnat", "in"),
        nft.match(hairpin, "@hairpin-connections"),
        nft.MASQUERADE,
    )


def _cluster_ips_check(plan: Plan, table: Table) -> None:
    daddr = nft.field(plan.family, "daddr")
    table.rule(
        "cluster-ips-check",
        nft.match(daddr, "@cluster-ips"),
        nft.reject(plan.family),
        comment="Reject traffic to invalid ports of ClusterIPs",
    )
    cidrs = networks_of(plan.family, plan.config.service_cidrs)
    if cidrs:
        table.rule(
            "cluster-ips-check",
            nft.match(daddr, nft.anonymous(cidrs)),
            nft.DROP,
            comment="Drop traffic to unallocated ClusterIPs",
        )


def _endpoint_checks(plan: Plan, table: Table) -> None:
    table.rule("reject-chain", nft.reject(plan.family))
    table.rule("service-endpoints-check", nft.vmap(_frontend(plan.family), "@no-endpoint-services"))
    table.rule("nodeport-endpoints-check", _accepting(plan), nft.vmap(NODE_PORT, "@no-endpoint-nodeports"))
    table.rule("firewall-check", nft.vmap(_frontend(plan.family), "@firewall-ips"))
