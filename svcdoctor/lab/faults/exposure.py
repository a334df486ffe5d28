"""Faults of the ways in from outside (S7): node ports, load balancers, Ingress, Gateway."""

from typing import Any

from ..base import deployment, namespace, pod_spec, server, service
from .fault import Act, Apply, Doctor, Edit, Event, Fault, Patch
from .proxy import CLIENT, configured, load_balancer, on_node, sysctl
from .readiness import workload
from .service import HTTP, ports

Json = dict[str, Any]

VIP = "203.0.113.80"
NETWORKING = "networking.k8s.io/v1"
GATEWAY = "gateway.networking.k8s.io/v1"
CLOUD = "service-controller"
SYNC_FAILED = "SyncLoadBalancerFailed"
HOST = "web.example.com"
ONLY_NODE1 = "172.30.0.11/32"


def node_port(**spec: Any) -> Patch:
    return Patch("services", "web", {"spec": {"type": "NodePort", **spec}})


def balanced(**spec: Any) -> Patch:
    """Type LoadBalancer, and nobody who makes one."""
    return Patch("services", "web", {"spec": {"type": "LoadBalancer", **spec}})


def cloud_error(message: str, times: int = 6) -> Event:
    text = f"Error syncing load balancer: failed to ensure load balancer: {message}"
    return Event("services", "web", SYNC_FAILED, text, CLOUD, times)


def _ports_error(found: Json) -> Json | None:
    """The condition by which a cloud's controller says that it won't have these ports together."""
    if found["metadata"]["name"] != "web":
        return None
    condition = {
        "type": "LoadBalancerPortsError",
        "status": "True",
        "reason": "LoadBalancerMixedProtocolNotSupported",
        "message": "LoadBalancer with multiple protocols are not supported.",
        "lastTransitionTime": found["metadata"]["creationTimestamp"],
    }
    return {**found, "status": {**(found.get("status") or {}), "loadBalancer": {}, "conditions": [condition]}}


def _addresses_of_node1(found: Json) -> Json:
    text = f"{found['data']['config.conf']}nodePortAddresses: [{ONLY_NODE1}]\n"
    return {**found, "data": {**found["data"], "config.conf": text}}


# ----------------------------------------------------------------------------------------------------- Ingress, Gateway


def ingress_class(name: str = "nginx") -> Json:
    spec = {"controller": "k8s.io/ingress-nginx"}
    return {"apiVersion": NETWORKING, "kind": "IngressClass", "metadata": {"name": name}, "spec": spec}


def ingress(paths: dict[str, tuple[str, Json]], class_name: str = "nginx") -> Json:
    """An Ingress of one host: path -> Service and its port."""
    rules = [
        {"path": path, "pathType": "Prefix", "backend": {"service": {"name": name, "port": port}}}
        for path, (name, port) in paths.items()
    ]
    spec = {"ingressClassName": class_name, "rules": [{"host": HOST, "http": {"paths": rules}}]}
    meta = {"name": "web", "namespace": "default"}
    return {"apiVersion": NETWORKING, "kind": "Ingress", "metadata": meta, "spec": spec}


def _served(found: Json) -> Json:
    """An Ingress that its controller has taken up."""
    return {**found, "status": {"loadBalancer": {"ingress": [{"ip": VIP}]}}}


def taken_up(made: Json) -> tuple[Act, ...]:
    return Apply((ingress_class(), made)), Doctor("ingresses", _served)


GATEWAY_CLASS: Json = {
    "apiVersion": GATEWAY,
    "kind": "GatewayClass",
    "metadata": {"name": "edge"},
    "spec": {"controllerName": "gateway.example.com/controller"},
}
EDGE: Json = {
    "apiVersion": GATEWAY,
    "kind": "Gateway",
    "metadata": {"name": "edge", "namespace": "edge"},
    "spec": {
        "gatewayClassName": "edge",
        "listeners": [
            {"name": "http", "port": 80, "protocol": "HTTP", "allowedRoutes": {"namespaces": {"from": "Same"}}}
        ],
    },
}
ROUTE: Json = {
    "apiVersion": GATEWAY,
    "kind": "HTTPRoute",
    "metadata": {"name": "web", "namespace": "edge"},
    "spec": {
        "parentRefs": [{"name": "edge"}],
        "hostnames": [HOST],
        "rules": [{"backendRefs": [{"name": "web", "namespace": "default", "port": 80}]}],
    },
}


def _condition(found: Json, type: str, status: str, reason: str, message: str = "") -> Json:
    meta = found["metadata"]
    return {
        "type": type,
        "status": status,
        "reason": reason,
        "message": message,
        "observedGeneration": meta.get("generation", 1),
        "lastTransitionTime": meta["creationTimestamp"],
    }


def _programmed(found: Json) -> Json:
    """A Gateway that its controller has taken up."""
    conditions = [_condition(found, type, "True", type) for type in ("Accepted", "Programmed")]
    return {**found, "status": {"addresses": [{"type": "IPAddress", "value": VIP}], "conditions": conditions}}


