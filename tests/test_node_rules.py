"""What a node shows, read from its files."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from svcdoctor import archive
from svcdoctor.model.node_rules import (
    FILES,
    AddressInfo,
    Link,
    NodeRules,
    ProxyConfiguration,
    ProxyHealth,
    RouteLine,
    Sample,
    configuration,
    duration,
    read,
)
from svcdoctor.model.snapshot import Snapshot

OLD_CONFIGZ = """{"kubeproxy.config.k8s.io": {"Mode": "ipvs", "HostnameOverride": "n1",
 "DetectLocalMode": "ClusterCIDR", "DetectLocal": {"ClusterCIDRs": ["10.1.0.0/16", "fd00::/48"]},
 "IPTables": {"MasqueradeAll": true},
 "IPVS": {"SyncPeriod": 10000000000, "MinSyncPeriod": 0}, "NodePortAddresses": ["192.168.0.0/24"]}}"""


def test_every_file_becomes_what_it_says():
    files = {
        "iptables-save.txt": b"*nat\nCOMMIT\n",
        "sysctl.json": b'{"net.ipv4.ip_forward": "1", "net.netfilter.nf_conntrack_max": 262144}',
        "addresses.json": b'[{"ifname": "eth0", "mtu": 1500, "flags": ["UP"], '
        b'"addr_info": [{"family": "inet", "local": "192.168.0.7", "prefixlen": 24, "scope": "global"}]}]',
        "routes.json": b'[{"dst": "default", "gateway": "192.168.0.1", "dev": "eth0", "flags": []}]',
        "proxy-healthz.json": b'{"lastUpdated": "2026-11-25T12:00:00Z", "healthy": true, "nodeEligible": true}',
        "proxy-mode.txt": b"ipvs\n",
        "proxy-metrics.txt": b"# HELP kubeproxy_x y\n"
        b'kubeproxy_x{ip_family="IPv4"} 1.5e+09\ngo_threads 7\nkubeproxy_y NaN\n',
        "proxy-configz.json": OLD_CONFIGZ.encode(),
        "something-else.txt": b"?",
    }
    found = read("n1", files)
    assert found == NodeRules(
        node="n1",
        texts={name: text.decode() for name, text in files.items() if name != "something-else.txt"},
        sysctls={"net.ipv4.ip_forward": "1", "net.netfilter.nf_conntrack_max": "262144"},
        links=(Link("eth0", 1500, "", (AddressInfo("inet", "192.168.0.7", 24, "global"),)),),
        routes=(RouteLine("default", "eth0", "192.168.0.1"),),
        health=ProxyHealth(healthy=True, last_updated="2026-11-25T12:00:00Z", node_eligible=True),
        mode="ipvs",
        configuration=ProxyConfiguration(
            mode="ipvs",
            hostname_override="n1",
            cluster_cidrs=("10.1.0.0/16", "fd00::/48"),
            masquerade_all=True,
            node_port_addresses=("192.168.0.0/24",),
            sync_period=timedelta(seconds=10),
            min_sync_period=timedelta(),
        ),
        metrics=(Sample("kubeproxy_x", 'ip_family="IPv4"', 1.5e9),),
    )
    assert found.metric("kubeproxy_x", "IPv6") is None
    assert found.moment("kubeproxy_x", "IPv4") == datetime(2017, 7, 14, 2, 40, tzinfo=UTC)
    assert found.has_rules


def test_what_makes_no_sense_is_named_and_the_rest_stays():
    files = {"sysctl.json": b"[1]", "proxy-configz.json": b'{"a": 3}', "proxy-mode.txt": b"iptables"}
    texts = {name: text.decode() for name, text in files.items()}
    found = read("n1", files)
    assert found == NodeRules("n1", texts, mode="iptables", unreadable=("sysctl.json", "proxy-configz.json"))
    assert not found.has_rules


def test_a_configuration_as_people_write_it():
    document = {
        "mode": "",
        "clusterCIDR": "10.1.0.0/16,fd00::/48",
        "iptables": {"syncPeriod": "1m30s", "minSyncPeriod": "500ms", "localhostNodePorts": False},
        "nodePortAddresses": None,
        "detectLocalMode": "BridgeInterface",
        "detectLocal": {"bridgeInterface": "cni0"},
    }
    assert configuration(document) == ProxyConfiguration(
        detect_local_mode="BridgeInterface",
        cluster_cidrs=("10.1.0.0/16", "fd00::/48"),
        bridge_interface="cni0",
        localhost_node_ports=False,
        sync_period=timedelta(seconds=90),
        min_sync_period=timedelta(milliseconds=500),
    )


def test_durations():
    assert duration("1h0m0.5s") == timedelta(hours=1, milliseconds=500)
    assert duration(30_000_000_000) == timedelta(seconds=30)
    assert duration(None) == timedelta()


@given(
    st.dictionaries(st.sampled_from(FILES), st.binary(max_size=60) | st.sampled_from([b"[]", b"{}", b"null", b"[{}]"]))
)
def test_anything_may_stand_in_the_files(files):
    assert read("n1", files).node == "n1"


def test_a_snapshot_keeps_them(tmp_path):
    rules = read(
        "n1", {"proxy-mode.txt": b"iptables\n", "ip_vs.txt": b"TCP  0A600001:01BB rr\n", "sysctl.json": b"[1]"}
    )
    snapshot = Snapshot(taken_at=datetime(2026, 11, 25, tzinfo=UTC), node_rules={"n1": rules})
    archive.save(tmp_path / "saved.tar.gz", snapshot, [])
    assert archive.load(tmp_path / "saved.tar.gz").node_rules == {"n1": rules}
