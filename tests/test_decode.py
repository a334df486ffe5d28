"""Bytes of the API -> Structs: whatever the bytes, a value or one documented error."""

import copy
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcdoctor.errors import BadData
from svcdoctor.model.case import Case
from svcdoctor.model.decode import Kind, ObjectList, decode
from svcdoctor.model.diagnosis import Target
from svcdoctor.model.objects import RESOURCES, Deployment, EndpointSlice, Event, NetworkPolicy, Node, Pod, Service
from svcdoctor.model.policy import NetworkPolicyIngressRule
from svcdoctor.model.snapshot import Answer, Gap, Snapshot, assemble

CASE = Path(__file__).parent / "cases" / "iptables-crashloop" / "api"
RECORDED = sorted(file.relative_to(CASE).as_posix() for file in CASE.glob("**/*.json") if "mail" in str(file))
TYPES: list[Any] = [Kind, ObjectList[Pod], *(resource.type for resource in RESOURCES.values())]
MOMENT = datetime(2026, 11, 23, 2, tzinfo=UTC)
EMPTY = Snapshot(taken_at=MOMENT)


def recorded(name: str) -> Any:
    return json.loads((CASE / name).read_bytes())


def pack(document: Any) -> bytes:
    return json.dumps(document).encode()


def assembled(path: str, document: Any, query: str = "", **more: Any) -> Snapshot:
    return assemble(EMPTY, [Answer(path, pack(document), query, **more)])


POD = recorded("api/v1/namespaces/mail/pods.json")["items"][1]
SERVICE = recorded("api/v1/namespaces/mail/services.json")["items"][0]
SLICE = recorded("apis/discovery.k8s.io/v1/namespaces/mail/endpointslices.json")["items"][0]
DEPLOYMENT = recorded("apis/apps/v1/namespaces/mail/deployments.json")["items"][0]
EVENT = recorded("api/v1/namespaces/mail/events.json")["items"][0]
NODE = recorded("api/v1/nodes.json")["items"][0]
SAMPLES: list[tuple[Any, Any]] = [
    (Pod, POD),
    (Service, SERVICE),
    (EndpointSlice, SLICE),
    (Deployment, DEPLOYMENT),
    (Event, EVENT),
    (Node, NODE),
]

MAPS = ("allocatable", "annotations", "labels", "matchLabels", "selector")
"""Members whose keys are data. In all others a key is a field."""

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def places(document: Any, members_only: bool = False) -> list[tuple[Any, Any]]:
    """Every (container, key) of a document."""
    found: list[tuple[Any, Any]] = []
    keys: Any = document.items() if isinstance(document, dict) else enumerate(document)
    for key, value in keys:
        if isinstance(document, dict) or not members_only:
            found.append((document, key))
        if isinstance(value, dict | list):
            found += places(value, members_only)
    return found


# ------------------------------------------------------------------------------------------------- anything at all


@given(body=st.binary(max_size=64) | JSON.map(pack), type=st.sampled_from(TYPES))
def test_any_bytes_give_a_value_or_bad_data(body: bytes, type: Any) -> None:
    try:
        decode(body, type, "some.json")
    except BadData as error:
        assert error.source == "some.json"
        assert error.message.startswith("some.json: ")


@given(sample=st.sampled_from(SAMPLES), data=st.data())
def test_any_member_may_turn_into_anything(sample: tuple[Any, Any], data: st.DataObject) -> None:
    type, document = sample[0], copy.deepcopy(sample[1])
    container, key = data.draw(st.sampled_from(places(document)))
    container[key] = data.draw(JSON)
    try:
        assert isinstance(decode(pack(document), type, "some.json"), type)
    except BadData as error:
        assert error.source == "some.json"


@given(
    path=st.sampled_from([resource.path("mail", name) for resource in RESOURCES.values() for name in ("", "relay")])
    | st.text(max_size=40),
    document=JSON | st.sampled_from([pack({"kind": "PodList", "items": [POD]}), b"", b"{", b'{"kind": "List"}']),
    query=st.sampled_from(["", "labelSelector=app=relay", "limit=5"]),
)
def test_any_answer_gives_a_snapshot_or_bad_data(path: str, document: Any, query: str) -> None:
    body = document if isinstance(document, bytes) else pack(document)
    try:
        assert isinstance(assemble(EMPTY, [Answer(path, body, query)]), Snapshot)
    except BadData as error:
        assert error.source == path


