"""Defaults: what a real server stored of what kubectl applied, and the rules beyond."""

import copy
import json
from pathlib import Path

import pytest

from svcdoctor.lab.api.defaults import created, defaulted, status_updated, updated
from svcdoctor.lab.api.openapi_decode import decode
from svcdoctor.lab.api.status import Refusal
from svcdoctor.lab.resources import named
from tests.lab.api.making import create, deployment, pod, resource_of, service, update
from tests.lab.recorded import exchange

HERE = Path(__file__).parent
APPLIED = json.loads((HERE / "applied.json").read_text())
POLICIES = json.loads((HERE / "networkpolicy_api.json").read_text())["defaulting"]["cases"]

BY_CONTROLLERS = {"deployment.kubernetes.io/revision", "topology.kubernetes.io/zone"}


def without_choices(item):
    """But for what allocators, the scheduler and controllers chose: that it is there counts, not which it is."""
    kept = copy.deepcopy({key: value for key, value in item.items() if key not in ("apiVersion", "kind", "status")})
    spec = kept.get("spec") or {}
    spec.pop("nodeName", None)
    for field in ("clusterIP", "healthCheckNodePort"):
        if spec.get(field) not in (None, "None"):
            spec[field] = "*"
    if spec.get("clusterIPs") not in (None, ["None"]):
        spec["clusterIPs"] = ["*" for _ in spec["clusterIPs"]]
    for port in spec.get("ports") or ():
        if "nodePort" in port:
            port["nodePort"] = "*"
    for field in ("labels", "annotations"):
        left = {key: one for key, one in (kept["metadata"].pop(field, None) or {}).items() if key not in BY_CONTROLLERS}
        if left:
            kept["metadata"][field] = left
    return kept


@pytest.mark.parametrize(
    "case", APPLIED, ids=lambda case: f"{case['given']['kind']}-{case['given']['metadata']['name']}"
)
def test_an_applied_object_is_stored_as_the_real_server_stored_it(case):
    before = copy.deepcopy(case["given"])
    made = create(case["given"], case["given"]["metadata"].get("namespace", ""))
    assert without_choices(made) == without_choices(case["stored"])
    assert case["given"] == before


@pytest.mark.parametrize(
    "case", APPLIED, ids=lambda case: f"{case['given']['kind']}-{case['given']['metadata']['name']}"
)
def test_defaulting_twice_changes_nothing(case):
    resource = resource_of(case["given"])
    once = defaulted(resource, decode(resource, case["given"]).value)
    assert defaulted(resource, once) == once


def test_the_recorded_creation():
    asked = exchange("create-service")
    made, wanted = create(asked.sent_json()), asked.json()
    assert without_choices(made)["spec"] == without_choices(wanted)["spec"]
    assert made["status"] == wanted["status"]


@pytest.mark.parametrize("case", POLICIES)
def test_policy_types(case):
    policy = {"metadata": {"name": "p"}, "spec": case["original"]}
    assert defaulted(named("networkpolicies"), policy)["spec"] == case["expected"]


def test_status_of_a_new_object_is_the_servers():
    made = create({**pod(), "status": {"phase": "Running"}})
    assert made["status"] == {"phase": "Pending", "qosClass": "BestEffort"}
    assert created(named("daemonsets"), {"metadata": {"name": "d"}, "spec": {}})["status"] == {
        "currentNumberScheduled": 0,
        "numberMisscheduled": 0,
        "desiredNumberScheduled": 0,
        "numberReady": 0,
    }


def test_a_new_object_has_no_history():
    with pytest.raises(Refusal) as refused:
        create({**pod(), "metadata": {"name": "web-0", "resourceVersion": "5"}})
    assert (refused.value.code, str(refused.value)) == (
        400,
        "resourceVersion should not be set on objects to be created",
    )
    made = create({**pod(), "metadata": {"name": "web-0", "uid": "u", "creationTimestamp": "2020-01-01T00:00:00Z"}})
    assert made["metadata"] == {"name": "web-0", "namespace": "shop"}


def test_the_kinds_that_have_no_spec_get_none():
    made = create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "b"}})
    assert made["data"] == {"a": "b"}
    assert "spec" not in made


