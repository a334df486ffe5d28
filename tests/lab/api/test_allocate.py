"""Cluster IPs and node ports: never the same twice, always the same again, and refused in the real words."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcdoctor.lab.api.allocate import Ranges, Taken
from svcdoctor.lab.api.status import Refusal
from tests.lab.api.making import create, service, update
from tests.lab.recorded import exchange

DUAL = Ranges(("10.96.0.0/16", "fd00:10:96::/112"))
TINY = Ranges(("10.96.0.0/29",), (30000, 30003))


def causes(refusal):
    return [(cause["field"], cause["message"]) for cause in refusal.value.body["details"]["causes"]]


def test_out_of_range_is_refused_as_recorded():
    old = create(service("tmp"))
    wanted = exchange("nodeport-out-of-range")
    with pytest.raises(Refusal) as refused:
        update(old, {**service("tmp"), "spec": {**old["spec"], **wanted.sent_json()["spec"]}})
    assert (refused.value.code, refused.value.body) == (wanted.code, wanted.json())


@given(st.lists(st.text("abcdefgh", min_size=1, max_size=3), unique=True, max_size=30), st.booleans())
def test_none_is_given_twice_and_each_is_given_again(names, dual):
    ranges, taken = DUAL if dual else Ranges(), Taken()
    policy = "PreferDualStack"
    for name in names:
        made = create(service(name, type="NodePort", ipFamilyPolicy=policy), ranges=ranges, taken=taken)
        spec = made["spec"]
        assert create(service(name, type="NodePort", ipFamilyPolicy=policy), ranges=ranges, taken=taken) == made
        assert not taken.addresses & set(spec["clusterIPs"])
        assert spec["ports"][0]["nodePort"] not in taken.node_ports
        assert 30000 <= spec["ports"][0]["nodePort"] <= 32767
        assert len(spec["clusterIPs"]) == len(spec["ipFamilies"]) == (2 if dual else 1)
        for address, cidr in zip(spec["clusterIPs"], ranges.cidrs, strict=False):
            assert ipaddress.ip_address(address) in ipaddress.ip_network(cidr)
        taken.add(made)
    assert len(taken.addresses) == len(names) * (2 if dual else 1)


def test_what_is_given_stays_out_of_the_band_for_choices_by_hand():
    made = create(service(type="NodePort"))
    assert int(ipaddress.ip_address(made["spec"]["clusterIP"])) > int(ipaddress.ip_address("10.96.1.0"))
    assert made["spec"]["ports"][0]["nodePort"] >= 30086


def test_a_range_can_be_used_up_and_freed():
    taken = Taken()
    made = [create(service(f"s{index}"), ranges=TINY, taken=taken) for index in range(1)]
    taken.add(made[0])
    for index in range(1, 6):
        taken.add(create(service(f"s{index}"), ranges=TINY, taken=taken))
    assert len(taken.addresses) == 6
    with pytest.raises(Refusal) as refused:
        create(service("more"), ranges=TINY, taken=taken)
    assert (refused.value.code, str(refused.value)) == (
        500,
        "Internal error occurred: failed to allocate a serviceIP: range is full",
    )
    taken.remove(made[0])
    assert create(service("more"), ranges=TINY, taken=taken)["spec"]["clusterIP"] == made[0]["spec"]["clusterIP"]


@pytest.mark.parametrize(
    ("spec", "field", "message"),
    [
        (
            {"clusterIP": "10.96.0.10"},
            "spec.clusterIPs",
            'Invalid value: ["10.96.0.10"]: failed to allocate IP 10.96.0.10: provided IP is already allocated',
        ),
        (
            {"clusterIP": "192.0.2.1"},
            "spec.clusterIPs",
            'Invalid value: ["192.0.2.1"]: failed to allocate IP 192.0.2.1: the provided IP (192.0.2.1) is not in the '
            "valid range. The range of valid IPs is 10.96.0.0/16",
        ),
        (
            {"type": "NodePort", "ports": [{"port": 80, "nodePort": 31000}]},
            "spec.ports[0].nodePort",
            "Invalid value: 31000: provided port is already allocated",
        ),
        (
            {"ipFamilyPolicy": "RequireDualStack"},
            "spec.ipFamilyPolicy",
            'Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
        ),
        ({"ipFamilies": ["IPv6"]}, "spec.ipFamilies[0]", 'Invalid value: "IPv6": not configured on this cluster'),
        (
            {"type": "LoadBalancer", "externalTrafficPolicy": "Local", "healthCheckNodePort": 31000},
            "spec.healthCheckNodePort",
            "Invalid value: 31000: provided port is already allocated",
        ),
    ],
)
def test_what_cannot_be_had_is_refused(spec, field, message):
    taken = Taken()
    taken.add(create(service("a", clusterIP="10.96.0.10", type="NodePort", ports=[{"port": 1, "nodePort": 31000}])))
    with pytest.raises(Refusal) as refused:
        create(service("b", **spec), taken=taken)
    assert refused.value.code == 422
    assert causes(refused) == [(field, message)]


@pytest.mark.parametrize(
    ("spec", "ranges", "wanted"),
    [
        ({"clusterIP": "None"}, Ranges(), (["None"], ["IPv4"], "SingleStack")),
        ({"clusterIP": "None", "selector": None}, Ranges(), (["None"], ["IPv4", "IPv6"], "RequireDualStack")),
        ({"clusterIP": "10.96.0.9"}, DUAL, (["10.96.0.9"], ["IPv4"], "SingleStack")),
        ({"clusterIP": "fd00:10:96::9"}, DUAL, (["fd00:10:96::9"], ["IPv6"], "SingleStack")),
        (
            {"clusterIP": "fd00:10:96::9", "clusterIPs": ["fd00:10:96::9", "10.96.0.9"]},
            DUAL,
            (["fd00:10:96::9", "10.96.0.9"], ["IPv6", "IPv4"], "RequireDualStack"),
        ),
        ({"type": "ExternalName", "externalName": "x.example"}, DUAL, (None, None, None)),
    ],
)
def test_families(spec, ranges, wanted):
    made = create(service(**spec), ranges=ranges)["spec"]
    assert (made.get("clusterIPs"), made.get("ipFamilies"), made.get("ipFamilyPolicy")) == wanted


def test_a_second_family_comes_and_goes():
    old = create(service(), ranges=DUAL)
    dual = update(old, service(ipFamilyPolicy="PreferDualStack"), ranges=DUAL)
    assert dual["spec"]["clusterIPs"][0] == old["spec"]["clusterIP"]
    assert dual["spec"]["ipFamilies"] == ["IPv4", "IPv6"]
    single = update(dual, {**dual, "spec": {**dual["spec"], "ipFamilyPolicy": "SingleStack"}}, ranges=DUAL)
    assert single["spec"] == old["spec"]


def test_two_protocols_of_one_port_share_a_node_port():
    ports = [{"name": "a", "port": 53, "protocol": "UDP"}, {"name": "b", "port": 53, "protocol": "TCP"}]
    made = create(service(type="NodePort", ports=ports))["spec"]["ports"]
    assert made[0]["nodePort"] == made[1]["nodePort"]


def test_a_load_balancer_without_node_ports():
    made = create(service(type="LoadBalancer", allocateLoadBalancerNodePorts=False))
    assert "nodePort" not in made["spec"]["ports"][0]


def test_an_external_name_becomes_a_cluster_ip():
    old = create(service(type="ExternalName", externalName="x.example"))
    made = update(old, service())
    assert made["spec"]["clusterIP"].startswith("10.96.")
