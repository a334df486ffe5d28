"""What a body may be: decoded as Go decodes it; and what the OpenAPI documents say of it."""

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcdoctor.lab.api import openapi
from svcdoctor.lab.api.openapi_decode import decode, warnings
from svcdoctor.lab.api.openapi_types import fields_of, type_names, type_of
from svcdoctor.lab.api.protobuf import decode_protobuf
from svcdoctor.lab.api.status import Refusal
from svcdoctor.lab.resources import CUSTOM, RESOURCES, named
from tests.lab.api.making import resource_of
from tests.lab.recorded import exchange

HERE = Path(__file__).parent
BODIES = json.loads((HERE / "protobuf_bodies.json").read_text())
APPLIED = json.loads((HERE / "applied.json").read_text())
SERVICE = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["metadata", "spec", "ports", "name", "labels", "port"]), inner, max_size=4)
    ),
    max_leaves=10,
)


@pytest.mark.parametrize("name", ["get-service", "create-service", "delete-service"])
def test_what_the_server_sent_is_what_it_takes(name):
    recorded = exchange(name).json()
    assert decode(named("services"), recorded, strict=True).value == recorded


@pytest.mark.parametrize("name", ["list-pods-page1", "list-slices-by-label", "list-events-by-field", "servicecidrs"])
def test_so_are_lists(name):
    recorded = exchange(name).json()
    head = {"apiVersion": recorded["apiVersion"], "kind": recorded["kind"].removesuffix("List")}
    for item in recorded["items"]:
        assert decode(resource_of(head), {**head, **item}, strict=True).value == {**head, **item}


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("2026-11-25T03:00:00+00:00", "2026-11-25T03:00:00Z"),
        ("2026-11-25T03:00:00.123456+01:30", "2026-11-25T01:30:00Z"),
        ("2026-11-25T03:00:00Z", "2026-11-25T03:00:00Z"),
    ],
)
def test_a_moment_is_kept_as_the_server_writes_it(given, kept):
    lease = {"metadata": {"creationTimestamp": given}, "spec": {"renewTime": given}}
    found = decode(named("leases"), lease).value
    assert found["metadata"]["creationTimestamp"] == kept
    assert found["spec"]["renewTime"] == kept[:-1] + (".123456Z" if "." in given else ".000000Z")


