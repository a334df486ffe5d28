"""What each field of a Service does to the rules of iptables mode, and the whole text of a worked example."""

import pytest

from .walk import dispatch, files, rules
from .worlds import RICH, endpoint, port, service, slice_of, vip

LOCAL_BALANCER = service(
    "web",
    port("http", 80, nodePort=30080),
    type="LoadBalancer",
    externalIPs=["198.51.100.7"],
    externalTrafficPolicy="Local",
    healthCheckNodePort=31999,
    status=vip("192.0.2.80"),
)
ELSEWHERE = slice_of("web", [endpoint("10.244.1.7", "node2")])


def only(found, *parts):
    """The rules of the chains that hold any of the texts, chain by chain."""
    return [rule for rules_of in found.values() for rule in rules_of if any(part in rule for part in parts)]


def test_external_traffic_policy_local_with_endpoints_elsewhere_only():
    """Pods and the node itself get through, strangers are dropped, and the health check port is open."""
    found = rules([LOCAL_BALANCER], [ELSEWHERE])
    assert only(found, "shop/web", "67NZLRHBNDSAWJRO") == [
        "-A KUBE-EXTERNAL-SERVICES -d 198.51.100.7/32 -p tcp -m comment"
        ' --comment "shop/web:http has no local endpoints" -m tcp --dport 80 -j DROP',
        "-A KUBE-EXTERNAL-SERVICES -d 192.0.2.80/32 -p tcp -m comment"
        ' --comment "shop/web:http has no local endpoints" -m tcp --dport 80 -j DROP',
        '-A KUBE-EXTERNAL-SERVICES -p tcp -m comment --comment "shop/web:http has no local endpoints"'
        " -m addrtype --dst-type LOCAL -m tcp --dport 30080 -j DROP",
        '-A KUBE-NODEPORTS -p tcp -m comment --comment "shop/web:http health check node port"'
        " -m tcp --dport 31999 -j ACCEPT",
        '-A KUBE-EXT-67NZLRHBNDSAWJRO -s 10.244.0.0/16 -m comment --comment "pod traffic for shop/web:http external'
        ' destinations" -j KUBE-SVC-67NZLRHBNDSAWJRO',
        '-A KUBE-EXT-67NZLRHBNDSAWJRO -m comment --comment "masquerade LOCAL traffic for shop/web:http external'
        ' destinations" -m addrtype --src-type LOCAL -j KUBE-MARK-MASQ',
        '-A KUBE-EXT-67NZLRHBNDSAWJRO -m comment --comment "route LOCAL traffic for shop/web:http external'
        ' destinations" -m addrtype --src-type LOCAL -j KUBE-SVC-67NZLRHBNDSAWJRO',
        '-A KUBE-NODEPORTS -d 127.0.0.0/8 -p tcp -m comment --comment "shop/web:http" -m tcp --dport 30080'
        " -m nfacct --nfacct-name  localhost_nps_accepted_pkts -j KUBE-EXT-67NZLRHBNDSAWJRO",
        '-A KUBE-NODEPORTS -p tcp -m comment --comment "shop/web:http" -m tcp --dport 30080'
        " -j KUBE-EXT-67NZLRHBNDSAWJRO",
        '-A KUBE-SEP-UGQTAJUJOQJVZIEC -s 10.244.1.7/32 -m comment --comment "shop/web:http" -j KUBE-MARK-MASQ',
        '-A KUBE-SEP-UGQTAJUJOQJVZIEC -p tcp -m comment --comment "shop/web:http" -m tcp -j DNAT'
        " --to-destination 10.244.1.7:8080",
        '-A KUBE-SERVICES -d 10.96.7.7/32 -p tcp -m comment --comment "shop/web:http cluster IP" -m tcp --dport 80'
        " -j KUBE-SVC-67NZLRHBNDSAWJRO",
        '-A KUBE-SERVICES -d 198.51.100.7/32 -p tcp -m comment --comment "shop/web:http external IP" -m tcp --dport 80'
        " -j KUBE-EXT-67NZLRHBNDSAWJRO",
        '-A KUBE-SERVICES -d 192.0.2.80/32 -p tcp -m comment --comment "shop/web:http loadbalancer IP" -m tcp'
        " --dport 80 -j KUBE-EXT-67NZLRHBNDSAWJRO",
        "-A KUBE-SVC-67NZLRHBNDSAWJRO ! -s 10.244.0.0/16 -d 10.96.7.7/32 -p tcp -m comment"
        ' --comment "shop/web:http cluster IP" -m tcp --dport 80 -j KUBE-MARK-MASQ',
        '-A KUBE-SVC-67NZLRHBNDSAWJRO -m comment --comment "shop/web:http -> 10.244.1.7:8080"'
        " -j KUBE-SEP-UGQTAJUJOQJVZIEC",
    ]


