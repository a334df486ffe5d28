"""Recorded requests get the recorded answers from a server that holds the recorded objects."""

import json

import pytest

from tests.lab.api.served import ADMIN, NOW
from tests.lab.recorded import exchange

HEADERS = ("cache-control", "content-type", "x-content-type-options", "vary")
UNKNOWN = "a token that nobody knows"

READS = {
    "anonymous": None,
    "unauthorized": UNKNOWN,
    **dict.fromkeys(
        (
            "exec-without-upgrade",
            "forbidden-get-node",
            "forbidden-list",
            "forbidden-watch",
            "get-service",
            "list-bad-field-selector",
            "list-bad-label-selector",
            "list-continue-garbage",
            "list-events-by-field",
            "list-pods-page1",
            "list-pods-page2",
            "list-pods-partial-metadata",
            "list-slices-by-label",
            "not-found-namespace-list",
            "not-found-object",
            "not-found-path",
            "patch-unsupported-type",
            "pod-log-no-such-container",
            "ssar",
            "ssrr",
            "version",
        ),
        ADMIN,
    ),
}


@pytest.mark.parametrize("name", READS)
def test_reads(recorded, name):
    wanted, got = exchange(name), replay(recorded, name, READS[name])
    assert got.code == wanted.code
    assert comparable(got.body, got.headers) == comparable(wanted.body, wanted.headers)
    assert ("x-kubernetes-pf-flowschema-uid" in got.headers) == ("x-kubernetes-pf-flowschema-uid" in wanted.headers)
    shown = {key: value for key, value in got.headers.items() if key in HEADERS}
    assert shown == {key: value for key, value in wanted.headers.items() if key in HEADERS}


def replay(served, name, token):
    request = exchange(name)
    asked = {key: value for key, value in request.asked.items() if key != "authorization"}
    return served.ask(request.method, request.path, request.sent or None, token, **asked)


def comparable(body, headers):
    """JSON as it means, without who wrote which field when; text as it is."""
    if headers["content-type"] != "application/json":
        return body.decode().strip()
    return without_managed_fields(json.loads(body))


def without_managed_fields(value):
    if isinstance(value, dict):
        return {key: without_managed_fields(one) for key, one in value.items() if key != "managedFields"}
    return [without_managed_fields(one) for one in value] if isinstance(value, list) else value


VOLATILE = ("uid", "resourceVersion", "creationTimestamp")
SERIES = (
    "create-invalid-service",
    "create-service",
    "create-already-exists",
    "update-conflict",
    "patch-merge",
    "patch-strategic",
    "patch-json",
    "patch-unsupported-type",
    "nodeport-out-of-range",
    "delete-service",
)


def test_the_life_of_a_service(served):
    """Every request that was made of one Service, in the order in which they were made."""
    address = ""
    for name in SERIES:
        wanted, got = exchange(name), replay(served, name, ADMIN)
        assert (name, got.code) == (name, wanted.code)
        if name == "create-service":
            address = got.json()["spec"]["clusterIP"]
        theirs = wanted.body.decode().replace("10.111.27.197", address)
        assert (name, lasting(got.json())) == (name, lasting(json.loads(theirs)))
    assert served.ask("GET", "/api/v1/namespaces/shop/services/tmp").code == 404


def lasting(value):
    shown = without_managed_fields(value)
    meta = {key: one for key, one in shown["metadata"].items() if key not in VOLATILE}
    return shown | {"metadata": meta}


def test_what_is_forgotten_is_gone(recorded):
    recorded.call(recorded.store.compact)
    for name in ("gone-list-exact", "watch-gone"):
        wanted, got = exchange(name), replay(recorded, name, ADMIN)
        assert (got.code, got.json()) == (
            wanted.code,
            json.loads(wanted.body.decode().replace("(564)", f"({recorded.store.compacted})")),
        )


def test_a_scale(served):
    wanted = exchange("scale-get").json()
    web = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"replicas": 3, "selector": {"matchLabels": {"app": "web"}}},
        "status": {"replicas": 3},
    }
    served.put(web)
    got = replay(served, "scale-get", ADMIN)
    assert (got.code, lasting(got.json())) == (200, lasting(wanted))


def test_a_log(recorded):
    wanted = exchange("pod-log")
    lines = wanted.body.decode().splitlines()
    recorded.kubelets.logs["kube-proxy-46hh9"] = [(NOW, line) for line in ("older", *lines)]
    got = replay(recorded, "pod-log", ADMIN)
    assert (got.code, got.body.decode().splitlines()) == (200, lines)
    assert got.headers["content-type"] == wanted.headers["content-type"]


@pytest.mark.parametrize("name", ["list-endpointslices-table", "list-pods-table", "list-services-table"])
def test_a_table(recorded, name):
    got, wanted = replay(recorded, name, ADMIN), exchange(name)
    assert (got.code, comparable(got.body, got.headers)) == (200, comparable(wanted.body, wanted.headers))


@pytest.mark.parametrize(
    "name",
    [
        "discovery-api-aggregated",
        "discovery-api-legacy",
        "discovery-apis-aggregated",
        "discovery-apis-legacy",
        "discovery-core-v1",
        "discovery-discovery-v1",
    ],
)
def test_discovery_is_answered_in_the_form_that_is_asked_for(recorded, name):
    got, wanted = replay(recorded, name, ADMIN), exchange(name)
    kinds = [(one.json()["kind"], one.json().get("apiVersion")) for one in (got, wanted)]
    assert kinds[0] == kinds[1]
    shown = ("content-type", "cache-control", "vary")
    assert [got.headers.get(one) for one in shown] == [wanted.headers.get(one) for one in shown]
