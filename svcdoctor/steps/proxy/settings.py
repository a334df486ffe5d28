"""Settings of nodes and of their kube-proxy that do not fit what is there."""

import re
from collections.abc import Iterator, Sequence

from ...model.case import Case
from ...model.diagnosis import Effect, Evidence, Finding, Fix
from ...model.pod import Pod
from ...model.service import Service
from ...network.desired import Mode, Network, fronts, within
from ...network.ruleset import Server
from ..step import find
from ..words import count, kubectl, quote, some, subject
from .configuration import CONFIG_MAPS, NAMESPACE
from .nodes import Seen
from .rules import IPVS_REUSE, WRONG_CLUSTER_CIDR
from .telling import on_nodes

REUSE = "net.ipv4.vs.conn_reuse_mode"
GOOD_KERNEL = (5, 9)
"""From which on a reused connection is scheduled anew without delay."""
VERSION = re.compile(r"(\d+)\.(\d+)")
BY_CIDR = "ClusterCIDR"


def cidr_findings(case: Case, service: Service, nodes: Sequence[Seen]) -> Iterator[Finding]:
    """Pods of a node beside its clusterCIDR. Pods that are not there yet, or any more, say nothing."""
    outside = {node.name: list(_outside(case, node)) for node in nodes}
    mine = [node for node in nodes if outside[node.name]]
    if not mine:
        return
    first = mine[0]
    pods = [pod for node in mine for pod, _ in outside[node.name]]
    network = outside[first.name][0][1]
    yield find(
        WRONG_CLUSTER_CIDR,
        subject(service),
        f"kube-proxy takes {count(len(pods), 'pod')} on {on_nodes(mine)} for strangers: {some(_ips(pods))} are not "
        f"within its clusterCIDR {network}",
        (
            Evidence(f"Node {first.name}: kube-proxy clusterCIDR", ", ".join(first.configuration.cluster_cidrs)),
            *(
                Evidence(f"Pod {pod.namespace}/{pod.name}: status.podIP", ", ".join(pod.addresses))
                for pod, _ in outside[first.name][:3]
            ),
            *_rules(first, service, network),
        ),
        Fix(
            "Set clusterCIDR to the range of the pods, and restart kube-proxy.",
            kubectl(NAMESPACE, "edit", "configmap", CONFIG_MAPS[0]),
        ),
        effect=Effect.NONE,
    )


def _ips(pods: Sequence[Pod]) -> Iterator[str]:
    return (pod.addresses[0] for pod in pods)


def _outside(case: Case, node: Seen) -> Iterator[tuple[Pod, Network]]:
    if node.told is None or node.told.detect_local_mode != BY_CIDR:
        return
    for half in node.halves:
        network = half.node.detector.network if half.node.detector else None
        if network is None:
            continue
        for pod in case.snapshot.pods.items:
            here = pod.spec.node_name == node.name and not pod.spec.host_network and not pod.terminal
            of_family = [ip for ip in pod.addresses if (":" in ip) is half.node.v6]
            if here and of_family and not within(of_family[0], network):
                yield pod, network


def _rules(node: Seen, service: Service, network: Network) -> Iterator[Evidence]:
    """The rule that masquerades whatever is not of the network."""
    addresses = {front.cluster_ip for v6 in (False, True) for front in fronts(service, v6)}
    for name in ("iptables-save.txt", "ip6tables-save.txt"):
        for line in node.rules.texts.get(name, "").splitlines():
            about = node.mode is Mode.IPVS or any(f" -d {address}/" in line for address in addresses)
            if about and f"! -s {network} " in line and line.endswith("KUBE-MARK-MASQ"):
                yield quote(f"nodes/{node.name}/{name}", line)
                return


# ---------------------------------------------------------------------------------------------------------------- ipvs


def reuse_findings(case: Case, service: Service, nodes: Sequence[Seen]) -> Iterator[Finding]:
    """Matters only while a server is draining, and on kernels that can't do better."""
    found = {node.name: list(_draining(node, service)) for node in nodes if _reuses(node)}
    mine = [node for node in nodes if found.get(node.name)]
    if not mine:
        return
    first = mine[0]
    kernel = first.object.status.node_info.kernel_version if first.object else ""
    yield find(
        IPVS_REUSE,
        subject(service),
        f"new connections from {on_nodes(mine)} may go to {some(server.address for server in found[first.name])}, "
        f"which IPVS is draining: kernel {kernel} gives a reused port its old server",
        (
            Evidence(f"Node {first.name}: status.nodeInfo.kernelVersion", kernel),
            Evidence(f"nodes/{first.name}/sysctl.json", f"{REUSE} = 0"),
            *(quote(f"Node {first.name}: real server of IPVS", server.raw) for server in found[first.name][:3]),
        ),
        Fix(
            "Use a kernel of 5.9 or later. Until then the delay of a second that mode 1 brings may be the lesser evil.",
            f"sysctl -w {REUSE}=1",
        ),
        effect=Effect.PARTIAL,
    )


def _reuses(node: Seen) -> bool:
    match = VERSION.match(node.object.status.node_info.kernel_version) if node.object else None
    old = match is not None and (int(match[1]), int(match[2])) < GOOD_KERNEL
    return old and node.mode is Mode.IPVS and node.rules.sysctls.get(REUSE) == "0"


def _draining(node: Seen, service: Service) -> Iterator[Server]:
    """Servers of the Service that get no new connections, and still have old ones."""
    places = {
        (frontend.protocol, frontend.address, frontend.port)
        for half in node.halves
        for front in fronts(service, half.node.v6)
        for frontend in front.frontends(half.node)
    }
    for virtual in node.readout.ruleset.virtual_servers:
        if (virtual.protocol, virtual.address, virtual.port) in places:
            yield from (server for server in virtual.servers if server.weight == 0 and _connections(server))


def _connections(server: Server) -> int:
    """Active and inactive ones: the last two columns."""
    numbers = [word for word in server.raw.split()[-2:] if word.isdigit()]
    return sum(map(int, numbers)) if len(numbers) == 2 else 0
