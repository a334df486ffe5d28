"""The slices of a built cluster, from pods as they are: by the rules of the lab's controllers, which share no code with
the steps and are held against recorded clusters."""

import json
from typing import TYPE_CHECKING, Any

from svcdoctor.lab.controllers.backends import addresses, belongs, is_headless, slice_ports
from svcdoctor.lab.controllers.endpointslice import MANAGER as CONTROLLER
from svcdoctor.lab.controllers.endpointslice import endpoint_of

if TYPE_CHECKING:
    from .build import Cluster

Json = dict[str, Any]
__all__ = ["CONTROLLER", "reference", "write"]


def write(cluster: "Cluster", service: Json, family: str, triggered: str) -> None:
    """Adds the slices of ``service`` in one address family, one for each set of port numbers."""
    groups: dict[str, list[Json]] = {}
    for pod in cluster.objects["pods"]:
        if _selects(service, pod) and belongs(pod, include_terminating=True) and addresses(pod, family):
            zone = f"zone-{pod['spec']['nodeName'][-1]}"
            endpoints = groups.setdefault(json.dumps(slice_ports(pod, service)), [])
            endpoints.append(endpoint_of(pod, service, family, zone))
    meta = service["metadata"]
    for ports, endpoints in (groups or {"null": []}).items():
        labels = {"kubernetes.io/service-name": meta["name"], "endpointslice.kubernetes.io/managed-by": CONTROLLER}
        if is_headless(service):
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


def reference(kind: str, name: str, owner: Json) -> Json:
    return {"kind": kind, "name": name, "uid": owner["metadata"]["uid"], "controller": True, "apiVersion": "v1"}
