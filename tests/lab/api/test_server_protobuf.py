"""Kubernetes' binary form, as Go clients send it. What kubectl itself encodes is in test_kubectl."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcdoctor.lab.api.protobuf import MAGIC, MEDIA_TYPE, NotProtobuf, decode_protobuf

REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


def varint(number):
    """A 64-bit integer in the base-128 form of the wire."""
    number %= 1 << 64
    groups = []
    while number > 0x7F:
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*groups, number])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def envelope(api_version, kind, raw):
    return MAGIC + field(1, field(1, api_version) + field(2, kind)) + field(2, raw)


def meta(name):
    return field(1, field(1, name))


def test_a_service():
    port = field(1, "http") + field(2, "TCP") + field(3, 80) + field(5, 0)
    by_name = field(4, field(1, 1) + field(2, 0) + field(3, "http"))
    selector = field(2, field(1, "app") + field(2, "web"))
    assert decode_protobuf(envelope("v1", "Service", meta("web") + field(2, field(1, port + by_name) + selector))) == {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {
            "ports": [{"name": "http", "protocol": "TCP", "port": 80, "targetPort": "http"}],
            "selector": {"app": "web"},
        },
    }


def test_zero_where_it_says_something():
    """No replicas is not the same as none said, and a grace of 0 kills at once."""
    scaled = envelope("apps/v1", "Deployment", field(2, field(1, 0) + field(5, 0)))
    assert decode_protobuf(scaled)["spec"] == {"replicas": 0}
    assert decode_protobuf(envelope("v1", "DeleteOptions", field(1, 0)))["gracePeriodSeconds"] == 0


def test_fields_that_json_has_one_level_higher():
    """A volume's source, a probe's handler."""
    volume = field(1, "data") + field(2, field(2, b""))
    probe = field(1, field(2, field(1, "/healthz") + field(2, field(2, 8080)))) + field(2, 5) + field(3, 0)
    container = field(1, "app") + field(11, probe)
    pod = decode_protobuf(envelope("v1", "Pod", field(2, field(1, volume) + field(2, container))))
    assert pod["spec"] == {
        "volumes": [{"name": "data", "emptyDir": {}}],
        "containers": [
            {
                "name": "app",
                "readinessProbe": {"httpGet": {"path": "/healthz", "port": 8080}, "initialDelaySeconds": 5},
            }
        ],
    }


def test_scalars_of_their_own():
    resources = field(2, field(1, "cpu") + field(2, field(1, "250m")))
    pod = field(1, field(8, field(1, 1_795_400_362))) + field(2, field(2, field(8, resources)))
    decoded = decode_protobuf(envelope("v1", "Pod", pod))
    assert decoded["metadata"] == {"creationTimestamp": "2026-11-23T02:19:22Z"}
    assert decoded["spec"]["containers"] == [{"resources": {"requests": {"cpu": "250m"}}}]
    secret = decode_protobuf(envelope("v1", "Secret", field(2, field(1, "key") + field(2, b"\xff"))))
    assert secret["data"] == {"key": "/w=="}


def test_is_taken_by_the_server(served):
    wanted = field(1, "shop") + field(2, "list") + field(5, "pods")
    body = envelope("authorization.k8s.io/v1", "SelfSubjectAccessReview", field(2, field(1, wanted)))
    reply = served.ask("POST", REVIEW, body, Content_Type=MEDIA_TYPE, Accept=f"{MEDIA_TYPE},application/json")
    assert (reply.code, reply.json()["status"]) == (201, {"allowed": True})
    refused = served.ask("POST", REVIEW, b"k8s\0\xff", Content_Type=MEDIA_TYPE)
    assert (refused.code, refused.json()["reason"]) == (400, "BadRequest")


@pytest.mark.parametrize("body", [b"", b"{}", MAGIC, MAGIC + b"\xff", envelope("v1", "Nonsense", b"")])
def test_what_is_none(body):
    with pytest.raises(NotProtobuf):
        decode_protobuf(body)


@given(st.sampled_from([("v1", "Pod"), ("v1", "Service"), ("apps/v1", "Deployment"), ("v1", "Event")]), st.binary())
def test_any_bytes_are_an_object_or_refused(kind, raw):
    try:
        decoded = decode_protobuf(envelope(kind[0], kind[1], raw))
    except NotProtobuf:
        return
    assert (decoded["apiVersion"], decoded["kind"]) == kind
