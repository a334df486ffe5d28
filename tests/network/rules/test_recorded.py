"""Every recorded node, both modes and ipvs: rules lead where the Services and slices say, and where packets went."""

import json
from fractions import Fraction

import pytest

from svcdoctor.network.packet import Host, Kind, Origin, Packet
from svcdoctor.network.ruleset import combine
from svcdoctor.network.walk import Walker
from tests.lab.proxy import dumps
from tests.network.rules.nodes import READERS, recorded_node, ruleset, told

NODES = [*dumps.nodes("iptables"), *dumps.nodes("nftables")]
REFUSED, DROPPED, FORWARD = "reject icmp-port-unreachable", "drop drop", "drop policy drop of FORWARD"
CLIENTS = {Origin.POD: "10.244.{}.200", Origin.NODE: "172.30.0.1{}", Origin.OUTSIDE: "192.168.7.7"}


def endpoints(services, slices, node, local=False):
    """(ClusterIP, port, protocol, policy) of each Service port with the endpoints it should have, and their nodes."""
    for service in services:
        name, spec = (service["metadata"]["namespace"], service["metadata"]["name"]), service["spec"]
        if spec.get("clusterIP") in (None, "", "None"):
            continue
        for port in spec["ports"]:
            ready = {
                f"{one['addresses'][0]}:{each['port']}": one.get("nodeName")
                for slice_ in slices
                if (slice_["metadata"]["namespace"], slice_["metadata"]["labels"]["kubernetes.io/service-name"]) == name
                if slice_["addressType"] == "IPv4"
                for each in slice_["ports"] or []
                if (each.get("name", ""), each["protocol"]) == (port.get("name", ""), port["protocol"])
                for one in slice_.get("endpoints") or []
                if one["conditions"].get("ready", True)
            }
            yield service, port, ready


def wanted(service, ready, node, origin):
    """The ends of a packet to the ClusterIP."""
    chosen = ready
    if service["spec"].get("internalTrafficPolicy") == "Local":
        chosen = {place for place, where in ready.items() if where == node}
        if ready and not chosen:
            return {DROPPED: "1"}
    if not chosen:
        return {REFUSED: "1"}
    seen = "" if origin is Origin.POD else " masqueraded"
    return {f"{place}{seen}": str(Fraction(1, len(chosen))) for place in sorted(chosen)}


@pytest.mark.parametrize("origin", CLIENTS)
@pytest.mark.parametrize("key", NODES)
def test_a_node_leads_to_ready_endpoints_in_equal_shares(key, origin):
    node = key.partition("/")[2]
    walker = recorded_node(key)
    asked = 0
    for service, port, ready in endpoints(dumps.services(key), dumps.slices(key), node):
        if key in dumps.STALE and service["metadata"]["name"] == "orders":
            continue
        source = CLIENTS[origin].format(node[-1])
        walk = walker.walk(Packet(source, service["spec"]["clusterIP"], port["port"], port["protocol"], origin))
        due = wanted(service, ready, node, origin)
        if key in dumps.FORWARD_DROP and ready:
            passes = origin is Origin.NODE or (key.startswith("iptables") and origin is Origin.OUTSIDE)
            due = due if passes else {FORWARD: "1"}
        assert told(walk) == due, service["metadata"]["name"]
        asked += 1
    assert asked


@pytest.mark.parametrize("key", sorted(dumps.STALE))
def test_a_proxy_that_stood_still_leads_to_pods_that_are_gone(key):
    ((service, port, ready),) = [
        one
        for one in endpoints(dumps.services(key), dumps.slices(key), "node1")
        if one[0]["metadata"]["name"] == "orders"
    ]
    walk = recorded_node(key).walk(
        Packet("10.244.1.200", service["spec"]["clusterIP"], port["port"], "TCP", Origin.POD)
    )
    assert walk.backends
    assert {place for place, _ in walk.backends}.isdisjoint(place.partition(":")[0] for place in ready)


