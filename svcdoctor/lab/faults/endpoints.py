"""Faults by which no pod stands behind the Service, or the wrong one (S1)."""

from typing import Any

from ..base import REGISTRY, deployment, namespace, node, node_name, pod, pod_spec, server, service
from .fault import Act, Apply, Delete, Doctor, Fault, Patch, Plant, Stop, Wait
from .service import HTTP, ports

Json = dict[str, Any]

SERVICE_NAME = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
MIRRORING = "endpointslicemirroring-controller.k8s.io"


def selector(**changed: str | None) -> Patch:
    """The patient's selector, changed key by key; None takes a key out."""
    return Patch("services", "web", {"spec": {"selector": changed}})


def replicas(count: int, name: str = "web") -> Patch:
    return Patch("deployments", name, {"spec": {"replicas": count}})


def without_selector(*more: Json) -> tuple[Act, ...]:
    """The patient made anew without selector, and ``more`` beside it."""
    return Delete("services", "web"), Wait(5), Apply((service("web", None, [HTTP]), *more))


def slice_of(name: str, addresses: list[str], labels: dict[str, str], ports: list[Json] | None = None) -> Json:
    """A slice that somebody wrote by hand."""
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": name, "namespace": "default", "labels": labels},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [address], "conditions": {"ready": True}} for address in addresses],
        "ports": ports or [{"name": "http", "port": 8080, "protocol": "TCP"}],
    }


def _doubled(found: Json) -> Json | None:
    """The slice with its first address given to another pod as well."""
    endpoints = found.get("endpoints") or []
    if found["metadata"]["labels"].get(SERVICE_NAME) != "web" or not endpoints:
        return None
    ref = {**endpoints[0]["targetRef"], "name": "web-66d7f9c8d5-gone1", "uid": "5f0c8f1e-0000-4000-8000-000000000001"}
    return {**found, "endpoints": [*endpoints, {**endpoints[0], "targetRef": ref}]}


def _old_node(number: int) -> Json:
    """A node as it was before the cluster became dual-stack."""
    made = node(number)
    return {**made, "spec": {**made["spec"], "podCIDRs": made["spec"]["podCIDRs"][:1]}}


def _in_zone(name: str, count: int, zone: str) -> Json:
    spec = pod_spec(server(), nodeSelector={"topology.kubernetes.io/zone": zone})
    return deployment(name, count, {"app": "web", "zone": zone}, spec)


JOB_PODS = tuple(
    pod(
        f"web-import-{n}",
        {
            **pod_spec({"name": "import", "image": f"{REGISTRY}/server:1", "args": ["--exit-after=5s"]}),
            "restartPolicy": "Never",
        },
        {"app": "web-import"},
    )
    for n in range(2)
)

