"""Size: thousands of Services and pods that were there before anybody looked.

They are copies of the patient as the lab's own controllers and kubelets made it, with other names and addresses; so a
large lab is as true as a small one, and stands within seconds.
"""

import ipaddress
from collections.abc import Iterator
from typing import Any

from .base import SERVICE_CIDRS, Shape, namespace, node_addresses, node_name, nodes_needed, pod_cidrs
from .clock import stamp
from .controllers.backends import ENDPOINTS, PODS, SERVICES, SLICES
from .resources import Resource, named
from .store import Store, Stored

Json = dict[str, Any]

DEPLOYMENTS = named("deployments")
REPLICASETS = named("replicasets")
NAMESPACES = named("namespaces")
CROWD = "load-"
"""How the namespaces begin that a large lab has for its size."""
PER_NAMESPACE = 100
"""Services in each namespace."""
FIRST_ADDRESS = 64
"""Offset in a node's pod range from which copies are numbered: the lab's own pods come before."""


def crowd(store: Store, pattern: Store, shape: Shape) -> None:
    """Adds the extra Services and pods of ``shape`` to an empty store; ``pattern`` has a patient that is well."""
    for resource, made in _Maker(store, pattern, shape).everything():
        store.load(resource, made)
    store.compact()


class _Maker:
    """Copies the patient."""

    def __init__(self, store: Store, pattern: Store, shape: Shape) -> None:
        self.store = store
        self.shape = shape
        self.nodes = nodes_needed(shape)
        self.service = _found(pattern, SERVICES)
        self.deployment = _found(pattern, DEPLOYMENTS)
        self.endpoints = _found(pattern, ENDPOINTS)
        (replicaset,) = pattern.owned(REPLICASETS, self.deployment["metadata"]["uid"])
        self.replicaset = replicaset.load()
        self.pod = pattern.owned(PODS, replicaset.uid)[0].load()
        self.slice = pattern.owned(SLICES, self.service["metadata"]["uid"])[0].load()
        taken = {stored.load()["spec"].get("clusterIP") for stored in pattern.list(SERVICES)}
        hosts = ipaddress.ip_network(SERVICE_CIDRS[0]).hosts()
        self.free = (str(address) for address in hosts if str(address) not in taken)
        self.placed = 0

    def everything(self) -> Iterator[tuple[Resource, list[Stored]]]:
        count = max(self.shape.services, 1)
        share, rest = divmod(self.shape.pods, count)
        for start in range(0, count, PER_NAMESPACE):
            space = f"{CROWD}{start // PER_NAMESPACE:03}"
            yield NAMESPACES, [self.store.version(self._fresh(namespace(space)))]
            for number in range(start, min(start + PER_NAMESPACE, count)):
                yield from self._app(space, f"app-{number:05}", share + (number < rest))

    def _app(self, space: str, name: str, replicas: int) -> Iterator[tuple[Resource, list[Stored]]]:
        """One Service with its workload, pods and slices."""
        labels = {"app": name}
        deployment = self._copy(self.deployment, space, name)
        deployment["spec"] = {
            **deployment["spec"],
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {**deployment["spec"]["template"], "metadata": {"labels": labels}},
        }
        counted = ("replicas", "readyReplicas", "availableReplicas", "updatedReplicas")
        deployment["status"] = {**deployment["status"], **dict.fromkeys(counted, replicas)}
        template_hash = self.replicaset["metadata"]["labels"]["pod-template-hash"]
        pod_labels = {**labels, "pod-template-hash": template_hash}
        replicaset = self._copy(self.replicaset, space, f"{name}-{template_hash}", deployment)
        replicaset["metadata"]["labels"] = pod_labels
        replicaset["spec"] = {
            **replicaset["spec"],
            "replicas": replicas,
            "selector": {"matchLabels": pod_labels},
            "template": {**replicaset["spec"]["template"], "metadata": {"labels": pod_labels}},
        }
        replicaset["status"] = {
            **replicaset["status"],
            **dict.fromkeys(("replicas", "readyReplicas", "availableReplicas", "fullyLabeledReplicas"), replicas),
        }
        pods = [self._pod(replicaset, pod_labels) for _ in range(replicas)]
        yield DEPLOYMENTS, [self.store.version(deployment)]
        yield REPLICASETS, [self.store.version(replicaset)]
        yield PODS, [self.store.version(pod) for pod in pods]
        if self.shape.services:
            yield from self._service(space, name, labels, pods)

    def _pod(self, replicaset: Json, labels: Json) -> Json:
        name = f"{replicaset['metadata']['name']}-{self.store.suffix()}"
        pod = self._copy(self.pod, replicaset["metadata"]["namespace"], name, replicaset)
        number, slot = self.placed % self.nodes + 1, self.placed // self.nodes
        self.placed += 1
        host = [{"ip": address} for address in node_addresses(number)]
        ips = [
            {"ip": str(ipaddress.ip_network(cidr).network_address + FIRST_ADDRESS + slot)} for cidr in pod_cidrs(number)
        ]
        pod["metadata"]["labels"] = labels
        pod["spec"] = {**pod["spec"], "nodeName": node_name(number)}
        status = {**pod["status"], "hostIP": host[0]["ip"], "podIP": ips[0]["ip"]}
        pod["status"] = {**status, "hostIPs": host, "podIPs": ips[: len(pod["status"]["podIPs"])]}
        return pod

    def _service(
        self, space: str, name: str, labels: Json, pods: list[Json]
    ) -> Iterator[tuple[Resource, list[Stored]]]:
        service = self._copy(self.service, space, name)
        address = next(self.free)
        service["spec"] = {**service["spec"], "clusterIP": address, "clusterIPs": [address], "selector": labels}
        yield SERVICES, [self.store.version(service)]
        slices = []
        for start in range(0, max(len(pods), 1), 100):
            made = self._copy(self.slice, space, f"{name}-{self.store.suffix()}", service)
            made["metadata"]["generateName"] = f"{name}-"
            made["metadata"]["labels"] = {**made["metadata"]["labels"], "kubernetes.io/service-name": name}
            made["endpoints"] = [self._endpoint(pod) for pod in pods[start : start + 100]] or None
            made["ports"] = made["ports"] if pods else None
            slices.append(self.store.version(made))
        yield SLICES, slices
        endpoints = self._copy(self.endpoints, space, name)
        old = [
            {"ip": e["addresses"][0], **{k: e[k] for k in ("nodeName", "targetRef")}} for e in map(self._endpoint, pods)
        ]
        old.sort(key=lambda entry: str(entry["ip"]))
        endpoints["subsets"] = [{**endpoints["subsets"][0], "addresses": old[:1000]}]
        if not old:
            del endpoints["subsets"]
        yield ENDPOINTS, [self.store.version(endpoints)]

    def _endpoint(self, pod: Json) -> Json:
        zone = f"zone-{(int(pod['spec']['nodeName'].removeprefix('node')) - 1) % 2 + 1}"
        meta = pod["metadata"]
        return {
            "addresses": [pod["status"]["podIP"]],
            "conditions": {"ready": True, "serving": True, "terminating": False},
            "nodeName": pod["spec"]["nodeName"],
            "zone": zone,
            "targetRef": {"kind": "Pod", "namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"]},
        }

    def _copy(self, given: Json, space: str, name: str, owner: Json | None = None) -> Json:
        """``given`` under another name, with a uid of its own, controlled by ``owner``."""
        meta = {**given["metadata"], "namespace": space, "name": name, "uid": self.store.new_uid()}
        if owner is not None:
            reference = meta["ownerReferences"][0]
            meta["ownerReferences"] = [
                {**reference, "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"]}
            ]
            if "generateName" in meta:
                meta["generateName"] = f"{owner['metadata']['name']}-"
        return {**given, "metadata": meta}

    def _fresh(self, given: Json) -> Json:
        meta = {**given["metadata"], "uid": self.store.new_uid(), "creationTimestamp": stamp(self.store.clock.now)}
        return {**given, "metadata": meta}


def _found(pattern: Store, resource: Resource) -> Json:
    found = pattern.get(resource, "default", "web")
    assert found is not None, "the pattern has the patient"
    return found
