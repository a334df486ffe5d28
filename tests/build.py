"""A cluster in a few lines: API objects as Kubernetes 1.36 writes them, slices as its controller derives them.

Nothing here knows how svcdoctor judges: what a scenario says is what an API server would have answered.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from svcdoctor.diagnose import diagnose
from svcdoctor.model.case import Case
from svcdoctor.model.cluster import KubeletConfiguration
from svcdoctor.model.diagnosis import Diagnosis, Target
from svcdoctor.model.objects import RESOURCES
from svcdoctor.model.snapshot import Answer, Gap, Snapshot, assemble

from . import endpoint_controller
from .endpoint_controller import reference

Json = dict[str, Any]
State = Callable[["Cluster", Json], None]

NOW = datetime(2026, 11, 23, 2, 10, tzinfo=UTC)
MIRROR = "endpointslicemirroring-controller.k8s.io"
SYSTEM = "kube-system"
CLUSTER_DNS = "10.98.0.10"
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
NODES = {"node1": "172.30.0.11", "node2": "172.30.0.12"}


def ago(seconds: float) -> str:
    """The API's spelling of a moment before NOW (after it, when negative)."""
    return (NOW - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def container_port(text: str) -> Json:
    """``http:8080``, ``8080`` or ``dns:53/UDP`` as a containerPort."""
    spec, _, protocol = text.partition("/")
    name, _, number = spec.rpartition(":")
    return {**({"name": name} if name else {}), "containerPort": int(number), "protocol": protocol or "TCP"}


def service_port(text: str) -> Json:
    """``80``, ``http 80>8080``, ``dns 53/UDP>dns`` as a port of a Service, with the API server's defaults."""
    found = re.fullmatch(r"(?:(\S+) )?(\d+)(?:/(\w+))?(?:>(\S+))?", text)
    assert found, text
    name, number, protocol, target = found.groups()
    target = target or number
    return {
        **({"name": name} if name else {}),
        "port": int(number),
        "protocol": protocol or "TCP",
        "targetPort": int(target) if target.isdecimal() else target,
    }


def container(name: str = "app", *ports: str, image: str = "registry.example/app:1", **fields: Any) -> Json:
    """A container with ``ports`` as `container_port` reads them, and any other field by its API name."""
    return {"name": name, "image": image, **({"ports": [container_port(p) for p in ports]} if ports else {}), **fields}


def http_probe(port: int | str, path: str = "/healthz", **fields: Any) -> Json:
    """An HTTP probe as the API server completes it."""
    action = {"path": path, "port": port, "scheme": "HTTP"}
    return {"httpGet": action, "periodSeconds": 10, "timeoutSeconds": 1, "failureThreshold": 3, **fields}


class Cluster:
    """Objects by their plural names; ``diagnose`` asks svcdoctor about one Service of them."""

    def __init__(self, namespace: str = "shop", now: datetime = NOW) -> None:
        self.namespace = namespace
        self.now = now
        self.objects: dict[str, list[Json]] = {plural: [] for plural in RESOURCES}
        self.forbidden: set[str] = set()
        self.slices_follow = True  # whether the endpoint controller still works
        self.names_served = True  # whether the cluster's name servers are there, and well
        self.kubelets: dict[str, KubeletConfiguration] = {}
        self._serial = 0
        for name, address in NODES.items():
            self.node(name, address)

    def serial(self) -> int:
        self._serial += 1
        return self._serial

    def add(self, plural: str, name: str, body: Json, namespace: str | None = None, **metadata: Any) -> Json:
        """An object of the namespace (or of another), with what an API server adds to its metadata."""
        place = {"namespace": namespace or self.namespace} if RESOURCES[plural].namespaced else {}
        made = {"creationTimestamp": ago(7200), "uid": f"uid-{self.serial()}", "resourceVersion": str(self._serial)}
        item = {"metadata": {"name": name, **place, **made, **metadata}, **body}
        self.objects[plural].append(item)
        return item

    # ------------------------------------------------------------------------------------------------------ workloads

    def node(self, name: str, address: str = "172.30.0.13", ready: str = "True", reason: str = "KubeletReady") -> Json:
        condition = {"type": "Ready", "status": ready, "reason": reason, "lastTransitionTime": ago(600)}
        number = re.sub(r"\D", "", name)
        body = {"status": {"conditions": [condition], "addresses": [{"type": "InternalIP", "address": address}]}}
        labels = {"topology.kubernetes.io/zone": f"zone-{number}"}
        self.objects["nodes"] = [node for node in self.objects["nodes"] if node["metadata"]["name"] != name]
        return self.add("nodes", name, body, labels=labels)

    def workload(
        self,
        kind: str,
        name: str,
        labels: Mapping[str, str],
        *containers: Json,
        replicas: int = 2,
        state: State | Sequence[State] = (),
        namespace: str | None = None,
        nodes: Sequence[str] = tuple(NODES),
        template: Mapping[str, str] | None = None,
        created: float = 3600,
        annotations: Mapping[str, str] | None = None,
        **spec: Any,
    ) -> list[Json]:
        """A Deployment (with its ReplicaSet), StatefulSet, DaemonSet or Job and its pods; returns the pods.

        ``state`` makes them ill; a sequence gives each pod its own. ``template`` are labels that only the pods carry.
        """
        labels = dict(labels)
        carried = {**labels, **(template or {})}
        pod_spec = {"containers": list(containers) or [container()], **spec}
        body: Json = {
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": carried}, "spec": pod_spec},
            },
            "status": {"replicas": replicas, "desiredNumberScheduled": replicas},
        }
        plural = f"{kind.lower()}s"
        owner: Json = {"metadata": {"uid": f"uid-{self.serial()}"}}
        if plural in RESOURCES:
            owner = self.add(plural, name, body, namespace)
        owner_ref = reference(kind, name, owner)
        stem = name
        if kind == "Deployment":
            stem = f"{name}-{self.serial():x}c9f7d5b"
            carried = {**carried, "pod-template-hash": stem.rpartition("-")[2]}
            template_of_set = {"template": {"metadata": {"labels": carried}, "spec": pod_spec}}
            body = {**body, "spec": {**body["spec"], **template_of_set, "selector": {"matchLabels": carried}}}
            owner_ref = reference(
                "ReplicaSet", stem, self.add("replicasets", stem, body, namespace, ownerReferences=[owner_ref])
            )
        pods = []
        for index in range(replicas):
            suffix = str(index) if kind == "StatefulSet" else f"x{self.serial():04x}"
            each_state = state if callable(state) else state[index] if index < len(state) else None
            pods.append(
                self.pod(
                    f"{stem}-{suffix}",
                    carried,
                    namespace=namespace,
                    spec=pod_spec,
                    node=nodes[index % len(nodes)],
                    owner=owner_ref,
                    state=each_state,
                    created=created,
                    annotations=annotations,
                )
            )
        return pods

    def deployment(self, name: str, labels: Mapping[str, str], *containers: Json, **more: Any) -> list[Json]:
        return self.workload("Deployment", name, labels, *containers, **more)

    def pod(
        self,
        name: str,
        labels: Mapping[str, str],
        *containers: Json,
        spec: Json | None = None,
        node: str = "node1",
        owner: Json | None = None,
        state: State | None = None,
        namespace: str | None = None,
        created: float = 3600,
        annotations: Mapping[str, str] | None = None,
    ) -> Json:
        """A Ready pod, then whatever ``state`` makes of it."""
        pod_spec = {"containers": list(containers) or [container()], "restartPolicy": "Always", **(spec or {})}
        number = self.serial()
        address = NODES.get(node, "172.30.0.13") if pod_spec.get("hostNetwork") else f"10.244.{node[-1]}.{number}"
        started = {"running": {"startedAt": ago(created - 1)}}
        statuses = [_status(each, started) for each in pod_spec["containers"]]
        inits = [
            _status(each, started if each.get("restartPolicy") == "Always" else COMPLETED)
            for each in pod_spec.get("initContainers", ())
        ]
        body = {
            "spec": {**json.loads(json.dumps(pod_spec)), "nodeName": node},
            "status": {
                "phase": "Running",
                "hostIP": NODES.get(node, "172.30.0.13"),
                "podIP": address,
                "podIPs": [{"ip": address}],
                "startTime": ago(created),
                "conditions": [
                    {"type": kind, "status": "True", "lastTransitionTime": ago(created - 2)} for kind in CONDITIONS
                ],
                "containerStatuses": statuses,
                **({"initContainerStatuses": inits} if inits else {}),
            },
        }
        metadata = {"labels": dict(labels), "annotations": dict(annotations or {}), "creationTimestamp": ago(created)}
        owners = {"ownerReferences": [owner]} if owner else {}
        pod = self.add("pods", name, body, namespace, **metadata, **owners)
        if state is not None:
            state(self, pod)
        return pod

    # ------------------------------------------------------------------------------------------------------- services

    def service(
        self,
        name: str,
        selector: Mapping[str, str] | None,
        *ports: str | Json,
        namespace: str | None = None,
        created: float = 7000,
        annotations: Mapping[str, str] | None = None,
        **spec: Any,
    ) -> Json:
        """A Service; ports as `service_port` reads them."""
        address = f"10.96.0.{self.serial()}"
        given = [service_port(p) if isinstance(p, str) else p for p in ports]
        body = {
            "type": "ClusterIP",
            "clusterIP": address,
            "clusterIPs": [spec.get("clusterIP", address)],
            "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack",
            "internalTrafficPolicy": "Cluster",
            "sessionAffinity": "None",
            **({"ports": given} if given else {}),
            **({"selector": dict(selector)} if selector else {}),
            **spec,
        }
        if body["type"] == "ExternalName":
            body = {"type": "ExternalName", "externalName": spec["externalName"], "sessionAffinity": "None"}
        metadata = {"creationTimestamp": ago(created), **({"annotations": dict(annotations)} if annotations else {})}
        return self.add("services", name, {"spec": body, "status": {"loadBalancer": {}}}, namespace, **metadata)

    def slice(
        self,
        name: str,
        service: str | None,
        endpoints: Iterable[str | Json],
        *ports: Json,
        managed_by: str | None = None,
        family: str = "IPv4",
        **metadata: Any,
    ) -> Json:
        """A slice of somebody's hand. An endpoint given as an address has no conditions, as people write it."""
        labels = {
            **({"kubernetes.io/service-name": service} if service else {}),
            **({"endpointslice.kubernetes.io/managed-by": managed_by} if managed_by else {}),
        }
        written = [{"addresses": [e], "conditions": {}} if isinstance(e, str) else e for e in endpoints]
        body = {"addressType": family, "endpoints": written, "ports": list(ports) or None}
        return self.add("endpointslices", name, body, labels=labels, **metadata)

    def event(
        self, kind: str, item: Json, reason: str, message: str, *, seen: float = 30, count: int = 5, path: str = ""
    ) -> None:
        """An event in the form of the kubelet and the controllers, last seen ``seen`` seconds ago."""
        meta = item["metadata"]
        body = {
            "involvedObject": {"kind": kind, "name": meta["name"], "namespace": meta["namespace"], "fieldPath": path},
            "reason": reason,
            "message": message,
            "type": "Normal" if reason in ("Killing", "ScalingReplicaSet", "Pulled") else "Warning",
            "count": count,
            "eventTime": None,
            "firstTimestamp": ago(seen + 10 * count),
            "lastTimestamp": ago(seen),
        }
        self.add("events", f"{meta['name']}.{self.serial():x}", body, meta["namespace"])

    # ---------------------------------------------------------------------------------------------- what svcdoctor sees

    def forbid(self, *plurals: str) -> None:
        """The API server answers 403 to lists of these."""
        self.forbidden.update(plurals)

    def name_service(self) -> None:
        """CoreDNS as kubeadm installs it, and kubelets that tell pods of it."""
        self.names_served = False
        if any(service["metadata"]["name"] == "kube-dns" for service in self.objects["services"]):
            return
        self.deployment(
            "coredns",
            {"k8s-app": "kube-dns"},
            container("coredns", "dns:53/UDP", "dns-tcp:53", image="registry.k8s.io/coredns/coredns:v1.14.2"),
            namespace=SYSTEM,
            volumes=[{"name": "config-volume", "configMap": {"name": "coredns"}}],
            dnsPolicy="Default",
        )
        ports = ("dns 53/UDP>53", "dns-tcp 53>53")
        address: Json = {"clusterIP": CLUSTER_DNS, "clusterIPs": [CLUSTER_DNS]}
        service = self.service("kube-dns", {"k8s-app": "kube-dns"}, *ports, namespace=SYSTEM, **address)
        endpoint_controller.write(self, service, "IPv4", ago(3500))
        self.add("configmaps", "coredns", {"data": {"Corefile": COREFILE}}, SYSTEM)
        told = KubeletConfiguration((CLUSTER_DNS,), "cluster.local")
        self.kubelets = {node["metadata"]["name"]: told for node in self.objects["nodes"]} | self.kubelets

    def snapshot(self, everywhere: bool = False) -> Snapshot:
        """What a reader gets: every list of every namespace that has objects; ``everywhere``: pods of all, in one."""
        if self.slices_follow:
            self.follow()
        if self.names_served:
            self.name_service()
        places = {self.namespace, *(i["metadata"].get("namespace", "") for p in self.objects.values() for i in p)}
        known = {namespace["metadata"]["name"] for namespace in self.objects["namespaces"]}
        for place in sorted(places - known - {""}):
            self.add("namespaces", place, {"status": {"phase": "Active"}})
        answers, gaps = [], []
        for plural, items in self.objects.items():
            resource = RESOURCES[plural]
            whole = not resource.namespaced or (everywhere and plural in ("pods", "services"))
            for place in [""] if whole else sorted(places - {""}):
                path = resource.path(place)
                if plural in self.forbidden and place != SYSTEM:
                    gaps.append(Gap(path, "forbidden", resource.permission("list", place)))
                    continue
                here = [i for i in items if whole or i["metadata"].get("namespace") == place]
                kind = f"{resource.type.__name__}List"
                answers.append(Answer(path, json.dumps({"kind": kind, "apiVersion": "v1", "items": here}).encode()))
        base = Snapshot(taken_at=self.now, context="test", server="https://test", namespace=self.namespace)
        kept = {f: getattr(base, f) for f in _KEPT}
        return assemble(Snapshot(**kept, kubelets=self.kubelets, gaps=tuple(gaps)), answers)

    def diagnose(self, name: str, port: str | None = None, everywhere: bool = False) -> Diagnosis:
        return diagnose(Case(self.snapshot(everywhere), Target(self.namespace, name, port)))

    def follow(self) -> None:
        """The endpoint controller's work: slices of every Service with a selector, from the pods as they are."""
        self.slices_follow = False
        for service in self.objects["services"]:
            if service["spec"].get("selector") and service["spec"]["type"] != "ExternalName":
                for family in service["spec"]["ipFamilies"]:
                    endpoint_controller.write(self, service, family, ago(3500))


_KEPT = ("taken_at", "context", "server", "namespace")
CONDITIONS = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
COMPLETED: Json = {"terminated": {"exitCode": 0, "reason": "Completed", "finishedAt": ago(3600)}}


def _status(spec: Json, state: Json) -> Json:
    ready = {"ready": True, "started": True, "restartCount": 0, "lastState": {}}
    return {"name": spec["name"], "image": spec["image"], "state": state, **ready}
