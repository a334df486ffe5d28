"""The endpoint controllers, held against what the real ones wrote of the same Services and pods."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcdoctor.lab.clock import Clock
from svcdoctor.lab.controllers.backends import ENDPOINTS, NODES, PODS, SERVICES, SLICES
from svcdoctor.lab.controllers.endpoints import EndpointsController, truncate
from svcdoctor.lab.controllers.endpointslice import EndpointSliceController
from svcdoctor.lab.controllers.mirroring import MirroringController
from svcdoctor.lab.controllers.packing import pack
from svcdoctor.lab.store import Store

CASES = Path(__file__).parents[2] / "cases"
START = datetime(2026, 11, 25, 12, 0, 0, tzinfo=UTC)


@pytest.fixture
def store():
    return Store(Clock(START))


def run(store, seconds=10):
    for kind in (EndpointSliceController, EndpointsController, MirroringController):
        kind(store).start()
    store.clock.run_until(store.clock.now + timedelta(seconds=seconds))


def settle(store, seconds=10):
    store.clock.run_until(store.clock.now + timedelta(seconds=seconds))


def loaded(store, resource, namespace="default"):
    return [stored.load() for stored in store.list(resource, namespace)]


def service(name="web", selector=None, **spec):
    ports = spec.pop("ports", [{"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}])
    whole = {"type": "ClusterIP", "clusterIP": "10.96.0.7", "ipFamilies": ["IPv4"], "ports": ports, **spec}
    whole |= {"selector": selector} if selector is not None else {}
    return {"metadata": {"name": name, "namespace": "default", "annotations": {}}, "spec": whole}


def pod(number, ready=True, labels=None, **spec):
    ip = f"10.244.{number // 200}.{number % 200 + 2}"
    conditions = [{"type": "Ready", "status": str(ready), "lastTransitionTime": "2026-11-25T11:59:58Z"}]
    containers = [{"name": "app", "ports": [{"name": "http", "containerPort": 8080}]}]
    return {
        "metadata": {"name": f"web-{number:05}", "namespace": "default", "labels": labels or {"app": "web"}},
        "spec": {"nodeName": "node1", "containers": containers, **spec},
        "status": {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}], "conditions": conditions},
    }


def node(name, zone, cpu="4"):
    status = {"allocatable": {"cpu": cpu}, "conditions": [{"type": "Ready", "status": "True"}]}
    return {"metadata": {"name": name, "labels": {"topology.kubernetes.io/zone": zone}}, "status": status}


def set_ready(store, name, ready, moment):
    changed = store.get(PODS, "default", name)
    changed["status"]["conditions"] = [{"type": "Ready", "status": str(ready), "lastTransitionTime": moment}]
    store.replace(PODS, changed)


# ------------------------------------------------------------------------------------------------ the recorded clusters


def recorded(case, pattern):
    for file in sorted((CASES / case / "api").glob(pattern)):
        yield from json.loads(file.read_text())["items"] or ()


def port_name(port):
    """Ports are compared in this order: the real controllers order them by a hash."""
    return port["name"]


def essence(each):
    """What is the controller's own in a slice: not names, versions and times."""
    meta = each["metadata"]
    endpoints = sorted(each["endpoints"] or [], key=lambda endpoint: endpoint["addresses"])
    for endpoint in endpoints:
        endpoint["targetRef"].pop("uid")
    owner = [{**ref, "uid": ""} for ref in meta["ownerReferences"]]
    ports = sorted(each["ports"], key=port_name) if each["ports"] else None
    return meta["namespace"], meta["labels"], owner, each["addressType"], endpoints, ports


def ordered(items):
    return sorted(json.dumps(item, sort_keys=True) for item in items)


def subsets_of(endpoints):
    found = json.loads(json.dumps(endpoints.get("subsets")))
    for subset in found or ():
        subset["ports"].sort(key=port_name)
        for part in ("addresses", "notReadyAddresses"):
            for address in subset.get(part, ()):
                address["targetRef"].pop("uid", None)
    return endpoints["metadata"]["namespace"], endpoints["metadata"]["name"], found


