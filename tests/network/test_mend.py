"""The smallest change that opens the way, as it would be applied."""

import json
from pathlib import Path
from typing import Any, TypeVar

from svcdoctor.model.cluster import Namespace
from svcdoctor.model.decode import ObjectList, decode
from svcdoctor.model.pod import Pod
from svcdoctor.model.policy import NetworkPolicy, Policy
from svcdoctor.network.netpol import (
    AnyPod,
    AtAddress,
    AtNode,
    AtPod,
    Change,
    Direction,
    End,
    Host,
    Lack,
    Miss,
    PolicyRef,
    Question,
    RuleRef,
    Status,
    ThroughService,
    compile_policies,
    evaluate,
    mend,
    with_policies,
)

from .worlds import Json, cnp, namespace, netpol, pod

T = TypeVar("T")

HASH = {"pod-template-hash": "5d4f"}
WEB = pod("web-1", "10.0.0.1", {"app": "web"} | HASH, ports=[{"name": "http", "containerPort": 8080}])
CLIENT = pod("client", "10.0.1.1", {"app.kubernetes.io/name": "client", "helm.sh/chart": "client-1.2"} | HASH)
STRANGER = pod("stranger", "10.0.2.1", {"app": "stranger"}, namespace="other")
PLAIN = pod("plain", "10.0.3.1")
DNS = [pod(f"coredns-{n}", f"10.0.9.{n}", {"k8s-app": "kube-dns"} | HASH, namespace="kube-system") for n in (1, 2)]
SPACES = [namespace(name) for name in ("shop", "other", "kube-system")]
SERVICE = ThroughService("web", 80, ("10.96.0.1",), {"app": "web"})
NAME = "kubernetes.io/metadata.name"


def changes(
    questions: list[Question], *policies: Policy, pods: tuple[Pod, ...] = (WEB, CLIENT, STRANGER, PLAIN)
) -> tuple[Change, ...] | None:
    compiled = compile_policies(policies, SPACES, pods, (Host("node1", ("172.30.0.11",)),))
    made = mend(compiled, questions)
    if made is not None:
        assert all(evaluate(with_policies(compiled, *(c.policy for c in made)), q).passes for q in questions)
    return made


def one(source: End | Pod, destination: Pod, *policies: Policy, **more: Any) -> Change:
    """The one change for one question."""
    start = AtPod(source) if isinstance(source, Pod) else source
    found = changes([Question(start, AtPod(destination), 8080, "TCP", SERVICE)], *policies, **more)
    assert found is not None
    (change,) = found
    return change


def peer_of(change: Change, direction: str = "ingress", field: str = "from") -> Any:
    return change.manifest["spec"][direction][0][field]


# ------------------------------------------------------------------------------------------------------- a policy more


def test_default_deny() -> None:
    change = one(CLIENT, WEB, netpol("deny", policyTypes=["Ingress"]), pods=(WEB, CLIENT))
    assert (change.rule, change.patch) == (None, ())
    assert change.manifest == {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "allow-web-from-client", "namespace": "shop"},
        "spec": {
            "podSelector": {"matchLabels": {"app": "web"}},
            "policyTypes": ["Ingress"],
            "ingress": [
                {
                    "from": [{"podSelector": {"matchLabels": {"app.kubernetes.io/name": "client"}}}],
                    "ports": [{"protocol": "TCP", "port": 8080}],
                }
            ],
        },
    }


def test_dns_is_one_policy_for_both_protocols_and_all_servers() -> None:
    questions = [Question(AtPod(CLIENT), AtPod(dns), 53, protocol) for dns in DNS for protocol in ("UDP", "TCP")]
    found = changes(questions, netpol("deny", policyTypes=["Egress"]), pods=(CLIENT, *DNS))
    assert found is not None
    (change,) = found
    assert change.manifest["metadata"]["name"] == "allow-client-to-kube-dns"
    assert change.manifest["spec"] == {
        "podSelector": {"matchLabels": {"app.kubernetes.io/name": "client"}},
        "policyTypes": ["Egress"],
        "egress": [
            {
                "to": [
                    {
                        "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
                        "namespaceSelector": {"matchLabels": {NAME: "kube-system"}},
                    }
                ],
                "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}],
            }
        ],
    }


def test_both_directions_in_two_namespaces() -> None:
    deny = [netpol("deny", space, policyTypes=["Ingress", "Egress"]) for space in ("shop", "other")]
    found = changes([Question(AtPod(STRANGER), AtPod(WEB), 8080, "TCP", SERVICE)], *deny)
    assert found is not None
    assert [(c.policy.namespace, c.policy.name) for c in found] == [
        ("other", "allow-stranger-to-web"),
        ("shop", "allow-web-from-stranger"),
    ]