@pytest.mark.parametrize(
    ("resources", "quality"),
    [
        ({}, "BestEffort"),
        ({"requests": {"cpu": "1"}}, "Burstable"),
        ({"limits": {"cpu": "1", "memory": "1Gi"}}, "Guaranteed"),
        ({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}}, "Burstable"),
    ],
)
def test_quality_of_service(resources, quality):
    made = create(pod(containers=[{"name": "app", "image": "a:1", "resources": resources}]))
    assert made["status"]["qosClass"] == quality


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("nginx", "Always"),
        ("nginx:latest", "Always"),
        ("nginx:1.27", "IfNotPresent"),
        ("registry:5000/nginx", "Always"),
        ("registry:5000/nginx:1", "IfNotPresent"),
        ("nginx@sha256:abc", "IfNotPresent"),
    ],
)
def test_pull_policy(image, policy):
    made = create(pod(containers=[{"name": "app", "image": image}]))
    assert made["spec"]["containers"][0]["imagePullPolicy"] == policy


def test_host_network_takes_the_ports_of_the_host():
    container = {"name": "app", "image": "a:1", "ports": [{"containerPort": 80}]}
    made = create(pod(hostNetwork=True, containers=[container]))
    assert made["spec"]["containers"][0]["ports"] == [{"containerPort": 80, "hostPort": 80, "protocol": "TCP"}]


def test_an_update_leaves_status_and_history():
    old = {
        **create(deployment()),
        "status": {"replicas": 3},
        "metadata": {"name": "web", "namespace": "shop", "uid": "u", "generation": 4, "creationTimestamp": "t"},
    }
    made = update(old, {**deployment(replicas=5), "status": {"replicas": 9}})
    assert made["metadata"] == old["metadata"]
    assert (made["spec"]["replicas"], made["status"]) == (5, {"replicas": 3})


def test_a_status_update_changes_nothing_else():
    old = create(deployment(replicas=2))
    given = {**deployment(replicas=7), "status": {"replicas": 2}}
    made = status_updated(named("deployments"), old, given)
    assert (made["spec"]["replicas"], made["status"]) == (2, {"replicas": 2})


def test_a_daemon_sets_template_is_counted():
    template = {"metadata": {"labels": {"a": "b"}}, "spec": pod()["spec"]}
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": template}
    given = {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "d"}, "spec": spec}
    old = create(given)
    counted = "deprecated.daemonset.template.generation"
    assert old["metadata"]["annotations"] == {counted: "1"}
    same = updated(named("daemonsets"), old, given)
    assert same["metadata"]["annotations"] == {counted: "1"}
    spec["template"] = {**template, "spec": pod(nodeName="n")["spec"]}
    assert updated(named("daemonsets"), old, given)["metadata"]["annotations"] == {counted: "2"}


def test_a_namespace_bears_its_name_as_a_label():
    made = create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}, "")
    assert made["metadata"]["labels"] == {"kubernetes.io/metadata.name": "shop"}
    assert (made["spec"], made["status"]) == ({"finalizers": ["kubernetes"]}, {"phase": "Active"})


def test_an_empty_slice_says_null():
    given = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4"}
    made = create({**given, "metadata": {"name": "s"}, "endpoints": [], "ports": []})
    assert (made["endpoints"], made["ports"]) == (None, None)


def test_a_secret_is_written_as_text_and_read_as_bytes():
    given = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"a": "b"}}
    made = create(given)
    assert (made["type"], made["data"], "stringData" in made) == ("Opaque", {"a": "Yg=="}, False)


@pytest.mark.parametrize(
    ("spec", "gone"),
    [
        ({"type": "ClusterIP"}, ["externalTrafficPolicy"]),
        (
            {"type": "ExternalName", "externalName": "x.example"},
            [
                "clusterIP",
                "clusterIPs",
                "ipFamilies",
                "ipFamilyPolicy",
                "internalTrafficPolicy",
                "externalTrafficPolicy",
            ],
        ),
    ],
)
def test_a_service_of_another_type_loses_what_that_cannot_have(spec, gone):
    old = create(service(type="NodePort"))
    given = copy.deepcopy(old)
    given["spec"].update(spec)
    made = update(old, given)
    assert [field for field in gone if field in made["spec"]] == []
    assert "nodePort" not in made["spec"]["ports"][0]


def test_what_a_service_was_given_it_keeps_when_a_client_does_not_say_it():
    old = create(service(type="NodePort"))
    made = update(old, service(type="NodePort", selector={"app": "new"}))
    assert made["spec"] == {**old["spec"], "selector": {"app": "new"}}