@pytest.mark.parametrize("name", RECORDED)
def test_every_cut_of_a_recorded_file_is_named(name: str) -> None:
    body = (CASE / name).read_bytes().rstrip()
    path = name.removesuffix(".json")
    for length in {*range(0, len(body), max(1, len(body) // 50)), len(body) - 1}:
        with pytest.raises(BadData, match=r"^folder/x\.json: not valid JSON \(Input data was truncated\)$"):
            decode(body[:length], Kind, "folder/x.json")
        if path.split("/")[-1] in RESOURCES:
            with pytest.raises(BadData, match=r"^folder/x\.json: not valid JSON"):
                assemble(EMPTY, [Answer(path, body[:length], file="folder/x.json")])


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'{"spec":', b'{"metadata":{"labels":null,"x":[', b'{"items":['])
@pytest.mark.parametrize("type", [Pod, ObjectList[Pod], Kind])
def test_a_document_nested_too_deeply_is_bad_data(opening: bytes, type: Any) -> None:
    for depth in (400, 1_000, 100_000):
        with pytest.raises(BadData, match=r"^deep\.json: (not valid JSON|of another shape than expected) \("):
            decode(opening * depth, type, "deep.json")


def test_nesting_that_is_closed_is_no_way_round() -> None:
    deep = b"[" * 5_000 + b"]" * 5_000
    for body in (b'{"spec":' + deep + b"}", b'{"spec":{"containers":[null]},"x":' + deep + b"}"):
        with pytest.raises(BadData, match=r"recursion"):
            decode(body, Pod, "deep.json")


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", "not valid JSON (Input data was truncated)"),
        (b"null", "of another shape than expected (Expected `object`, got `null`)"),
        (b"{}{}", "not valid JSON (JSON is malformed: trailing characters (byte 3))"),
        (b"<html>", "not valid JSON (JSON is malformed: invalid character (byte 0))"),
        (
            b'{"spec": {"nodeName": 7}}',
            "of another shape than expected (Expected `str`, got `int` - at `$.spec.nodeName`)",
        ),
        (
            b'{"metadata": {"generation": 1%s}}' % (b"0" * 5000),
            "of another shape than expected (Integer value out of range - at `$[...][...]`)",
        ),
    ],
)
def test_the_error_says_what_is_wrong(body: bytes, detail: str) -> None:
    with pytest.raises(BadData) as caught:
        decode(body, Pod, "a.json")
    assert caught.value.detail == detail


# ------------------------------------------------------------------------------------------- what Kubernetes allows


@given(sample=st.sampled_from(SAMPLES), data=st.data())
def test_null_is_the_same_as_absent(sample: tuple[Any, Any], data: st.DataObject) -> None:
    type, with_null, without = sample[0], copy.deepcopy(sample[1]), copy.deepcopy(sample[1])
    index = data.draw(st.integers(0, len(places(with_null, members_only=True)) - 1))
    container, key = places(with_null, members_only=True)[index]
    container[key] = None
    container, key = places(without, members_only=True)[index]
    del container[key]
    assert decode(pack(with_null), type, "a") == decode(pack(without), type, "a")


@given(sample=st.sampled_from(SAMPLES), data=st.data())
def test_fields_and_values_of_the_future_pass(sample: tuple[Any, Any], data: st.DataObject) -> None:
    type, document = sample[0], copy.deepcopy(sample[1])
    members = [(key, container[key]) for container, key in places({"": document})]
    structs = [value for key, value in members if isinstance(value, dict) and key not in MAPS]
    data.draw(st.sampled_from(structs))["fieldOf2031"] = data.draw(JSON)
    assert decode(pack(document), type, "a") == decode(pack(sample[1]), type, "a")


def test_unknown_words_are_plain_strings() -> None:
    service = decode(b'{"spec": {"type": "Quantum", "ports": [{"protocol": "QUIC"}]}}', Service, "a")
    assert (service.spec.type, service.spec.ports[0].protocol) == ("Quantum", "QUIC")
    assert decode(b'{"addressType": "IPv8"}', EndpointSlice, "a").address_type == "IPv8"


@pytest.mark.parametrize(
    ("written", "target"), [("8080", 8080), ('"http"', "http"), ("null", 80), ("0", 80), ('""', 80)]
)
def test_a_target_port_is_a_number_or_a_name(written: str, target: int | str) -> None:
    body = f'{{"spec": {{"ports": [{{"port": 80, "targetPort": {written}}}]}}}}'
    assert decode(body.encode(), Service, "a").spec.ports[0].target == target


@pytest.mark.parametrize("type", [resource.type for resource in RESOURCES.values()])
def test_an_object_may_lack_everything(type: Any) -> None:
    assert decode(b"{}", type, "a") == decode(b'{"metadata": null, "spec": null, "status": null}', type, "a") == type()


