"""Faults of kube-proxy and of what it wrote (S5)."""

import re
from typing import Any

from ..base import POD_CIDRS, server, service
from . import edits, leftovers
from .fault import Act, Apply, Configure, Delete, Doctor, Edit, Fault, Flow, Log, Patch, Rules, Stop, Wait
from .leftovers import GONE, VIP
from .readiness import workload
from .service import HTTP

Json = dict[str, Any]

CLIENT = "client"
"""Runs on node1, where it is the first pod that the scheduler places."""
WRONG_CIDR = "10.42.0.0/16"
OLD_KERNEL = "4.19.0-26-amd64"
KERNEL_HEAD = "TCP  0A60004D:0050"
"""The patient's virtual server in /proc/net/ip_vs."""

ROLLOUT = Patch(
    "deployments",
    "web",
    {"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "lately"}}}}},
)


def on_node(node: str, **more: Any) -> tuple[Act, ...]:
    """The patient's pods on one node."""
    return workload(server(), nodeSelector={"kubernetes.io/hostname": node}, **more)


def made_anew(ip: str = VIP, *ports: Json, **spec: Any) -> tuple[Act, ...]:
    """The patient made anew, with a ClusterIP that is known beforehand."""
    chosen = {"clusterIP": ip} if ip else {}
    return Delete("services", "web"), Apply((service("web", {"app": "web"}, list(ports) or [HTTP], **chosen, **spec),))


def load_balancer(ip: str, **spec: Any) -> tuple[Act, ...]:
    """The patient as type LoadBalancer, for which a cloud's controller has found an address."""
    return Patch("services", "web", {"spec": {"type": "LoadBalancer", **spec}}), Doctor("services", given(ip))


def given(ip: str) -> Any:
    """What a cloud's controller writes when it is done."""

    def change(found: Json) -> Json | None:
        if found["metadata"]["name"] != "web":
            return None
        return {**found, "status": {"loadBalancer": {"ingress": [{"ip": ip, "ipMode": "VIP"}]}}}

    return change


def configured(**settings: Any) -> tuple[Act, ...]:
    """Every kube-proxy runs with these settings."""
    return (Configure("kube-proxy/*", settings),)


def sysctl(node: str, **values: str) -> Configure:
    """Kernel settings of a node; ``__`` stands for the dots of their names."""
    return Configure(f"kernel/{node}", {"sysctls": {name.replace("__", "."): value for name, value in values.items()}})


def draining(active: int = 0, inactive: int = 214) -> tuple[Act, ...]:
    """ipvs on node1 has a pod that is gone as a server of the patient, which gets no new connections."""
    columns = f"{'Masq':<7} {0:<6} {active:<10} {inactive:<10}"
    real, where = f"{GONE[1]}:8080", f"{VIP}:80"
    return (
        Rules("node1", "ip_vs.txt", edits.with_server(KERNEL_HEAD, f"  -> 0AF402FA:1F90      {columns}")),
        Rules("node1", "ipvsadm-Ln.txt", edits.with_server(f"TCP  {where}", f"  -> {real:<28} {columns}")),
        Rules("node1", "ipvsadm-Sn.txt", edits.with_server(f"-A -t {where}", f"-a -t {where} -r {real} -m -w 0")),
    )


def _wrong_cidr(found: Json) -> Json:
    text = found["data"]["config.conf"].replace(POD_CIDRS[0], WRONG_CIDR)
    return {**found, "data": {**found["data"], "config.conf": text}}


def _old_kernel(found: Json) -> Json:
    status = found["status"]
    return {**found, "status": {**status, "nodeInfo": {**status["nodeInfo"], "kernelVersion": OLD_KERNEL}}}


NOT_ON_NODE1: Json = {
    "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [
                {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "NotIn", "values": ["node1"]}]}
            ]
        }
    }
}
RESTORE_FAILS = (
    '"Failed to execute iptables-restore" err=<',
    "\texit status 2: iptables-restore v1.8.9 (nf_tables): Couldn't load match `recent':No such file or directory",
    "\tError occurred at line: 83",
    "\tTry `iptables-restore -h' or 'iptables-restore --help' for more information.",
    ' > ipFamily="IPv4"',
    '"Sync failed" ipFamily="IPv4" retryingTime="30s"',
)
"""What kube-proxy says of each sync in iptables mode."""
NFT_FAILS = ('"nftables sync failed" err="signal: segmentation fault"', RESTORE_FAILS[-1])
""" ... and in nftables mode."""
STATSD: Json = {"name": "statsd", "port": 8125, "protocol": "UDP", "targetPort": 8125}
STATSD_SERVER = server(
    args=["--http=8080", "--udp=8125", "--health=/healthz"],
    ports=[
        {"name": "http", "containerPort": 8080, "protocol": "TCP"},
        {"name": "statsd", "containerPort": 8125, "protocol": "UDP"},
    ],
)

