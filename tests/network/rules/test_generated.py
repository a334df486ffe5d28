"""Over generated Services, what kube-proxy would write in each mode leads where the Services want it."""

from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from svcdoctor.lab.proxy import node_files
from svcdoctor.network.packet import Origin, Packet
from svcdoctor.network.walk import Walker
from tests.lab.proxy.worlds import CONFIG, NODE, worlds
from tests.network.rules.nodes import host, ruleset, told
from tests.network.rules.wanted import Port, to_cluster_ip, to_outside

AT = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
OWN = "172.30.0.11"


def flows(service, port):
    """(kind, address, port) of all ways to a Service port."""
    yield "cluster", service["spec"]["clusterIPs"][0], port["port"]
    for address in service["spec"].get("externalIPs") or []:
        yield "external", address, port["port"]
    for one in service["status"]["loadBalancer"].get("ingress", []):
        yield "balancer", one["ip"], port["port"]
    if port.get("nodePort"):
        yield "node", OWN, port["nodePort"]


def wanted(kind, port, source, origin, mode):
    if kind == "cluster":
        return to_cluster_ip(port, source, origin, ipvs=mode == "ipvs")
    return to_outside(port, OWN if origin is Origin.NODE else source, origin, kind, mode)


@pytest.mark.parametrize("mode", ["iptables", "nftables", "ipvs"])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(worlds(), st.sampled_from(["203.0.113.5", "198.18.0.9"]), st.booleans())
def test_rules_do_what_services_want(mode, world, stranger, itself):
    services, slices = world
    files = node_files(services, slices, NODE, replace(CONFIG, mode=mode), AT)
    walker = Walker(ruleset(files), host(files))
    pods = [one["addresses"][0] for slice_ in slices for one in slice_["endpoints"] or [] if one["nodeName"] == "node1"]
    pod = pods[0] if itself and pods else "10.244.1.251"
    for service in services:
        for each in service["spec"]["ports"]:
            port = Port(service, each, slices)
            for kind, address, number in flows(service, each):
                for origin, own in ((Origin.POD, pod), (Origin.NODE, OWN), (Origin.OUTSIDE, stranger)):
                    source = address if mode == "ipvs" and origin is Origin.NODE and kind != "node" else own
                    packet = Packet(source, address, number, each["protocol"], origin)
                    due = wanted(kind, port, source, origin, mode)
                    assert told(walker.walk(packet)) == due, (packet, service)
