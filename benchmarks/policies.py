"""One client-to-Service question over many policies and pods, in a process of its own: prints its CPU seconds.

``python -m benchmarks.policies spread|crowded``. The Service has ten endpoints on as many nodes; the answer holds both
directions of each and, as it is no, the rule that came nearest. ``spread`` has the policies in hundreds of namespaces,
``crowded`` has all policies in the one that is asked about. Objects are decoded beforehand, indexes are not built.
"""

import json
import sys
import time
from typing import Any, TypeVar

from svcdoctor.model.cluster import Namespace
from svcdoctor.model.decode import decode
from svcdoctor.model.pod import Pod
from svcdoctor.model.policy import NetworkPolicy
from svcdoctor.network.netpol import AtPod, Question, Status, ThroughService, compile_policies, evaluate

T = TypeVar("T")

PODS, POLICIES, REPLICAS = 100_000, 10_000, 10
PODS_PER_NAMESPACE = 200
NAMESPACES = PODS // PODS_PER_NAMESPACE


def ask(layout: str) -> float:
    """CPU seconds from decoded objects to the verdicts."""
    pods = [pod(number) for number in range(PODS)]
    namespaces = [namespace(number) for number in range(NAMESPACES)]
    policies = [policy(number, 0 if layout == "crowded" else number % NAMESPACES) for number in range(POLICIES)]
    client, endpoints = pods[PODS_PER_NAMESPACE], pods[:REPLICAS]
    service = ThroughService("web-0", 80, ("10.96.0.10",), {"app": "web-0"})
    start = time.process_time()
    compiled = compile_policies(policies, namespaces, pods, ())
    verdicts = [evaluate(compiled, Question(AtPod(client), AtPod(pod), 8080, "TCP", service)) for pod in endpoints]
    seconds = time.process_time() - start
    assert [verdict.status for verdict in verdicts] == [Status.DENIED] * REPLICAS
    assert all(verdict.ingress.nearest for verdict in verdicts)
    return seconds


def pod(number: int) -> Pod:
    """One of ten replicas of its workload."""
    app = f"web-{number // REPLICAS}"
    labels = {"app": app, "pod-template-hash": f"{number // REPLICAS:08x}", "app.kubernetes.io/part-of": "shop"}
    ip = f"10.{number // 65536}.{number // 256 % 256}.{number % 256}"
    place = _name(number // PODS_PER_NAMESPACE)
    body = {
        "metadata": {"name": f"{app}-{number}", "namespace": place, "labels": labels},
        "spec": {"nodeName": f"node-{number % 1000}", "containers": [{"ports": [{"containerPort": 8080}]}]},
        "status": {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}]},
    }
    return _read(Pod, body)


def policy(number: int, place: int) -> NetworkPolicy:
    """Every tenth isolates a whole namespace; the others let one workload in at another."""
    app = place * (PODS_PER_NAMESPACE // REPLICAS) + number // NAMESPACES % REPLICAS
    peers = [
        {"podSelector": {"matchLabels": {"app": f"client-{number}"}}},
        {"namespaceSelector": {"matchLabels": {"team": f"team-{number}"}}, "podSelector": {}},
        {"ipBlock": {"cidr": "192.168.0.0/16", "except": ["192.168.7.0/24"]}},
    ]
    rules = [{"from": peers, "ports": [{"port": 8080}, {"port": "metrics"}]}]
    selector = {"matchLabels": {"app": f"web-{app}"}} if number % 10 else {}
    both = {"policyTypes": ["Ingress", "Egress"], "ingress": rules, "egress": [{"to": peers}]}
    spec = {"podSelector": selector, **both}
    return _read(NetworkPolicy, {"metadata": {"name": f"policy-{number}", "namespace": _name(place)}, "spec": spec})


def namespace(number: int) -> Namespace:
    return _read(Namespace, {"metadata": {"name": _name(number), "labels": {"team": f"team-of-{number}"}}})


def _name(number: int) -> str:
    return f"namespace-{number}"


def _read(kind: type[T], body: dict[str, Any]) -> T:
    return decode(json.dumps(body).encode(), kind, "a benchmark")


if __name__ == "__main__":
    print(ask(*sys.argv[1:]))
