"""What goes with its owner, what stays, and namespaces that are emptied."""

from svcdoctor.lab import base
from svcdoctor.lab.api.deletion import DeleteOptions, Deletion
from svcdoctor.lab.resources import named

from ..kubelet.world import World, deployment


def with_policy(world, policy, plural="deployments", name="web"):
    resource = named(plural)
    found = world.get(plural, name)
    Deletion(world.store).delete(resource, found, DeleteOptions(propagation_policy=policy))


def running():
    world = World()
    world.apply(base.namespace("default"), deployment(base.server(), replicas=2))
    world.run(30)
    return world


def test_dependents_go_with_their_owner():
    world = running()
    world.delete("deployments", "web")
    world.run(60)
    assert world.all("replicasets") == world.pods() == []


def test_orphans_stay_and_are_adopted_again():
    world = running()
    (before,) = world.all("replicasets")
    with_policy(world, "Orphan")
    world.run(60)
    (orphan,) = world.all("replicasets")
    assert world.all("deployments") == []
    assert "ownerReferences" not in orphan["metadata"]
    assert len(world.pods()) == 2
    world.apply(deployment(base.server(), replicas=2))
    world.run(30)
    (adopted,) = world.all("replicasets")
    assert adopted["metadata"]["uid"] == before["metadata"]["uid"]
    assert adopted["metadata"]["ownerReferences"][0]["name"] == "web"


def test_in_the_foreground_the_owner_goes_last():
    world = running()
    with_policy(world, "Foreground")
    world.run(0.1)
    assert world.get("deployments", "web")["metadata"]["finalizers"] == ["foregroundDeletion"]
    world.run(60)
    assert world.all("deployments") == world.all("replicasets") == world.pods() == []


def test_what_has_another_owner_left_loses_only_the_reference():
    world = running()
    owners = [world.get("deployments", "web")]
    world.apply(deployment(base.server(), name="other", replicas=0))
    owners.append(world.get("deployments", "other"))
    references = [
        {"apiVersion": "apps/v1", "kind": "Deployment", "name": one["metadata"]["name"], "uid": one["metadata"]["uid"]}
        for one in owners
    ]
    made = base.plain("v1", "ConfigMap", "shared", "default")
    made["metadata"]["ownerReferences"] = references
    world.apply(made)
    world.delete("deployments", "other")
    world.run(60)
    assert world.get("configmaps", "shared")["metadata"]["ownerReferences"] == references[:1]
    world.delete("deployments", "web")
    world.run(60)
    assert world.all("configmaps") == []


def test_a_dependent_of_what_never_was_is_removed():
    world = running()
    made = base.plain("v1", "ConfigMap", "lost", "default")
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "gone", "uid": "0-0-0"}
    made["metadata"]["ownerReferences"] = [reference]
    world.apply(made)
    world.run(10)
    assert world.all("configmaps") == []


def test_a_namespace_is_emptied_before_it_goes():
    world = World()
    world.apply(base.namespace("shop"))
    made = base.deployment(
        "web", 2, {"app": "web"}, base.pod_spec(base.server(args=["--http=8080", "--stop-after=5s"])), "shop"
    )
    world.apply(made)
    world.run(30)
    namespaces = named("namespaces")
    Deletion(world.store).delete(namespaces, world.get("namespaces", "shop", ""), DeleteOptions())
    world.run(2)
    status = world.get("namespaces", "shop", "")["status"]
    assert status["phase"] == "Terminating"
    remaining = next(one for one in status["conditions"] if one["type"] == "NamespaceContentRemaining")
    assert remaining["message"] == "Some resources are remaining: pods has 2 resource instances"
    world.run(60)
    assert world.store.get(namespaces, "", "shop") is None
    assert world.all("pods", "shop") == world.all("deployments", "shop") == world.all("events", "shop") == []
