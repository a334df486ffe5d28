"""What the kernel of a node says: its settings and its connections."""

import hashlib
import json

from .endpoints import Endpoint
from .local import primary
from .plan import Plan
from .settings import NodeView, ProxyConfig

SYSCTLS = {
    "net.bridge.bridge-nf-call-ip6tables": "1",
    "net.bridge.bridge-nf-call-iptables": "1",
    "net.ipv4.conf.all.arp_announce": "0",
    "net.ipv4.conf.all.arp_ignore": "0",
    "net.ipv4.conf.all.route_localnet": "0",
    "net.ipv4.conf.all.rp_filter": "0",
    "net.ipv4.ip_forward": "1",
    "net.ipv4.ip_local_port_range": "32768\t60999",
    "net.ipv6.conf.all.disable_ipv6": "0",
    "net.ipv6.conf.all.forwarding": "1",
    "net.netfilter.nf_conntrack_max": "262144",
    "net.netfilter.nf_conntrack_tcp_be_liberal": "0",
    "net.netfilter.nf_conntrack_tcp_timeout_close_wait": "3600",
    "net.netfilter.nf_conntrack_tcp_timeout_established": "86400",
}
IPVS_SYSCTLS = {
    "net.ipv4.vs.conn_reuse_mode": "1",
    "net.ipv4.vs.conntrack": "1",
    "net.ipv4.vs.expire_nodest_conn": "1",
    "net.ipv4.vs.expire_quiescent_template": "1",
}
ESTABLISHED = 431999
"""Seconds that conntrack leaves a connection that was just used."""


def sysctls(node: NodeView, config: ProxyConfig, localhost_node_ports: bool, connections: str) -> str:
    """The settings that matter to Services, by name, as JSON. ``connections`` is the text of `conntrack`."""
    values = dict(SYSCTLS)
    values["net.netfilter.nf_conntrack_count"] = str(connections.count("\n"))
    if localhost_node_ports:
        values["net.ipv4.conf.all.route_localnet"] = "1"
    if config.tcp_be_liberal:
        values["net.netfilter.nf_conntrack_tcp_be_liberal"] = "1"
    if config.mode == "ipvs":
        values.update(IPVS_SYSCTLS)
        if config.strict_arp:
            values.update({"net.ipv4.conf.all.arp_announce": "2", "net.ipv4.conf.all.arp_ignore": "1"})
    values.update(node.sysctls)
    return json.dumps(values, indent=1, sort_keys=True)


def conntrack(plan: Plan) -> str:
    """``conntrack -L`` of a node at rest: the kubelet and kube-proxy watch the API server."""
    own = primary(plan.node, plan.family)
    servers = [entry for entry in plan.entries if (entry.port.namespace, entry.port.name) == ("default", "kubernetes")]
    if not own or not servers:
        return ""
    server = next(iter(servers[0].backends.cluster), None)
    watchers = ("kube-proxy", "kubelet") if plan.node.kubelet else ("kube-proxy",)
    lines = [_connection(own, server, f"{plan.node.name} {name}") for name in watchers] if server else []
    return "".join(f"{line}\n" for line in lines)


def _connection(own: str, server: Endpoint, of: str) -> str:
    source = 32768 + int(hashlib.sha256(of.encode()).hexdigest(), 16) % 28232
    there = f"src={own} dst={server.ip} sport={source} dport={server.port}"
    back = f"src={server.ip} dst={own} sport={server.port} dport={source}"
    return f"tcp      6 {ESTABLISHED} ESTABLISHED {there} {back} [ASSURED] mark=0 use=1"
