"""Deployments and ReplicaSets, live: rollouts keep their bounds, whatever happens to the pods."""

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from svcdoctor.lab import base
from svcdoctor.lab.controllers.objects import PODS, REPLICASETS
from svcdoctor.lab.controllers.rollout import Bounds, Size, bounds, new_size, proportional, shrink_old

from ..kubelet.world import World, condition, deployment

amounts = st.integers(0, 5) | st.integers(0, 100).map(lambda share: f"{share}%")


def server(version="1", **more):
    return base.server(env=[{"name": "VERSION", "value": version}], **more)


def roll(world, version="2", **more):
    template = world.get("deployments", "web")["spec"]["template"]
    spec = {**template["spec"], "containers": [{**template["spec"]["containers"][0], **server(version, **more)}]}
    world.change("deployments", "web", template={**template, "spec": spec})


@settings(max_examples=25, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(
    st.integers(1, 6),
    st.integers(0, 6),
    amounts,
    amounts,
    st.booleans(),
    st.lists(st.integers(0, 5), max_size=3),
    st.data(),
)
def test_a_rollout_keeps_its_bounds(replicas, scaled, surge, unavailable, sick, waits, data):
    """At no moment are there more pods than maxSurge allows, nor fewer available ones than maxUnavailable allows."""
    made = deployment(server(), replicas=replicas)
    rolling = {"maxSurge": surge, "maxUnavailable": unavailable}
    made["spec"]["strategy"] = {"type": "RollingUpdate", "rollingUpdate": rolling}
    world = World(2, seed=data.draw(st.integers(0, 99)))
    world.apply(made)
    world.run(30)
    allowed = bounds(world.get("deployments", "web")["spec"])
    asked, available = [0], [replicas]

    def look(change):
        if change.resource == REPLICASETS:
            asked.append(sum(one["spec"]["replicas"] for one in world.all("replicasets")))
        elif change.resource == PODS:
            available.append(sum(is_available(pod) for pod in world.pods()))

    world.store.subscribe(look)
    roll(world, "2", args=["--http=8080", "--health=/healthz", *(["--status=500"] if sick else [])])
    for wait in waits:  # and while it goes on, the template changes again
        world.run(wait)
        roll(world, f"3-{wait}")
    world.run(120)
    assert max(asked) <= allowed.maximum
    assert min(available) >= allowed.minimum
    if not sick or waits:
        status = world.get("deployments", "web")["status"]
        assert (status["updatedReplicas"], status["availableReplicas"], status["replicas"]) == (replicas,) * 3
    world.change("deployments", "web", replicas=scaled)
    world.run(120)
    if not sick or waits:
        assert len(world.pods()) == scaled


def is_available(pod):
    if pod["metadata"].get("deletionTimestamp") or not pod["status"].get("startTime"):
        return False
    return condition(pod, "Ready")["status"] == "True"


sizes = st.lists(st.integers(0, 10).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))), max_size=4)


@given(
    st.integers(0, 10), st.integers(0, 5), st.integers(0, 5), st.tuples(st.integers(0, 10), st.integers(0, 10)), sizes
)
def test_old_sets_shrink_only_as_far_as_availability_allows(desired, surge, unavailable, new, old):
    allowed = Bounds(desired, surge, min(unavailable, desired))
    newest = Size(new[0], min(new))
    made = shrink_old(allowed, newest, [Size(*one) for one in old])
    assert all(0 <= after <= before for after, (before, _) in zip(made, old, strict=True))
    before = newest.available + sum(available for _, available in old)
    after = newest.available + sum(min(size, available) for size, (_, available) in zip(made, old, strict=True))
    assert after >= min(before, allowed.minimum)


@given(st.integers(0, 20), st.integers(0, 5), st.lists(st.integers(1, 10), min_size=2, max_size=4))
def test_scaling_in_mid_rollout_keeps_to_the_maximum(desired, surge, sets):
    allowed = Bounds(desired, surge, 0)
    made = proportional(allowed, sets, [sum(sets)] * len(sets))
    assert all(size >= 0 for size in made)
    if made[0]:  # the first takes what is left over; the rollout itself takes what it has not
        assert sum(made) == (allowed.maximum if desired else 0)


