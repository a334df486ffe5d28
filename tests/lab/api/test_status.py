"""Refusals against what the real server wrote."""

import json

import pytest

from svcdoctor.lab.api import status
from svcdoctor.lab.api.status import Refusal
from svcdoctor.lab.api.validate_errors import duplicate, invalid, not_supported, required, too_long, too_many
from svcdoctor.lab.resources import find_resource, named
from tests.lab.recorded import exchange

PODS, SERVICES, NODES = named("pods"), named("services"), named("nodes")
DEPLOYMENTS = named("deployments")

RECORDED = {
    "unauthorized": status.unauthorized(),
    "anonymous": status.forbidden("system:anonymous", "list", PODS),
    "forbidden-list": status.forbidden("jane", "list", PODS, "shop"),
    "forbidden-watch": status.forbidden("jane", "watch", PODS, "shop"),
    "forbidden-get-node": status.forbidden("jane", "get", NODES, name="node1"),
    "not-found-object": status.not_found(SERVICES, "nope"),
    "create-already-exists": status.already_exists(SERVICES, "tmp"),
    "update-conflict": status.conflict(SERVICES, "tmp"),
    "gone-list-exact": status.expired(),
    "patch-unsupported-type": status.unsupported_media_type(),
    "exec-without-upgrade": status.bad_request("Upgrade request required"),
    "pod-log-no-such-container": status.bad_request("container x is not valid for pod kube-proxy-46hh9"),
}


@pytest.mark.parametrize("name", RECORDED)
def test_is_what_the_real_server_said(name):
    recorded, ours = exchange(name), RECORDED[name]
    assert list(recorded.json().items()) == list(json.loads(json.dumps(ours.body)).items())
    assert ours.code == recorded.code
    assert {key.lower(): value for key, value in ours.headers.items()}.items() <= recorded.headers.items()


def test_an_unknown_path_is_plain_text():
    recorded, ours = exchange("not-found-path"), status.no_such_path()
    assert isinstance(ours.body, str)
    assert ours.body.strip() == recorded.body.decode().strip()
    assert ours.headers["Content-Type"] == recorded.headers["content-type"]


def test_too_old_is_an_error_event():
    event = exchange("watch-gone").json()
    assert event == {"type": "ERROR", "object": status.too_old(2, 564).body}


@pytest.mark.parametrize(
    ("refusal", "message", "details"),
    [
        (
            status.forbidden("jane", "get", PODS, "shop", "web-0", "log"),
            'pods "web-0" is forbidden: User "jane" cannot get resource "pods/log" in API group "" '
            'in the namespace "shop"',
            {"name": "web-0", "kind": "pods"},
        ),
        (
            status.not_found(DEPLOYMENTS, "web"),
            'deployments.apps "web" not found',
            {"name": "web", "group": "apps", "kind": "deployments"},
        ),
        (
            status.invalid(DEPLOYMENTS, "web", [required("spec.selector"), duplicate("spec.x", "a")]),
            'Deployment.apps "web" is invalid: [spec.selector: Required value, spec.x: Duplicate value: "a"]',
            {
                "name": "web",
                "group": "apps",
                "kind": "Deployment",
                "causes": [
                    {"reason": "FieldValueRequired", "message": "Required value", "field": "spec.selector"},
                    {"reason": "FieldValueDuplicate", "message": 'Duplicate value: "a"', "field": "spec.x"},
                ],
            },
        ),
        (status.forbidden_path("jane", "get", "/metrics"), 'forbidden: User "jane" cannot get path "/metrics"', {}),
        (
            status.internal("no leader"),
            "Internal error occurred: no leader",
            {"causes": [{"message": "no leader"}]},
        ),
        (
            status.too_many_requests(10, "Cannot evict pod as it would violate the pod's disruption budget."),
            "Cannot evict pod as it would violate the pod's disruption budget.",
            {"retryAfterSeconds": 10},
        ),
    ],
)
def test_words(refusal: Refusal, message, details):
    assert isinstance(refusal.body, dict)
    assert (refusal.body["message"], refusal.body["details"]) == (message, details)
    assert refusal.body["code"] == refusal.code


def test_throttling_says_when_to_come_back():
    refusal = status.too_many_requests(3)
    assert (refusal.code, refusal.headers["Retry-After"]) == (429, "3")


def test_a_field_error_prints_its_value_as_go_does():
    assert str(invalid("f", 99999, "too big")) == "f: Invalid value: 99999: too big"
    assert str(invalid("f", {"a": "<b>"}, "no")) == 'f: Invalid value: {"a":"\\u003cb\\u003e"}: no'
    assert str(not_supported("f", "ICMP", ["SCTP", "TCP"])) == (
        'f: Unsupported value: "ICMP": supported values: "SCTP", "TCP"'
    )
    assert str(too_long("f", 63)) == "f: Too long: may not be more than 63 bytes"
    assert str(too_many("f", 3, 2)) == "f: Too many: 3: must have at most 2 items"


def test_deleted_names_what_went():
    assert status.deleted(PODS, "web-0", "u1") == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {"name": "web-0", "kind": "pods", "uid": "u1"},
    }


def test_resources_are_found_by_path_and_by_kind():
    assert find_resource("apps", "v1", "deployments") is DEPLOYMENTS
    assert find_resource("apps", "v2", "deployments") is None
    assert DEPLOYMENTS.path("shop", "web") == "/apis/apps/v1/namespaces/shop/deployments/web"
    assert NODES.path("shop", "n1") == "/api/v1/nodes/n1"
    assert PODS.path() == "/api/v1/pods"