def test_source_ranges_send_the_balancer_s_address_through_a_firewall_chain():
    ranges = ["172.30.0.0/16", " 203.0.113.0/24 "]
    balancer = service("web", type="LoadBalancer", loadBalancerSourceRanges=ranges, status=vip("192.0.2.80"))
    found = rules([balancer], [ELSEWHERE])
    assert dispatch(found, "192.0.2.80") == ["KUBE-FW-67NZLRHBNDSAWJRO"]
    why = '-m comment --comment "shop/web:http loadbalancer IP" -j KUBE-EXT-67NZLRHBNDSAWJRO'
    assert found["nat", "KUBE-FW-67NZLRHBNDSAWJRO"] == [
        f"-A KUBE-FW-67NZLRHBNDSAWJRO -s 172.30.0.0/16 {why}",
        f"-A KUBE-FW-67NZLRHBNDSAWJRO -s 203.0.113.0/24 {why}",
        f"-A KUBE-FW-67NZLRHBNDSAWJRO -s 192.0.2.80/32 {why}",
        "-A KUBE-FW-67NZLRHBNDSAWJRO -m comment --comment"
        ' "other traffic to shop/web:http will be dropped by KUBE-PROXY-FIREWALL"',
    ]
    assert found["filter", "KUBE-PROXY-FIREWALL"] == [
        "-A KUBE-PROXY-FIREWALL -d 192.0.2.80/32 -p tcp -m comment --comment"
        ' "shop/web:http traffic not accepted by KUBE-FW-67NZLRHBNDSAWJRO" -m tcp --dport 80 -j DROP'
    ]


@pytest.mark.parametrize("ranges", [["0.0.0.0/0", "203.0.113.0/24"], ["2001:db8::/32"], ["nonsense"], []])
def test_ranges_that_let_everybody_in(ranges):
    balancer = service("web", type="LoadBalancer", loadBalancerSourceRanges=ranges, status=vip("192.0.2.80"))
    assert dispatch(rules([balancer], [ELSEWHERE]), "192.0.2.80") == ["KUBE-EXT-67NZLRHBNDSAWJRO"]


@pytest.mark.parametrize(("mode", "served"), [("VIP", True), (None, True), ("Proxy", False)])
def test_a_balancer_that_proxies_gets_no_rule(mode, served):
    balancer = service("web", type="LoadBalancer", status=vip("192.0.2.80", mode=mode))
    assert bool(dispatch(rules([balancer], [ELSEWHERE]), "192.0.2.80")) is served


