"""Nodes whose kubelet falls silent, and pods that leave them."""

from svcdoctor.lab import base

from ..kubelet.world import World, condition, conditions, deployment


def two_on_each(**more):
    world = World()
    world.apply(deployment(base.server(), replicas=4, **more))
    world.run(60)
    return world


def on(world, node):
    return [pod for pod in world.pods() if pod["spec"]["nodeName"] == node]


def test_nodes_are_ready_and_their_leases_renewed():
    world = World()
    world.run(60)
    node = world.get("nodes", "node1", "")
    assert conditions(node) == {
        "MemoryPressure": "False",
        "DiskPressure": "False",
        "PIDPressure": "False",
        "Ready": "True",
    }
    lease = world.get("leases", "node1", "kube-node-lease")
    assert lease["spec"]["renewTime"] == "2026-11-25T12:01:00.000000Z"
    world.run(minutes=10)
    assert condition(world.get("nodes", "node1", ""), "Ready")["lastHeartbeatTime"] == "2026-11-25T12:10:00Z"
    assert condition(world.get("nodes", "node1", ""), "Ready")["lastTransitionTime"] == "2026-11-25T12:00:00Z"


def test_a_silent_node_is_unknown_after_50_seconds_and_its_pods_unready():
    world = two_on_each()
    world.kubelets.stop_node("node2")
    world.run(45)
    assert condition(world.get("nodes", "node2", ""), "Ready")["status"] == "True"
    world.run(15)
    node = world.get("nodes", "node2", "")
    assert set(conditions(node).values()) == {"Unknown"}
    ready = condition(node, "Ready")
    assert (ready["reason"], ready["message"]) == ("NodeStatusUnknown", "Kubelet stopped posting node status.")
    taints = [(taint["key"], taint["effect"]) for taint in node["spec"]["taints"]]
    assert taints == [(f"node.kubernetes.io/{'unreachable'}", effect) for effect in ("NoSchedule", "NoExecute")]
    assert [condition(pod, "Ready")["status"] for pod in on(world, "node2")] == ["False", "False"]
    assert [condition(pod, "ContainersReady")["status"] for pod in on(world, "node2")] == ["True", "True"]
    assert [condition(pod, "Ready")["status"] for pod in on(world, "node1")] == ["True", "True"]
    assert (1, "NodeNotReady", "Node is not ready") in world.events(on(world, "node2")[0]["metadata"]["name"])


def test_pods_are_evicted_after_five_minutes_and_stay_until_the_kubelet_is_back():
    world = two_on_each()
    old = {pod["metadata"]["name"] for pod in on(world, "node2")}
    world.kubelets.stop_node("node2")
    world.run(minutes=8)
    gone = on(world, "node2")
    assert {pod["metadata"]["name"] for pod in gone} == old
    assert all(pod["metadata"]["deletionTimestamp"] for pod in gone)
    assert condition(gone[0], "DisruptionTarget")["reason"] == "DeletionByTaintManager"
    assert len(on(world, "node1")) == 4
    assert world.get("deployments", "web")["status"]["availableReplicas"] == 4
    world.kubelets.start_node("node2")
    world.run(60)
    assert on(world, "node2") == []
    node = world.get("nodes", "node2", "")
    assert condition(node, "Ready")["status"] == "True"
    assert "taints" not in node["spec"]


def test_a_node_that_is_back_in_time_makes_its_pods_ready_again():
    world = two_on_each()
    before = {pod["metadata"]["uid"] for pod in world.pods()}
    world.kubelets.stop_node("node2")
    world.run(120)
    world.kubelets.start_node("node2")
    world.run(30)
    assert {pod["metadata"]["uid"] for pod in world.pods()} == before
    assert {condition(pod, "Ready")["status"] for pod in world.pods()} == {"True"}


def test_who_tolerates_everything_is_not_evicted():
    world = two_on_each(tolerations=[{"operator": "Exists"}])
    world.kubelets.stop_node("node2")
    world.run(minutes=20)
    assert len(world.pods()) == 4
    assert not any(pod["metadata"].get("deletionTimestamp") for pod in world.pods())


def test_cordoning_taints_the_node_and_uncordoning_takes_it_back():
    world = World()
    world.run(10)
    world.change("nodes", "node1", "", unschedulable=True)
    world.run(10)
    (taint,) = world.get("nodes", "node1", "")["spec"]["taints"]
    assert (taint["key"], taint["effect"]) == ("node.kubernetes.io/unschedulable", "NoSchedule")
    world.change("nodes", "node1", "", unschedulable=False)
    world.run(10)
    assert "taints" not in world.get("nodes", "node1", "")["spec"]


def test_the_pods_of_a_node_that_is_deleted_are_collected():
    world = two_on_each()
    world.kubelets.stop_node("node2")
    world.delete("nodes", "node2", "")
    world.run(120)
    assert on(world, "node2") == []
    assert len(on(world, "node1")) == 4
