"""A pod's resolv.conf: as recorded, and by the kubelet's rules."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcdoctor.lab.dns import resolv_conf

from .world import Json

RECORDED = json.loads((Path(__file__).parent / "recorded_resolv_conf.json").read_text())
NODE = """# made by the node
domain ignored.example
search corp.example eu.corp.example. .
nameserver 192.168.1.1
nameserver 192.168.1.2
options timeout:2 rotate
"""
CLUSTER = "search shop.svc.cluster.local svc.cluster.local cluster.local"


def written(spec: Json | None = None, node: str = "", dns: tuple[str, ...] = ("10.96.0.10",), **status: Any) -> str:
    pod = {"metadata": {"name": "client", "namespace": "shop"}, "spec": spec or {}, "status": status}
    return resolv_conf(pod, cluster_dns=dns, cluster_domain="cluster.local", node_resolv_conf=node)


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda recorded: recorded["from"])
def test_as_recorded(recorded: Json) -> None:
    kubelet = recorded["kubelet"]
    assert recorded["text"] == resolv_conf(
        recorded["pod"],
        cluster_dns=kubelet["clusterDNS"],
        cluster_domain=kubelet["clusterDomain"],
        node_resolv_conf=kubelet["resolvConf"],
    )


HOST = "search corp.example eu.corp.example\nnameserver 192.168.1.1\nnameserver 192.168.1.2\noptions timeout:2 rotate\n"
WITH_NODE = f"{CLUSTER} corp.example eu.corp.example\nnameserver 10.96.0.10\noptions ndots:5\n"


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ({}, WITH_NODE),
        ({"dnsPolicy": "ClusterFirst"}, WITH_NODE),
        ({"dnsPolicy": "ClusterFirst", "hostNetwork": True}, HOST),
        ({"dnsPolicy": "ClusterFirstWithHostNet", "hostNetwork": True}, WITH_NODE),
        ({"dnsPolicy": "ClusterFirstWithHostNet"}, WITH_NODE),
        ({"dnsPolicy": "Default"}, HOST),
        ({"dnsPolicy": "None", "dnsConfig": {"nameservers": ["1.1.1.1"]}}, "nameserver 1.1.1.1\n"),
    ],
)
def test_the_policies(spec: Json, text: str) -> None:
    assert written(spec, NODE) == text


def test_dns_config_is_appended_and_its_options_win() -> None:
    config = {
        "nameservers": ["10.96.0.10", "1.1.1.1"],
        "searches": ["svc.cluster.local", "my.example"],
        "options": [{"name": "ndots", "value": "2"}, {"name": "edns0"}, {"name": "single-request-reopen"}],
    }
    assert written({"dnsConfig": config}) == (
        f"{CLUSTER} my.example\nnameserver 10.96.0.10\nnameserver 1.1.1.1\n"
        "options ndots:2 edns0 single-request-reopen\n"
    )


def test_without_a_cluster_dns_the_policy_is_default() -> None:
    assert written(node=NODE, dns=()) == HOST


def test_without_a_file_of_the_node_the_resolver_is_the_machine_itself() -> None:
    both: dict[str, Any] = {"hostIPs": [{"ip": "172.30.0.11"}, {"ip": "fd00:172::11"}]}
    assert written({"dnsPolicy": "Default"}) == "search .\nnameserver 127.0.0.1\n"
    assert written({"dnsPolicy": "Default"}, **both) == "search .\nnameserver 127.0.0.1\nnameserver ::1\n"


def test_two_families_of_cluster_dns() -> None:
    assert written(dns=("10.96.0.10", "fd00:10:96::000a")).splitlines()[1:3] == [
        "nameserver 10.96.0.10",
        "nameserver fd00:10:96::a",
    ]


NAMES = st.lists(st.text("abcdefghij.-", min_size=1, max_size=260), max_size=45, unique=True)


@given(NAMES, st.lists(st.ip_addresses(v=4).map(str), max_size=6))
def test_the_limits_hold(searches: list[str], servers: list[str]) -> None:
    config = {"searches": searches, "nameservers": servers}
    text = written({"dnsConfig": config})
    (search,) = [line for line in text.splitlines() if line.startswith("search ")]
    kept = search.split()[1:]
    assert kept[:3] == CLUSTER.split()[1:]
    assert len(kept) <= 32
    assert len(" ".join(kept)) <= 2048
    assert all(len(name) <= 253 for name in kept)
    assert text.count("nameserver ") <= 3