def test_null_lists_decode() -> None:
    body = b'{"endpoints": null, "ports": null, "metadata": {"ownerReferences": null, "labels": null}}'
    assert decode(body, EndpointSlice, "a") == EndpointSlice()
    assert decode(b'{"items": null, "metadata": null}', ObjectList[Pod], "a") == ObjectList()
    assert decode(b'{"spec": {"containers": [null, {"ports": [null]}]}}', Pod, "a").spec.containers[0].ports == ()


@pytest.mark.parametrize("beside", ["", '"labels": null', '"labels": null, "ownerReferences": []'])
def test_a_null_peer_is_not_no_peer(beside: str) -> None:
    """`from: [null]` is an item that says nothing; `from: []` is everybody."""
    body = f'{{"metadata": {{{beside}}}, "spec": {{"podSelector": null, "ingress": [null, {{"from": [null]}}]}}}}'
    ingress = decode(body.encode(), NetworkPolicy, "a").spec.ingress
    assert ingress == (None, NetworkPolicyIngressRule(peers=(None,)))
    listed = decode(f'{{"items": [{body}]}}'.encode(), ObjectList[NetworkPolicy], "a").items
    assert listed is not None
    assert listed[0].spec.ingress == ingress


@pytest.mark.parametrize("ports", ["[]", "null"])
def test_a_pre_stop_hook_of_any_kind_is_seen(ports: str) -> None:
    for hook in (
        '{"sleep": {"seconds": 5}}',
        '{"exec": {"command": ["sleep"]}}',
        '{"httpGet": {"port": "http"}}',
        "{}",
    ):
        body = f'{{"spec": {{"containers": [{{"ports": {ports}, "lifecycle": {{"preStop": {hook}}}}}]}}}}'
        lifecycle = decode(body.encode(), Pod, "a").spec.containers[0].lifecycle
        assert lifecycle is not None
        assert lifecycle.pre_stop is not None


def test_managed_fields_stay_readable_where_other_fields_are_null() -> None:
    body = b'{"metadata": {"labels": null, "managedFields": [{"manager": "helm", "fieldsV1": {"f:spec": {}}}]}}'
    (entry,) = decode(body, Service, "a").metadata.managed_fields
    assert (entry.manager, json.loads(bytes(entry.fields_v1))) == ("helm", {"f:spec": {}})


# --------------------------------------------------------------------------------------------------------------- time

ODD_TIMES = [
    "0001-01-01T00:00:00Z",  # Go's zero time
    "0001-01-01T00:00:00+09:00",
    "9999-12-31T23:59:59-09:00",
    "2026-11-23T01:56:20+09:00",
    "2026-11-23T01:56:20.123456789Z",
]


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-23T01:56:20",
        "2026-12-31T23:59:60Z",
        "0000-01-01T00:00:00Z",
        "",
        "yesterday",
        "2026-11-23T01:56:20+24:00",
    ],
)
def test_a_time_that_kubernetes_can_not_write_is_bad_data(written: str) -> None:
    with pytest.raises(BadData, match=r"^a: of another shape than expected \(.*metadata\.creationTimestamp"):
        decode(pack({"metadata": {"creationTimestamp": written}}), Pod, "a")


@given(times=st.lists(st.sampled_from(ODD_TIMES), min_size=2, max_size=4))
def test_odd_times_can_be_compared(times: list[str]) -> None:
    events = [
        {"metadata": {"name": f"e{n}", "namespace": "mail"}, "lastTimestamp": time, "involvedObject": {"kind": "Pod"}}
        for n, time in enumerate(times)
    ]
    snapshot = assembled("api/v1/namespaces/mail/events", {"kind": "EventList", "items": events})
    case = Case(snapshot, Target("mail", "relay"))
    seen = [event.last_seen for event in case.events_of("Pod", "")]
    assert len(seen) == len(times)
    assert seen == sorted((time for time in seen if time), reverse=True)
    assert all(case.age(time) >= timedelta() for time in seen)


def test_an_offset_is_honoured() -> None:
    pod = decode(pack({"metadata": {"creationTimestamp": "2026-11-23T01:56:20+09:00"}}), Pod, "a")
    assert pod.metadata.creation_timestamp == datetime(2026, 11, 22, 16, 56, 20, tzinfo=UTC)


# ----------------------------------------------------------------------------------------------------- what was read


