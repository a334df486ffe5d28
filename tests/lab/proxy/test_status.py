"""What a node tells besides its rules."""

import json
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from svcdoctor.lab.proxy import NodeView, Peer, ProxyConfig, node_files, stopped
from svcdoctor.lab.proxy.metrics import number

from .walk import files
from .worlds import NODE, RICH, service, slice_of

AT = datetime(2026, 11, 23, 2, 0, 0, 120_500, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (137.0, "137"),
        (999999, "999999"),
        (1e6, "1e+06"),
        (1.7953991904969368e9, "1.7953991904969368e+09"),
        (0.126366294, "0.126366294"),
        (327.2453309179999, "327.2453309179999"),
        (0.00002, "2e-05"),
        (-2500000.0, "-2.5e+06"),
    ],
)
def test_numbers_are_written_as_go_does(value, text):
    assert number(value) == text


def metric(texts, name):
    found = {}
    for line in texts["proxy-metrics.txt"].splitlines():
        labels, _, value = line.rpartition(" ")
        if labels.partition("{")[0] == f"kubeproxy_{name}":
            found[labels.partition("{")[2].rstrip("}")] = float(value)
    return found


def at(moment, changed):
    late = slice_of("web", [])
    late["metadata"]["annotations"] = {"endpoints.kubernetes.io/last-change-trigger-time": changed}
    return node_files([service("web")], [late], NODE, ProxyConfig(), moment)


def test_a_proxy_that_keeps_up_synced_right_after_the_last_change():
    texts = at(AT, "2026-11-23T01:50:00Z")
    queued = metric(texts, "sync_proxy_rules_last_queued_timestamp_seconds")
    synced = metric(texts, "sync_proxy_rules_last_timestamp_seconds")
    assert queued['ip_family="IPv4"'] == datetime(2026, 11, 23, 1, 50, tzinfo=UTC).timestamp()
    assert 0 < synced['ip_family="IPv4"'] - queued['ip_family="IPv4"'] < 1
    health = json.loads(texts["proxy-healthz.json"])
    assert health == {
        "lastUpdated": "2026-11-23T02:00:00.1205Z",
        "currentTime": "2026-11-23T02:00:00.1205Z",
        "nodeEligible": True,
        "healthy": True,
        "status": {
            "IPv4": {"lastUpdated": "2026-11-23T01:50:00.38Z", "healthy": True},
            "IPv6": {"lastUpdated": "2026-11-23T01:50:00.38Z", "healthy": True},
        },
    }


@pytest.mark.parametrize("changed", ["2026-11-23T03:00:00Z", "yesterday", "2026-11-23T01:50:00", 5, None])
def test_no_sync_is_in_the_future_whatever_the_objects_say(changed):
    synced = metric(at(AT, changed), "sync_proxy_rules_last_timestamp_seconds")
    assert synced['ip_family="IPv4"'] == AT.timestamp()


def test_services_without_local_endpoints_are_counted():
    name = "sync_proxy_rules_no_local_endpoints_total"
    external, internal = (f'ip_family="IPv4",traffic_policy="{one}"' for one in ("external", "internal"))
    assert metric(files(*RICH), name)[external] == 1
    assert metric(files(*RICH), name)[internal] == 1
    assert metric(files(*RICH, mode="ipvs"), name)[external] == 1


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("iptables", set()),
        ("nftables", {"nft-ip-kube-proxy.json", "nft-ip6-kube-proxy.json"}),
        ("ipvs", {"ip_vs.txt", "ipset.txt", "ipvsadm-Sn.txt", "ipvsadm-Ln.txt"}),
    ],
)
def test_files_of_each_mode(mode, expected):
    always = {
        "iptables-save.txt",
        "ip6tables-save.txt",
        "addresses.json",
        "routes.json",
        "sysctl.json",
        "conntrack.txt",
        "proxy-mode.txt",
        "proxy-healthz.json",
        "proxy-metrics.txt",
        "proxy-configz.json",
        "kubelet-configz.json",
    }
    assert set(files(*RICH, mode=mode)) == always | expected


def test_a_bare_node_in_nftables_mode_has_no_iptables_at_all():
    node = NodeView(name="bare", kubelet=False, bridge=False)
    texts = files([], [], node, mode="nftables")
    assert texts["iptables-save.txt"] == texts["ip6tables-save.txt"] == ""
    assert "kubelet-configz.json" not in texts


def test_every_pod_has_a_veth_and_every_node_a_route():
    node = replace(NODE, peers=(Peer("172.30.0.12", "10.244.2.0/24"),))
    texts = files([], [], node)
    links = json.loads(texts["addresses.json"])
    assert [link["ifname"][:4] for link in links] == ["lo", "eth0", "cni0", "veth", "veth"]
    assert [link["master"] for link in links if link["ifname"].startswith("veth")] == ["cni0", "cni0"]
    assert [info["local"] for info in links[2]["addr_info"]][:2] == ["10.244.1.1", "fd00:10:244:1::1"]
    connected = {"protocol": "kernel", "scope": "link", "flags": []}
    assert json.loads(texts["routes.json"]) == [
        {"dst": "default", "gateway": "172.30.0.254", "dev": "eth0", "flags": []},
        {"dst": "10.244.1.0/24", "dev": "cni0", "prefsrc": "10.244.1.1", **connected},
        {"dst": "10.244.2.0/24", "gateway": "172.30.0.12", "dev": "eth0", "flags": []},
        {"dst": "172.30.0.0/24", "dev": "eth0", "prefsrc": "172.30.0.11", **connected},
    ]


def test_settings_of_a_sick_node_override_a_well_one_s():
    sick = replace(NODE, sysctls={"net.ipv4.ip_forward": "0"}, forward_policy="DROP")
    texts = files([], [], sick, tcp_be_liberal=True)
    told = json.loads(texts["sysctl.json"])
    assert told["net.ipv4.ip_forward"] == "0"
    assert told["net.netfilter.nf_conntrack_tcp_be_liberal"] == "1"
    assert ":FORWARD DROP [0:0]" in texts["iptables-save.txt"]
    assert "INVALID" not in texts["iptables-save.txt"]


def test_the_kubelet_tells_pods_their_name_server():
    odd = replace(NODE, cluster_dns=("10.96.0.99",), cluster_domain="example.org")
    told = json.loads(files([], [], odd)["kubelet-configz.json"])["kubeletconfig"]
    assert (told["clusterDNS"], told["clusterDomain"]) == (["10.96.0.99"], "example.org")


def test_a_kube_proxy_that_stands_still_answers_nothing():
    """As the recorded nodes of proxy-stale show: their rules, and an empty page of metrics."""
    texts = files(*RICH)
    still = stopped(texts)
    assert set(texts) - set(still) == {"proxy-mode.txt", "proxy-healthz.json", "proxy-configz.json"}
    assert still["proxy-metrics.txt"] == "\n"
    assert still["iptables-save.txt"] == texts["iptables-save.txt"]
