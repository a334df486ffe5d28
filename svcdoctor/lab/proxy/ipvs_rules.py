"""The ipvs mode: its iptables rules, most of which ask a set (writeIptablesRules in pkg/proxy/ipvs/proxier.go)."""

from .family import host_cidr
from .iptables import PORTALS, POSTROUTING, forwarding, masquerading
from .ipvs import Ipvs
from .names import ipset
from .plan import Plan
from .tables import Tables, comment

COMMENTS = {
    "LOOP-BACK": "Kubernetes endpoints dst ip:port, source ip for solving hairpin purpose",
    "CLUSTER-IP": "Kubernetes service cluster ip + port for masquerade purpose",
    "EXTERNAL-IP": "Kubernetes service external ip + port for masquerade and filter purpose",
    "EXTERNAL-IP-LOCAL": "Kubernetes service external ip + port with externalTrafficPolicy=local",
    "LOAD-BALANCER": "Kubernetes service lb portal",
    "LOAD-BALANCER-LOCAL": "Kubernetes service load balancer ip + port with externalTrafficPolicy=local",
    "LOAD-BALANCER-FW": "Kubernetes service load balancer ip + port for load balancer with sourceRange",
    "LOAD-BALANCER-SOURCE-IP": "Kubernetes service load balancer ip + port + source IP for packet filter purpose",
    "LOAD-BALANCER-SOURCE-CIDR": "Kubernetes service load balancer ip + port + source cidr for packet filter purpose",
    "NODE-PORT-TCP": "Kubernetes nodeport TCP port for masquerade purpose",
    "NODE-PORT-LOCAL-TCP": "Kubernetes nodeport TCP port with externalTrafficPolicy=local",
    "NODE-PORT-UDP": "Kubernetes nodeport UDP port for masquerade purpose",
    "NODE-PORT-LOCAL-UDP": "Kubernetes nodeport UDP port with externalTrafficPolicy=local",
    "NODE-PORT-SCTP-HASH": "Kubernetes nodeport SCTP port for masquerade purpose with type 'hash ip:port'",
    "NODE-PORT-LOCAL-SCTP-HASH": (
        "Kubernetes nodeport SCTP port with externalTrafficPolicy=local with type 'hash ip:port'"
    ),
    "HEALTH-CHECK-NODE-PORT": "Kubernetes health check node port",
}
ACCESS_FILTER = comment("kubernetes ipvs access filter")
FIREWALL = comment("kube-proxy firewall rules") + " -j KUBE-PROXY-FIREWALL"
JUMPS = (
    ("filter", "INPUT", f"{ACCESS_FILTER} -j KUBE-IPVS-FILTER"),
    ("filter", "INPUT", FIREWALL),
    ("filter", "INPUT", comment("kubernetes health check rules") + " -j KUBE-NODE-PORT"),
    ("filter", "FORWARD", FIREWALL),
    ("filter", "FORWARD", comment("kubernetes forwarding rules") + " -j KUBE-FORWARD"),
    ("filter", "OUTPUT", f"{ACCESS_FILTER} -j KUBE-IPVS-OUT-FILTER"),
    ("nat", "PREROUTING", PORTALS),
    ("nat", "OUTPUT", PORTALS),
    ("nat", "POSTROUTING", POSTROUTING),
)
CHAINS = {
    "filter": (
        "FORWARD", "NODE-PORT", "PROXY-FIREWALL", "SOURCE-RANGES-FIREWALL", "IPVS-FILTER", "IPVS-OUT-FILTER"
    ),
    "nat": ("SERVICES", "POSTROUTING", "NODE-PORT", "LOAD-BALANCER", "MARK-MASQ"),
}  # fmt: skip
LOCAL = "-m addrtype --dst-type LOCAL"
BRIDGED_FROM_OUTSIDE = "-m physdev ! --physdev-is-in -m addrtype ! --src-type LOCAL"
PROTOCOL_NUMBERS = {"tcp": 6, "udp": 17, "sctp": 132}


def write(plan: Plan, ipvs: Ipvs, tables: Tables) -> None:
    """All that kube-proxy writes in ipvs mode."""
    for table, names in CHAINS.items():
        for name in names:
            tables.chain(table, f"KUBE-{name}")
    for table, chain, rule in JUMPS:
        tables.chain(table, chain).append(rule)
    writer = Writer(plan, ipvs, tables)
    writer.postrouting()
    masquerading(plan, tables)
    writer.services()
    writer.node_ports()
    writer.load_balancer()
    writer.source_ranges()
    forwarding(plan, tables)
    writer.access_filter()


