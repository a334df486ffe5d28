"""The scheduler: where pods go, and what it says where they can't."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcdoctor.lab import base
from svcdoctor.lab.controllers.fitting import Misfit, requests, tolerates
from svcdoctor.lab.controllers.objects import NODES
from svcdoctor.lab.controllers.scheduler import explain

from ..kubelet.world import World, condition, deployment

PREEMPTION = "no new claims to deallocate, preemption: 0/2 nodes are available: "
HOPELESS = f"{PREEMPTION}2 Preemption is not helpful for scheduling."
NO_VICTIMS = f"{PREEMPTION}2 No preemption victims found for incoming pod."


def tainted(number, key="dedicated"):
    node = base.node(number)
    node["spec"]["taints"] = [{"key": key, "value": "db", "effect": "NoSchedule"}]
    return node


def cordoned(number):
    node = base.node(number)
    return {**node, "spec": {**node["spec"], "unschedulable": True}}


def pod(name="web", **spec):
    made = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "labels": {"app": name}},
    }
    return made | {"spec": {"containers": [base.server(**spec.pop("container", {}))], **spec}}


CPU = {"container": {"resources": {"requests": {"cpu": "3"}}}}
HOST_PORT = {"container": {"ports": [{"containerPort": 8080, "hostPort": 8080}]}}


@pytest.mark.parametrize(
    ("nodes", "others", "wanted", "message"),
    [
        ([], (), {}, "no nodes available to schedule pods"),
        ([cordoned(1), cordoned(2)], (), {}, f"2 node(s) were unschedulable. {HOPELESS}"),
        ([tainted(1), tainted(2)], (), {}, f"2 node(s) had untolerated taint(s). {HOPELESS}"),
        (
            [base.node(1), base.node(2)],
            (),
            {"nodeSelector": {"disk": "ssd"}},
            f"2 node(s) didn't match Pod's node affinity/selector. {HOPELESS}",
        ),
        (
            [base.node(1), base.node(2)],
            (HOST_PORT, HOST_PORT),
            HOST_PORT,
            f"2 node(s) didn't have free ports for the requested pod ports. {NO_VICTIMS}",
        ),
        ([base.node(1), base.node(2)], (CPU, CPU), CPU, f"2 Insufficient cpu. {NO_VICTIMS}"),
        (
            [base.node(1), base.node(2)],
            (),
            {"container": {"resources": {"requests": {"cpu": "64"}}}},
            f"2 Insufficient cpu. {HOPELESS}",
        ),
        ([base.node(1, 1), base.node(2, 1)], ({}, {}), {}, f"2 Too many pods. {NO_VICTIMS}"),
    ],
)
def test_a_pod_that_fits_nowhere_says_why(nodes, others, wanted, message):
    world = World(nodes)
    world.apply(*(pod(f"other-{number}", **spec) for number, spec in enumerate(others)))
    world.run(10)
    world.apply(pod(**wanted))
    world.run(10)
    whole = message if not nodes else f"0/2 nodes are available: {message}"
    scheduled = condition(world.pod(), "PodScheduled")
    assert (scheduled["status"], scheduled["reason"], scheduled["message"]) == ("False", "Unschedulable", whole)
    assert world.events("web") == [(1, "FailedScheduling", whole)]
    world.run(600)
    assert world.events("web")[0][0] >= 3  # it is tried again from time to time


def test_it_is_tried_again_when_a_node_changes_or_a_pod_goes():
    world = World([cordoned(1)])
    world.apply(pod(**HOST_PORT))
    world.run(10)
    node = world.get("nodes", "node1", "")
    world.store.replace(NODES, {**node, "spec": base.node(1)["spec"]})
    world.run(30)
    assert condition(world.pod(), "Ready")["status"] == "True"
    world.apply(pod("next", **HOST_PORT))
    world.run(10)
    assert condition(world.pod("next"), "PodScheduled")["status"] == "False"
    world.delete("pods", "web")
    world.run(60)
    assert condition(world.pod("next"), "Ready")["status"] == "True"


def test_replicas_are_spread_over_nodes_and_zones():
    world = World(4)
    world.apply(deployment(base.server(), replicas=8))
    world.run(30)
    places = [pod["spec"]["nodeName"] for pod in world.pods()]
    assert sorted(places) == sorted(["node1", "node2", "node3", "node4"] * 2)


def test_a_pod_is_told_of_its_nodes_place_and_keeps_its_generation():
    world = World(1)
    world.apply(pod())
    world.run(30)
    labels = {"topology.kubernetes.io/zone": "zone-1", "topology.kubernetes.io/region": "lab", "app": "web"}
    assert world.pod()["metadata"]["labels"] == labels
    assert world.pod()["metadata"]["generation"] == 1


def test_a_pod_with_a_node_of_its_own_needs_no_scheduler():
    world = World([cordoned(1)])
    world.apply(pod(nodeName="node1"))
    world.run(30)
    assert condition(world.pod(), "Ready")["status"] == "True"
    assert "Scheduled" not in [reason for _, reason, _ in world.events("web")]


def test_requests_count_sidecars_together_and_init_containers_at_their_peak():
    def asks(cpu, **more):
        return {"resources": {"requests": {"cpu": cpu}}, **more}

    spec = {
        "initContainers": [asks("1", restartPolicy="Always"), asks("4")],
        "containers": [asks("500m"), {"resources": {"limits": {"cpu": "1"}}}],
    }
    assert requests(spec) == {"cpu": Decimal(5)}
    assert requests({"containers": [asks("500m"), asks("0.25")]}) == {"cpu": Decimal("0.75")}


@pytest.mark.parametrize(
    ("toleration", "holds"),
    [
        ({"operator": "Exists"}, True),
        ({"key": "dedicated", "operator": "Exists"}, True),
        ({"key": "dedicated", "value": "db"}, True),
        ({"key": "dedicated", "value": "web"}, False),
        ({"key": "dedicated", "value": "db", "effect": "NoExecute"}, False),
        ({"key": "other", "operator": "Exists"}, False),
        ({}, False),
    ],
)
def test_tolerations(toleration, holds):
    assert tolerates(toleration, {"key": "dedicated", "value": "db", "effect": "NoSchedule"}) == holds


reasons = st.sampled_from(["Too many pods", "Insufficient cpu", "node(s) were unschedulable"])


@given(st.lists(st.tuples(reasons, st.booleans()).map(lambda pair: (Misfit(*pair),)), min_size=1, max_size=9))
def test_the_message_counts_every_node_once_per_reason(refusals):
    said, _, preemption = explain(refusals).partition(". no new claims to deallocate, preemption: ")
    start = f"0/{len(refusals)} nodes are available: "
    for text in (said, preemption.removesuffix(".")):
        assert text.startswith(start)
        assert sum(int(part.split()[0]) for part in text.removeprefix(start).split(", ")) == len(refusals)