def test_a_recorded_namespace_is_read_whole() -> None:
    answers = [Answer(name.removesuffix(".json"), (CASE / name).read_bytes()) for name in RECORDED]
    snapshot = assemble(EMPTY, answers)
    assert [service.name for service in snapshot.services.items] == ["relay"]
    assert [pod.name for pod in snapshot.pods.items] == ["client", "relay-57b5c954f6-q4l45", "relay-57b5c954f6-z727n"]
    assert snapshot.pods.covers("mail")
    assert not snapshot.pods.covers()
    assert snapshot.gap("nodes") == Gap("api/v1/nodes", "not in the snapshot")


@pytest.mark.parametrize(
    ("path", "document", "detail"),
    [
        ("api/v1/pods", {"kind": "ServiceList"}, "a PodList is expected here, not a ServiceList"),
        ("api/v1/pods", {"kind": "PodMetricsList"}, "a PodList is expected here, not a PodMetricsList"),
        ("api/v1/pods", {"kind": "Table"}, "a PodList is expected here, not a Table"),
        ("api/v1/pods", {"items": []}, "a PodList is expected here, not something without kind"),
        ("api/v1/pods", {"kind": "List", "items": [{"kind": "Service"}]}, "a Pod is expected here, not a Service"),
        ("api/v1/namespaces/mail/services/web", {"kind": "Pod"}, "a Service is expected here, not a Pod"),
        ("api/v1/namespaces/mail/services/web", {"kind": "Service"}, "its object is '/', not 'mail/web'"),
        (
            "api/v1/namespaces/mail/services/web",
            {"kind": "Service", "metadata": {"name": "relay", "namespace": "mail"}},
            "its object is 'mail/relay', not 'mail/web'",
        ),
    ],
)
def test_a_document_in_the_wrong_place_is_refused(path: str, document: Any, detail: str) -> None:
    with pytest.raises(BadData) as caught:
        assembled(path, document)
    assert caught.value.message == f"{path}: {detail}"


def named(*names: str, **labels: str) -> list[Any]:
    return [{"metadata": {"name": name, "namespace": "mail", "labels": labels}} for name in names]


PODS = "api/v1/namespaces/mail/pods"


def test_pages_are_one_list_and_a_missing_last_page_is_not_the_end() -> None:
    first = pack({"kind": "PodList", "metadata": {"continue": "abc"}, "items": named("c", "b")})
    last = pack({"kind": "PodList", "metadata": {}, "items": named("a")})
    whole = assemble(EMPTY, [Answer(PODS, first), Answer(PODS, last)]).pods
    assert [pod.name for pod in whole.items] == ["a", "b", "c"]
    assert whole.covers("mail")
    assert not assemble(EMPTY, [Answer(PODS, first)]).pods.covers("mail")
    assert not assemble(EMPTY, [Answer(PODS, last, complete=False)]).pods.covers("mail")


def test_a_narrowed_list_covers_nothing_but_its_query() -> None:
    body = {"kind": "PodList", "metadata": {"continue": "abc"}, "items": named("a")}
    limited = assembled(PODS, body, "labelSelector=app=relay&limit=1").pods
    assert limited.selected == {("mail", "labelSelector=app=relay&limit=1")}
    assert not limited.covers("mail")
    assert assembled(PODS, body, "labelSelector=app=relay").pods.selected == frozenset()  # not read to its end


def test_a_404_is_knowledge_and_a_403_is_a_gap() -> None:
    absent = {"kind": "Status", "code": 404, "reason": "NotFound"}
    services = assembled("api/v1/namespaces/mail/services/web", absent).services
    assert services.knows("mail", "web")
    assert services.get("mail", "web") is None
    forbidden = {"kind": "Status", "code": 403, "message": "pods is forbidden", "reason": "Forbidden"}
    snapshot = assembled(PODS, forbidden)
    gap = Gap(PODS, "pods is forbidden", "list pods in namespace mail")
    assert snapshot.gap("pods", "mail") == gap
    assert assemble(snapshot, [Answer(PODS, pack(forbidden))]).gaps == (gap,)


@given(cut=st.integers(0, 3))
def test_reading_in_two_goes_is_reading_at_once(cut: int) -> None:
    answers = [
        Answer(PODS, pack({"kind": "PodList", "items": named("a", "b", age="old")}), "labelSelector=age=old"),
        Answer(PODS, pack({"kind": "PodList", "items": named("a", "c", age="new")})),
        Answer(f"{PODS}/d", pack({"kind": "Status", "code": 404})),
    ]
    at_once = assemble(EMPTY, answers)
    assert assemble(assemble(EMPTY, answers[:cut]), answers[cut:]) == at_once
    assert [(pod.name, pod.labels["age"]) for pod in at_once.pods.items] == [("a", "new"), ("b", "old"), ("c", "new")]
