"""Patches: the recorded ones, the rules of strategic merge, and its inverse (the diff) as a property."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcdoctor.lab.api.patch import APPLY_PATCH, JSON_PATCH, MERGE_PATCH, PATCHES, STRATEGIC_PATCH, merge, patched
from svcdoctor.lab.api.patch_strategic import merge_strategic
from svcdoctor.lab.api.status import Refusal
from svcdoctor.lab.resources import named
from tests.lab.recorded import exchange

SERVICES, PODS, DEPLOYMENTS = named("services"), named("pods"), named("deployments")


def strategic(resource, live, patch):
    before = copy.deepcopy(live)
    result = patched(resource, live, STRATEGIC_PATCH, json.dumps(patch).encode())
    assert live == before
    return result


def pod(**spec):
    return {"metadata": {"name": "web-0"}, "spec": spec}


# ------------------------------------------------------------------------------------------------------------- recorded


def spec_after(name):
    return exchange(name).json()["spec"]


@pytest.mark.parametrize(
    ("before", "name"),
    [("create-service", "patch-merge"), ("patch-merge", "patch-strategic"), ("patch-strategic", "patch-json")],
)
def test_a_recorded_patch_gives_the_recorded_object(before, name):
    asked = exchange(name)
    result = patched(SERVICES, exchange(before).json(), asked.asked["content-type"], asked.sent)
    wanted = asked.json()["spec"]
    if name == "patch-strategic":  # what only defaulting adds
        wanted["ports"][0] = {"name": "b", "port": 81}
    assert result["spec"] == wanted


def test_an_unknown_media_type_is_refused_as_recorded():
    asked = exchange("patch-unsupported-type")
    with pytest.raises(Refusal) as refused:
        patched(SERVICES, {}, asked.asked["content-type"], asked.sent)
    assert (refused.value.code, refused.value.body) == (asked.code, asked.json())


def test_a_custom_resource_takes_no_strategic_patch():
    with pytest.raises(Refusal) as refused:
        patched(named("gateways"), {}, STRATEGIC_PATCH, b"{}")
    assert refused.value.code == 415
    assert "application/merge-patch+json" in str(refused.value)


# ------------------------------------------------------------------------------------------------------ strategic merge


def containers(*found):
    return pod(containers=list(found))


APP = {"name": "app", "image": "a:1", "env": [{"name": "X", "value": "1"}], "ports": [{"containerPort": 8080}]}
LOG = {"name": "log", "image": "l:1"}


@pytest.mark.parametrize(
    ("live", "patch", "wanted"),
    [
        pytest.param(
            containers(APP, LOG),
            containers({"name": "app", "image": "a:2"}),
            containers({**APP, "image": "a:2"}, LOG),
            id="kubectl set image",
        ),
        pytest.param(
            containers(APP, LOG),
            containers({"name": "app", "env": [{"name": "Y", "value": "2"}]}),
            containers({**APP, "env": [{"name": "Y", "value": "2"}, {"name": "X", "value": "1"}]}, LOG),
            id="a new item comes before what the server has",
        ),
        pytest.param(
            containers(APP, LOG),
            containers({"name": "log", "$patch": "delete"}),
            containers(APP),
            id="$patch delete of an item",
        ),
        pytest.param(
            containers(APP, LOG),
            {"spec": {"containers": [{"$patch": "replace"}, {"name": "new", "image": "n"}]}},
            containers({"name": "new", "image": "n"}),
            id="$patch replace of a list",
        ),
        pytest.param(
            pod(nodeSelector={"a": "b"}, securityContext={"runAsUser": 1}),
            {"spec": {"securityContext": {"$patch": "replace", "runAsGroup": 2}, "nodeSelector": {"$patch": "delete"}}},
            pod(nodeSelector={}, securityContext={"runAsGroup": 2}),
            id="$patch of maps",
        ),
        pytest.param(
            pod(volumes=[{"name": "v", "emptyDir": {}}]),
            {"spec": {"volumes": [{"$retainKeys": ["name", "configMap"], "name": "v", "configMap": {"name": "c"}}]}},
            pod(volumes=[{"name": "v", "configMap": {"name": "c"}}]),
            id="$retainKeys changes a volume's source",
        ),
        pytest.param(
            {"metadata": {"name": "x", "finalizers": ["a", "b", "c"]}},
            {"metadata": {"$deleteFromPrimitiveList/finalizers": ["b"], "finalizers": ["d"]}},
            {"metadata": {"name": "x", "finalizers": ["d", "a", "c"]}},
            id="a list of values is a set",
        ),
        pytest.param(
            containers(APP, LOG),
            {"spec": {"$setElementOrder/containers": [{"name": "log"}, {"name": "app"}]}},
            containers(LOG, APP),
            id="$setElementOrder alone",
        ),
        pytest.param(
            containers(APP, LOG),
            {
                "spec": {
                    "$setElementOrder/containers": [{"name": "app"}, {"name": "new"}, {"name": "log"}],
                    "containers": [{"name": "new", "image": "n"}],
                }
            },
            containers(APP, {"name": "new", "image": "n"}, LOG),
            id="$setElementOrder puts a new item",
        ),
        pytest.param(
            pod(tolerations=[{"key": "a"}]),
            {"spec": {"tolerations": [{"key": "b"}]}},
            pod(tolerations=[{"key": "b"}]),
            id="tolerations are atomic",
        ),
        pytest.param(
            {"metadata": {"name": "x", "labels": {"a": "1", "b": "2"}}},
            {"metadata": {"labels": {"a": None, "c": "3"}}},
            {"metadata": {"name": "x", "labels": {"b": "2", "c": "3"}}},
            id="kubectl label",
        ),
        pytest.param(
            pod(hostAliases=[{"ip": "1.1.1.1", "hostnames": ["a"]}], imagePullSecrets=[{"name": "a"}]),
            {"spec": {"hostAliases": [{"ip": "1.1.1.1", "hostnames": ["b"]}], "imagePullSecrets": [{"name": "b"}]}},
            pod(
                hostAliases=[{"ip": "1.1.1.1", "hostnames": ["b"]}],
                imagePullSecrets=[{"name": "b"}, {"name": "a"}],
            ),
            id="other keys",
        ),
        pytest.param(
            pod(),
            containers({"name": "app", "env": None, "ports": [{"containerPort": 1, "$patch": "delete"}]}),
            containers({"name": "app", "ports": []}),
            id="what is new takes neither nulls nor directives",
        ),
        pytest.param(
            {"status": {"conditions": [{"type": "Ready", "status": "False", "reason": "x"}]}},
            {"status": {"conditions": [{"type": "Ready", "status": "True"}]}},
            {"status": {"conditions": [{"type": "Ready", "status": "True", "reason": "x"}]}},
            id="conditions by type",
        ),
    ],
)
def test_strategic_merge(live, patch, wanted):
    assert strategic(PODS, live, patch) == wanted


def test_a_deployments_template_is_merged_like_a_pod():
    live = {"spec": {"template": {"spec": {"containers": [APP, LOG]}}, "strategy": {"type": "RollingUpdate"}}}
    patch = {
        "spec": {
            "template": {"spec": {"containers": [{"name": "log", "image": "l:2"}]}},
            "strategy": {"$retainKeys": ["type"], "type": "Recreate"},
        }
    }
    wanted = {
        "spec": {"template": {"spec": {"containers": [{**LOG, "image": "l:2"}, APP]}}, "strategy": {"type": "Recreate"}}
    }
    result = strategic(DEPLOYMENTS, live, patch)
    result["spec"]["template"]["spec"]["containers"].sort(key=lambda one: one["name"], reverse=True)
    assert result == wanted


def test_ports_of_a_service_are_keyed_by_port_alone():
    """Two protocols on one port are one to a strategic merge: a known trap (kubernetes issue 105610)."""
    live = {"spec": {"ports": [{"port": 53, "protocol": "UDP", "name": "dns"}]}}
    result = strategic(SERVICES, live, {"spec": {"ports": [{"port": 53, "protocol": "TCP", "name": "dns-tcp"}]}})
    assert result["spec"]["ports"] == [{"port": 53, "protocol": "TCP", "name": "dns-tcp"}]


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        (
            containers({"image": "x"}),
            "map: map[image:x] does not contain declared merge key: name",
        ),
        ({"spec": {"$patch": "eat"}}, "unknown patch type: eat in map: map[]"),
        (containers({"name": "app", "$patch": "merge"}), "merging lists cannot yet be specified in the patch"),
        ({"spec": {"$retainKeys": "x"}}, "invalid patch format of retainKeys"),
        ({"spec": {"$retainKeys": ["a"], "nodeName": "n"}}, "invalid patch format of retainKeys"),
        ({"metadata": {"$deleteFromPrimitiveList/finalizers": 3}}, "invalid patch format of primitive list"),
        ({"spec": {"$setElementOrder/containers": {}}}, "invalid patch format of setElementOrder list"),
        (
            {"spec": {"$setElementOrder/containers": [{"name": "log"}], "containers": [{"name": "app"}]}},
            "The order in patch list:\n[map[name:app]]\n doesn't match $setElementOrder list:\n[map[name:log]]\n",
        ),
    ],
)
def test_a_malformed_strategic_patch_is_refused(patch, message):
    with pytest.raises(Refusal) as refused:
        strategic(PODS, containers(APP, LOG), patch)
    assert (refused.value.code, str(refused.value)) == (400, message)


# The two-way diff of strategicpatch.CreateTwoWayMergePatch, for maps, keyed lists and values.


def diff(old: Any, new: Any, key: str = "name") -> Any:
    patch: dict[str, Any] = {}
    for field in old.keys() | new.keys():
        before, after = old.get(field), new.get(field)
        if before == after:
            continue
        if isinstance(before, dict) and isinstance(after, dict):
            patch[field] = diff(before, after)
        elif isinstance(before, list) and isinstance(after, list):
            patch[field] = keyed_diff(before, after, key)
            patch[f"$setElementOrder/{field}"] = [{key: item[key]} for item in after]
        else:
            patch[field] = after
    return patch


def keyed_diff(old, new, key):
    olds, news = ({item[key]: item for item in items} for items in (old, new))
    changes = [{key: name, **diff(olds.get(name, {}), item)} for name, item in news.items() if olds.get(name) != item]
    return changes + [{"$patch": "delete", key: name} for name in olds if name not in news]


def keyed(key, fields):
    names = st.sampled_from("abcd")
    return st.lists(st.fixed_dictionaries({key: names}, optional=fields), unique_by=lambda item: item[key], max_size=4)


ENV = keyed("name", {"value": st.sampled_from(["1", "2"])})
CONTAINERS = keyed("name", {"image": st.sampled_from(["x", "y"]), "env": ENV, "args": st.just(["z"])})
SPECS = st.fixed_dictionaries(
    {"containers": CONTAINERS, "initContainers": CONTAINERS},
    optional={"nodeName": st.sampled_from(["n", "m"]), "imagePullSecrets": keyed("name", {})},
)


@given(SPECS, SPECS)
def test_the_diff_takes_one_object_to_the_other(old, new):
    assert merge_strategic("core.v1.Pod", {"spec": old}, {"spec": diff(old, new)}) == {"spec": new}


@given(SPECS)
def test_an_object_patched_with_itself_is_itself(spec):
    assert merge_strategic("core.v1.Pod", {"spec": spec}, {"spec": spec}) == {"spec": spec}


# --------------------------------------------------------------------------------------------------- merge, JSON, apply

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "a", "name", "$patch", "delete", "merge"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("spec", "containers", "name", "$patch", "$retainKeys", "metadata", "finalizers", "op", "path"),
                    *(
                        "$setElementOrder/containers",
                        "$deleteFromPrimitiveList/finalizers",
                        "template",
                        "ports",
                        "port",
                    ),
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
OPERATIONS = st.lists(
    st.fixed_dictionaries(
        {"op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test", "eat"])},
        optional={
            "path": st.sampled_from(["/spec", "/spec/a/0", "/spec/a/-", "/x/y", "", "spec", "/spec/a/x", "/~2"]),
            "from": st.sampled_from(["/spec/a", "/x", 3]),
            "value": JSON,
        },
    ),
    max_size=3,
)


@given(st.sampled_from(PATCHES), JSON | OPERATIONS)
def test_any_patch_gives_an_object_or_a_refusal(media_type, patch):
    live = {"metadata": {"name": "x", "finalizers": ["a"]}, "spec": {"a": [1, 2], "containers": [APP, LOG]}}
    before = copy.deepcopy(live)
    try:
        assert isinstance(patched(PODS, live, media_type, json.dumps(patch).encode()), dict)
    except Refusal as refused:
        assert refused.code in (400, 422)
    assert live == before


@given(st.sampled_from(PATCHES), st.binary(max_size=20))
def test_any_bytes_give_an_object_or_a_refusal(media_type, body):
    try:
        patched(PODS, {}, media_type, body)
    except Refusal as refused:
        assert refused.code in (400, 422)


@given(JSON)
def test_merging_what_one_is_changes_nothing(document):
    def no_nulls(value):
        if isinstance(value, dict):
            return {key: no_nulls(one) for key, one in value.items() if one is not None}
        return value

    assert merge(no_nulls(document), no_nulls(document)) == no_nulls(document)


@pytest.mark.parametrize(
    ("target", "patch", "wanted"),
    [  # RFC 7386, appendix A
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_patch(target, patch, wanted):
    assert patched(PODS, target, MERGE_PATCH, json.dumps(patch).encode()) == wanted


def test_a_json_patch_that_fails_its_test_is_422_without_a_word_why():
    with pytest.raises(Refusal) as refused:
        patched(PODS, {"a": 1}, JSON_PATCH, b'[{"op":"test","path":"/a","value":2}]')
    assert refused.value.code == 422
    assert str(refused.value) == "the server rejected our request due to an error in our request"


def test_apply_sets_what_it_says_and_leaves_the_rest():
    live = {
        "metadata": {"name": "web", "labels": {"theirs": "1"}},
        "spec": {"ports": [{"port": 53, "protocol": "UDP", "nodePort": 30053}], "selector": {"app": "old"}},
    }
    applied = b"""
metadata: {name: web, labels: {mine: "2"}}
spec:
  selector: {app: new}
  ports: [{port: 53, protocol: UDP, name: dns}, {port: 53, name: dns-tcp}]
"""
    assert patched(SERVICES, live, APPLY_PATCH, applied) == {
        "metadata": {"name": "web", "labels": {"theirs": "1", "mine": "2"}},
        "spec": {
            "ports": [
                {"port": 53, "protocol": "UDP", "nodePort": 30053, "name": "dns"},
                {"port": 53, "name": "dns-tcp"},
            ],
            "selector": {"app": "new"},
        },
    }
