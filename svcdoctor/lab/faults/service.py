"""Faults of the Service itself (S0)."""

from typing import Any

from ..base import deployment, namespace, pod_spec, server, service
from .fault import Apply, Delete, Fault, Patch, Plant

Json = dict[str, Any]

HTTP: Json = {"name": "http", "port": 80, "protocol": "TCP", "targetPort": "http"}


APP = server(port=8000, port_name="plain")
SIDECAR = server("proxy") | {"restartPolicy": "Always"}


def ports(*changed: Json) -> Patch:
    """The patient's ports, anew."""
    return Patch("services", "web", {"spec": {"ports": list(changed)}})


def _plant(name: str, port: Json, **spec: Any) -> Plant:
    """A Service that today's validation would refuse."""
    whole = {"type": "ClusterIP", "clusterIP": "10.96.77.7", "clusterIPs": ["10.96.77.7"], "ipFamilies": ["IPv4"]}
    whole |= {"ipFamilyPolicy": "SingleStack", "sessionAffinity": "None", "internalTrafficPolicy": "Cluster"}
    made = service(name, {"app": "web"}, [port], **{**whole, **spec})
    return Plant(({**made, "status": {"loadBalancer": {}}},))


FAULTS = (
    Fault("svc-missing", "nobody made the Service", (Delete("services", "web"),)),
    Fault(
        "wrong-namespace",
        "the Service is in another namespace than the one that is asked",
        (
            Delete("services", "web"),
            Apply((namespace("shop"), service("web", {"app": "web"}, [HTTP], "shop"))),
        ),
    ),
    Fault("port-not-in-service", "the client dials 8080, the Service has only 80", (ports(HTTP),), ask="web:8080"),
    Fault(
        "protocol-mismatch",
        "the Service's port is UDP, the container listens on TCP",
        (ports({**HTTP, "protocol": "UDP"}),),
    ),
    Fault(
        "quoted-number-port",
        'targetPort is the text "8080", which is looked up as a name',
        (Delete("services", "web"), _plant("web", {**HTTP, "targetPort": "8080"})),
    ),
    Fault(
        "targetport-wrong", "targetPort is 9090, the containers listen on 8080", (ports({**HTTP, "targetPort": 9090}),)
    ),
    Fault(
        "sidecar-port-only",
        "targetPort is a name that only a native sidecar declares, which is well",
        (
            Delete("deployments", "web"),
            Apply((deployment("web", 3, {"app": "web"}, pod_spec(APP, initContainers=[SIDECAR])),)),
        ),
    ),
    Fault(
        "headless-port-remap",
        "a headless Service with port 80 for containers on 8080: nothing remaps it",
        (
            Delete("services", "web"),
            Apply((service("web", {"app": "web"}, [{**HTTP, "targetPort": 8080}], clusterIP="None"),)),
        ),
    ),
    Fault(
        "externalname-ip",
        "externalName is an address, which DNS takes for a name",
        (
            Delete("services", "web"),
            Apply((service("web", None, [HTTP], type="ExternalName", externalName="203.0.113.7"),)),
        ),
    ),
    Fault(
        "nodeport-range",
        "the node port lies outside of the range that the API server hands out",
        (
            Delete("services", "web"),
            _plant("web", {**HTTP, "nodePort": 8080}, type="NodePort", externalTrafficPolicy="Cluster"),
        ),
    ),
)