def test_a_name_that_is_taken() -> None:
    deny, taken = netpol("deny", policyTypes=["Ingress"]), netpol("allow-web-from-client", ingress=[])
    assert one(CLIENT, WEB, deny, taken).policy.name == "allow-web-from-client-2"


def test_ends_without_labels() -> None:
    deny = netpol("deny", policyTypes=["Ingress"])
    assert peer_of(one(AnyPod("other"), WEB, deny)) == [{"namespaceSelector": {"matchLabels": {NAME: "other"}}}]
    assert peer_of(one(AnyPod("shop"), WEB, deny)) == [{"podSelector": {}}]
    assert peer_of(one(AtAddress("192.0.2.7"), WEB, deny)) == [{"ipBlock": {"cidr": "192.0.2.7/32"}}]
    assert peer_of(one(AtNode("node1"), WEB, deny)) == [{"ipBlock": {"cidr": "172.30.0.11/32"}}]


def test_a_host_network_peer_is_named_by_its_address() -> None:
    agent = pod("agent", "fd00::5", {"app": "agent"}, host_network=True)
    web = pod("web", "fd00::1", {"app": "web"})
    deny = netpol("deny", policyTypes=["Ingress"])
    assert peer_of(one(agent, web, deny, pods=(web, agent))) == [{"ipBlock": {"cidr": "fd00::5/128"}}]


def test_nobody_is_isolated_anew() -> None:
    """Pods of other apps bear no label, so the new policy takes the selector of the one that isolates."""
    tiered = pod("web-1", "10.0.0.1", {"color": "green"})
    blue = pod("web-2", "10.0.0.2", {"color": "green", "track": "blue"})
    deny = netpol("deny", podSelector={"matchExpressions": [{"key": "track", "operator": "DoesNotExist"}]})
    change = one(CLIENT, tiered, deny, pods=(tiered, blue, CLIENT))
    assert change.manifest["spec"]["podSelector"] == {
        "matchExpressions": [{"key": "track", "operator": "DoesNotExist"}]
    }


# --------------------------------------------------------------------------------------------------------- a rule wider


def rule(peer: Json, port: Json) -> Json:
    return {"from": [peer], "ports": [port]}


CLIENTS = {"podSelector": {"matchLabels": {"app.kubernetes.io/name": "client"}}}


def test_service_port_instead_of_the_pods() -> None:
    policy = netpol("web", pods={"app": "web"}, ingress=[{"ports": [{"port": 1}]}, rule(CLIENTS, {"port": 80})])
    change = one(CLIENT, WEB, policy)
    assert change.rule == RuleRef(PolicyRef("NetworkPolicy", "shop", "web"), Direction.INGRESS, 1, 0, 0)
    assert change.patch == (
        {"op": "add", "path": "/spec/ingress/1/ports/-", "value": {"protocol": "TCP", "port": 8080}},
    )
    assert change.manifest == {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {
            "podSelector": {"matchLabels": {"app": "web"}},
            "ingress": [
                {"ports": [{"port": 1}]},
                {"from": [CLIENTS], "ports": [{"port": 80}, {"protocol": "TCP", "port": 8080}]},
            ],
        },
    }


def test_unlabelled_namespace() -> None:
    policy = netpol("web", ingress=[rule({"namespaceSelector": {"matchLabels": {"name": "other"}}}, {"port": 8080})])
    value = {
        "podSelector": {"matchLabels": {"app": "stranger"}},
        "namespaceSelector": {"matchLabels": {NAME: "other"}},
    }
    change = one(STRANGER, WEB, policy)
    assert change.patch == ({"op": "add", "path": "/spec/ingress/0/from/-", "value": value},)


