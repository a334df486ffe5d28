"""The well cluster: its nodes, what runs in kube-system, and the patient with a client beside it."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

Json = dict[str, Any]

SERVICE_CIDRS = ("10.96.0.0/16", "fd00:10:96::/112")
POD_CIDRS = ("10.244.0.0/16", "fd00:10:244::/48")
"""clusterCIDR of each family; `pod_networks` where there are more nodes than that holds."""
CLUSTER_DNS = "10.96.0.10"
CLUSTER_DOMAIN = "cluster.local"
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
    amounts = {"cpu": "4", "ephemeral-storage": "102350396Ki", "memory": "16384000Ki", "pods": str(capacity)}
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


# --------------------------------------------------------------------------------------------------------- kube-system


def namespace(name: str, labels: Mapping[str, str] | None = None) -> Json:
    meta = {"name": name, "labels": {**(labels or {}), "kubernetes.io/metadata.name": name}}
    made = {"apiVersion": "v1", "kind": "Namespace", "metadata": meta}
    return {**made, "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}


def system(shape: Shape) -> list[Json]:
    """What kubeadm and the network's installer leave behind."""
    names = ("default", "kube-node-lease", "kube-public", "kube-system")
    return [*(namespace(name) for name in names), *_kubernetes(), *_kube_dns(), *_kube_proxy(shape)]


def _kubernetes() -> list[Json]:
    labels = {"component": "apiserver", "provider": "kubernetes"}
    port = {"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}
    spec = {"type": "ClusterIP", "clusterIP": "10.96.0.1", "ports": [port]}
    return [
        _object("v1", "Service", "kubernetes", "default", spec=spec, labels=labels),
        {
            **_object("v1", "Endpoints", "kubernetes", "default"),
            "subsets": [{"addresses": [{"ip": "172.30.0.1"}], "ports": [{"name": "https", "port": 6443}]}],
        },
    ]


def _kube_dns() -> list[Json]:
    labels = {"k8s-app": "kube-dns"}
    ports = [
        {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": 53},
        {"name": "dns-tcp", "port": 53, "protocol": "TCP", "targetPort": 53},
        {"name": "metrics", "port": 9153, "protocol": "TCP", "targetPort": 9153},
    ]
    listens = [{**port, "containerPort": port["targetPort"]} for port in ports]
    container = {
        "name": "coredns",
        "image": f"{REGISTRY}/coredns:1.14.2",
        "args": ["-conf", "/etc/coredns/Corefile"],
        "ports": [{key: port[key] for key in ("name", "containerPort", "protocol")} for port in listens],
        "livenessProbe": {"httpGet": {"path": "/health", "port": 8080}, "initialDelaySeconds": 60},
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8181}},
        "volumeMounts": [{"name": "config-volume", "mountPath": "/etc/coredns", "readOnly": True}],
    }
    volume = {"name": "config-volume", "configMap": {"name": "coredns"}}
    spec = {
        "serviceAccountName": "coredns",
        "dnsPolicy": "Default",
        "priorityClassName": "system-cluster-critical",
        "containers": [container],
        "tolerations": [{"key": "CriticalAddonsOnly", "operator": "Exists"}],
        "volumes": [volume],
    }
    service_labels = {**labels, "kubernetes.io/cluster-service": "true", "kubernetes.io/name": "CoreDNS"}
    service = {"clusterIP": CLUSTER_DNS, "ports": ports, "selector": labels}
    rules = [
        {"apiGroups": [""], "resources": ["endpoints", "services", "pods", "namespaces"], "verbs": ["list", "watch"]},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]},
    ]
    rbac, name = "rbac.authorization.k8s.io", "system:coredns"
    return [
        _object("v1", "ServiceAccount", "coredns"),
        {**_object(f"{rbac}/v1", "ClusterRole", name, ""), "rules": rules},
        {
            **_object(f"{rbac}/v1", "ClusterRoleBinding", name, ""),
            "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": "coredns", "namespace": "kube-system"}],
        },
        {**_object("v1", "ConfigMap", "coredns"), "data": {"Corefile": COREFILE}},
        deployment("coredns", 2, labels, spec, "kube-system", labels),
        _object("v1", "Service", "kube-dns", spec=service, labels=service_labels),
    ]


def _kube_proxy(shape: Shape) -> list[Json]:
    labels = {"k8s-app": "kube-proxy"}
    config = "\n".join(
        (
            "apiVersion: kubeproxy.config.k8s.io/v1alpha1",
            "kind: KubeProxyConfiguration",
            f"clusterCIDR: {','.join(pod_networks(nodes_needed(shape)))}",
            "metricsBindAddress: 127.0.0.1:10249",
            f"mode: {shape.proxy_mode}",
            "",
        )
    )
    container = {
        "name": "kube-proxy",
        "image": f"{REGISTRY}/kube-proxy:{VERSION}",
        "command": ["/usr/local/bin/kube-proxy", "--config=/var/lib/kube-proxy/config.conf"],
        "securityContext": {"privileged": True},
        "volumeMounts": [{"name": "kube-proxy", "mountPath": "/var/lib/kube-proxy"}],
    }
    spec = {
        "serviceAccountName": "kube-proxy",
        "hostNetwork": True,
        "priorityClassName": "system-node-critical",
        "containers": [container],
        "tolerations": [{"operator": "Exists"}],
        "volumes": [{"name": "kube-proxy", "configMap": {"name": "kube-proxy"}}],
    }
    template = {"metadata": {"labels": labels}, "spec": spec}
    return [
        _object("v1", "ServiceAccount", "kube-proxy"),
        {**_object("v1", "ConfigMap", "kube-proxy"), "data": {"config.conf": config}},
        _object(
            "apps/v1",
            "DaemonSet",
            "kube-proxy",
            spec={"selector": {"matchLabels": labels}, "template": template},
            labels=labels,
        ),
    ]


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
    return _object("v1", "Pod", name, namespace, spec=spec, labels=labels)


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
    return _object("apps/v1", "Deployment", name, namespace, spec=whole, labels=labels)


def service(
    name: str, selector: Mapping[str, str] | None, ports: list[Json], namespace: str = "default", **more: Any
) -> Json:
    spec = {"ports": ports, **({"selector": dict(selector)} if selector else {}), **more}
    return _object("v1", "Service", name, namespace, spec=spec)


def _object(
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