@pytest.mark.parametrize("case", sorted(path.name for path in CASES.iterdir()))
def test_the_recorded_slices_and_endpoints_come_out(store, case):
    for resource, pattern in ((NODES, "**/nodes.json"), (PODS, "**/pods.json"), (SERVICES, "**/services.json")):
        for item in recorded(case, pattern):
            store.create(resource, item)
    run(store)

    made = [essence(stored.load()) for stored in store.list(SLICES)]
    wanted = [
        essence(item)
        for item in recorded(case, "**/endpointslices.json")
        if item["metadata"]["labels"].get("endpointslice.kubernetes.io/managed-by") == "endpointslice-controller.k8s.io"
    ]
    assert ordered(made) == ordered(wanted)

    made = [subsets_of(stored.load()) for stored in store.list(ENDPOINTS)]
    wanted = [
        subsets_of(item)
        for item in recorded(case, "**/endpoints.json")
        if "endpoints.kubernetes.io/managed-by" in (item["metadata"].get("labels") or {})
    ]
    assert ordered(made) == ordered(wanted)


# ----------------------------------------------------------------------------------------------------------- the slices


def test_a_selector_that_finds_nobody_leaves_one_empty_slice(store):
    store.create(SERVICES, service(selector={"app": "wbe"}))
    store.create(PODS, pod(1))
    run(store)

    (only,) = loaded(store, SLICES)
    assert only["endpoints"] is None
    assert only["ports"] is None
    assert only["metadata"]["annotations"] == {
        "endpoints.kubernetes.io/last-change-trigger-time": store.get(SERVICES, "default", "web")["metadata"][
            "creationTimestamp"
        ]
    }


def test_the_empty_slice_is_the_one_that_is_filled_later(store):
    store.create(SERVICES, service(selector={"app": "web"}))
    run(store)
    (before,) = loaded(store, SLICES)
    store.create(PODS, pod(1))
    settle(store)

    (after,) = loaded(store, SLICES)
    assert after["metadata"]["name"] == before["metadata"]["name"]
    assert after["metadata"]["generation"] == 2
    assert [endpoint["addresses"] for endpoint in after["endpoints"]] == [["10.244.0.3"]]


def test_the_trigger_time_is_the_moment_of_the_change_that_counts(store):
    store.create(SERVICES, service(selector={"app": "web"}))
    store.create(PODS, pod(1, ready=False))
    run(store)
    set_ready(store, "web-00001", True, "2026-11-25T12:00:09Z")
    settle(store)

    (only,) = loaded(store, SLICES)
    assert only["metadata"]["annotations"]["endpoints.kubernetes.io/last-change-trigger-time"] == "2026-11-25T12:00:09Z"


def test_terminating_pods_stay_while_they_serve_and_leave_the_ready(store):
    store.create(SERVICES, service(selector={"app": "web"}))
    leaving = pod(1)
    leaving["metadata"]["deletionTimestamp"] = "2026-11-25T12:00:30Z"
    store.create(PODS, leaving)
    run(store)

    (only,) = loaded(store, SLICES)
    assert only["endpoints"][0]["conditions"] == {"ready": False, "serving": True, "terminating": True}
    (old,) = loaded(store, ENDPOINTS)
    assert "subsets" not in old


def test_pods_with_other_ports_come_into_a_slice_of_their_own(store):
    store.create(SERVICES, service(selector={"app": "web"}, ports=[{"name": "http", "port": 80, "targetPort": "http"}]))
    store.create(PODS, pod(1))
    store.create(PODS, pod(2, containers=[{"name": "app", "ports": [{"name": "http", "containerPort": 9090}]}]))
    store.create(PODS, pod(3, containers=[{"name": "app", "ports": [{"name": "web", "containerPort": 8080}]}]))
    sidecar = {"name": "proxy", "restartPolicy": "Always", "ports": [{"name": "http", "containerPort": 15001}]}
    store.create(PODS, pod(4, containers=[{"name": "app"}], initContainers=[sidecar]))
    run(store)

    found = {
        endpoint["targetRef"]["name"]: [port["port"] for port in each["ports"] or ()]
        for each in loaded(store, SLICES)
        for endpoint in each["endpoints"]
    }
    assert found == {"web-00001": [8080], "web-00002": [9090], "web-00003": [], "web-00004": [15001]}


