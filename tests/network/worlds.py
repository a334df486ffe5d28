"""Small clusters: namespaces, pods and policies in a few words, decoded as from an API server."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from svcdoctor.model import policy as kinds
from svcdoctor.model.cluster import Namespace
from svcdoctor.model.decode import decode
from svcdoctor.model.pod import Pod
from svcdoctor.model.policy import NetworkPolicy, Policy
from svcdoctor.network.netpol import AtAddress, AtPod, Compiled, End, Host, Question, compile_policies

Json = dict[str, Any]


def read(body: Json) -> Policy:
    """A policy of any kind from its manifest."""
    made: Policy = decode(json.dumps(body).encode(), getattr(kinds, body["kind"]), "a test")
    return made


def netpol(name: str = "np", namespace: str = "shop", pods: Json | None = None, **spec: Any) -> NetworkPolicy:
    """A NetworkPolicy; ``pods`` is its podSelector's matchLabels."""
    selector = {"matchLabels": pods} if pods else {}
    metadata = {"name": name, "namespace": namespace}
    made = read({"kind": "NetworkPolicy", "metadata": metadata, "spec": {"podSelector": selector, **spec}})
    assert isinstance(made, NetworkPolicy)
    return made


def cnp(name: str = "cnp", tier: str = "Admin", priority: int = 10, **spec: Any) -> Policy:
    """A ClusterNetworkPolicy for all pods."""
    spec = {"tier": tier, "priority": priority, "subject": {"namespaces": {}}, **spec}
    return read({"kind": "ClusterNetworkPolicy", "metadata": {"name": name}, "spec": spec})


def namespace(name: str, labels: Mapping[str, str] | None = None) -> Namespace:
    body = {"metadata": {"name": name, "labels": dict(labels or {})}}
    return decode(json.dumps(body).encode(), Namespace, "a test")


def pod(
    name: str,
    ip: str | Iterable[str] = "10.244.0.1",
    labels: Mapping[str, str] | None = None,
    namespace: str = "shop",
    ports: Iterable[Json] = (),
    node: str = "",
    host_network: bool = False,
    phase: str = "Running",
    **metadata: Any,
) -> Pod:
    """A pod with one container; ``ports`` are containerPorts, ``ip`` one or several addresses."""
    ips = [ip] if isinstance(ip, str) else list(ip)
    status = {"phase": phase, "podIP": ips[0], "podIPs": [{"ip": each} for each in ips]} if ips[:1] > [""] else {}
    body = {
        "metadata": {"name": name, "namespace": namespace, "labels": dict(labels or {}), **metadata},
        "spec": {
            "nodeName": node,
            "hostNetwork": host_network,
            "containers": [{"name": "app", "ports": list(ports)}],
        },
        "status": {**status, "phase": phase},
    }
    return decode(json.dumps(body).encode(), Pod, "a test")


class World:
    """A case of the tables: compiled, and asked by ``namespace/pod`` or ``ip:ADDRESS``."""

    def __init__(self, case: Json) -> None:
        self.pods = {f"{each['ns']}/{each['name']}": _pod(each) for each in case["pods"]}
        nodes = [Host(each["name"], (each["ip"],), each["labels"]) for each in case.get("nodes", ())]
        self.compiled: Compiled = compile_policies(
            [read(policy) for policy in case["policies"]],
            [namespace(each["name"], each["labels"]) for each in case["namespaces"]],
            self.pods.values(),
            nodes,
        )

    def question(self, check: Json) -> Question:
        return Question(self.end(check["from"]), self.end(check["to"]), check["port"], check["protocol"])

    def end(self, text: str) -> End:
        return AtAddress(text.removeprefix("ip:")) if text.startswith("ip:") else AtPod(self.pods[text])


def _pod(case: Json) -> Pod:
    ports = [{"name": p["name"], "containerPort": p["port"], "protocol": p["protocol"]} for p in case["ports"]]
    place = {"namespace": case["ns"], "node": case.get("node", ""), "host_network": case.get("hostNetwork", False)}
    return pod(case["name"], case["ip"], case["labels"], ports=ports, **place)
