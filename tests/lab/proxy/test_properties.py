"""What holds of any Services and slices: texts without loose ends, fair choices, and modes that agree."""

import re
import time
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .dumps import chains
from .walk import endpoints, files, ipvs_cluster_ip, nft, nft_cluster_ip, of_cluster_ip, target
from .worlds import RICH, service, worlds

VERDICTS = {"ACCEPT", "DROP", "REJECT", "RETURN", "MARK", "MASQUERADE", "DNAT", ""}
SAVED = ("iptables-save.txt", "ip6tables-save.txt")
MODES = ("iptables", "nftables", "ipvs")


@settings(max_examples=40, deadline=None)
@given(worlds(), st.sampled_from(MODES))
def test_every_jump_has_its_chain_and_every_chain_its_jump(world, mode):
    texts = files(*world, mode=mode)
    for file in SAVED:
        found = chains(texts[file])
        wanted = {(table, target(rule)) for (table, _), rules in found.items() for rule in rules}
        assert {(table, name) for table, name in wanted if name not in VERDICTS} <= found.keys()
        own = {chain for chain in found if re.match(r"KUBE-(SVL|EXT|FW)-", chain[1])}
        assert own <= wanted


@settings(max_examples=40, deadline=None)
@given(worlds())
def test_every_endpoint_is_chosen_with_the_same_probability(world):
    found = chains(files(*world)["iptables-save.txt"])
    for _, name in found:
        if name.startswith(("KUBE-SVC-", "KUBE-SVL-")):
            chosen = endpoints(found, name)
            assert chosen
            assert sum(chosen.values()) == 1
            for share in chosen.values():
                assert abs(share - Fraction(1, len(chosen))) < Fraction(1, 10**8)


@settings(max_examples=40, deadline=None)
@given(worlds())
def test_every_nft_object_that_is_named_is_there(world):
    texts = files(*world, mode="nftables")
    for family in ("ip", "ip6"):
        text = texts[f"nft-{family}-kube-proxy.json"]
        found = nft(text)
        assert set(re.findall(r'"target": "([^"]+)"', text)) <= found["chain"].keys()
        assert set(re.findall(r'"@([^"]+)"', text)) <= found["set"].keys() | found["map"].keys()
        handles = re.findall(r'"handle": (\d+)', text)[1:]
        assert len(set(handles)) == len(handles)
        for count, choices in re.findall(r'"mod": (\d+).*?"set": (\[\[.*?\]\])', text):
            assert [int(index) for index in re.findall(r"\[(\d+), \{", choices)] == list(range(int(count)))


@settings(max_examples=40, deadline=None)
@given(worlds())
def test_every_set_that_ipvs_rules_ask_is_there(world):
    texts = files(*world, mode="ipvs")
    created = set(re.findall(r"^create (\S+)", texts["ipset.txt"], re.MULTILINE))
    assert len(created) == 34
    assert all(len(name) <= 31 for name in created)
    for file in SAVED:
        assert set(re.findall(r"--match-set (\S+)", texts[file])) <= created
    assert set(re.findall(r"^add (\S+)", texts["ipset.txt"], re.MULTILINE)) <= created


@settings(max_examples=60, deadline=None)
@given(worlds())
def test_modes_agree_about_cluster_ips(world):
    """ipvs alone looks beyond the node where the Local policy finds nothing."""
    texts = {mode: files(*world, mode=mode) for mode in MODES}
    for one in world[0]:
        ip = one["spec"]["clusterIP"]
        first = of_cluster_ip(chains(texts["iptables"]["iptables-save.txt"]), ip)
        assert nft_cluster_ip(texts["nftables"]["nft-ip-kube-proxy.json"], ip) == first
        servers = ipvs_cluster_ip(texts["ipvs"]["ipvsadm-Sn.txt"], ip)
        if isinstance(first, list):
            assert sorted(servers) == sorted(first)
        elif first == "REJECT":
            assert servers == []


@pytest.mark.parametrize("mode", MODES)
def test_the_same_world_gives_the_same_texts(mode):
    assert files(*RICH, mode=mode) == files(*RICH, mode=mode)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["clusterIPs", "externalIPs", "loadBalancerSourceRanges"]),
    st.lists(st.text("0123456789.:/af ", max_size=12), max_size=3),
    st.sampled_from(MODES),
)
def test_addresses_that_are_none_are_left_out(field, texts, mode):
    assert files([service("web", **{field: texts})], [], mode=mode)


def test_ten_thousand_services_are_written_in_seconds():
    """Generously: what is quadratic takes minutes."""
    services, slices = many(10_000)
    begun = time.process_time()
    texts = files(services, slices)
    assert time.process_time() - begun < 10
    assert texts["iptables-save.txt"].count("-j DNAT") == 50_000


def many(count):
    """Services with five endpoints each."""
    services, slices = [], []
    for index in range(count):
        name, ip = f"svc-{index}", f"10.96.{index // 250}.{index % 250 + 1}"
        spec = {"type": "ClusterIP", "clusterIP": ip, "clusterIPs": [ip], "ports": [{"name": "http", "port": 80}]}
        services.append({"metadata": {"name": name, "namespace": "many"}, "spec": spec})
        pods = [index * 5 + place for place in range(5)]
        found = [{"addresses": [f"10.{128 + pod // 62500}.{pod // 250 % 250}.{pod % 250 + 1}"]} for pod in pods]
        labels = {"kubernetes.io/service-name": name}
        slices.append(
            {
                "metadata": {"name": name, "namespace": "many", "labels": labels},
                "addressType": "IPv4",
                "endpoints": found,
                "ports": [{"name": "http", "port": 8080}],
            }
        )
    return services, slices
