"""What is asked of the cluster's name servers, wherever they are and whatever is refused."""

from functools import partial
from typing import Any

from svcdoctor.model.diagnosis import Status, Subject
from tests import replay as says
from tests.collect.conftest import Cluster
from tests.collect.test_gather import ask, asked

CLIENT = Subject("Pod", "shop", "client")


def dns(diagnosis: Any) -> Any:
    return next(outcome for outcome in diagnosis.outcomes if outcome.step == "dns")


def everything_of(cluster: Cluster, namespace: str) -> list[Any]:
    return [o for items in cluster.replay.lists.values() for o in items if o["metadata"].get("namespace") == namespace]


def test_name_servers_of_another_name_are_found_by_their_address(serve):
    cluster = serve("iptables-healthy")
    for item in everything_of(cluster, "kube-system"):
        item["metadata"]["namespace"] = "openshift-dns"
        if item["metadata"]["name"] == "kube-dns":
            item["metadata"]["name"] = "dns-default"
        labels = item["metadata"].get("labels") or {}
        if labels.get("kubernetes.io/service-name") == "kube-dns":
            labels["kubernetes.io/service-name"] = "dns-default"
    gathered, diagnosis = ask(cluster, "shop", "web")
    assert dns(diagnosis).status is Status.PASS
    assert "api/v1/services?limit=500&fieldSelector=spec.clusterIP=10.96.0.10" in asked(cluster)
    assert gathered.snapshot.gaps == ()


def test_kubeadms_settings_stand_in_where_the_kubelet_may_not_be_asked(serve):
    cluster = serve("iptables-healthy")
    cluster.replay.misdeeds.append(says.when(lambda handler: handler.place.endswith("/configz"), says.forbid))
    config = {"data": {"kubelet": "clusterDNS: [10.96.0.10]\nclusterDomain: cluster.local\n"}}
    meta = {"name": "kubelet-config", "namespace": "kube-system"}
    cluster.replay.lists["configmaps"].append({"metadata": meta, **config})
    gathered, diagnosis = ask(cluster, "shop", "web")
    assert dns(diagnosis).status is Status.PASS
    assert gathered.snapshot.gaps == ()  # nodes/proxy is never asked for: it lets its owner run commands


def test_neither_kubelet_nor_kubeadm_says(serve):
    cluster = serve("iptables-healthy")
    cluster.replay.configz.clear()
    _, diagnosis = ask(cluster, "shop", "web")
    assert dns(diagnosis).status is Status.UNKNOWN
    assert [gap.what for gap in dns(diagnosis).gaps] == ["the kubelets' clusterDNS"]


def test_a_kubelet_that_answers_in_its_own_words_ends_nothing(serve):
    cluster = serve("iptables-healthy")
    for code in (401, 404, 500):
        said = partial(says.Handler.send, code=code, body="Unauthorized")
        cluster.replay.misdeeds[:] = [says.when(lambda handler: handler.place.endswith("/configz"), said)]
        _, diagnosis = ask(cluster, "shop", "web")
        assert dns(diagnosis).status is Status.UNKNOWN


def test_name_servers_that_may_not_be_read(serve):
    cluster = serve("iptables-healthy")
    cluster.replay.misdeeds.append(says.when(lambda handler: "/kube-system/" in handler.place, says.forbid))
    gathered, diagnosis = ask(cluster, "shop", "web")
    assert dns(diagnosis).status is Status.UNKNOWN
    permissions = {gap.permission for gap in dns(diagnosis).gaps}
    assert "get services in namespace kube-system" in {gap.permission for gap in gathered.snapshot.gaps}
    assert permissions


def test_the_clients_kubelet_is_the_one_that_is_asked(serve):
    cluster = serve("iptables-healthy")
    node = next(p for p in cluster.replay.lists["pods"] if p["metadata"]["name"] == "client")["spec"]["nodeName"]
    gathered, _ = ask(cluster, "shop", "web", CLIENT)
    assert set(gathered.snapshot.kubelets) == {node}


def test_a_node_cache_and_its_pods(serve):
    cluster = serve("iptables-healthy")
    labels = {"k8s-app": "node-local-dns"}
    meta = {"name": "node-local-dns", "namespace": "kube-system"}
    cluster.replay.lists["daemonsets"].append({"metadata": meta, "spec": {"selector": {"matchLabels": labels}}})
    ask(cluster, "shop", "web")
    assert "api/v1/namespaces/kube-system/pods?limit=500&labelSelector=k8s-app=node-local-dns" in asked(cluster)


def test_rights_are_read_where_a_log_misses_them(serve):
    cluster = serve("iptables-healthy")
    cluster.replay.logs["coredns-647fc49cf7-5lj57"] = "endpointslices.discovery.k8s.io is forbidden: User x cannot list"
    gathered, _ = ask(cluster, "shop", "web")
    assert "apis/rbac.authorization.k8s.io/v1/clusterroles/system:coredns" in asked(cluster)
    assert gathered.snapshot.clusterroles.knows("", "system:coredns")


def test_policies_that_are_not_served_are_none(serve):
    cluster = serve("iptables-healthy")
    cluster.replay.misdeeds.append(
        says.when(
            lambda handler: "policy.networking.k8s.io" in handler.place,
            lambda handler: handler.send(404, "404 page not found"),
        )
    )
    gathered, _ = ask(cluster, "shop", "web")
    assert gathered.snapshot.gaps == ()
    assert gathered.snapshot.clusternetworkpolicies.covers()
    assert gathered.snapshot.networkpolicies.covers("shop")
    assert gathered.snapshot.networkpolicies.covers("kube-system")


def test_the_governing_service_of_a_stateful_set_is_read(serve):
    cluster = serve("iptables-healthy")
    owner = [{"kind": "StatefulSet", "name": "web", "controller": True}]
    for pod in cluster.replay.lists["pods"]:
        if (pod["metadata"].get("labels") or {}).get("app") == "web":
            pod["metadata"]["ownerReferences"] = owner
    meta = {"name": "web", "namespace": "shop"}
    cluster.replay.lists["statefulsets"].append({"metadata": meta, "spec": {"serviceName": "web-peers"}})
    ask(cluster, "shop", "web")
    assert "api/v1/namespaces/shop/services/web-peers" in asked(cluster)
