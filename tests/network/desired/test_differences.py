"""Somebody's hand in the rules is seen as what it did, where it did it."""

import re

import pytest
from msgspec import structs

from svcdoctor.lab.proxy import ProxyConfig
from svcdoctor.network.compare import Difference, Kind
from tests.lab.proxy.worlds import NODE, endpoint, port, service, slice_of, vip

from .written import checks, rules_of

WEB = (
    [
        service(
            "web",
            port("http", 80, nodePort=30080),
            type="LoadBalancer",
            externalIPs=["198.51.100.7"],
            loadBalancerSourceRanges=["203.0.113.0/24"],
            status=vip("192.0.2.80"),
        )
    ],
    [slice_of("web", [endpoint("10.244.1.2"), endpoint("10.244.2.3", "node2"), endpoint("10.244.3.4", "node3")])],
)
LOCAL = (
    [service("web", port("http", 80, nodePort=30080), type="NodePort", externalTrafficPolicy="Local")],
    [slice_of("web", [endpoint("10.244.1.2"), endpoint("10.244.2.3", "node2")])],
)
CLUSTER_IP = "ClusterIP 10.96.7.7:80/TCP"
HASH = r"[A-Z2-7]{16}"


def differences(world, pattern, by, mode="iptables", file="iptables-save.txt") -> list[Difference]:
    """What is found once ``pattern`` was replaced in a dump of rules that are right."""
    services, slices = world
    rules = rules_of(services, slices, NODE, ProxyConfig(mode=mode, localhost_node_ports=False))
    text, times = re.subn(pattern, by, rules.texts[file], flags=re.MULTILINE)
    assert times
    changed = structs.replace(rules, texts={**rules.texts, file: text})
    found = list(checks(services, slices, NODE, changed))
    assert [why for one in found for why in one.unknown] == []
    return [difference for one in found for difference in one.differences]


def kinds(found: list[Difference]) -> set[Kind]:
    return {difference.kind for difference in found}


@pytest.mark.parametrize(
    ("pattern", "by", "wanted"),
    [
        (r"--to-destination 10\.244\.2\.3", "--to-destination 10.9.9.9", {"MISSING_ENDPOINT", "EXTRA_ENDPOINT"}),
        (r"--to-destination 10\.244\.2\.3:8080", "--to-destination 10.244.2.3:8081", {"WRONG_PORT"}),
        (r"--probability 0\.33\d+", "--probability 0.50000000000", {"WRONG_WEIGHT"}),
        (rf"^.*-A KUBE-SVC-{HASH} .*10\.244\.3\.4.*\n", "", {"MISSING_ENDPOINT", "DANGLING"}),
        (rf"^.*-A KUBE-SVC-{HASH} (?!! -s).*\n", "", {"DANGLING"}),
        (rf"^.*-A KUBE-SERVICES -d 10\.96\.7\.7/32 .*-j KUBE-SVC-{HASH}\n", "", {"NO_FRONTEND"}),
        (r"^.*-j MASQUERADE --random-fully\n", "", {"NO_MASQUERADE"}),
        (r"^(.*) ! -s 10\.244\.0\.0/16 (-d 10\.96\.7\.7.*)$", r"\1 \2", {"MASQUERADE"}),
        (r"^:FORWARD ACCEPT", ":FORWARD DROP", {"POLICY"}),
        (r"^(.*-A FORWARD )", r"[0:0] -A FORWARD -d 10.244.2.3/32 -j DROP\n\1", {"FOREIGN"}),
        (r"^(.*-A KUBE-PROXY-FIREWALL .*) -j DROP$", r"\1 -j REJECT", {"WRONG_VERDICT"}),
    ],
)  # fmt: skip
def test_each_kind(pattern, by, wanted):
    assert {kind.name for kind in kinds(differences(WEB, pattern, by))} == wanted


def test_the_other_traffic_policy():
    found = differences(LOCAL, rf"^(.*-A KUBE-EXT-{HASH} -j) KUBE-SVL-({HASH})$", r"\1 KUBE-SVC-\2")
    assert kinds(found) == {Kind.WRONG_POLICY}
    assert {str(difference.frontend) for difference in found} == {"node port 172.30.0.11:30080/TCP"}


def test_a_difference_shows_the_rule():
    found = differences(WEB, r"--to-destination 10\.244\.2\.3:8080", "--to-destination 10.244.2.9:8080")
    extra = next(difference for difference in found if difference.kind is Kind.EXTRA_ENDPOINT)
    assert (str(extra.frontend), extra.place) == (CLUSTER_IP, ("10.244.2.9", 8080))
    assert extra.deciding is not None
    assert extra.deciding.rule.endswith("-m tcp -j DNAT --to-destination 10.244.2.9:8080")


@pytest.mark.parametrize(
    ("mode", "file", "pattern", "by", "wanted"),
    [
        ("nftables", "nft-ip-kube-proxy.json", r"10\.244\.2\.3", "10.244.2.9", {"MISSING_ENDPOINT", "EXTRA_ENDPOINT"}),
        ("ipvs", "ip_vs.txt", r"^  -> 0AF40203:1F90 .*\n", "", {"MISSING_ENDPOINT"}),
        ("ipvs", "ip_vs.txt", r"^(  -> 0AF40203:1F90 +Masq +)1", r"\g<1>0", {"MISSING_ENDPOINT"}),
        ("ipvs", "ip_vs.txt", r"^TCP  0A600707:0050 .*\n(  -> .*\n)*", "", {"NO_FRONTEND"}),
        ("ipvs", "ipset.txt", r"^add KUBE-CLUSTER-IP .*\n", "", {"NO_FRONTEND", "NO_MASQUERADE"}),
    ],
)
def test_other_modes(mode, file, pattern, by, wanted):
    assert {kind.name for kind in kinds(differences(WEB, pattern, by, mode, file))} == wanted