def _not_permitted(found: Json) -> Json:
    message = "backendRef web/default not permitted by any ReferenceGrant"
    conditions = [
        _condition(found, "Accepted", "True", "Accepted"),
        _condition(found, "ResolvedRefs", "False", "RefNotPermitted", message),
    ]
    controller = GATEWAY_CLASS["spec"]["controllerName"]
    parent = {"parentRef": {"name": "edge"}, "controllerName": controller, "conditions": conditions}
    return {**found, "status": {"parents": [parent]}}


GRPC = server(
    args=["--grpc=8080"],
    ports=[{"name": "grpc", "containerPort": 8080, "protocol": "TCP"}],
    readinessProbe={"grpc": {"port": 8080}, "periodSeconds": 5},
)

FAULTS = (
    Fault(
        "nodeport-clash",
        "the nodes give out the node port to their own connections as a local port",
        (sysctl("*", net__ipv4__ip_local_port_range="1024\t65535"), node_port()),
    ),
    Fault(
        "nodeport-address",
        "nodePortAddresses names an address of node1: no other node answers",
        (
            Edit("configmaps", "kube-proxy", _addresses_of_node1, "kube-system"),
            *configured(node_port_addresses=(ONLY_NODE1,)),
            node_port(),
        ),
    ),
    Fault("lb-no-controller", "nobody makes load balancers in this cluster", (balanced(),)),
    Fault(
        "lb-error",
        "the cloud refuses to make a load balancer",
        (
            balanced(),
            cloud_error("googleapi: Error 403: Quota 'FORWARDING_RULES' exceeded. Limit: 15.0."),
        ),
    ),
    Fault(
        "lb-mixed-protocol",
        "the cloud won't have TCP and UDP on one load balancer",
        (
            *workload(server(args=["--http=8080", "--udp=8080", "--health=/healthz"])),
            Patch(
                "services",
                "web",
                {"spec": {"ports": [HTTP, {"name": "udp", "port": 80, "protocol": "UDP", "targetPort": 8080}]}},
            ),
            balanced(),
            Doctor("services", _ports_error),
            cloud_error("mixed protocol is not supported for LoadBalancer"),
        ),
    ),
    Fault(
        "lb-health",
        "the only node with pods is excluded from load balancers: no other is healthy",
        (
            *on_node("node2"),
            Patch(
                "nodes",
                "node2",
                {"metadata": {"labels": {"node.kubernetes.io/exclude-from-external-load-balancers": ""}}},
                "",
            ),
            *load_balancer(VIP, externalTrafficPolicy="Local"),
        ),
    ),
    Fault(
        "lb-source-range",
        "loadBalancerSourceRanges does not name the client",
        load_balancer(VIP, loadBalancerSourceRanges=["198.51.100.0/24"]),
        client=CLIENT,
    ),
    Fault(
        "lb-hairpin",
        "the balancer adds the PROXY protocol, but pods that dial it pass it by",
        (
            Patch(
                "services",
                "web",
                {"metadata": {"annotations": {"service.beta.kubernetes.io/aws-load-balancer-proxy-protocol": "*"}}},
            ),
            *load_balancer(VIP),
        ),
        client=CLIENT,
    ),
    Fault(
        "lb-no-nodeports",
        "the balancer reaches nodes by node ports, and the Service has none",
        load_balancer(VIP, allocateLoadBalancerNodePorts=False),
    ),
    Fault(
        "ingress-backend",
        "the Ingress names a port that the Service does not have",
        taken_up(ingress({"/": ("web", {"number": 8080})})),
    ),
    Fault(
        "ingress-class",
        "the Ingress names a class that nobody serves",
        (Apply((ingress_class(), ingress({"/": ("web", {"number": 80})}, "nginx-internal"))),),
    ),
    Fault(
        "ingress-misroute",
        "the Ingress sends the Service's path to another app",
        (
            Apply(
                (
                    deployment("blog", 2, {"app": "blog"}, pod_spec(server())),
                    service("blog", {"app": "blog"}, [HTTP]),
                )
            ),
            *taken_up(ingress({"/blog": ("web", {"number": 80}), "/": ("blog", {"number": 80})})),
        ),
    ),
    Fault(
        "route-refgrant",
        "a route in another namespace leads to the Service, and no grant allows it",
        (
            Apply((namespace("edge"), GATEWAY_CLASS, EDGE, ROUTE)),
            Doctor("gateways", _programmed, "edge"),
            Doctor("httproutes", _not_permitted, "edge"),
        ),
    ),
    Fault(
        "appprotocol",
        "the pods speak gRPC, and the Service says HTTP/1",
        (
            *workload(GRPC),
            ports({**HTTP, "targetPort": 8080, "appProtocol": "http"}),
            *taken_up(ingress({"/": ("web", {"name": "http"})})),
        ),
    ),
)
