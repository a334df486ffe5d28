"""ipvs mode against the recorded node, under three schedulers."""

import json
import re

import pytest

from .dumps import recorded, written_ipvs

SCHEDULERS = ("rr", "lc", "sh")


def virtual_servers(text):
    """/proc/net/ip_vs by virtual server; the kernel lists both in the order of its hash table."""
    found: dict[str, list[str]] = {}
    current = ""
    for line in text.splitlines()[3:]:
        if line.startswith("  ->"):
            found[current].append(line)
        else:
            current = line
            found[current] = []
    return {server: sorted(reals) for server, reals in found.items()}


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_ipvsadm_prints_the_same_bytes(scheduler):
    real, ours = recorded()[f"ipvs/{scheduler}"], written_ipvs(scheduler)
    assert ours["ipvsadm-Sn.txt"] == real["ipvsadm-Sn.txt"]
    assert ours["ipvsadm-Ln.txt"] == real["ipvsadm-Ln.txt"]


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_the_kernel_holds_the_same_virtual_and_real_servers(scheduler):
    real, ours = recorded()[f"ipvs/{scheduler}"]["ip_vs.txt"], written_ipvs(scheduler)["ip_vs.txt"]
    assert ours.splitlines()[:3] == real.splitlines()[:3]
    assert virtual_servers(ours) == virtual_servers(real)


def test_iptables_rules_are_the_same_bytes():
    real, ours = recorded()["ipvs/rr"], written_ipvs("rr")
    assert ours["iptables-save.txt"] == real["iptables-save.txt"]
    assert ours["ip6tables-save.txt"] == real["ip6tables-save.txt"]


def test_sets_have_the_same_types_and_entries():
    """The kernel lists hash entries in its own order, and its seeds are dice."""
    real, ours = (
        sorted(re.sub(r" initval 0x[0-9a-f]{8}$", "", line) for line in texts["ipset.txt"].splitlines())
        for texts in (recorded()["ipvs/rr"], written_ipvs("rr"))
    )
    assert ours == real


def test_every_address_of_a_service_is_bound():
    links = json.loads(written_ipvs("rr")["addresses.json"])
    dummy = next(link for link in links if link["ifname"] == "kube-ipvs0")
    bound = re.findall(r"add KUBE-IPVS-IPS (\S+)", recorded()["ipvs/rr"]["ipset.txt"])
    assert sorted(info["local"] for info in dummy["addr_info"]) == sorted(bound)
    assert {info["prefixlen"] for info in dummy["addr_info"]} == {32}


def test_metrics_and_settings_are_those_of_the_mode():
    real, ours = recorded()["ipvs/rr"], written_ipvs("rr")
    head = [line for line in real["proxy-metrics.txt"].splitlines() if line.startswith("#")]
    assert [line for line in ours["proxy-metrics.txt"].splitlines() if line.startswith("#")] == head
    local = "kubeproxy_sync_proxy_rules_no_local_endpoints_total"
    assert [line for line in ours["proxy-metrics.txt"].splitlines() if line.startswith(local)] == [
        line for line in real["proxy-metrics.txt"].splitlines() if line.startswith(local)
    ]
    assert json.loads(ours["sysctl.json"]).items() >= json.loads(real["sysctl.json"]).items()
