"""Faults by which the Service's name leads nowhere, or elsewhere (S3)."""

from typing import Any

from ..base import COREFILE, REGISTRY, pod, pod_spec, server, service
from .fault import Act, Apply, Configure, Delete, Dns, Edit, Fault, Log, Patch, Wait

Json = dict[str, Any]

HTTP: Json = {"name": "http", "port": 8080, "protocol": "TCP", "targetPort": 8080}
NAME = "web.default.svc.cluster.local"
SYSTEM = "kube-system"
CLIENT = "client"
CLIENT_IMAGE = {"name": CLIENT, "image": f"{REGISTRY}/client:1"}
STRANGER = "10.96.0.53"
"""An address of the Services' range that no Service has."""
LOCAL = "169.254.20.10"
NODES = ("node1", "node2")
WILD = """\
wild.example:53 {
    template IN A {
       answer "{{ .Name }} 60 A 203.0.113.99"
    }
}
"""
"""A server block with an address for everything below its zone."""
WHOLE_LOG = COREFILE.replace("errors\n", "errors\n    log\n", 1)


def headless(*objects: Json) -> tuple[Act, ...]:
    """The patient made anew as a headless Service."""
    made = service("web", {"app": "web"}, [HTTP], clusterIP="None")
    return Delete("services", "web"), Apply((made, *objects))


def corefile(text: str) -> Patch:
    return Patch("configmaps", "coredns", {"data": {"Corefile": text}}, SYSTEM)


def in_the_block(stanza: str) -> Patch:
    """The Corefile with a stanza before the kubernetes plugin; where it stands in the file means nothing."""
    return corefile(COREFILE.replace("    kubernetes ", f"{stanza}    kubernetes ", 1))


def kubelets(**settings: Any) -> tuple[Act, ...]:
    return tuple(Configure(f"kubelet/{node}", settings) for node in NODES)


def client(container: Json | None = None, **spec: Any) -> tuple[Act, ...]:
    """The client made anew."""
    return Delete("pods", CLIENT), Wait(60), Apply((pod(CLIENT, pod_spec(container or CLIENT_IMAGE, **spec)),))


def asked(*questions: tuple[str, str, str], by: str = "10.244.1.7") -> Log:
    """Questions in the log of CoreDNS: (type, name, answer's code)."""
    lines = tuple(
        f'[INFO] {by}:{40000 + n} - {5000 + n} "{kind} IN {name} udp {len(name) + 28} false 512" {rcode} qr,aa,rd '
        f"{len(name) + 121} 0.00{100 + n}s"
        for n, (kind, name, rcode) in enumerate(questions)
    )
    return Log(SYSTEM, "coredns-", "coredns", lines)


def searched(name: str) -> list[tuple[str, str, str]]:
    """What a look-up of a name outside costs with ndots:5."""
    domains = ("default.svc.cluster.local.", "svc.cluster.local.", "cluster.local.")
    vain = [(kind, f"{name}.{domain}", "NXDOMAIN") for domain in domains for kind in ("A", "AAAA")]
    return [*vain, ("A", f"{name}.", "NOERROR"), ("AAAA", f"{name}.", "NOERROR")]


def _without_slices(role: Json) -> Json:
    """The ClusterRole as it was before CoreDNS read EndpointSlices."""
    return {**role, "rules": [rule for rule in role["rules"] if "endpointslices" not in rule["resources"]]}


def _only_udp(found: Json) -> Json:
    spec = found["spec"]
    return {**found, "spec": {**spec, "ports": [port for port in spec["ports"] if port["protocol"] == "UDP"]}}


def _node_cache() -> Json:
    """NodeLocal DNSCache, whose image can't be had."""
    labels = {"k8s-app": "node-local-dns"}
    cache = {"name": "node-cache", "image": f"{REGISTRY}/k8s-dns-node-cache:0.0.0"}
    template = {"metadata": {"labels": labels}, "spec": pod_spec(cache, hostNetwork=True, dnsPolicy="Default")}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "node-local-dns", "namespace": SYSTEM, "labels": labels},
        "spec": {"selector": {"matchLabels": labels}, "template": template},
    }


def _stateful(service_name: str) -> Json:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": pod_spec(server())}
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "replicas": 3,
            "serviceName": service_name,
            "selector": {"matchLabels": {"app": "web"}},
            "template": template,
        },
    }