def test_two_families_are_two_slices(store):
    store.create(SERVICES, service(selector={"app": "web"}, ipFamilies=["IPv4", "IPv6"]))
    both = pod(1)
    both["status"]["podIPs"].append({"ip": "fd00:10:244::3"})
    store.create(PODS, both)
    store.create(PODS, pod(2))
    run(store)

    found = {each["addressType"]: [e["addresses"][0] for e in each["endpoints"]] for each in loaded(store, SLICES)}
    assert found == {"IPv4": ["10.244.0.3", "10.244.0.4"], "IPv6": ["fd00:10:244::3"]}


def test_a_headless_service_carries_its_label_and_its_pods_names(store):
    store.create(SERVICES, service(selector={"app": "web"}, clusterIP="None"))
    store.create(PODS, pod(1, hostname="web-1", subdomain="web"))
    run(store)

    (only,) = loaded(store, SLICES)
    assert only["metadata"]["labels"]["service.kubernetes.io/headless"] == ""
    assert only["endpoints"][0]["hostname"] == "web-1"


def test_more_than_a_hundred_fill_several_and_more_than_a_thousand_are_cut_in_endpoints(store):
    store.create(SERVICES, service(selector={"app": "web"}))
    for number in range(1050):
        store.create(PODS, pod(number))
    run(store)

    assert sorted(len(each["endpoints"]) for each in loaded(store, SLICES)) == [50] + [100] * 10
    (old,) = loaded(store, ENDPOINTS)
    assert len(old["subsets"][0]["addresses"]) == 1000
    assert old["metadata"]["annotations"]["endpoints.kubernetes.io/over-capacity"] == "truncated"


def test_a_deleted_slice_comes_back_and_a_deleted_service_takes_its_slices(store):
    store.create(SERVICES, service(selector={"app": "web"}))
    store.create(PODS, pod(1))
    run(store)
    (only,) = loaded(store, SLICES)
    store.delete(SLICES, "default", only["metadata"]["name"])
    settle(store)
    assert [len(each["endpoints"]) for each in loaded(store, SLICES)] == [1]

    store.delete(SERVICES, "default", "web")
    settle(store)
    assert loaded(store, SLICES) == []
    assert loaded(store, ENDPOINTS) == []


def test_a_stopped_controller_catches_up_when_it_starts_again(store):
    controller = EndpointSliceController(store)
    controller.start()
    store.create(SERVICES, service(selector={"app": "web"}))
    settle(store)
    controller.stop()
    store.create(PODS, pod(1))
    settle(store)
    assert [each["endpoints"] for each in loaded(store, SLICES)] == [None]

    controller.start()
    settle(store)
    assert [len(each["endpoints"]) for each in loaded(store, SLICES)] == [1]


def test_nothing_is_written_when_nothing_changed(store):
    store.create(SERVICES, service(selector={"app": "web"}))
    store.create(PODS, pod(1))
    run(store)
    before = store.revision
    for kind in (EndpointSliceController, EndpointsController, MirroringController):
        kind(store).start()
    settle(store)
    assert store.revision == before


# ------------------------------------------------------------------------------------------------------------ the hints


@pytest.mark.parametrize(
    ("distribution", "hints"),
    [
        ("PreferClose", {"forZones": [{"name": "a"}]}),
        ("PreferSameZone", {"forZones": [{"name": "a"}]}),
        ("PreferSameNode", {"forNodes": [{"name": "node1"}], "forZones": [{"name": "a"}]}),
        (None, None),
    ],
)
def test_traffic_distribution_hints_ready_endpoints_for_their_own_place(store, distribution, hints):
    store.create(NODES, node("node1", "a"))
    wanted = {"trafficDistribution": distribution} if distribution else {}
    store.create(SERVICES, service(selector={"app": "web"}, **wanted))
    store.create(PODS, pod(1))
    store.create(PODS, pod(2, ready=False))
    run(store)

    (only,) = loaded(store, SLICES)
    assert [endpoint.get("hints") for endpoint in only["endpoints"]] == [hints, None]


