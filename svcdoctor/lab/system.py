"""What runs in kube-system, as kubeadm and the network's installer leave it."""

from typing import Any

from .base import (
    CLUSTER_DNS,
    COREFILE,
    REGISTRY,
    VERSION,
    Shape,
    deployment,
    namespace,
    nodes_needed,
    plain,
    pod_networks,
)

Json = dict[str, Any]


def system(shape: Shape) -> list[Json]:
    """All of it, and the namespaces."""
    names = ("default", "kube-node-lease", "kube-public", "kube-system")
    return [*(namespace(name) for name in names), *_kubernetes(), *_kube_dns(), *_kube_proxy(shape)]


def _kubernetes() -> list[Json]:
    labels = {"component": "apiserver", "provider": "kubernetes"}
    port = {"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}
    spec = {"type": "ClusterIP", "clusterIP": "10.96.0.1", "ports": [port]}
    return [
        plain("v1", "Service", "kubernetes", "default", spec=spec, labels=labels),
        {
            **plain("v1", "Endpoints", "kubernetes", "default"),
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
        plain("v1", "ServiceAccount", "coredns"),
        {**plain(f"{rbac}/v1", "ClusterRole", name, ""), "rules": rules},
        {
            **plain(f"{rbac}/v1", "ClusterRoleBinding", name, ""),
            "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": "coredns", "namespace": "kube-system"}],
        },
        {**plain("v1", "ConfigMap", "coredns"), "data": {"Corefile": COREFILE}},
        deployment("coredns", 2, labels, spec, "kube-system", labels),
        plain("v1", "Service", "kube-dns", spec=service, labels=service_labels),
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
        plain("v1", "ServiceAccount", "kube-proxy"),
        {**plain("v1", "ConfigMap", "kube-proxy"), "data": {"config.conf": config}},
        plain(
            "apps/v1",
            "DaemonSet",
            "kube-proxy",
            spec={"selector": {"matchLabels": labels}, "template": template},
            labels=labels,
        ),
    ]
