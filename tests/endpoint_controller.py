"""The endpoint slice controller's work on a built cluster (pkg/controller/endpointslice), from pods as they are."""

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .build import Cluster

Json = dict[str, Any]
CONTROLLER = "endpointslice-controller.k8s.io"


def write(cluster: "Cluster", service: Json, family: str, triggered: str) -> None:
    """Adds the slices of ``service`` in one address family, one for each set of port numbers."""
    groups: dict[str, list[Json]] = {}
    for pod in cluster.objects["pods"]:
        if not _selects(service, pod) or pod["status"]["phase"] in ("Succeeded", "Failed"):
            continue
        addresses = [ip["ip"] for ip in pod["status"].get("podIPs", ()) if (":" in ip["ip"]) == (family == "IPv6")]
        if addresses:
            groups.setdefault(json.dumps(_ports_on(service, pod)), []).append(_endpoint(service, pod, addresses))
    meta = service["metadata"]
    for ports, endpoints in (groups or {"null": []}).items():
        labels = {"kubernetes.io/service-name": meta["name"], "endpointslice.kubernetes.io/managed-by": CONTROLLER}
        if service["spec"]["clusterIP"] == "None":
            labels["service.kubernetes.io/headless"] = ""
        cluster.add(
            "endpointslices",
            f"{meta['name']}-{cluster.serial():05x}",
            {"addressType": family, "endpoints": endpoints, "ports": json.loads(ports) or None},
            meta["namespace"],
            labels=labels,
            annotations={"endpoints.kubernetes.io/last-change-trigger-time": triggered},
            creationTimestamp=meta["creationTimestamp"],
            ownerReferences=[reference("Service", meta["name"], service)],
        )


def _selects(service: Json, pod: Json) -> bool:
    labels = pod["metadata"]["labels"]
    same = pod["metadata"]["namespace"] == service["metadata"]["namespace"]
    return same and all(labels.get(key) == value for key, value in service["spec"]["selector"].items())


def _ports_on(service: Json, pod: Json) -> list[Json]:
    """podutil.FindPort for every Service port; those that the pod lacks are left out."""
    sidecars = [c for c in pod["spec"].get("initContainers") or () if c.get("restartPolicy") == "Always"]
    declared = [port for c in (*pod["spec"]["containers"], *sidecars) for port in c.get("ports") or ()]
    found = []
    for port in service["spec"].get("ports") or ():
        target, protocol = port["targetPort"], port["protocol"]
        numbers = (
            [target]
            if isinstance(target, int)
            else [p["containerPort"] for p in declared if p.get("name") == target and p["protocol"] == protocol]
        )
        found += [{"name": port.get("name", ""), "protocol": protocol, "port": number} for number in numbers[:1]]
    return found


def _endpoint(service: Json, pod: Json, addresses: list[str]) -> Json:
    meta = pod["metadata"]
    conditions = {condition["type"]: condition["status"] for condition in pod["status"]["conditions"]}
    serving, terminating = conditions.get("Ready") == "True", "deletionTimestamp" in meta
    published = service["spec"].get("publishNotReadyAddresses", False)
    return {
        "addresses": addresses,
        "conditions": {
            "ready": published or (serving and not terminating),
            "serving": serving,
            "terminating": terminating,
        },
        "nodeName": pod["spec"].get("nodeName"),
        "targetRef": {"kind": "Pod", "name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"]},
        "zone": f"zone-{pod['spec']['nodeName'][-1]}",
    }


def reference(kind: str, name: str, owner: Json) -> Json:
    return {"kind": kind, "name": name, "uid": owner["metadata"]["uid"], "controller": True, "apiVersion": "v1"}