FAULTS = (
    Fault(
        "proxy-down",
        "no kube-proxy runs on node1: it knows no Service that was made since",
        (
            Stop("kube-proxy/node1"),
            Patch(
                "daemonsets", "kube-proxy", {"spec": {"template": {"spec": {"affinity": NOT_ON_NODE1}}}}, "kube-system"
            ),
            *made_anew(),
            Wait(60),
        ),
        client=CLIENT,
    ),
    Fault(
        "proxy-stale",
        "node1's kube-proxy hangs: its rules lead to pods that are gone",
        (Stop("kube-proxy/node1"), ROLLOUT, Wait(60)),
        client=CLIENT,
    ),
    Fault(
        "proxy-sync-error",
        "node1's kube-proxy fails to write its rules since before the last rollout",
        (
            Configure("kube-proxy/node1", {"syncs": False}),
            ROLLOUT,
            Wait(60),
            Log("kube-system", "kube-proxy-", "kube-proxy", RESTORE_FAILS, "node1", "iptables"),
            Log("kube-system", "kube-proxy-", "kube-proxy", NFT_FAILS, "node1", "nftables"),
        ),
        client=CLIENT,
        modes=("iptables", "nftables"),
    ),
    Fault(
        "dual-iptables",
        "old rules stand in the legacy tables of node1 beside kube-proxy's own",
        (*made_anew(), Rules("node1", "iptables-legacy-save.txt", edits.where_missing(leftovers.LEGACY))),
        client=CLIENT,
        modes=("iptables", "ipvs"),
    ),
    Fault(
        "mode-leftovers",
        "node1 has rules of kube-proxy's other mode, iptables or ipvs, from before",
        (
            *made_anew(),
            Rules("node1", "iptables-save.txt", leftovers.other_mode),
            Rules("node1", "ip_vs.txt", leftovers.SERVERS),
            Rules("node1", "ipset.txt", leftovers.SETS),
            Rules("node1", "addresses.json", leftovers.bound),
        ),
        modes=("iptables", "ipvs"),
    ),
    Fault(
        "itp-local-hole",
        "internalTrafficPolicy is Local, and node1 has none of the pods",
        (*on_node("node2"), Patch("services", "web", {"spec": {"internalTrafficPolicy": "Local"}})),
        client=CLIENT,
        modes=("iptables", "nftables"),
    ),
    Fault(
        "etp-local-hole",
        "externalTrafficPolicy is Local, the balancer sends to nodes without pods too",
        (*on_node("node2"), *load_balancer("203.0.113.80", externalTrafficPolicy="Local")),
        modes=("iptables", "nftables"),
    ),
    Fault(
        "udp-conntrack-stale",
        "the kernel of node1 still sends a UDP client to a pod that is gone",
        (
            *workload(STATSD_SERVER),
            *made_anew("", STATSD),
            Wait(60),
            Flow(CLIENT, "web", "web-", 1, 1, port=8125, target_port=8125, protocol="udp", replied=False),
            ROLLOUT,
            Wait(60),
        ),
        client=CLIENT,
    ),
    Fault(
        "ipvs-reuse",
        "an old kernel gives new connections to a pod that ipvs is draining",
        (
            *made_anew(),
            Doctor("nodes", _old_kernel, namespace=""),
            sysctl("node1", net__ipv4__vs__conn_reuse_mode="0"),
            *draining(),
        ),
        client=CLIENT,
        modes=("ipvs",),
    ),
    Fault(
        "ipvs-dead-flow",
        "expire_nodest_conn is 0: connections to pods that are gone hang",
        (
            sysctl("node1", net__ipv4__vs__expire_nodest_conn="0"),
            Flow(CLIENT, "web", "web-", 3),
            ROLLOUT,
            Wait(60),
        ),
        client=CLIENT,
        modes=("ipvs",),
    ),
    Fault(
        "wrong-cluster-cidr",
        "kube-proxy's clusterCIDR is not that of the pods: it takes them for strangers",
        (
            Edit("configmaps", "kube-proxy", _wrong_cidr, "kube-system"),
            *configured(cluster_cidrs=(WRONG_CIDR, POD_CIDRS[1])),
        ),
    ),
    Fault(
        "rule-missing",
        "somebody deleted the Service's rule on node1, and kube-proxy has not noticed",
        (
            *made_anew(),
            Rules("node1", "iptables-save.txt", edits.without(r'-A KUBE-SERVICES .*"default/web:http cluster IP"')),
            Rules(
                "node1",
                "nft-ip-kube-proxy.json",
                edits.without_element("service-ips", "-default/web/tcp/http"),
            ),
            Rules("node1", "ip_vs.txt", edits.without_server(KERNEL_HEAD)),
            Rules("node1", "ipvsadm-Ln.txt", edits.without_server(f"TCP  {VIP}:80")),
            Rules("node1", "ipvsadm-Sn.txt", edits.without(rf"^-[Aa] -t {re.escape(VIP)}:80 ")),
        ),
        client=CLIENT,
    ),
)
