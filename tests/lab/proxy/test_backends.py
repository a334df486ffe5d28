"""Which endpoints of a Service a node uses, as its rules show."""

from typing import Any

import pytest
from msgspec.structs import replace

from .walk import endpoints, of_cluster_ip, rules
from .worlds import NODE, endpoint, port, service, slice_of, vip

IP = "10.96.7.7"
DRAINING: dict[str, Any] = {"ready": False, "serving": True, "terminating": True}
LOST: dict[str, Any] = {"ready": False, "serving": False, "terminating": True}


def zones(*names):
    return {"forZones": [{"name": name} for name in names]}


def nodes(*names):
    return {"forNodes": [{"name": name} for name in names]}


def chosen(found, node=NODE, **spec):
    return of_cluster_ip(rules([service("web", **spec)], [slice_of("web", found)], node), IP)


def test_endpoints_come_in_the_order_of_their_text():
    found = [endpoint(ip) for ip in ("10.244.1.2", "10.244.1.10", "10.244.1.1")]
    assert chosen(found) == ["10.244.1.10:8080", "10.244.1.1:8080", "10.244.1.2:8080"]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([], "REJECT"),
        ([endpoint("10.244.1.2", ready=False)], "REJECT"),
        ([endpoint("10.244.1.2", ready=None, serving=None)], ["10.244.1.2:8080"]),
        ([endpoint("10.244.1.2", **DRAINING)], ["10.244.1.2:8080"]),
        ([endpoint("10.244.1.2", **LOST)], "REJECT"),
        ([endpoint("10.244.1.2", **DRAINING), endpoint("10.244.1.3")], ["10.244.1.3:8080"]),
        ([endpoint("10.244.1.2", **DRAINING), endpoint("10.244.1.3", ready=False)], ["10.244.1.2:8080"]),
    ],
)
def test_draining_endpoints_serve_where_none_is_ready(found, expected):
    assert chosen(found) == expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([endpoint("10.244.2.2", "node2")], "DROP"),
        ([endpoint("10.244.2.2", None)], "DROP"),
        ([endpoint("10.244.1.2", ready=False), endpoint("10.244.2.2", "node2", ready=False)], "REJECT"),
        ([endpoint("10.244.1.2"), endpoint("10.244.2.2", "node2")], ["10.244.1.2:8080"]),
        ([endpoint("10.244.1.2", **DRAINING), endpoint("10.244.2.2", "node2")], ["10.244.1.2:8080"]),
        ([endpoint("10.244.1.2", **LOST), endpoint("10.244.2.2", "node2")], "DROP"),
        ([endpoint("10.244.1.2", hints=zones("zone-2")), endpoint("10.244.2.2", "node2")], ["10.244.1.2:8080"]),
    ],
)
def test_internal_traffic_policy_local(found, expected):
    assert chosen(found, internalTrafficPolicy="Local") == expected


ONE, TWO, THREE = ("10.244.1.2:8080", "10.244.2.2:8080", "10.244.3.2:8080")


def hinted(*hints, **conditions):
    return [
        endpoint(f"10.244.{index}.2", f"node{index}", hints=hint, **(conditions if index == 1 else {}))
        for index, hint in enumerate(hints, start=1)
    ]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (hinted(zones("zone-1"), zones("zone-2")), [ONE]),
        (hinted(zones("zone-1", "zone-2"), zones("zone-2"), zones("zone-1")), [ONE, THREE]),
        (hinted(zones("zone-1"), None), [ONE, TWO]),
        (hinted(zones("zone-1"), {"forZones": []}), [ONE, TWO]),
        (hinted(zones("zone-2"), zones("zone-3")), [ONE, TWO]),
        (hinted(zones("zone-1"), zones("zone-2"), ready=False), [TWO]),
        (hinted({**zones("zone-2"), **nodes("node1")}, {**zones("zone-1"), **nodes("node2")}), [ONE]),
        (hinted({**zones("zone-2"), **nodes("node3")}, {**zones("zone-1"), **nodes("node2")}), [TWO]),
        (hinted(nodes("node1"), zones("zone-1")), [ONE, TWO]),
    ],
)
def test_topology_hints(found, expected):
    assert chosen(found) == expected


def test_a_node_without_a_zone_is_in_no_zone_s_hints():
    found = hinted(zones("zone-1"), zones(""))
    assert chosen(found, node=replace(NODE, zone="")) == [TWO]
    assert chosen(hinted(zones("zone-1"), zones("zone-2")), node=replace(NODE, zone="")) == [ONE, TWO]


def test_an_unready_endpoint_without_hints_does_not_switch_them_off():
    assert chosen([*hinted(zones("zone-1"), zones("zone-2")), endpoint("10.244.3.2", ready=False)]) == [ONE]


def test_a_running_pod_wins_over_one_that_terminates_at_its_address():
    old, new = endpoint("10.244.1.2", **LOST), endpoint("10.244.1.2")
    for found in ([old, new], [new, old]):
        assert chosen(found) == ["10.244.1.2:8080"]


def test_slices_meet_services_by_the_port_s_name_and_protocol():
    web = service("web", port("http", 80))
    fits = slice_of("web", [endpoint("10.244.1.2")], port("http", 9999))
    assert of_cluster_ip(rules([web], [fits]), IP) == ["10.244.1.2:9999"]
    for misfit in (port("web", 80), port("http", 80, "UDP"), {"name": "http", "port": None, "protocol": "TCP"}):
        assert of_cluster_ip(rules([web], [slice_of("web", [endpoint("10.244.1.2")], misfit)]), IP) == "REJECT"


def test_a_port_may_have_another_number_in_another_slice():
    found = [
        slice_of("web", [endpoint("10.244.1.2")], port("http", 8080)),
        slice_of("web", [endpoint("10.244.1.3")], port("http", 9090), suffix="y"),
    ]
    assert of_cluster_ip(rules([service("web")], found), IP) == ["10.244.1.2:8080", "10.244.1.3:9090"]


@pytest.mark.parametrize(
    "change",
    [
        {"labels": {}},
        {"labels": {"kubernetes.io/service-name": "web", "service.kubernetes.io/headless": ""}},
        {"labels": {"kubernetes.io/service-name": "other"}},
        {"labels": None},
    ],
)
def test_slices_that_kube_proxy_does_not_read(change):
    ignored = slice_of("web", [endpoint("10.244.1.2")])
    ignored["metadata"].update(change)
    assert of_cluster_ip(rules([service("web")], [ignored]), IP) == "REJECT"


def test_broken_endpoints_are_left_out_alone():
    broken = [{"addresses": []}, {"addresses": None}, endpoint("nonsense"), endpoint("fd00::1"), {}]
    assert chosen([*broken, endpoint("010.244.001.002")]) == ["10.244.1.2:8080"]
    assert of_cluster_ip(rules([service("web")], [slice_of("web", None), slice_of("web", [])]), IP) == "REJECT"


def test_external_local_traffic_has_a_chain_of_its_own():
    spec: dict[str, Any] = {"type": "LoadBalancer", "externalTrafficPolicy": "Local", "status": vip("192.0.2.80")}
    found = rules(
        [service("web", **spec)], [slice_of("web", [endpoint("10.244.1.2"), endpoint("10.244.2.2", "node2")])]
    )
    local = next(name for table, name in found if name.startswith("KUBE-SVL-"))
    assert list(endpoints(found, local)) == ["10.244.1.2:8080"]
