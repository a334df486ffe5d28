"""Discovery by environment variables: which a container has, and which get in an application's way."""

import json
from typing import Any

import pytest

from svcdoctor.model.decode import decode
from svcdoctor.model.pod import Pod
from svcdoctor.model.service import Service
from svcdoctor.steps.dns.environment import (
    Collision,
    Injection,
    Variable,
    collisions,
    injected,
    injection,
    upper,
    variables,
)


def at(minute: int) -> str:
    return f"2026-11-23T02:{minute:02}:00Z"


def service(name: str, *ports: Any, made: int = 0, namespace: str = "shop", **spec: Any) -> Service:
    body = {
        "metadata": {"name": name, "namespace": namespace, "creationTimestamp": at(made)},
        "spec": {
            "clusterIP": "10.96.0.7",
            "ports": [{"port": port, "protocol": protocol, "name": title} for port, protocol, title in ports],
            **spec,
        },
    }
    return decode(json.dumps(body).encode(), Service, "service")


def pod(*env: str, state: Any = None, **spec: Any) -> Pod:
    running = {"running": {"startedAt": at(5)}} if state is None else state
    body = {
        "metadata": {"name": "client", "namespace": "shop"},
        "spec": {"containers": [{"name": "app", "env": [{"name": name, "value": "secret"} for name in env]}], **spec},
        "status": {"containerStatuses": [{"name": "app", **({"state": running} if "running" in running else running)}]},
    }
    return decode(json.dumps(body).encode(), Pod, "pod")


REDIS = service("redis-cache", (6379, "TCP", "client"), (16379, "UDP", "bus"))

MASTER = service("kubernetes", (443, "TCP", "https"), namespace="default")


def test_variables():
    assert {variable.name: variable.value for variable in variables(REDIS)} == {
        "REDIS_CACHE_SERVICE_HOST": "10.96.0.7",
        "REDIS_CACHE_SERVICE_PORT": "6379",
        "REDIS_CACHE_SERVICE_PORT_CLIENT": "6379",
        "REDIS_CACHE_SERVICE_PORT_BUS": "16379",
        "REDIS_CACHE_PORT": "tcp://10.96.0.7:6379",
        "REDIS_CACHE_PORT_6379_TCP": "tcp://10.96.0.7:6379",
        "REDIS_CACHE_PORT_6379_TCP_PROTO": "tcp",
        "REDIS_CACHE_PORT_6379_TCP_PORT": "6379",
        "REDIS_CACHE_PORT_6379_TCP_ADDR": "10.96.0.7",
        "REDIS_CACHE_PORT_16379_UDP": "udp://10.96.0.7:16379",
        "REDIS_CACHE_PORT_16379_UDP_PROTO": "udp",
        "REDIS_CACHE_PORT_16379_UDP_PORT": "16379",
        "REDIS_CACHE_PORT_16379_UDP_ADDR": "10.96.0.7",
    }
    six = service("web", (80, "TCP", ""), clusterIP="fd00::7")
    assert [v.value for v in variables(six)][:3] == ["fd00::7", "80", "tcp://[fd00::7]:80"]
    assert variables(service("db", (1, "TCP", ""), clusterIP="None")) == ()


@pytest.mark.parametrize(("name", "expected"), [("my-db", "MY_DB"), ("1st", "_1ST"), ("a.b", "A_B"), ("x", "X")])
def test_names(name: str, expected: str):
    assert upper(name) == expected


RESTARTED = {"state": {"running": {"startedAt": at(30)}}}
CRASHED = {"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": {"startedAt": at(30)}}}


@pytest.mark.parametrize(
    ("of", "client", "expected"),
    [
        (REDIS, pod(), Injection.PRESENT),
        (service("redis", (1, "TCP", ""), made=9), pod(), Injection.YOUNGER),
        (service("redis", (1, "TCP", ""), made=9), pod(state=RESTARTED), Injection.PRESENT),
        (service("redis", (1, "TCP", ""), made=9), pod(state=CRASHED), Injection.PRESENT),
        (service("redis", (1, "TCP", ""), made=40), pod(state=CRASHED), Injection.YOUNGER),
        (service("redis", (1, "TCP", ""), namespace="other"), pod(), Injection.OTHER_NAMESPACE),
        (REDIS, pod(enableServiceLinks=False), Injection.DISABLED),
        (
            service("kubernetes", (443, "TCP", ""), namespace="default"),
            pod(enableServiceLinks=False),
            Injection.PRESENT,
        ),
        (service("redis", (1, "TCP", ""), clusterIP="None"), pod(), Injection.NO_ADDRESS),
        (service("redis", type="ExternalName", clusterIP="", externalName="x"), pod(), Injection.NO_ADDRESS),
        (REDIS, pod(state={"waiting": {}}), Injection.UNKNOWN),
    ],
)
def test_injection(of: Service, client: Pod, expected: Injection):
    assert injection(of, client, client.spec.containers[0]) is expected


def test_what_a_container_sets_itself_wins():
    client = pod("REDIS_CACHE_PORT", "OTHER")
    found = injected(client, client.spec.containers[0], [REDIS, service("later", (1, "TCP", ""), made=9)])
    assert "REDIS_CACHE_PORT" not in found
    assert found["REDIS_CACHE_SERVICE_HOST"] == Variable("REDIS_CACHE_SERVICE_HOST", "10.96.0.7", "redis-cache")
    assert not [name for name in found if name.startswith("LATER")]


def test_collisions():
    redis = service("redis", (6379, "TCP", ""))
    url = Variable("REDIS_PORT", "tcp://10.96.0.7:6379", "redis")
    assert collisions(pod("REDIS_HOST", "LOG"), [redis]) == (Collision(url, "app", False, ("REDIS_HOST",)),)
    assert collisions(pod("REDIS_PORT"), [redis]) == (Collision(url, "app", True),)
    assert collisions(pod("LOG"), [redis]) == ()
    assert collisions(pod("REDIS_HOST", enableServiceLinks=False), [redis]) == ()


def test_values_are_never_read():
    assert "secret" not in repr(pod("PASSWORD"))
