"""A lab's life: the hour before it, what breaks it, what heals it."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from svcdoctor.lab.base import Shape
from svcdoctor.lab.cluster import Cluster
from svcdoctor.lab.controllers.backends import NODES, PODS, SERVICES, SLICES
from svcdoctor.lab.faults import BY_NAME, FAULTS, HEALTHY
from svcdoctor.lab.resources import RESOURCES, named

NOW = datetime(2026, 11, 25, 12, 0, 0, tzinfo=UTC)
CHANGING = ("uid", "resourceVersion", "creationTimestamp", "generation")


@pytest.fixture
def cluster():
    made = Cluster(Shape(), NOW, "token")
    made.boot()
    return made


def after(cluster, seconds):
    """Simulated time that passes in a lab that serves."""
    cluster.clock.run_until(cluster.clock.now + timedelta(seconds=seconds))


def everything(cluster):
    return {
        (resource.plural, *stored.key): stored.load()
        for resource in RESOURCES
        for stored in cluster.store.list(resource)
    }


def written(cluster):
    """What somebody wrote, without what changes when it is written anew."""
    found = {}
    for resource in RESOURCES:
        if resource.plural in ("events", "leases", "pods", "endpoints", "endpointslices", "controllerrevisions"):
            continue
        for stored in cluster.store.list(resource):
            if not stored.owner:
                made = stored.load()
                meta = {field: value for field, value in made["metadata"].items() if field not in CHANGING}
                meta.get("annotations", {}).pop("deployment.kubernetes.io/revision", None)  # counts rollouts
                found[resource.plural, *stored.key] = json.dumps(
                    [meta, made.get("spec"), made.get("data")], sort_keys=True
                )
    return found


def addresses(cluster):
    """Those that Service web has ready."""
    return sorted(
        endpoint["addresses"][0]
        for stored in cluster.store.list(SLICES, "default")
        if stored.labels.get("kubernetes.io/service-name") == "web"
        for endpoint in stored.load()["endpoints"] or ()
        if endpoint["conditions"].get("ready")
    )


def test_all_is_well_after_the_first_hour(cluster):
    assert cluster.clock.now == NOW
    assert len(addresses(cluster)) == 3
    for stored in cluster.store.list(PODS):
        pod = stored.load()
        assert pod["status"]["phase"] == "Running"
        assert all(status["ready"] and not status["restartCount"] for status in pod["status"]["containerStatuses"])


def test_the_same_lab_lives_the_same_life(cluster):
    twin = Cluster(Shape(), NOW, "token")
    twin.boot()
    assert everything(twin) == everything(cluster)


def test_nothing_happens_in_a_well_lab_but_heartbeats(cluster):
    before = {key: made for key, made in everything(cluster).items() if key[0] not in ("leases", "nodes", "events")}
    after(cluster, 1800)
    later = {key: made for key, made in everything(cluster).items() if key[0] not in ("leases", "nodes", "events")}
    assert later == before


@pytest.mark.parametrize(
    "fault", [fault for faults in FAULTS.values() for fault in faults], ids=lambda fault: fault.name
)
def test_what_was_broken_is_healed(fault):
    cluster = Cluster(Shape(proxy_mode=fault.modes[0]), NOW, "token")
    cluster.boot()
    well = written(cluster)
    cluster.break_(fault.name)
    after(cluster, fault.waits + 60)
    cluster.heal()
    after(cluster, 120)
    assert written(cluster) == well
    assert len(addresses(cluster)) == 3
    after(cluster, 600)
    assert len(addresses(cluster)) == 3
    assert cluster.fault is HEALTHY


def test_breaking_takes_the_time_that_it_takes(cluster):
    """In a lab that serves, waits are lab time too: nothing jumps."""
    cluster.break_("controller-lag")
    assert cluster.clock.now == NOW
    after(cluster, 301)
    assert len(addresses(cluster)) == 3
    assert len([pod for pod in cluster.store.list(PODS, "default") if pod.labels.get("app") == "web"]) == 4


def test_a_change_by_hand_is_healed_too(cluster):
    cluster.hands.patch(
        SERVICES, "default", "web", {"spec": {"selector": {"app": "nobody"}}, "metadata": {"labels": {"a": "b"}}}
    )
    cluster.hands.delete(named("deployments"), "kube-system", "coredns")
    after(cluster, 30)
    assert addresses(cluster) == []
    cluster.heal()
    after(cluster, 60)
    assert len(addresses(cluster)) == 3
    assert "labels" not in cluster.store.get(SERVICES, "default", "web")["metadata"]
    assert len([pod for pod in cluster.store.list(PODS, "kube-system") if pod.labels.get("k8s-app") == "kube-dns"]) == 2


def test_a_client_that_was_made_anew_stays(cluster):
    def client():
        return cluster.store.get(PODS, "default", "client")

    first = client()["metadata"]["uid"]
    cluster.hands.delete(PODS, "default", "client")
    cluster.heal()  # while it ends
    after(cluster, 30)
    second = client()["metadata"]["uid"]
    assert first != second
    assert client()["status"]["phase"] == "Running"
    cluster.heal()
    after(cluster, 30)
    assert client()["metadata"]["uid"] == second
    cluster.hands.patch(PODS, "default", "client", {"metadata": {"labels": {"app": "other"}}})
    cluster.heal()
    after(cluster, 30)
    assert client()["metadata"]["labels"]["app"] == "client"


def test_an_unknown_fault_breaks_nothing(cluster):
    before = everything(cluster)
    with pytest.raises(LookupError):
        cluster.break_("no-such-fault")
    assert everything(cluster) == before


@pytest.mark.parametrize("nodes", [1, 5])
def test_as_many_nodes_as_are_wanted(nodes):
    cluster = Cluster(Shape(nodes=nodes), NOW, "token")
    cluster.boot()
    assert len(cluster.store.list(NODES)) == nodes
    assert len(addresses(cluster)) == 3


def test_a_large_lab_is_whole():
    """The copies fit together: each Service's slices hold its pods, at their addresses, on nodes that exist."""
    cluster = Cluster(Shape(services=230, pods=1000), NOW, "token")
    cluster.boot()
    pods = {stored.key: stored.load() for stored in cluster.store.list(PODS)}
    copies = [pod for (namespace, _), pod in pods.items() if namespace.startswith("load-")]
    assert len(copies) == 1000
    assert len({pod["status"]["podIP"] for pod in pods.values() if not pod["spec"].get("hostNetwork")}) == len(
        [pod for pod in pods.values() if not pod["spec"].get("hostNetwork")]
    )
    known = {stored.name for stored in cluster.store.list(NODES)}
    seen = 0
    for stored in cluster.store.list(SLICES):
        if stored.namespace.startswith("load-"):
            for endpoint in stored.load()["endpoints"] or ():
                pod = pods[stored.namespace, endpoint["targetRef"]["name"]]
                assert endpoint["addresses"] == [pod["status"]["podIP"]]
                assert endpoint["nodeName"] == pod["spec"]["nodeName"]
                assert endpoint["nodeName"] in known
                seen += 1
    assert seen == 1000
    ips = [stored.load()["spec"]["clusterIP"] for stored in cluster.store.list(SERVICES)]
    assert len(set(ips)) == len(ips)


def test_a_large_lab_lives_on():
    """Its copies are no dummies: a Deployment among them scales, and its Service follows."""
    cluster = Cluster(Shape(services=20, pods=60), NOW, "token")
    cluster.boot()
    revision = cluster.store.revision
    after(cluster, 60)
    assert not [change for change in cluster.store.since(revision) if change.last.namespace.startswith("load-")]
    cluster.hands.patch(named("deployments"), "load-000", "app-00003", {"spec": {"replicas": 5}})
    after(cluster, 60)
    slices = [
        s for s in cluster.store.list(SLICES, "load-000") if s.labels.get("kubernetes.io/service-name") == "app-00003"
    ]
    assert sum(len(each.load()["endpoints"]) for each in slices) == 5
    assert BY_NAME["healthy"] is HEALTHY