FAULTS = (
    Fault("selector-no-match", "the selector names an app that nobody is", (selector(app="payments"),)),
    Fault("selector-typo", "one letter of the selector is wrong", (selector(app="wbe"),)),
    Fault("selector-extra-key", "the selector wants a label that the pods don't carry", (selector(track="stable"),)),
    Fault(
        "selector-other-ns",
        "the pods that the selector means are in another namespace",
        (
            Delete("deployments", "web"),
            Apply((namespace("shop"), deployment("web", 3, {"app": "web"}, pod_spec(server()), "shop"))),
        ),
    ),
    Fault(
        "selector-polluted",
        "the selector matches the pods of another app too, which listen elsewhere",
        (
            Apply(
                (
                    deployment(
                        "metrics",
                        2,
                        {"app": "web", "component": "metrics"},
                        pod_spec(server("exporter", 9100, "metrics")),
                    ),
                )
            ),
            Patch("deployments", "web", {"metadata": {"labels": {"app": "web"}}}),
            ports({**HTTP, "targetPort": 8080}),
        ),
    ),
    Fault(
        "selector-terminal-pods",
        "the selector finds only a Job's pods, which have run to their end",
        (Apply(JOB_PODS), selector(app="web-import")),
    ),
    Fault("scaled-to-zero", "the Deployment behind the Service has no replicas", (replicas(0),)),
    Fault(
        "pods-unscheduled",
        "no node has room for the pods",
        (
            Delete("deployments", "web"),
            Apply(
                (
                    deployment(
                        "web",
                        3,
                        {"app": "web"},
                        pod_spec(server(resources={"requests": {"cpu": "64"}})),
                    ),
                )
            ),
        ),
    ),
    Fault(
        "switch-empty",
        "blue/green: the selector was switched to a version that has no pods",
        (
            Delete("deployments", "web"),
            Apply((deployment("web-blue", 3, {"app": "web", "version": "blue"}, pod_spec(server())),)),
            Apply((deployment("web-green", 0, {"app": "web", "version": "green"}, pod_spec(server())),)),
            selector(version="blue"),
            Wait(120),
            selector(version="green"),
        ),
    ),
    Fault("named-port-absent", "targetPort is a name that no container has", (ports({**HTTP, "targetPort": "web"}),)),
    Fault(
        "named-port-split",
        "targetPort is a name that only one of two workloads has",
        (Apply((deployment("web-next", 2, {"app": "web", "track": "next"}, pod_spec(server(port_name="web"))),)),),
    ),
    Fault(
        "named-port-first-wins",
        "two containers of one pod share a port name: the second gets nothing",
        (
            Delete("deployments", "web"),
            Apply((deployment("web", 3, {"app": "web"}, pod_spec(server(), server("admin", 9090))),)),
        ),
    ),
    Fault(
        "shared-svc-numeric-ports",
        "one Service for two apps with numeric target ports: each port is refused by the other app's pods",
        (
            Delete("deployments", "web"),
            Apply(
                (
                    deployment("app1", 1, {"app": "app1"}, pod_spec(server()), pod_labels={"tier": "frontend"}),
                    deployment(
                        "app2", 1, {"app": "app2"}, pod_spec(server(port=8081)), pod_labels={"tier": "frontend"}
                    ),
                )
            ),
            Delete("services", "web"),
            Apply(
                (
                    service(
                        "web",
                        {"tier": "frontend"},
                        [
                            {"name": "app1", "port": 80, "targetPort": 8080},
                            {"name": "app2", "port": 81, "targetPort": 8081},
                        ],
                    ),
                )
            ),
        ),
    ),
    Fault("selectorless-empty", "no selector, and nobody wrote a slice", without_selector()),
    Fault(
        "slice-unlabelled",
        "the slice written by hand lacks the label that ties it to the Service",
        without_selector(slice_of("web-1", ["192.0.2.10"], {"app": "web"})),
    ),
    Fault(
        "slice-portname-mismatch",
        "the slice written by hand calls its port otherwise than the Service does",
        without_selector(
            slice_of("web-1", ["192.0.2.10"], {SERVICE_NAME: "web"}, [{"name": "web", "port": 8443, "protocol": "TCP"}])
        ),
    ),
    Fault(
        "stale-mirror-slice",
        "a mirrored slice with dead addresses stayed when the Service got its selector",
        (
            Stop("endpointslicemirroring-controller"),
            Plant((slice_of("web-mirror", ["10.244.1.222"], {SERVICE_NAME: "web", MANAGED_BY: MIRRORING}),)),
        ),
    ),
    Fault(
        "foreign-slice-stale",
        "another controller's slice keeps the address of a pod that is gone",
        (
            Plant(
                (
                    slice_of(
                        "web-mesh", ["10.244.1.222"], {SERVICE_NAME: "web", MANAGED_BY: "mesh-controller.example.com"}
                    ),
                )
            ),
        ),
    ),
    Fault(
        "endpoints-truncated",
        "more than 1,000 pods: the old Endpoints object is cut off",
        (Plant(tuple(node(number) for number in range(3, 13))), replicas(1005), Wait(300)),
    ),
    Fault(
        "controller-lag",
        "the endpoint controller stopped, then a pod became ready",
        (Stop("endpointslice-controller"), Stop("endpoint-controller"), replicas(4), Wait(300)),
    ),
    Fault(
        "ip-reused",
        "a pod's address was given to another while the old endpoint is still there",
        (Stop("endpointslice-controller"), Doctor("endpointslices", _doubled)),
    ),
    Fault("single-endpoint", "one ready pod only: each restart is an outage", (replicas(1),)),
    Fault(
        "zone-hints",
        "PreferClose with one endpoint in one zone and five in the other",
        (
            Delete("deployments", "web"),
            Apply((_in_zone("web-1", 1, "zone-1"), _in_zone("web-2", 5, "zone-2"))),
            Patch("services", "web", {"spec": {"trafficDistribution": "PreferClose"}}),
        ),
    ),
    Fault(
        "ip-family-mismatch",
        "the Service wants IPv6, the pods have no IPv6 address",
        (
            Plant((_old_node(3),)),
            Delete("deployments", "web"),
            Apply((deployment("web", 3, {"app": "web"}, pod_spec(server(), nodeName=node_name(3))),)),
            Delete("services", "web"),
            Apply((service("web", {"app": "web"}, [HTTP], ipFamilies=["IPv6"], ipFamilyPolicy="SingleStack"),)),
        ),
    ),
)