@pytest.mark.parametrize("given", ["2026-13-01T00:00:00Z", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+05:00", "now"])
def test_what_is_no_moment(given):
    with pytest.raises(Refusal) as refused:
        decode(named("leases"), {"spec": {"renewTime": given}})
    assert refused.value.code == 400


@pytest.mark.parametrize(
    ("body", "found", "field", "wanted"),
    [
        ({"spec": {"ports": [{"port": "80"}]}}, "string", "ServicePort.spec.ports.port", "int32"),
        ({"spec": []}, "array", "Service.spec", "v1.ServiceSpec"),
        ({"metadata": {"labels": {"a": 1}}}, "number", "ObjectMeta.metadata.labels.a", "string"),
        ({"spec": {"selector": "a"}}, "string", "ServiceSpec.spec.selector", "map[string]string"),
        ({"spec": {"ports": {}}}, "object", "ServiceSpec.spec.ports", "[]v1.ServicePort"),
        ({"spec": {"ports": [{"port": 1 << 40}]}}, "number 1099511627776", "ServicePort.spec.ports.port", "int32"),
        ({"spec": {"externalIPs": [True]}}, "bool", "ServiceSpec.spec.externalIPs", "string"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(body, found, field, wanted):
    with pytest.raises(Refusal) as refused:
        decode(named("services"), {**SERVICE, **body})
    why = f"json: cannot unmarshal {found} into Go struct field {field} of type {wanted}"
    assert (refused.value.code, str(refused.value)) == (
        400,
        f'Service in version "v1" cannot be handled as a Service: {why}',
    )


def test_a_target_port_is_a_number_or_a_name():
    with pytest.raises(Refusal, match="json: cannot unmarshal bool into Go value of type int32"):
        decode(named("services"), {**SERVICE, "spec": {"ports": [{"port": 80, "targetPort": True}]}})


def test_an_unknown_field_is_dropped_named_or_refused():
    given = {**SERVICE, "spec": {"port": 80, "ports": [{"port": 80, "target": 1}]}}
    found = decode(named("services"), given)
    assert found.value == {**SERVICE, "spec": {"ports": [{"port": 80}]}}
    assert warnings(found.unknown) == ['unknown field "spec.port"', 'unknown field "spec.ports[0].target"']
    with pytest.raises(Refusal) as refused:
        decode(named("services"), given, strict=True)
    assert str(refused.value) == (
        'Service in version "v1" cannot be handled as a Service: strict decoding error: '
        'unknown field "spec.port", unknown field "spec.ports[0].target"'
    )


def test_what_is_empty_is_absent_but_for_objects():
    given = {**SERVICE, "spec": {"ports": [], "selector": {}, "externalIPs": None, "sessionAffinityConfig": {}}}
    assert decode(named("services"), given).value["spec"] == {"sessionAffinityConfig": {}}


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ({"kind": "Pod"}, 'Pod in version "v1" cannot be handled as a Service: '),
        (
            {"apiVersion": "v2"},
            'Service in version "v2" cannot be handled as a Service: no kind "Service" is registered',
        ),
        ({"apiVersion": "apps/v1", "kind": "Deployment"}, "the API version in the data (apps/v1) does not match"),
    ],
)
def test_another_kind_is_refused(head, message):
    with pytest.raises(Refusal) as refused:
        decode(named("services"), {**SERVICE, **head})
    assert (refused.value.code, str(refused.value).startswith(message)) == (400, True)


def test_the_kind_may_be_left_out():
    assert decode(named("services"), {"metadata": {"name": "web"}}).value == SERVICE


@given(JSON)
def test_anything_is_decoded_or_refused(body):
    for resource in (named("services"), named("pods"), named("gateways")):
        try:
            found = decode(resource, body if isinstance(body, dict) else {"spec": body})
        except Refusal as refused:
            assert refused.code == 400
        else:
            assert decode(resource, found.value).value == found.value


def test_every_field_has_a_type_that_is_known():
    scalars = {"string", "bool", "int32", "int64", "double", "quantity", "int-or-string", "time", "micro-time", "bytes"}
    known = {*type_names(), *scalars, "any", "[]string"}
    assert {field.type for name in type_names() for field in fields_of(name).values()} <= known
    for resource in RESOURCES:
        assert (type_of(resource.api_version, resource.kind) is None) is (resource.verbs == CUSTOM)


def test_the_types_are_those_of_the_client_library():
    """The official client is generated from the same specification, by others."""
    from kubernetes.client import models

    for name, model in (
        ("core.v1.ServiceSpec", models.V1ServiceSpec),
        ("core.v1.PodSpec", models.V1PodSpec),
        ("core.v1.Container", models.V1Container),
        ("apps.v1.DeploymentSpec", models.V1DeploymentSpec),
        ("discovery.v1.Endpoint", models.V1Endpoint),
        ("networking.v1.NetworkPolicySpec", models.V1NetworkPolicySpec),
    ):
        assert set(fields_of(name)) <= set(model.attribute_map.values())


# ------------------------------------------------------------------------------------------------------------- protobuf


@pytest.mark.parametrize("case", BODIES, ids=lambda case: case["object"]["kind"])
def test_what_kubectl_sent_in_protobuf(case):
    """Bodies that kubectl 1.32 sent. Their status, which nobody reads, is left out."""
    found = decode_protobuf(base64.b64decode(case["body"]))
    assert {**found, "status": None} == {**case["object"], "status": None}
    assert decode(resource_of(found), found, strict=True).unknown == ()


# ------------------------------------------------------------------------------------------------------------ documents


def test_every_version_is_in_the_index_and_every_reference_leads_somewhere():
    index = openapi.document("/openapi/v3")
    assert index
    assert set(index["paths"]) == {resource.prefix[1:] for resource in RESOURCES}
    for prefix in index["paths"]:
        found = openapi.document(f"/openapi/v3/{prefix}")
        assert found
        text = json.dumps(found)
        references = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
        assert references <= set(found["components"]["schemas"])


def test_kubectl_learns_how_lists_merge():
    found = openapi.document("/openapi/v3/api/v1")
    assert found
    ports = found["components"]["schemas"]["io.k8s.api.core.v1.ServiceSpec"]["properties"]["ports"]
    assert ports == {
        "type": "array",
        "items": {"allOf": [{"$ref": "#/components/schemas/io.k8s.api.core.v1.ServicePort"}]},
        "x-kubernetes-list-map-keys": ["port", "protocol"],
        "x-kubernetes-list-type": "map",
        "x-kubernetes-patch-merge-key": "port",
        "x-kubernetes-patch-strategy": "merge",
    }
    patch = found["paths"]["/api/v1/namespaces/{namespace}/services/{name}"]["patch"]
    assert patch["x-kubernetes-group-version-kind"] == {"group": "", "version": "v1", "kind": "Service"}
    assert "fieldValidation" in [one["name"] for one in patch["parameters"]]


def test_there_is_no_version_two():
    assert openapi.document("/openapi/v2") is None
    assert openapi.document("/openapi/v3/apis/nope.example.com/v1") is None
