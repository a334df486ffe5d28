"""The well cluster: its figures, its nodes, and the patient with a client beside it."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

Json = dict[str, Any]

SERVICE_CIDRS = ("10.96.0.0/16", "fd00:10:96::/112")
POD_CIDRS = ("10.244.0.0/16", "fd00:10:244::/48")
"""clusterCIDR of each family; `pod_networks` where there are more nodes than that holds."""
CLUSTER_DNS = "10.96.0.10"
NODE_RESOLV_CONF = "nameserver 172.30.0.1\n"
VERSION = "v1.36.2"
REGISTRY = "registry.lab"
PODS_PER_NODE = 110
PROXY_MODES = ("iptables", "nftables", "ipvs")

COREFILE = """\
.:53 {
    errors
    health {
       lameduck 5s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
    prometheus :9153
    forward . /etc/resolv.conf {
       max_concurrent 1000
    }
    cache 30
    loop
    reload
    loadbalance
}
"""


class Shape(Struct, frozen=True):
    """What a lab is made of. ``services`` and ``pods`` are extra ones, for size, in namespaces of their own."""

    nodes: int = 2
    proxy_mode: str = "iptables"
    services: int = 0
    pods: int = 0
    seed: int = 1


def nodes_needed(shape: Shape) -> int:
    """How many nodes hold all the pods of ``shape``, each with room left for those that every node has."""
    return max(shape.nodes, -(-shape.pods // (PODS_PER_NODE - 10)))


# -------------------------------------------------------------------------------------------------------------- nodes


def node_name(number: int) -> str:
    return f"node{number}"


def node_addresses(number: int) -> tuple[str, str]:
    """InternalIPs of the ``number``-th node, from 1."""
    return f"172.30.{number // 240}.{10 + number % 240}", f"fd00:172:30::{10 + number:x}"


def pod_networks(nodes: int) -> tuple[str, str]:
    """The clusterCIDR of each family, which holds the ranges of so many nodes."""
    return (POD_CIDRS[0] if nodes < 256 else "10.240.0.0/12"), POD_CIDRS[1]


def pod_cidrs(number: int) -> tuple[str, str]:
    """Of the ``number``-th node, from 1: a /24 and a /64, as kube-controller-manager hands out."""
    return f"10.{244 + number // 256}.{number % 256}.0/24", f"fd00:10:244:{number:x}::/64"


def node(number: int, capacity: int = PODS_PER_NODE) -> Json:
    """The ``number``-th node as its kubelet registers it; half of them in each of two zones."""
    name = node_name(number)
    labels = {
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "topology.kubernetes.io/region": "lab",
        "topology.kubernetes.io/zone": f"zone-{(number - 1) % 2 + 1}",
    }
    amounts = {"cpu": "4", "ephemeral-storage": "102350396Ki", "memory": "16374284Ki", "pods": str(capacity)}
    addresses = [{"type": "InternalIP", "address": address} for address in node_addresses(number)]
    cidrs = list(pod_cidrs(number))
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels, "annotations": {"node.alpha.kubernetes.io/ttl": "0"}},
        "spec": {"podCIDR": cidrs[0], "podCIDRs": cidrs},
        "status": {
            "addresses": [*addresses, {"type": "Hostname", "address": name}],
            "allocatable": amounts,
            "capacity": amounts,
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "nodeInfo": {
                "architecture": "amd64",
                "bootID": f"00000000-0000-4000-8000-{number:012x}",
                "containerRuntimeVersion": "containerd://2.1.4",
                "kernelVersion": "6.12.0",
                "kubeProxyVersion": "",
                "kubeletVersion": VERSION,
                "machineID": f"{number:032x}",
                "operatingSystem": "linux",
                "osImage": "Debian GNU/Linux 13 (trixie)",
                "systemUUID": f"00000000-0000-4000-8000-{number:012x}",
            },
        },
    }


def namespace(name: str, labels: Mapping[str, str] | None = None) -> Json:
    meta = {"name": name, "labels": {**(labels or {}), "kubernetes.io/metadata.name": name}}
    made = {"apiVersion": "v1", "kind": "Namespace", "metadata": meta}
    return {**made, "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}


# ---------------------------------------------------------------------------------------------------------- the patient


def patient() -> list[Json]:
    """Service web, the three pods behind it, and the pod client that calls it."""
    return [
        service("web", {"app": "web"}, [{"name": "http", "port": 80, "targetPort": "http"}]),
        deployment("web", 3, {"app": "web"}, pod_spec(server())),
        pod("client", pod_spec({"name": "client", "image": f"{REGISTRY}/client:1"}), {"app": "client"}),
    ]


def server(name: str = "app", port: int = 8080, port_name: str = "http", **more: Any) -> Json:
    """A container that serves HTTP on ``port``, with a readiness probe that fits."""
    made = {
        "name": name,
        "image": f"{REGISTRY}/server:1",
        "args": [f"--http={port}", "--health=/healthz"],
        "ports": [{"name": port_name, "containerPort": port, "protocol": "TCP"}],
        "readinessProbe": {"httpGet": {"path": "/healthz", "port": port}, "periodSeconds": 5},
    } | more
    return {field: value for field, value in made.items() if value is not None}


def pod_spec(*containers: Json, **more: Any) -> Json:
    return {"containers": list(containers), "terminationGracePeriodSeconds": 10, **more}


def pod(name: str, spec: Json, labels: Mapping[str, str] | None = None, namespace: str = "default") -> Json:
    return plain("v1", "Pod", name, namespace, spec=spec, labels=labels)


def deployment(
    name: str,
    replicas: int,
    selector: Mapping[str, str],
    spec: Json,
    namespace: str = "default",
    labels: Mapping[str, str] | None = None,
    pod_labels: Mapping[str, str] | None = None,
) -> Json:
    """A Deployment; its pods carry ``pod_labels`` beside what the selector asks for."""
    template = {"metadata": {"labels": {**selector, **(pod_labels or {})}}, "spec": spec}
    whole = {"replicas": replicas, "selector": {"matchLabels": dict(selector)}, "template": template}
    return plain("apps/v1", "Deployment", name, namespace, spec=whole, labels=labels)


def service(
    name: str, selector: Mapping[str, str] | None, ports: list[Json], namespace: str = "default", **more: Any
) -> Json:
    spec = {"ports": ports, **({"selector": dict(selector)} if selector else {}), **more}
    return plain("v1", "Service", name, namespace, spec=spec)


def plain(
    api_version: str,
    kind: str,
    name: str,
    namespace: str = "kube-system",
    spec: Json | None = None,
    labels: Mapping[str, str] | None = None,
) -> Json:
    """An object; the empty namespace stands for none."""
    meta: Json = {"name": name} | ({"namespace": namespace} if namespace else {})
    meta |= {"labels": dict(labels)} if labels else {}
    return {"apiVersion": api_version, "kind": kind, "metadata": meta} | ({"spec": spec} if spec is not None else {})
