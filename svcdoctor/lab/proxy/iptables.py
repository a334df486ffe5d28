"""The iptables mode: what is there whatever the Services are (pkg/proxy/iptables/proxier.go).

The rules are as iptables-save prints them after kube-proxy wrote them, which is not the order in which it wrote their
arguments.
"""

from .family import V4, host_cidr
from .iptables_service import write_service
from .plan import Plan
from .tables import Tables, comment

NEW = "-m conntrack --ctstate NEW "
FIREWALL = NEW + comment("kubernetes load balancer firewall") + " -j KUBE-PROXY-FIREWALL"
HEALTH = comment("kubernetes health check service ports") + " -j KUBE-NODEPORTS"
EXTERNAL = NEW + comment("kubernetes externally-visible service portals") + " -j KUBE-EXTERNAL-SERVICES"
FORWARDING = comment("kubernetes forwarding rules") + " -j KUBE-FORWARD"
PORTALS = comment("kubernetes service portals") + " -j KUBE-SERVICES"
POSTROUTING = comment("kubernetes postrouting rules") + " -j KUBE-POSTROUTING"
ANTI_MARTIAN = (
    f"! -s 127.0.0.0/8 -d 127.0.0.0/8 {comment('block incoming localnet connections')}"
    " -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP"
)
LAST = comment("kubernetes service nodeports; NOTE: this must be the last rule in this chain")

JUMPS = (
    ("filter", "INPUT", (FIREWALL, HEALTH, EXTERNAL)),
    ("filter", "FORWARD", (FIREWALL, FORWARDING, NEW + PORTALS, EXTERNAL)),
    ("filter", "OUTPUT", (FIREWALL, NEW + PORTALS)),
    ("nat", "PREROUTING", (PORTALS,)),
    ("nat", "OUTPUT", (PORTALS,)),
    ("nat", "POSTROUTING", (POSTROUTING,)),
)
CHAINS = (
    ("filter", ("EXTERNAL-SERVICES", "FIREWALL", "FORWARD", "NODEPORTS", "PROXY-FIREWALL", "SERVICES", "PROXY-CANARY")),
    ("nat", ("SERVICES", "NODEPORTS", "POSTROUTING", "MARK-MASQ", "PROXY-CANARY")),
    ("mangle", ("PROXY-CANARY",)),
)


def write(plan: Plan, tables: Tables) -> None:
    """All that kube-proxy writes in iptables mode."""
    for table, names in CHAINS:
        for name in names:
            tables.chain(table, f"KUBE-{name}")
    _jumps(plan, tables)
    _filter(plan, tables)
    masquerading(plan, tables)
    for entry in plan.entries:
        write_service(plan, tables, entry)
    tables.chain("nat", "KUBE-SERVICES").extend(_to_node_ports(plan))


def _jumps(plan: Plan, tables: Tables) -> None:
    """Each is inserted at the top, so a kubelet that came first has its IPv4 jump to KUBE-FIREWALL at the bottom."""
    kubelet_first = plan.node.kubelet and plan.family is V4
    for table, chain, rules in JUMPS:
        firewall = ["-j KUBE-FIREWALL"] if table == "filter" and chain != "FORWARD" else []
        written = [*rules, *firewall] if kubelet_first else [*firewall, *rules]
        tables.chain(table, chain).extend(written)


def _filter(plan: Plan, tables: Tables) -> None:
    if plan.node_ports.localhost:
        tables.chain("filter", "KUBE-FIREWALL").append(ANTI_MARTIAN)
    if not plan.config.tcp_be_liberal:
        counted = "-m nfacct --nfacct-name  ct_state_invalid_dropped_pkts " if plan.config.nfacct else ""
        tables.chain("filter", "KUBE-FORWARD").append(f"-m conntrack --ctstate INVALID {counted}-j DROP")
    forwarding(plan, tables)


def forwarding(plan: Plan, tables: Tables) -> None:
    """KUBE-FORWARD lets through what kube-proxy marked, and replies."""
    mark = f"{plan.config.mark:#x}"
    tables.chain("filter", "KUBE-FORWARD").extend(
        (
            f"{comment('kubernetes forwarding rules')} -m mark --mark {mark}/{mark} -j ACCEPT",
            f"{comment('kubernetes forwarding conntrack rule')} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        )
    )


def masquerading(plan: Plan, tables: Tables) -> None:
    """KUBE-MARK-MASQ sets the mark, KUBE-POSTROUTING acts on it and takes it off."""
    mark = f"{plan.config.mark:#x}"
    tables.chain("nat", "KUBE-MARK-MASQ").append(f"-j MARK --set-xmark {mark}/{mark}")
    tables.chain("nat", "KUBE-POSTROUTING").extend(
        (
            f"-m mark ! --mark {mark}/{mark} -j RETURN",
            f"-j MARK --set-xmark {mark}/0x0",
            f"{comment('kubernetes service traffic requiring SNAT')} -j MASQUERADE --random-fully",
        )
    )


def _to_node_ports(plan: Plan) -> list[str]:
    """The end of KUBE-SERVICES: what is for an address of the node may be for a node port."""
    where = plan.node_ports
    if where.match_all:
        excluded = "" if where.localhost else f"! -d {plan.family.loopback} "
        return [f"{excluded}{LAST} -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS"]
    reached = [ip for ip in where.addresses if ip not in ("127.0.0.1", "::1") or where.localhost]
    return [f"-d {host_cidr(plan.family, ip)} {LAST} -j KUBE-NODEPORTS" for ip in reached]