FAULTS = (
    Fault(
        "dns-down",
        "CoreDNS is scaled to zero: no name resolves",
        (Patch("deployments", "coredns", {"spec": {"replicas": 0}}, SYSTEM),),
    ),
    Fault(
        "coredns-rbac",
        "CoreDNS may not list EndpointSlices, and the Service is headless",
        (
            *headless(),
            Edit("clusterroles", "system:coredns", _without_slices, ""),
            Dns({"endpoints": "hidden"}),
        ),
    ),
    Fault(
        "corefile-override",
        "a template stanza of the Corefile denies the Service's name",
        (in_the_block(f"    template IN ANY {NAME} {{\n       rcode NXDOMAIN\n    }}\n"),),
    ),
    Fault(
        "coredns-loop",
        "CoreDNS forwards to itself, and stops for it",
        (
            Dns({"loop": True}),
            Patch(
                "deployments",
                "coredns",
                {
                    "spec": {
                        "strategy": {"type": "Recreate", "rollingUpdate": None},
                        "template": {
                            "spec": {
                                "containers": [
                                    {
                                        "name": "coredns",
                                        "image": f"{REGISTRY}/server:1",
                                        "args": ["--exit-after=1s", "--exit-code=1"],
                                    }
                                ]
                            }
                        },
                    }
                },
                SYSTEM,
            ),
            Wait(120),
        ),
    ),
    Fault(
        "upstream-dead",
        "the upstream of CoreDNS is silent: only names of the cluster resolve",
        (Dns({"dead_upstreams": ["/etc/resolv.conf"], "upstream_seconds": 5.0}),),
    ),
    Fault(
        "zone-mismatch",
        "kubelets let pods search in k8s.internal, CoreDNS serves cluster.local",
        kubelets(clusterDomain="k8s.internal"),
    ),
    Fault(
        "wrong-nameserver",
        "kubelets tell pods to ask an address that no Service has",
        kubelets(clusterDNS=[STRANGER]),
    ),
    Fault(
        "dns-policy",
        "the client has hostNetwork, and so asks the node's own name servers",
        client(hostNetwork=True),
        client=CLIENT,
    ),
    Fault(
        "ndots-latency",
        "names outside are searched for in every domain of the cluster first",
        (
            corefile(WHOLE_LOG),
            asked(*searched("api.example.com"), *searched("www.example.com"), *searched("example.com")),
        ),
    ),
    Fault(
        "search-hijack",
        "a search domain of the client has an address for every name",
        (
            corefile(COREFILE + WILD),
            *client(
                dnsPolicy="None",
                dnsConfig={
                    "nameservers": ["10.96.0.10"],
                    "searches": ["wild.example", "default.svc.cluster.local", "svc.cluster.local", "cluster.local"],
                    "options": [{"name": "ndots", "value": "5"}],
                },
            ),
        ),
        client=CLIENT,
    ),
    Fault(
        "negative-cache",
        "the Service is ten seconds old, and a no from before is still kept",
        (Delete("services", "web"), Apply((service("web", {"app": "web"}, [HTTP]),))),
        age=10.0,
    ),
    Fault(
        "nodelocal-broken",
        "NodeLocal DNSCache has no image, and pods are told to ask it",
        (Apply((_node_cache(),)), *kubelets(clusterDNS=[LOCAL])),
    ),
    Fault(
        "dns-tcp-blocked",
        "kube-dns has lost its TCP port, and 40 addresses don't fit into UDP",
        (
            *headless(),
            Patch("deployments", "web", {"spec": {"replicas": 40}}),
            Edit("services", "kube-dns", _only_udp, SYSTEM),
            Wait(60),
        ),
    ),
    Fault(
        "sts-servicename",
        "the StatefulSet names a governing Service that does not exist",
        (*headless(), Delete("deployments", "web"), Apply((_stateful("web-peers"),)), Wait(120)),
    ),
    Fault(
        "srv-missing",
        "clients ask for the SRV record of a port that has no name",
        (
            corefile(WHOLE_LOG),
            Patch("services", "web", {"spec": {"ports": [{"port": 80, "protocol": "TCP", "targetPort": "http"}]}}),
            asked(("SRV", f"_http._tcp.{NAME}.", "NXDOMAIN"), ("A", f"{NAME}.", "NOERROR")),
        ),
    ),
    Fault(
        "externalname-dangling",
        "the ExternalName points at a Service that does not exist",
        (
            Delete("services", "web"),
            Apply((service("web", None, [HTTP], type="ExternalName", externalName="db.default.svc.cluster.local"),)),
        ),
    ),
    Fault(
        "env-not-injected",
        "the client reads WEB_SERVICE_HOST, and is older than the Service",
        (
            *client({**CLIENT_IMAGE, "args": ["--host=$(WEB_SERVICE_HOST)"]}, enableServiceLinks=False),
            Wait(30),
        ),
        client=CLIENT,
    ),
    Fault(
        "env-collision",
        "the client takes WEB_PORT=tcp://... for the port that it should use",
        (*client({**CLIENT_IMAGE, "env": [{"name": "WEB_HOST", "value": "web"}]}), Wait(30)),
        client=CLIENT,
    ),
)
"""Faults that objects and logs show."""

ACTIVE = (
    Fault(
        "dns-vip-dead",
        "the address of kube-dns is dead, its pods answer",
        (Dns({"silent": ["udp", "tcp"]}, at="vip"),),
        client=CLIENT,
        active=True,
    ),
    Fault(
        "headless-set-drift",
        "CoreDNS still gives an address that no ready pod has",
        (*headless(), Dns({"lies": {NAME: "10.244.1.222"}})),
        client=CLIENT,
        active=True,
    ),
    Fault(
        "dns-slow",
        "CoreDNS takes more than a second for every answer",
        (Dns({"delay": 1.2}),),
        client=CLIENT,
        active=True,
    ),
)
"""Faults that only questions from the client show: ``--active``."""