def test_session_affinity_asks_first_who_was_here():
    sticky = service("web", sessionAffinity="ClientIP", sessionAffinityConfig={"clientIP": {"timeoutSeconds": 600}})
    found = rules([sticky], [slice_of("web", [endpoint("10.244.1.7"), endpoint("10.244.1.8")])])
    chain = found["nat", "KUBE-SVC-67NZLRHBNDSAWJRO"]
    assert chain[1] == (
        '-A KUBE-SVC-67NZLRHBNDSAWJRO -m comment --comment "shop/web:http -> 10.244.1.7:8080" -m recent --rcheck'
        " --seconds 600 --reap --name KUBE-SEP-UGQTAJUJOQJVZIEC --mask 255.255.255.255 --rsource"
        " -j KUBE-SEP-UGQTAJUJOQJVZIEC"
    )
    assert ["rcheck" in rule for rule in chain] == [False, True, True, False, False]
    assert found["nat", "KUBE-SEP-UGQTAJUJOQJVZIEC"][1] == (
        '-A KUBE-SEP-UGQTAJUJOQJVZIEC -p tcp -m comment --comment "shop/web:http" -m recent --set'
        " --name KUBE-SEP-UGQTAJUJOQJVZIEC --mask 255.255.255.255 --rsource -m tcp -j DNAT"
        " --to-destination 10.244.1.7:8080"
    )


@pytest.mark.parametrize(
    "ignored",
    [
        service("web", type="ExternalName", externalName="example.com"),
        service("web", clusterIPs=["None"]),
        service("web", clusterIPs=[""]),
        {**service("web"), "metadata": {"name": "web", "namespace": "shop", "labels": {
            "service.kubernetes.io/service-proxy-name": "mine"}}},
        {"metadata": {"name": "web", "namespace": "shop"}},
        {},
    ],
)  # fmt: skip
def test_services_that_kube_proxy_does_not_serve(ignored):
    assert rules([ignored], [ELSEWHERE]) == rules([], [])


def test_no_detector_no_masquerade_of_strangers():
    found = rules([service("web")], [ELSEWHERE], cluster_cidrs=())
    assert len(found["nat", "KUBE-SVC-67NZLRHBNDSAWJRO"]) == 1
    everybody = rules([service("web")], [ELSEWHERE], masquerade_all=True)["nat", "KUBE-SVC-67NZLRHBNDSAWJRO"]
    assert everybody[0].startswith("-A KUBE-SVC-67NZLRHBNDSAWJRO -d 10.96.7.7/32 -p tcp")


def test_node_ports_on_chosen_addresses_only():
    found = rules([], [], node_port_addresses=("172.30.0.0/16", "127.0.0.0/8"), localhost_node_ports=False)
    assert found["nat", "KUBE-SERVICES"] == [
        "-A KUBE-SERVICES -d 172.30.0.11/32 -m comment --comment"
        ' "kubernetes service nodeports; NOTE: this must be the last rule in this chain" -j KUBE-NODEPORTS'
    ]


def test_large_clusters_have_no_comments_on_endpoints():
    found = rules(*RICH, large_cluster_endpoints=3)
    assert not [rule for (_, name), chain in found.items() if "SEP-" in name for rule in chain if "comment" in rule]
    assert all("cluster IP" in rule for rule in found["nat", "KUBE-SERVICES"] if "KUBE-SVC" in rule)


def test_both_families_have_rules_of_their_own():
    texts = files(*RICH)
    assert "fd00:10:96::20/128" in texts["ip6tables-save.txt"]
    assert "--to-destination [fd00:10:244:1::2]:8080" in texts["ip6tables-save.txt"]
    assert "fd00" not in texts["iptables-save.txt"]


def test_names_are_the_real_hashes():
    """Vectors that were computed by hand from kube-proxy's rule: SHA-256, base32, the first sixteen letters."""
    text = files(
        [service("web", clusterIPs=["fd00:10:96::7"])],
        [slice_of("web", [endpoint("fd00:10:244::7")], family="IPv6")],
        mode="nftables",
    )["nft-ip6-kube-proxy.json"]
    assert "service-KHN6ECMT-shop/web/tcp/http" in text
    nginx = rules([service("nginx", port("", 80), namespace="default")], [
        slice_of("nginx", [endpoint("10.244.1.7")], port("", 8080), namespace="default")
    ])  # fmt: skip
    assert ("nat", "KUBE-SVC-2CMXP7HKUVJN7L6M") in nginx
