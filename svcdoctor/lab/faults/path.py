"""Faults of the nodes and of what lies between them (S6): kernels, routes, foreign rules."""

from typing import Any

from ..base import REGISTRY, pod_spec, server
from . import edits
from .fault import Apply, Configure, Delete, Fault, Flow, Log, Patch, Rules
from .proxy import CLIENT, configured, on_node, sysctl

Json = dict[str, Any]

NODE1 = {"kubernetes.io/hostname": "node1"}
PODS_OF_NODE2 = "10.244.2.0/24"
SECOND_NIC: Json = {
    "ifname": "eth1",
    "flags": ["BROADCAST", "MULTICAST", "UP", "LOWER_UP"],
    "mtu": 1500,
    "qdisc": "noqueue",
    "operstate": "UP",
    "group": "default",
    "txqlen": 1000,
    "link_type": "ether",
    "address": "02:00:ac:1f:00:0b",
    "broadcast": "ff:ff:ff:ff:ff:ff",
    "addr_info": [{"family": "inet", "local": "172.31.0.11", "prefixlen": 24, "scope": "global", "label": "eth1"}],
}
BATCH: Json = {"name": "batch", "image": f"{REGISTRY}/client:1"}
IN_THE_NODE: Json = {"hostNetwork": True, "dnsPolicy": "ClusterFirstWithHostNet"}
VPN: Json = {"dst": "10.96.0.0/12", "gateway": "172.30.0.253", "dev": "eth0", "flags": []}


def stateful(name: str, spec: Json, replicas: int = 1) -> Json:
    """A StatefulSet, whose pods have names that are known: NAME-0, ..."""
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": spec}
    whole = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    meta = {"name": name, "namespace": "default"}
    return {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": meta, "spec": whole}


def _second_nic(links: list[Json]) -> list[Json]:
    return [*links, {**SECOND_NIC, "ifindex": len(links) + 1}]


def _by_second_nic(routes: list[Json]) -> list[Json]:
    """The way to node2's pods goes by another network than the one from which they answer."""
    own = {"dst": "172.31.0.0/24", "dev": "eth1", "protocol": "kernel", "scope": "link", "prefsrc": "172.31.0.11"}
    other = {"gateway": "172.31.0.12", "dev": "eth1"}
    changed = [{**route, **other} if route["dst"] == PODS_OF_NODE2 else route for route in routes]
    return [*changed, {**own, "flags": []}]


def _block(text: str) -> str:
    """Drops what goes to the pods of node2: in ipvs mode translated packets leave as if the node itself sent them."""
    chain = "OUTPUT" if "KUBE-IPVS-FILTER" in text else "FORWARD"
    return edits.put_first(
        "filter", chain, f"-d {PODS_OF_NODE2} -p tcp -m tcp --dport 8080 -m comment --comment hardening -j DROP"
    )(text)


FAULTS = (
    Fault(
        "etp-local-asymmetric",
        "pods are not masqueraded: who dials a node port of node2 is answered by a pod",
        (
            *on_node("node1"),
            Configure("kernel/*", {"pod_networks": ()}),
            Patch("services", "web", {"spec": {"type": "NodePort", "externalTrafficPolicy": "Local"}}),
        ),
        client=CLIENT,
    ),
    Fault(
        "conntrack-full",
        "the connection table of node1 is full",
        (sysctl("node1", net__netfilter__nf_conntrack_max="1024"), Flow(CLIENT, "web", "web-", 1022)),
        client=CLIENT,
    ),
    Fault(
        "conntrack-invalid-rst",
        "node1 has dropped many packets that conntrack takes for invalid",
        (
            Rules(
                "node1",
                "proxy-metrics.txt",
                edits.replaced(r"^(kubeproxy_iptables_ct_state_invalid_dropped_packets_total) 0$", r"\1 48211"),
            ),
            Rules(
                "node1",
                "iptables-save.txt",
                edits.replaced(r"^\[0:0\] (-A KUBE-FORWARD -m conntrack --ctstate INVALID )", r"[48211:2892660] \1"),
            ),
        ),
        modes=("iptables",),
    ),
    Fault(
        "snat-collision",
        "everything is masqueraded, by ports in their order: two clients get one port",
        (
            *configured(masquerade_all=True),
            Rules("*", "iptables-save.txt", edits.replaced(r" -j MASQUERADE --random-fully$", " -j MASQUERADE")),
        ),
        modes=("iptables", "ipvs"),
    ),
    Fault(
        "hairpin-off",
        "a pod can't reach itself by the Service: hairpin mode is off on node1",
        (
            Delete("deployments", "web"),
            Apply((stateful("web", pod_spec(server(), nodeSelector=NODE1), replicas=3),)),
            Configure("kubelet/node1", {"hairpinMode": "none"}),
        ),
        client="web-0",
    ),
    Fault(
        "br-netfilter-off",
        "bridged packets of node1 pass iptables by: pods beside the client answer as such",
        (*on_node("node1"), sysctl("node1", **{"net__bridge__bridge-nf-call-iptables": "0"})),
        client=CLIENT,
    ),
    Fault(
        "forward-drop",
        "the FORWARD chain of node1 drops what nobody accepts",
        (
            Configure("kernel/node1", {"forward_policy": "DROP"}),
            Rules("node1", "iptables-save.txt", edits.replaced(r"^:FORWARD DROP \[0:0\]$", ":FORWARD DROP [57:3420]")),
        ),
        client=CLIENT,
        modes=("iptables", "nftables"),
    ),
    Fault(
        "rp-filter",
        "node1 refuses answers that come by another interface than its route goes",
        (
            sysctl("node1", net__ipv4__conf__all__rp_filter="1"),
            Rules("node1", "addresses.json", edits.edited(_second_nic)),
            Rules("node1", "routes.json", edits.edited(_by_second_nic)),
        ),
        client=CLIENT,
    ),
    Fault(
        "mtu-blackhole",
        "node1 and all pods send larger packets than the network of node2 can take",
        (
            Rules("node1", "addresses.json", edits.with_mtu(9001, "eth", "cni", "veth")),
            Rules("node2", "addresses.json", edits.with_mtu(9001, "cni", "veth")),
        ),
        client=CLIENT,
    ),
    Fault(
        "route-missing",
        "node1 has no route to the pods of the other nodes",
        (Configure("kernel/node1", {"peers": ()}),),
        client=CLIENT,
    ),
    Fault(
        "cidr-overlap",
        "the nodes have a route to another network that takes in all ClusterIPs",
        (Rules("*", "routes.json", edits.edited(lambda routes: [*routes, VPN])),),
    ),
    Fault(
        "ephemeral-ports",
        "node1 has fifty local ports, and a client in its network uses them up",
        (
            sysctl("node1", net__ipv4__ip_local_port_range="60000\t60049"),
            Apply((stateful("batch", pod_spec(BATCH, nodeSelector=NODE1, **IN_THE_NODE)),)),
            Log("default", "batch-0", "batch", ("connect web:80: cannot assign requested address (EADDRNOTAVAIL)",)),
        ),
        client="batch-0",
    ),
    Fault(
        "foreign-drop",
        "a rule on node1 that is not kube-proxy's drops what goes to the pods of node2",
        (Rules("node1", "iptables-save.txt", _block),),
        client=CLIENT,
    ),
    Fault(
        "ip-forward-off",
        "the kernel of node1 forwards nothing",
        (sysctl("node1", net__ipv4__ip_forward="0"),),
        client=CLIENT,
    ),
)
