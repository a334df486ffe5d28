"""A small cluster under policies: Service web of three pods, a client beside it, and the name servers."""

from collections.abc import Iterable
from typing import Any

from svcdoctor.diagnose import diagnose
from svcdoctor.model.case import Case
from svcdoctor.model.diagnosis import Diagnosis, Finding, Severity, Subject, Target, Verdict
from svcdoctor.model.snapshot import Snapshot
from tests.build import Cluster, Json, container

NAME = "kubernetes.io/metadata.name"
WEB = {"app": "web"}
CLIENT = {"app": "client"}
HTTP = container("app", "http:8080")
DNS_PORTS = ("dns 53/UDP>53", "dns-tcp 53/TCP>53")
DNS_PODS: Json = {
    "namespaceSelector": {"matchLabels": {NAME: "kube-system"}},
    "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
}


def tcp(*ports: int | str) -> list[Json]:
    return [{"protocol": "TCP", "port": port} for port in ports]


ASK_DNS: Json = {"to": [DNS_PODS], "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]}


def pods(**labels: str) -> Json:
    """A peer by the labels of pods of the own namespace."""
    return {"podSelector": {"matchLabels": labels}}


def spaces(labels: Json | None = None, **more: Json) -> Json:
    """A peer by the labels of namespaces."""
    return {"namespaceSelector": {"matchLabels": labels} if labels else {}, **more}


def let_in(*peers: Json, port: int | str | None = 8080) -> Json:
    """The spec of a policy for the pods of web: these peers, on this port."""
    rule: Json = {"from": list(peers)} if peers else {}
    return {
        "podSelector": {"matchLabels": WEB},
        "policyTypes": ["Ingress"],
        "ingress": [rule | ({"ports": tcp(port)} if port else {})],
    }


def let_out(*rules: Json, of: Json | None = None) -> Json:
    """The spec of a policy for the client's egress."""
    return {
        "podSelector": {"matchLabels": CLIENT if of is None else of},
        "policyTypes": ["Egress"],
        "egress": list(rules),
    }


class Shop(Cluster):
    """``policies`` are specs of namespace shop."""

    def __init__(
        self, *policies: Json, ports: Iterable[str] = ("http 80>http",), replicas: int = 3, **service: Any
    ) -> None:
        super().__init__()
        self.service("web", WEB, *ports, **service)
        self.deployment("web", WEB, HTTP, replicas=replicas)
        self.client = self.pod("client", CLIENT, container("client"), node="node2")
        self.name_servers()
        for number, spec in enumerate(policies):
            self.policy(f"policy-{number}", spec)

    def name_servers(self, *ports: str, namespace: str = "kube-system") -> None:
        labels = {"k8s-app": "kube-dns"}
        self.dns = self.service("kube-dns", labels, *(ports or DNS_PORTS), namespace=namespace)
        self.deployment("coredns", labels, container("coredns", "dns:53/UDP"), namespace=namespace)

    def policy(self, name: str, spec: Json, namespace: str | None = None) -> Json:
        return self.add("networkpolicies", name, {"spec": spec}, namespace)

    def namespace_called(self, name: str, **labels: str) -> Json:
        return self.add("namespaces", name, {"status": {"phase": "Active"}}, labels=labels)

    def cluster_policy(self, name: str, **spec: Any) -> Json:
        spec = {"tier": "Admin", "priority": 10, "subject": {"namespaces": {}}, **spec}
        return self.add("clusternetworkpolicies", name, {"spec": spec})

    def plugin(self, name: str = "calico-node", *containers: Json, namespace: str = "kube-system") -> Json:
        """The DaemonSet of a network plugin."""
        body = {"spec": {"template": {"spec": {"containers": list(containers) or [container("agent")]}}}}
        return self.add("daemonsets", name, body, namespace)

    def seen_from(self, client: str = "client", port: str | None = None) -> Diagnosis:
        """What the policy step alone says, from a pod's point of view; empty: from nobody's."""
        return judged(self.snapshot(), client, port)


def judged(snapshot: Snapshot, client: str = "client", port: str | None = None, service: str = "web") -> Diagnosis:
    namespace, _, name = client.rpartition("/")
    who = None
    if client:
        who = Subject("Node", "", name) if namespace == "node" else Subject("Pod", namespace or "shop", name)
    place, _, service = service.rpartition("/")
    return diagnose(Case(snapshot, Target(place or "shop", service, port, who)), only=["policy"])


def found(diagnosis: Diagnosis) -> dict[str, Finding]:
    return {finding.name: finding for finding in diagnosis.findings}


def loud(diagnosis: Diagnosis) -> list[str]:
    """Errors and warnings, but for whether anything is enforced."""
    return [f.name for f in diagnosis.findings if f.severity is not Severity.ADVICE and f.name != "np-unenforced"]


TO_WEB: Json = {"to": [pods(app="web")], "ports": tcp(8080)}


def blamed(shop: Shop, name: str, client: str = "client", verdict: Verdict = Verdict.BROKEN) -> Finding:
    """``name`` is the root and the only thing that is loud."""
    diagnosis = shop.seen_from(client)
    said = [(f.name, f.summary) for f in diagnosis.findings]
    assert diagnosis.root == name, said
    assert loud(diagnosis) == [name], said
    assert diagnosis.verdict is verdict, said
    return found(diagnosis)[name]