def test_tcp_beside_udp() -> None:
    to_dns = {"namespaceSelector": {}, "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}}
    policy = netpol("np", policyTypes=["Egress"], egress=[{"to": [to_dns], "ports": [{"port": 53, "protocol": "UDP"}]}])
    questions = [Question(AtPod(CLIENT), AtPod(dns), 53, protocol) for dns in DNS for protocol in ("UDP", "TCP")]
    found = changes(questions, policy, pods=(CLIENT, *DNS))
    assert found is not None
    assert [change.patch for change in found] == [
        ({"op": "add", "path": "/spec/egress/0/ports/-", "value": {"protocol": "TCP", "port": 53}},)
    ]


def test_what_the_policy_says_otherwise_stays() -> None:
    body: Json = {
        "metadata": {
            "name": "web",
            "namespace": "shop",
            "labels": {"team": "a"},
            "annotations": {"note": "b", "kubectl.kubernetes.io/last-applied-configuration": "{}"},
        },
        "spec": {
            "podSelector": {"matchExpressions": [{"key": "empty", "operator": "NotIn", "values": [""]}]},
            "ingress": [{"from": [{"ipBlock": {"cidr": "10.9.0.0/16"}}], "ports": [{"port": 8000, "endPort": 9000}]}],
            "egress": [{}],
            "policyTypes": ["Ingress", "Egress"],
        },
    }
    policy = decode(json.dumps(body).encode(), NetworkPolicy, "a test")
    made = one(CLIENT, WEB, policy).manifest
    assert made["metadata"] == body["metadata"] | {"annotations": {"note": "b"}}
    assert made["spec"]["egress"] == [{}]
    assert made["spec"]["podSelector"] == body["spec"]["podSelector"]
    assert made["spec"]["ingress"][0]["from"] == [{"ipBlock": {"cidr": "10.9.0.0/16"}}, CLIENTS]


# ----------------------------------------------------------------------------------------------------------- no change


def test_nothing_to_mend() -> None:
    assert changes([Question(AtPod(CLIENT), AtPod(WEB), 8080)]) == ()


def test_cluster_wide_denials_are_not_for_network_policies() -> None:
    policy = cnp(ingress=[{"action": "Deny", "from": [{"namespaces": {}}]}])
    deny = netpol("deny", policyTypes=["Ingress"])
    assert changes([Question(AtPod(CLIENT), AtPod(WEB), 8080)], policy, deny) is None
    baseline = cnp(tier="Baseline", ingress=[{"action": "Deny", "from": [{"namespaces": {}}]}])
    assert changes([Question(AtPod(CLIENT), AtPod(WEB), 8080)], baseline) is None


def test_an_end_that_cannot_be_named() -> None:
    pending = pod("agent", "", {"app": "agent"}, phase="Pending", host_network=True)
    deny = netpol("deny", policyTypes=["Ingress"])
    assert changes([Question(AtPod(pending), AtPod(WEB), 8080)], deny) is None


# ------------------------------------------------------------------------------------------- the recorded guide example


RECORDED = Path(__file__).parents[1] / "cases" / "iptables-seed-netpol-blocks-dns" / "api"


def recorded(path: str, kind: type[T]) -> tuple[T, ...]:
    return decode((RECORDED / f"{path}.json").read_bytes(), ObjectList[kind], path).items or ()  # type: ignore[valid-type]


def test_the_guides_example() -> None:
    """The backend's namespace has no label ``name``, and nobody thought of DNS."""
    spaces = ("frontend", "production", "kube-system")
    pods = {pod.name: pod for space in spaces for pod in recorded(f"api/v1/namespaces/{space}/pods", Pod)}
    path = "apis/networking.k8s.io/v1/namespaces/production/networkpolicies"
    namespaces = recorded("api/v1/namespaces", Namespace)
    compiled = compile_policies(recorded(path, NetworkPolicy), namespaces, pods.values())
    web, dns = (AtPod(pods[name]) for name in ("webapp-58cd54cb6-5gm6q", "coredns-647fc49cf7-5lj57"))

    call = Question(AtPod(pods["client"]), web, 8080, "TCP", ThroughService("webapp-service", 80))
    near = evaluate(compiled, call).ingress.nearest
    assert near is not None
    assert near.rule.path == "spec.ingress[0].from[0].ports[0]"
    assert near.misses == (Miss(Lack.NAMESPACE_UNLABELLED, "frontend", None, "name"),)
    (opened,) = mend(compiled, [call]) or ()
    peer = {
        "podSelector": {"matchLabels": {"app": "client"}},
        "namespaceSelector": {"matchLabels": {NAME: "frontend"}},
    }
    assert opened.patch == ({"op": "add", "path": "/spec/ingress/0/from/-", "value": peer},)

    lookups = [Question(AtPod(pods["webapp-client"]), dns, 53, protocol) for protocol in ("UDP", "TCP")]
    assert [evaluate(compiled, each).egress.status for each in lookups] == [Status.DENIED] * 2
    (added,) = mend(compiled, lookups) or ()
    assert added.manifest["metadata"] == {"name": "allow-webapp-to-kube-dns", "namespace": "production"}
    assert added.manifest["spec"]["podSelector"] == {"matchLabels": {"app": "webapp"}}