def test_percentages_round_in_favour_of_progress():
    spec = {"replicas": 10, "strategy": {"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}}
    assert bounds(spec) == Bounds(10, 3, 2)
    assert bounds({**spec, "strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "1%"}}}) == Bounds(10, 0, 1)
    assert new_size(spec, 0, 10) == 3


def test_a_rollout_that_never_gets_ready_times_out():
    world = World()
    world.apply(deployment(server(), replicas=2))
    world.run(30)
    roll(world, args=["--http=8080", "--health=/healthz", "--status=500"])
    world.run(minutes=11)
    status = world.get("deployments", "web")["status"]
    assert (status["readyReplicas"], status["updatedReplicas"], status["unavailableReplicas"]) == (2, 1, 1)
    progressing = condition(world.get("deployments", "web"), "Progressing")
    newest = max(
        world.all("replicasets"), key=lambda one: one["metadata"]["annotations"]["deployment.kubernetes.io/revision"]
    )
    assert (progressing["status"], progressing["reason"]) == ("False", "ProgressDeadlineExceeded")
    assert progressing["message"] == f'ReplicaSet "{newest["metadata"]["name"]}" has timed out progressing.'


def test_going_back_numbers_the_old_set_anew():
    world = World()
    world.apply(deployment(server(), replicas=2))
    world.run(30)
    first = world.all("replicasets")[0]["metadata"]["name"]
    roll(world)
    world.run(30)
    roll(world, "1")
    world.run(30)
    notes = world.get("replicasets", first)["metadata"]["annotations"]
    assert notes["deployment.kubernetes.io/revision"] == "3"
    assert notes["deployment.kubernetes.io/revision-history"] == "1"
    assert world.get("deployments", "web")["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "3"
    assert [
        one["spec"]["replicas"]
        for one in sorted(world.all("replicasets"), key=lambda o: o["metadata"]["name"] != first)
    ] == [2, 0]


def test_recreate_waits_for_the_old_pods_to_end():
    made = deployment(server(args=["--http=8080", "--health=/healthz", "--stop-after=20s"]), replicas=2)
    made["spec"]["strategy"] = {"type": "Recreate"}
    made["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 60
    world = World()
    world.apply(made)
    world.run(30)
    roll(world)
    world.run(15)
    assert all(pod["metadata"].get("deletionTimestamp") for pod in world.pods())
    assert world.get("deployments", "web")["status"]["terminatingReplicas"] == 2
    world.run(30)
    assert [condition(pod, "Ready")["status"] for pod in world.pods()] == ["True", "True"]


def test_a_paused_deployment_scales_but_does_not_roll():
    world = World()
    world.apply(deployment(server(), replicas=2))
    world.run(30)
    world.change("deployments", "web", paused=True)
    roll(world)
    world.change("deployments", "web", replicas=3)
    world.run(30)
    assert len(world.all("replicasets")) == 1
    assert len(world.pods()) == 3
    assert condition(world.get("deployments", "web"), "Progressing")["reason"] == "DeploymentPaused"
    world.change("deployments", "web", paused=False)
    world.run(60)
    assert {pod["spec"]["containers"][0]["env"][0]["value"] for pod in world.pods()} == {"2"}


def test_min_ready_seconds_delay_availability():
    made = deployment(server(), replicas=2)
    made["spec"]["minReadySeconds"] = 30
    world = World()
    world.apply(made)
    world.run(20)
    status = world.get("deployments", "web")["status"]
    assert (status["readyReplicas"], status.get("availableReplicas", 0)) == (2, 0)
    world.run(20)
    assert world.get("deployments", "web")["status"]["availableReplicas"] == 2


def test_only_so_much_history_is_kept():
    made = deployment(server(), replicas=1)
    made["spec"]["revisionHistoryLimit"] = 2
    world = World()
    world.apply(made)
    for version in range(5):
        world.run(30)
        roll(world, str(version + 2))
    world.run(60)
    revisions = [o["metadata"]["annotations"]["deployment.kubernetes.io/revision"] for o in world.all("replicasets")]
    assert sorted(revisions) == ["4", "5", "6"]


def test_a_pod_whose_label_is_changed_is_let_go_and_replaced():
    world = World()
    world.apply(deployment(server(), replicas=2))
    world.run(30)
    taken = world.pods()[0]
    meta = {**taken["metadata"], "labels": {**taken["metadata"]["labels"], "app": "debug"}}
    world.store.replace(PODS, {**taken, "metadata": meta})
    world.run(30)
    assert len(world.pods()) == 2
    (loose,) = world.pods("debug")
    assert "ownerReferences" not in loose["metadata"]
    back = {**loose["metadata"], "labels": {**loose["metadata"]["labels"], "app": "web"}}
    world.store.replace(PODS, {**loose, "metadata": back})
    world.run(30)
    assert loose["metadata"]["name"] in [pod["metadata"]["name"] for pod in world.pods()] or len(world.pods()) == 2
    assert not [pod for pod in world.pods() if "ownerReferences" not in pod["metadata"]]


def test_what_does_not_work_goes_first():
    world = World()
    world.apply(deployment(server(), replicas=3))
    world.run(30)
    well = {pod["metadata"]["name"] for pod in world.pods()}
    roll(world, args=["--http=8080", "--health=/healthz", "--status=500"])
    world.run(30)
    world.change("deployments", "web", replicas=1)
    world.run(60)
    assert {pod["metadata"]["name"] for pod in world.pods()} & well