class Writer:
    """Rules that ask sets, for one family."""

    def __init__(self, plan: Plan, ipvs: Ipvs, tables: Tables) -> None:
        self.plan = plan
        self.ipvs = ipvs
        self.tables = tables

    def _asks(self, name: str, where: str, explained: bool = True) -> str:
        text = f"{comment(COMMENTS[name])} " if explained else ""
        return f"{text}-m set --match-set {ipset(self.plan.family, name)} {where}"

    def _if_filled(self, table: str, chain: str, name: str, where: str, target: str, protocol: str = "") -> None:
        if self.ipvs.has(name):
            match = f"-p {protocol} " if protocol else ""
            self.tables.chain(table, chain).append(f"{match}{self._asks(name, where)} -j {target}")

    def postrouting(self) -> None:
        """Hairpin: who is sent back to himself."""
        self._if_filled("nat", "KUBE-POSTROUTING", "LOOP-BACK", "dst,dst,src", "MASQUERADE")

    def services(self) -> None:
        """KUBE-SERVICES: what must be masqueraded, and what may pass."""
        rules = self.tables.chain("nat", "KUBE-SERVICES")
        rules.append(f"-s {self.plan.family.loopback} -j RETURN")
        self._if_filled("nat", "KUBE-SERVICES", "LOAD-BALANCER", "dst,dst", "KUBE-LOAD-BALANCER")
        if self.ipvs.has("CLUSTER-IP"):
            rules.append(f"{self._strangers()} -j KUBE-MARK-MASQ")
        if self.ipvs.has("EXTERNAL-IP"):
            rules.append(f"{self._asks('EXTERNAL-IP', 'dst,dst')} -j KUBE-MARK-MASQ")
        for name in ("EXTERNAL-IP", "EXTERNAL-IP-LOCAL"):
            if self.ipvs.has(name):
                asks = self._asks(name, "dst,dst")
                rules += [f"{asks} {BRIDGED_FROM_OUTSIDE} -j ACCEPT", f"{asks} {LOCAL} -j ACCEPT"]
        rules.append(f"{LOCAL} -j KUBE-NODE-PORT")
        for name in ("CLUSTER-IP", "LOAD-BALANCER"):
            if self.ipvs.has(name):
                rules.append(f"{self._asks(name, 'dst,dst', explained=False)} -j ACCEPT")

    def _strangers(self) -> str:
        """Whose packets to ClusterIPs are masqueraded: all, those that are no pod's, or at least the node's own."""
        if self.plan.config.masquerade_all:
            return self._asks("CLUSTER-IP", "dst,dst")
        if self.plan.detector.implemented:
            return self.plan.detector.iptables(False) + self._asks("CLUSTER-IP", "dst,dst")
        return self._asks("CLUSTER-IP", "src,dst")

    def node_ports(self) -> None:
        for protocol, suffix, where in (("tcp", "TCP", "dst"), ("udp", "UDP", "dst"), ("sctp", "SCTP-HASH", "dst,dst")):
            self._if_filled("nat", "KUBE-NODE-PORT", f"NODE-PORT-LOCAL-{suffix}", where, "RETURN", protocol)
            self._if_filled("nat", "KUBE-NODE-PORT", f"NODE-PORT-{suffix}", where, "KUBE-MARK-MASQ", protocol)
        health = self._asks("HEALTH-CHECK-NODE-PORT", "dst")
        self.tables.chain("filter", "KUBE-NODE-PORT").append(f"{health} -j ACCEPT")

    def load_balancer(self) -> None:
        self._if_filled("nat", "KUBE-LOAD-BALANCER", "LOAD-BALANCER-LOCAL", "dst,dst", "RETURN")
        self.tables.chain("nat", "KUBE-LOAD-BALANCER").append("-j KUBE-MARK-MASQ")

    def source_ranges(self) -> None:
        """loadBalancerSourceRanges, also against the node itself."""
        ranges = "KUBE-SOURCE-RANGES-FIREWALL"
        self._if_filled("filter", "KUBE-PROXY-FIREWALL", "LOAD-BALANCER-FW", "dst,dst", ranges)
        for name in ("LOAD-BALANCER-SOURCE-CIDR", "LOAD-BALANCER-SOURCE-IP"):
            self._if_filled("filter", ranges, name, "dst,dst,src", "RETURN")
        self.tables.chain("filter", ranges).append("-j DROP")
        for entry in self.plan.entries:
            port = entry.port
            if not port.source_ranges or self.plan.allowed_vips(port):
                continue
            for ip in port.vips:
                self.tables.chain("filter", "KUBE-IPVS-OUT-FILTER").append(
                    f"-s {host_cidr(self.plan.family, ip)} -m ipvs --vproto {PROTOCOL_NUMBERS[port.protocol]}"
                    f" --vaddr {ip} --vport {port.port} -j DROP"
                )

    def access_filter(self) -> None:
        """KUBE-IPVS-FILTER: ports of a bound address that no Service has are refused."""
        rules = self.tables.chain("filter", "KUBE-IPVS-FILTER")
        for name in ("LOAD-BALANCER", "CLUSTER-IP", "EXTERNAL-IP", "EXTERNAL-IP-LOCAL"):
            rules.append(f"{self._asks(name, 'dst,dst', explained=False)} -j RETURN")
        rules.append(f"{self._asks('HEALTH-CHECK-NODE-PORT', 'dst', explained=False)} -j RETURN")
        bound = f"-m conntrack --ctstate NEW -m set --match-set {ipset(self.plan.family, 'IPVS-IPS')} dst"
        rules.append(f"{bound} -j REJECT --reject-with {self.plan.family.icmp}")
