"""StatefulSets and DaemonSets, live."""

import pytest

from svcdoctor.lab import base
from svcdoctor.lab.controllers.objects import NODES

from ..kubelet.world import World, condition

SICK = ["--http=8080", "--health=/healthz", "--status=500"]


def stateful(replicas=3, policy="OrderedReady", **spec):
    template = {"metadata": {"labels": {"app": "db"}}, "spec": base.pod_spec(base.server())}
    whole = {
        "replicas": replicas,
        "serviceName": "db",
        "selector": {"matchLabels": {"app": "db"}},
        "template": template,
    }
    whole |= {"podManagementPolicy": policy, **spec}
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "db", "namespace": "default"},
        "spec": whole,
    }


def with_args(made, *args):
    template = made["spec"]["template"]
    container = {**template["spec"]["containers"][0], "args": list(args)}
    return {**template, "spec": {**template["spec"], "containers": [container]}}


def names(world, app="db"):
    return [pod["metadata"]["name"] for pod in world.pods(app)]


def test_pods_of_a_stateful_set_have_names_that_last():
    world = World()
    world.apply(stateful())
    world.run(2)
    assert names(world) == ["db-0"]
    world.run(60)
    assert names(world) == ["db-0", "db-1", "db-2"]
    pod = world.get("pods", "db-1")
    labels = pod["metadata"]["labels"]
    assert labels["statefulset.kubernetes.io/pod-name"] == "db-1"
    assert labels["apps.kubernetes.io/pod-index"] == "1"
    assert (pod["spec"]["hostname"], pod["spec"]["subdomain"]) == ("db-1", "db")
    revision = labels["controller-revision-hash"]
    assert world.get("statefulsets", "db")["status"] == {
        "observedGeneration": 1,
        "replicas": 3,
        "readyReplicas": 3,
        "availableReplicas": 3,
        "currentReplicas": 3,
        "updatedReplicas": 3,
        "currentRevision": revision,
        "updateRevision": revision,
        "collisionCount": 0,
    }
    assert world.get("controllerrevisions", revision)["revision"] == 1
    assert (1, "SuccessfulCreate", "create Pod db-0 in StatefulSet db successful") in world.events("db")
    world.delete("pods", "db-1")
    world.run(60)
    assert world.get("pods", "db-1")["metadata"]["uid"] != pod["metadata"]["uid"]
    world.change("statefulsets", "db", replicas=1)
    world.run(60)
    assert names(world) == ["db-0"]


def test_an_ordered_set_waits_for_a_pod_that_is_not_ready_and_a_parallel_one_does_not():
    world = World()
    made = stateful()
    world.apply({**made, "spec": {**made["spec"], "template": with_args(made, *SICK)}})
    world.run(60)
    assert names(world) == ["db-0"]
    other = World()
    made = stateful(policy="Parallel")
    other.apply({**made, "spec": {**made["spec"], "template": with_args(made, *SICK)}})
    other.run(60)
    assert names(other) == ["db-0", "db-1", "db-2"]


def test_an_update_goes_from_the_last_pod_down_to_the_partition():
    world = World()
    made = stateful(updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"partition": 1}})
    world.apply(made)
    world.run(60)
    world.change("statefulsets", "db", template=with_args(made, "--http=8080", "--health=/healthz", "--log=new"))
    world.run(120)
    new = [len(world.get("pods", name)["spec"]["containers"][0]["args"]) == 3 for name in ("db-0", "db-1", "db-2")]
    assert new == [False, True, True]
    status = world.get("statefulsets", "db")["status"]
    assert (status["currentReplicas"], status["updatedReplicas"]) == (1, 2)
    world.delete("pods", "db-0")
    world.run(60)
    assert len(world.get("pods", "db-0")["spec"]["containers"][0]["args"]) == 2


def daemon(**spec):
    template = {"metadata": {"labels": {"app": "agent"}}, "spec": base.pod_spec(base.server(), **spec)}
    whole = {"selector": {"matchLabels": {"app": "agent"}}, "template": template}
    meta = {"name": "agent", "namespace": "default"}
    return {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": meta, "spec": whole}


def test_a_daemon_set_runs_on_every_node_that_fits():
    world = World(3)
    world.apply(daemon(nodeSelector={"topology.kubernetes.io/zone": "zone-1"}))
    world.run(30)
    assert sorted(pod["spec"]["nodeName"] for pod in world.pods("agent")) == ["node1", "node3"]
    node = world.get("nodes", "node2", "")
    labels = {**node["metadata"]["labels"], "topology.kubernetes.io/zone": "zone-1"}
    world.store.replace(NODES, {**node, "metadata": {**node["metadata"], "labels": labels}})
    world.run(30)
    assert len(world.pods("agent")) == 3
    world.store.replace(NODES, {**world.get("nodes", "node2", ""), "metadata": node["metadata"]})
    world.run(30)
    assert sorted(pod["spec"]["nodeName"] for pod in world.pods("agent")) == ["node1", "node3"]


def test_a_daemon_set_rolls_node_by_node():
    world = World(3)
    made = daemon()
    world.apply(made)
    world.run(30)
    fewest = [3]
    world.store.subscribe(lambda change: fewest.append(sum(ready(pod) for pod in world.pods("agent"))))
    world.change("daemonsets", "agent", template=with_args(made, "--http=8080", "--health=/healthz", "--log=new"))
    world.run(120)
    assert min(fewest) == 2
    assert all(len(pod["spec"]["containers"][0]["args"]) == 3 for pod in world.pods("agent"))
    status = world.get("daemonsets", "agent")["status"]
    assert (status["updatedNumberScheduled"], status["numberAvailable"], status["observedGeneration"]) == (3, 3, 2)


def ready(pod):
    if pod["metadata"].get("deletionTimestamp") or not pod["status"].get("startTime"):
        return False
    return condition(pod, "Ready")["status"] == "True"


@pytest.mark.parametrize(("taint", "tolerated"), [("node.kubernetes.io/unschedulable", True), ("dedicated", False)])
def test_daemons_tolerate_what_befalls_nodes_and_nothing_else(taint, tolerated):
    node = base.node(1)
    node["spec"]["taints"] = [{"key": taint, "effect": "NoSchedule"}]
    world = World([node])
    world.apply(daemon())
    world.run(30)
    assert len(world.pods("agent")) == tolerated
    assert world.get("daemonsets", "agent")["status"]["desiredNumberScheduled"] == int(tolerated)