def test_auto_hints_share_endpoints_out_by_the_zones_cpus(store):
    store.create(NODES, node("node1", "a"))
    store.create(NODES, node("node2", "b"))
    auto = service(selector={"app": "web"})
    auto["metadata"]["annotations"] = {"service.kubernetes.io/topology-mode": "Auto"}
    store.create(SERVICES, auto)
    for number in range(6):
        store.create(PODS, pod(number, nodeName="node1" if number < 4 else "node2"))
    run(store)

    (only,) = loaded(store, SLICES)
    hinted = [endpoint["hints"]["forZones"][0]["name"] for endpoint in only["endpoints"]]
    assert sorted(hinted) == ["a", "a", "a", "b", "b", "b"]


def test_auto_hints_are_given_up_with_fewer_endpoints_than_zones(store):
    for name, zone in (("node1", "a"), ("node2", "b")):
        store.create(NODES, node(name, zone))
    auto = service(selector={"app": "web"})
    auto["metadata"]["annotations"] = {"service.kubernetes.io/topology-mode": "Auto"}
    store.create(SERVICES, auto)
    store.create(PODS, pod(1))
    run(store)

    (only,) = loaded(store, SLICES)
    assert "hints" not in only["endpoints"][0]


# ---------------------------------------------------------------------------------------------------------- the mirrors


def hand_made(**labels):
    subsets = [{"addresses": [{"ip": "192.0.2.9"}], "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}]}]
    meta = {"name": "web", "namespace": "default"} | ({"labels": labels} if labels else {})
    return {"metadata": meta, "subsets": subsets}


def test_hand_made_endpoints_are_mirrored(store):
    store.create(SERVICES, service())
    store.create(ENDPOINTS, hand_made())
    run(store)

    (only,) = loaded(store, SLICES)
    assert only["endpoints"] == [{"addresses": ["192.0.2.9"], "conditions": {"ready": True}}]
    assert only["ports"] == [{"name": "http", "port": 8080, "protocol": "TCP"}]
    assert only["metadata"]["labels"] == {
        "kubernetes.io/service-name": "web",
        "endpointslice.kubernetes.io/managed-by": "endpointslicemirroring-controller.k8s.io",
    }


def test_endpoints_are_not_mirrored_where_they_say_so_or_the_service_has_a_selector(store):
    store.create(SERVICES, service())
    store.create(ENDPOINTS, hand_made(**{"endpointslice.kubernetes.io/skip-mirror": "true"}))
    run(store)
    assert loaded(store, SLICES) == []


def test_mirrors_go_when_their_endpoints_do(store):
    store.create(SERVICES, service())
    store.create(ENDPOINTS, hand_made())
    run(store)
    store.delete(ENDPOINTS, "default", "web")
    settle(store)
    assert loaded(store, SLICES) == []


# ---------------------------------------------------------------------------------------------------------- the packing


def entries(numbers):
    return [{"addresses": [f"10.0.0.{number}"], "targetRef": {"uid": str(number)}} for number in numbers]


@given(
    st.lists(st.sets(st.integers(0, 40), max_size=5), max_size=6),
    st.sets(st.integers(0, 40)),
)
def test_packing_holds_what_is_wanted_once_and_moves_nobody(held, wanted):
    seen: set[int] = set()
    slices = []
    for index, numbers in enumerate(held):
        slices.append({"metadata": {"name": str(index)}, "endpoints": entries(sorted(numbers - seen))})
        seen |= numbers
    kept, fresh = pack(slices, entries(sorted(wanted)), full=5)

    groups = [each["endpoints"] for each in kept] + fresh
    assert sorted(e["addresses"][0] for group in groups for e in group) == sorted(
        e["addresses"][0] for e in entries(wanted)
    )
    assert all(len(group) <= 5 for group in groups)
    for before, after in zip(slices, kept, strict=True):
        stays = [e for e in before["endpoints"] if int(e["targetRef"]["uid"]) in wanted]
        assert after["endpoints"][: len(stays)] == stays


@given(st.integers(0, 1500), st.integers(0, 1500))
def test_truncation_keeps_ready_addresses_first(ready, unready):
    subset = {"addresses": list(range(ready)), "notReadyAddresses": list(range(unready))}
    kept, cut = truncate([{part: value for part, value in subset.items() if value}])
    counts = [sum(len(each.get(part, ())) for each in kept) for part in ("addresses", "notReadyAddresses")]
    assert cut == (ready + unready > 1000)
    assert counts[0] == min(ready, 1000)
    assert sum(counts) == min(ready + unready, 1000)
