"""Whatever a client sends, the server answers in its own words: never with an internal error."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.lab.api.objects import APPS, MAPS, SHOP, pod
from tests.lab.api.place import patient
from tests.lab.api.served import namespace, serve

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 99_999)
    | st.sampled_from(["", "x", "None", "10.96.0.9", "IPv6", "TCP"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["name", "app", "port"]), inner),
    max_leaves=4,
)
BODIES = [made for _, made in patient()]
PATHS = [path for path, _ in patient()]
WRITES = [
    *(("POST", path, "application/json", body) for path, body in patient()),
    ("PUT", f"{SHOP}/services/web", "application/json", BODIES[4]),
    ("PATCH", f"{SHOP}/services/web", "application/merge-patch+json", BODIES[4]),
    ("PATCH", f"{SHOP}/services/web", "application/strategic-merge-patch+json", BODIES[4]),
    ("PATCH", f"{APPS}/deployments/web", "application/strategic-merge-patch+json", BODIES[0]),
    ("PATCH", f"{APPS}/deployments/web", "application/apply-patch+yaml", BODIES[0]),
    ("PATCH", f"{APPS}/deployments/web/scale", "application/merge-patch+json", {"spec": {"replicas": 3}}),
    ("PUT", f"{SHOP}/pods/web-0/status", "application/json", pod()),
    ("PATCH", f"{SHOP}/pods/web-0/ephemeralcontainers", "application/strategic-merge-patch+json", pod()),
    ("POST", f"{SHOP}/pods/web-0/eviction", "application/json", {"deleteOptions": {"gracePeriodSeconds": 1}}),
    ("POST", f"{SHOP}/pods/web-1/binding", "application/json", {"target": {"name": "node1"}}),
    ("DELETE", f"{MAPS}/x", "application/json", {"propagationPolicy": "Orphan", "preconditions": {"uid": "x"}}),
    (
        "POST",
        "/apis/authorization.k8s.io/v1/subjectaccessreviews",
        "application/json",
        {"spec": {"user": "x", "groups": ["y"], "resourceAttributes": {"verb": "get"}}},
    ),
    ("POST", "/lab/misbehave", "application/json", {"deed": "nonsense", "times": 1}),
]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with serve(tmp_path_factory.mktemp("fuzz")) as running:
        running.put(namespace("shop"))
        for path, made in patient():
            running.ask("POST", path, made)
        yield running


def places(value, at=()):
    """All paths in a JSON value."""
    yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from places(one, (*at, key))


def changed(value, at, new):
    if not at:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[at[0]] = changed(copy[at[0]], at[1:], new)
    return copy


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(st.sampled_from(WRITES), st.data())
def test_bodies(world, write, data):
    method, path, media_type, body = write
    at = data.draw(st.sampled_from(list(places(body))))
    reply = world.ask(method, path, json.dumps(changed(body, at, data.draw(VALUES))).encode(), Content_Type=media_type)
    assert reply.code < 500
    assert reply.json()["kind" if "/lab/" not in path or reply.code >= 400 else "deed"]


TEXT = st.text(st.sampled_from("a=,!()\\%&/?.-0 é"), max_size=12)
QUERY = st.sampled_from(
    ["labelSelector", "fieldSelector", "limit", "continue", "resourceVersion", "pretty", "tailLines", "watch"]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([MAPS, f"{SHOP}/pods", f"{SHOP}/pods/web-0/log"]), QUERY, TEXT)
def test_queries(world, path, name, value):
    from urllib.parse import urlencode

    reply = world.ask("GET", f"{path}?{urlencode({name: value, 'timeoutSeconds': 'x'})}")
    assert reply.code < 500 or reply.json()["reason"] == "Timeout"