def measured():
    """What connections did: (case, from, to, results), as truth.json of each case tells it."""
    for case in sorted({key.partition("/")[0] for key in NODES}):
        truth = json.loads((dumps.CASES / case / "truth.json").read_text())
        for one in truth["traffic_measured"]:
            if truth["causes"] != ["externalname-dangling"] and "name-not-resolved" not in one["results"]:
                yield case, truth, one


@pytest.mark.parametrize(("case", "truth", "flow"), list(measured()))
def test_what_was_measured_is_what_the_rules_say(case, truth, flow):
    pods = {
        pod["metadata"]["name"]: pod
        for pod in dumps.objects(case, "api/v1/namespaces/*/pods.json")
        if pod["metadata"]["namespace"] == truth["namespace"]
    }
    if flow["from"].startswith("node:"):
        origin, node = Origin.NODE, flow["from"].removeprefix("node:")
        source = CLIENTS[origin].format(node[-1])
    else:
        client = pods[flow["from"]]
        on_host = client["spec"].get("hostNetwork", False)
        origin, node = Origin.NODE if on_host else Origin.POD, client["spec"]["nodeName"]
        source = client["status"]["podIP"]
    service = next(one for one in dumps.services(f"{case}/{node}") if one["metadata"]["name"] == truth["service"])
    number = flow["to"].partition(":")[2]
    port = next(
        each for each in service["spec"]["ports"] if each["port"] == int(number or service["spec"]["ports"][0]["port"])
    )
    walk = recorded_node(f"{case}/{node}").walk(
        Packet(source, service["spec"]["clusterIP"], port["port"], port["protocol"], origin)
    )
    for result in flow["results"]:
        if result.startswith("ok "):
            assert pods[result.removeprefix("ok ")]["status"]["podIP"] in {place for place, _ in walk.backends}
        elif result == "refused-or-unreachable":  # by the rules, or by a pod where nothing listens
            assert walk.share(Kind.REJECT) + walk.share(Kind.ENDPOINT) == 1
        else:
            assert result == "timeout"
            living = {pod["status"].get("podIP") for pod in pods.values()}
            gone = {place for place, _ in walk.backends}.isdisjoint(living)
            assert walk.share(Kind.DROP) == 1 or gone or name_server_is_cut_off(case, source)


def name_server_is_cut_off(case, source):
    """Whether the question for the Service's name is lost on the node of the name servers, node1."""
    walk = recorded_node(f"{case}/node1").walk(Packet(source, "10.244.1.2", 53, "UDP", Origin.OUTSIDE))
    return told(walk) == {FORWARD: "1"}


@pytest.mark.parametrize("scheduler", ["rr", "lc", "sh"])
@pytest.mark.parametrize("form", ["ip_vs.txt", "ipvsadm-Ln.txt", "ipvsadm-Sn.txt"])
def test_the_recorded_ipvs_node_serves_what_its_slices_say(scheduler, form):
    files = dumps.recorded()["ipvs/rr"]
    virtual = READERS["ip_vs.txt"](dumps.recorded()[f"ipvs/{scheduler}"][form], form)
    rules = combine([ruleset({name: text for name, text in files.items() if name != "ip_vs.txt"}), virtual])
    walker = Walker(rules, Host())
    services, slices = (json.loads(files[name])["items"] for name in ("services.json", "endpointslices.json"))
    asked = 0
    for service, port, ready in endpoints(services, slices, "ipvs1"):
        for origin, source in ((Origin.POD, "10.244.2.77"), (Origin.NODE, "10.0.2.15"), (Origin.OUTSIDE, "10.0.2.99")):
            walk = walker.walk(Packet(source, service["spec"]["clusterIP"], port["port"], port["protocol"], origin))
            assert told(walk) == wanted({"spec": {}}, ready, "ipvs1", origin)
            assert [hop.table for hop in walk.outcomes[0].hops if hop.table == "ipvs"] == ["ipvs"]
            asked += 1
    assert asked > 20
