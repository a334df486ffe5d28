"""Faults by which a policy stands between the client and the Service (S4)."""

from typing import Any

from ..base import REGISTRY, namespace, node_name, pod, pod_spec, service
from .fault import Act, Apply, Delete, Edit, Fault, Patch
from .service import HTTP

Json = dict[str, Any]

NAME = "kubernetes.io/metadata.name"
WEB = {"matchLabels": {"app": "web"}}
CLIENT = {"matchLabels": {"app": "client"}}
TCP_8080 = {"protocol": "TCP", "port": 8080}
DNS_PODS: Json = {
    "namespaceSelector": {"matchLabels": {NAME: "kube-system"}},
    "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
}
DNS: Json = {"to": [DNS_PODS], "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]}
PROGRAM = {"name": "client", "image": f"{REGISTRY}/client:1"}


def policy(name: str, selector: Json, types: list[str], **rules: Any) -> Json:
    """A NetworkPolicy of the patient's namespace."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"podSelector": selector, "policyTypes": types, **rules},
    }


def ingress(*peers: Json, port: int | str = 8080) -> Apply:
    """The patient lets these peers in, and nobody else."""
    rule = {"from": list(peers), "ports": [{"protocol": "TCP", "port": port}]}
    return Apply((policy("web", WEB, ["Ingress"], ingress=[rule]),))


def egress(*rules: Json) -> Apply:
    """The client may go there, and nowhere else."""
    return Apply((policy("client", CLIENT, ["Egress"], egress=list(rules)),))


def _deny() -> Apply:
    return Apply((policy("deny-all", {}, ["Ingress"]),))


def _tier_deny() -> Json:
    """Whoever is in no namespace of the platform stays out of the patient's."""
    rule = {"name": "keep-out", "action": "Deny", "from": [{"namespaces": {}}]}
    return {
        "apiVersion": "policy.networking.k8s.io/v1alpha2",
        "kind": "ClusterNetworkPolicy",
        "metadata": {"name": "lockdown"},
        "spec": {
            "tier": "Admin",
            "priority": 10,
            "subject": {"namespaces": {"matchLabels": {NAME: "default"}}},
            "ingress": [rule],
        },
    }


def _on_5353(found: Json) -> Json:
    """The name servers as OpenShift runs them: on a port that needs no privilege."""
    container, *others = found["spec"]["template"]["spec"]["containers"]
    ports = [
        {**port, "containerPort": 5353 if port["containerPort"] == 53 else port["containerPort"]}
        for port in container["ports"]
    ]
    spec = {**found["spec"]["template"]["spec"], "containers": [{**container, "ports": ports}, *others]}
    return {**found, "spec": {**found["spec"], "template": {**found["spec"]["template"], "spec": spec}}}


def _to_5353(found: Json) -> Json:
    ports = [{**port, "targetPort": 5353} if port["port"] == 53 else port for port in found["spec"]["ports"]]
    return {**found, "spec": {**found["spec"], "ports": ports}}


def _corefile_on_5353(found: Json) -> Json:
    return {**found, "data": {"Corefile": found["data"]["Corefile"].replace(".:53 ", ".:5353 ")}}


def _on_host() -> Json:
    return pod_spec(PROGRAM, hostNetwork=True, dnsPolicy="ClusterFirstWithHostNet")


def _daemons(name: str, namespace: str) -> Json:
    """The DaemonSet of a network plugin."""
    labels = {"app": name}
    container = {"name": name, "image": f"{REGISTRY}/pause:3.10"}
    template = {"metadata": {"labels": labels}, "spec": {"hostNetwork": True, "containers": [container]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"selector": {"matchLabels": labels}, "template": template},
    }


def _cilium() -> Json:
    return _daemons("cilium", "kube-system")


def _cilium_deny() -> Json:
    return {
        "apiVersion": "cilium.io/v2",
        "kind": "CiliumNetworkPolicy",
        "metadata": {"name": "quarantine", "namespace": "default"},
        "spec": {"endpointSelector": WEB, "ingressDeny": [{"fromEntities": ["all"]}]},
    }


def _flannel() -> tuple[Act, ...]:
    """Flannel and nothing else, as it shows: its DaemonSet, and what it writes on its nodes."""
    marks = {"flannel.alpha.coreos.com/backend-type": "vxlan", "flannel.alpha.coreos.com/kube-subnet-manager": "true"}
    nodes = (Patch("nodes", node_name(n), {"metadata": {"annotations": marks}}, "") for n in (1, 2))
    return Apply((namespace("kube-flannel"), _daemons("kube-flannel-ds", "kube-flannel"))), *nodes


FAULTS = (
    Fault("np-default-deny", "a policy shuts the whole namespace, and none opens it", (_deny(),)),
    Fault(
        "np-peer-labels",
        "the policy lets app=frontend in, the client is app=client",
        (ingress({"podSelector": {"matchLabels": {"app": "frontend"}}}),),
        client="client",
    ),
    Fault(
        "np-ns-unlabelled",
        "the policy lets namespaces with name=shop in; namespace shop has no label name",
        (
            Apply((namespace("shop"), pod("client", pod_spec(PROGRAM), {"app": "client"}, "shop"))),
            ingress({"namespaceSelector": {"matchLabels": {"name": "shop"}}}),
        ),
        client="shop/client",
    ),
    Fault(
        "np-and-or",
        "namespace monitoring and pods app=client stand in one item of the rule: both must hold",
        (
            Apply((namespace("monitoring"),)),
            ingress({"namespaceSelector": {"matchLabels": {NAME: "monitoring"}}, "podSelector": CLIENT}),
        ),
        client="client",
    ),
    Fault(
        "np-service-port",
        "the policy allows the Service's port 80, the pods listen on 8080",
        (ingress({"podSelector": CLIENT}, port=80),),
    ),
    Fault(
        "np-dns-egress",
        "the client may go to the Service's pods, but not ask for names",
        (egress({"to": [{"podSelector": WEB}], "ports": [TCP_8080]}),),
        client="client",
    ),
    Fault(
        "np-dns-realport",
        "the client may ask the DNS pods on port 53, but they listen on 5353",
        (
            Edit("configmaps", "coredns", _corefile_on_5353, "kube-system"),
            Edit("deployments", "coredns", _on_5353, "kube-system"),
            Edit("services", "kube-dns", _to_5353, "kube-system"),
            egress({"to": [{"podSelector": WEB}], "ports": [TCP_8080]}, DNS),
        ),
        client="client",
    ),
    Fault(
        "np-clusterip-cidr",
        "the client may go to the Services' addresses, which are translated before policies are applied",
        (egress({"to": [{"ipBlock": {"cidr": "10.96.0.0/16"}}]}, DNS),),
        client="client",
    ),
    Fault(
        "np-snat-source",
        "the policy lets outside clients in by address, but they come with a node's",
        (
            Delete("services", "web"),
            Apply((service("web", {"app": "web"}, [HTTP], type="NodePort"),)),
            ingress({"podSelector": {}}, {"ipBlock": {"cidr": "203.0.113.0/24"}}),
        ),
    ),
    Fault(
        "np-named-port",
        "the policy allows the port called web, which the pods call http",
        (ingress({"podSelector": CLIENT}, port="web"),),
    ),
    Fault(
        "np-tier-deny",
        "a cluster-wide policy denies what the NetworkPolicy allows",
        (Apply((_tier_deny(),)), ingress({"podSelector": {}})),
    ),
    Fault("np-unenforced", "a policy shuts the namespace, and Flannel does not care", (*_flannel(), _deny())),
    Fault(
        "np-cni-crd",
        "NetworkPolicies allow it, and a policy of Cilium's own kind denies it",
        (Apply((_cilium(), _cilium_deny())), ingress({"podSelector": {}})),
    ),
    Fault(
        "np-undefined",
        "the client is on its node's network: whether a podSelector fits it depends on the plugin",
        (
            Apply((pod("agent", _on_host(), {"app": "agent"}),)),
            ingress({"podSelector": {"matchLabels": {"app": "agent"}}}),
        ),
        client="agent",
    ),
)
