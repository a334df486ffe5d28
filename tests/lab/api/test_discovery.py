"""Discovery against the recorded documents, less what the lab does not serve."""

import json

import pytest

from svcdoctor.lab.api import discovery
from svcdoctor.lab.resources import RESOURCES, find_resource, named, of_kind
from tests.lab.recorded import exchange

ADDRESS = "172.30.0.1:16443"
CUSTOM = ("cilium.io", "gateway.networking.k8s.io", "policy.networking.k8s.io")


def ordered(value):
    """JSON with its keys in order, so that these are compared too."""
    return json.dumps(value)


def served(group, version, plural):
    return find_resource(group, version, plural.partition("/")[0]) is not None


def built_in(groups):
    return [group for group in groups if group.get("name", group.get("metadata", {}).get("name")) not in CUSTOM]


@pytest.mark.parametrize(
    ("name", "path", "group", "version"),
    [
        ("discovery-core-v1", "/api/v1", "", "v1"),
        ("discovery-discovery-v1", "/apis/discovery.k8s.io/v1", "discovery.k8s.io", "v1"),
    ],
)
def test_the_resources_of_a_version(name, path, group, version):
    wanted = exchange(name).json()
    wanted["resources"] = [one for one in wanted["resources"] if served(group, version, one["name"])]
    assert ordered(discovery.legacy(path, ADDRESS)) == ordered(wanted)


def test_the_groups():
    wanted = exchange("discovery-apis-legacy").json()
    ours = discovery.legacy("/apis", ADDRESS)
    assert ours
    versions = {(one.group, one.version) for one in RESOURCES}
    wanted["groups"] = [
        group
        for group in wanted["groups"]
        if any((group["name"], one["version"]) in versions for one in group["versions"])
    ]
    for group in wanted["groups"]:
        group["versions"] = [one for one in group["versions"] if (group["name"], one["version"]) in versions]
    ours["groups"] = built_in(ours["groups"])
    assert ordered(ours) == ordered(wanted)


def test_the_core_versions():
    assert ordered(discovery.legacy("/api", ADDRESS)) == ordered(exchange("discovery-api-legacy").json())


@pytest.mark.parametrize(
    ("name", "path"), [("discovery-api-aggregated", "/api"), ("discovery-apis-aggregated", "/apis")]
)
def test_the_aggregated_form(name, path):
    recorded = exchange(name)
    wanted, ours = recorded.json(), discovery.aggregated(path)
    assert ours
    for item in wanted["items"]:
        group = item["metadata"].get("name", "")
        for one in item["versions"]:
            one["resources"] = [each for each in one["resources"] if served(group, one["version"], each["resource"])]
        item["versions"] = [one for one in item["versions"] if one["resources"]]
    wanted["items"] = [item for item in wanted["items"] if item["versions"]]
    assert ordered({**ours.body, "items": built_in(ours.body["items"])}) == ordered(wanted)
    assert len(ours.etag) == len(recorded.headers["etag"])
    assert recorded.headers["content-type"] == discovery.AGGREGATED


def test_every_group_and_version_has_its_documents():
    for resource in RESOURCES:
        listed = discovery.legacy(resource.prefix, ADDRESS)
        assert listed
        assert resource.plural in [one["name"] for one in listed["resources"]]
        assert of_kind(resource.api_version, resource.kind) is resource
    assert named("events").group == ""
    group = discovery.legacy("/apis/policy.networking.k8s.io", ADDRESS)
    assert group
    assert group["preferredVersion"]["version"] == "v1alpha2"


def test_what_is_not_there_has_no_document():
    assert discovery.legacy("/apis/nope.example.com/v1", ADDRESS) is None
    assert discovery.legacy("/apis/nope.example.com", ADDRESS) is None
    assert discovery.legacy("/api/v2", ADDRESS) is None
    assert discovery.aggregated("/api/v1") is None
    index = discovery.legacy("/", ADDRESS)
    assert index
    assert "/apis/apps/v1" in index["paths"]
