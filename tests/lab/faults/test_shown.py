"""What each fault leads to in a lab that lives with it: in the nodes' files, and in the objects."""

import json
import re

import pytest

from svcdoctor.lab.faults import BY_NAME
from svcdoctor.lab.resources import named

from .labs import FAULTS, ill

SVC = r"-A KUBE-SERVICES -d \S+ -p tcp .*default/web:http cluster IP.* -j KUBE-SVC-"
NODE_PORT = r'"nodePort": 3\d{4}'

FILES: dict[str, list[tuple[str, str, str, str]]] = {
    "proxy-down": [
        ("", "node1", "proxy-healthz.json", ""),
        ("iptables", "node2", "iptables-save.txt", rf"{SVC}"),
        ("iptables", "node1", "iptables-save.txt", r"!-d 10\.96\.0\.77/32"),
        ("nftables", "node2", "nft-ip-kube-proxy.json", r"10\.96\.0\.77"),
        ("nftables", "node1", "nft-ip-kube-proxy.json", r"!10\.96\.0\.77"),
        ("ipvs", "node2", "ip_vs.txt", "0A60004D:0050"),
        ("ipvs", "node1", "ip_vs.txt", "!0A60004D:0050"),
    ],
    "proxy-stale": [
        ("", "node1", "proxy-healthz.json", ""),
        ("iptables", "node1", "iptables-save.txt", r"10\.244\.2\.3:8080"),
        ("iptables", "node2", "iptables-save.txt", r"!10\.244\.2\.3:8080"),
        ("nftables", "node1", "nft-ip-kube-proxy.json", r'"10\.244\.2\.3", 8080'),
        ("nftables", "node2", "nft-ip-kube-proxy.json", r'!"10\.244\.2\.3", 8080'),
        ("ipvs", "node1", "ip_vs.txt", "0AF40203:1F90"),
        ("ipvs", "node2", "ip_vs.txt", "!0AF40203:1F90"),
    ],
    "proxy-sync-error": [
        ("", "node1", "proxy-healthz.json", r'"lastUpdated":"2026-11-25T11:00:.*"healthy":false'),
        ("", "node2", "proxy-healthz.json", r'"healthy":true,"status"'),
        ("iptables", "node1", "proxy-metrics.txt", r'iptables_restore_failures_total\{ip_family="IPv4"\} [1-9]\d$'),
        ("nftables", "node1", "proxy-metrics.txt", r'nftables_sync_failures_total\{ip_family="IPv4"\} [1-9]\d$'),
        ("", "node2", "proxy-metrics.txt", "!failures_total"),
        ("iptables", "node1", "iptables-save.txt", r"10\.244\.2\.3:8080"),
        ("iptables", "node2", "iptables-save.txt", r"!10\.244\.2\.3:8080"),
    ],
    "dual-iptables": [
        ("", "node1", "iptables-legacy-save.txt", r"-d 10\.96\.0\.77/32 .* -j KUBE-SVC-"),
        ("iptables", "node1", "iptables-save.txt", r"-d 10\.96\.0\.77/32 .* -j KUBE-SVC-"),
        ("", "node2", "iptables-legacy-save.txt", ""),
    ],
    "mode-leftovers": [
        ("iptables", "node1", "ip_vs.txt", "^TCP  0A60004D:0050 rr"),
        ("iptables", "node1", "ipset.txt", "add KUBE-IPVS-IPS 10.96.0.77"),
        ("iptables", "node1", "addresses.json", '"kube-ipvs0"'),
        ("iptables", "node1", "iptables-save.txt", "-A INPUT .* -j KUBE-IPVS-FILTER$"),
        ("ipvs", "node1", "iptables-save.txt", r"-A KUBE-SERVICES -d 10\.96\.0\.77/32 .*has no endpoints.* -j REJECT"),
        ("ipvs", "node1", "iptables-save.txt", "^:KUBE-SVC-"),
        ("ipvs", "node1", "iptables-save.txt", "!-A KUBE-SERVICES .* -j KUBE-SVC-"),
    ],
    "itp-local-hole": [
        ("iptables", "node1", "iptables-save.txt", "default/web:http has no local endpoints.* -j DROP"),
        ("iptables", "node2", "iptables-save.txt", "-A KUBE-SERVICES .*default/web:http.* -j KUBE-SVL-"),
        ("nftables", "node1", "nft-ip-kube-proxy.json", r'"comment": "default/web:http"\}\}, \{"drop": null'),
    ],
    "etp-local-hole": [
        ("iptables", "node1", "iptables-save.txt", r"-d 203\.0\.113\.80/32 .*has no local endpoints.* -j DROP"),
        ("iptables", "node2", "iptables-save.txt", r"!has no local endpoints"),
        ("nftables", "node1", "nft-ip-kube-proxy.json", r'203\.0\.113\.80", "tcp", 80\]\}, "comment".*?"drop": null'),
    ],
    "udp-conntrack-stale": [
        ("", "node1", "conntrack.txt", r"^udp .* dst=10\.96\.\S+ \S+ dport=8125 \[UNREPLIED\] src=10\.244\."),
    ],
    "ipvs-reuse": [
        ("", "node1", "sysctl.json", '"net.ipv4.vs.conn_reuse_mode": "0"'),
        ("", "node1", "ip_vs.txt", r"^TCP  0A60004D:0050 rr  \n  -> 0AF402FA:1F90      Masq    0      0          214"),
    ],
    "ipvs-dead-flow": [
        ("", "node1", "sysctl.json", '"net.ipv4.vs.expire_nodest_conn": "0"'),
        ("", "node1", "conntrack.txt", r"^tcp .* ESTABLISHED .* src=10\.244\.2\.3 dst=10\.244\.1\.2"),
        ("", "node1", "ip_vs.txt", "!0AF40203:1F90"),
    ],
    "wrong-cluster-cidr": [
        ("", "node2", "proxy-configz.json", r'"clusterCIDR":"10\.42\.0\.0/16,fd00'),
        ("iptables", "node1", "iptables-save.txt", r" -s 10\.42\.0\.0/16 -d .*default/web:http"),
        ("ipvs", "node1", "iptables-save.txt", r" -s 10\.42\.0\.0/16 -m comment"),
        ("nftables", "node1", "nft-ip-kube-proxy.json", r'"10\.42\.0\.0", "len": 16'),
    ],
    "rule-missing": [
        ("iptables", "node1", "iptables-save.txt", f"!{SVC}"),
        ("iptables", "node2", "iptables-save.txt", SVC),
        ("nftables", "node1", "nft-ip-kube-proxy.json", r'!"10\.96\.0\.77", "tcp", 80'),
        ("nftables", "node2", "nft-ip-kube-proxy.json", r'"10\.96\.0\.77", "tcp", 80'),
        ("ipvs", "node1", "ip_vs.txt", "!0A60004D:0050|0AF40203:1F90"),
        ("ipvs", "node1", "ipvsadm-Sn.txt", r"!10\.96\.0\.77|10\.244\.2\.3:8080"),
        ("ipvs", "node1", "ipvsadm-Ln.txt", r"!10\.96\.0\.77|10\.244\.2\.3:8080"),
        ("ipvs", "node2", "ip_vs.txt", "0A60004D:0050"),
    ],
    "etp-local-asymmetric": [
        ("iptables", "node2", "iptables-save.txt", r"-A KUBE-EXT-\S+ -s 10\.244\.0\.0/16 .*pod traffic for"),
        ("", "node1", "iptables-save.txt", r"!-A POSTROUTING -s 10\.244"),
    ],
    "conntrack-full": [
        ("", "node1", "sysctl.json", '"net.netfilter.nf_conntrack_count": "1024"'),
        ("", "node1", "sysctl.json", '"net.netfilter.nf_conntrack_max": "1024"'),
    ],
    "conntrack-invalid-rst": [
        ("", "node1", "proxy-metrics.txt", "ct_state_invalid_dropped_packets_total 48211$"),
        ("", "node1", "iptables-save.txt", r"^\[48211:\d+\] -A KUBE-FORWARD -m conntrack --ctstate INVALID"),
    ],
    "snat-collision": [
        ("", "node1", "iptables-save.txt", "!random-fully"),
        ("iptables", "node1", "iptables-save.txt", r"-A KUBE-SVC-\S+ -d \S+ -p tcp .*default/web:.* -j KUBE-MARK"),
        ("ipvs", "node1", "iptables-save.txt", r"-A KUBE-SERVICES -m comment .* KUBE-CLUSTER-IP dst,dst -j KUBE-MARK"),
    ],
    "hairpin-off": [("iptables", "node1", "iptables-save.txt", "default/web:http -> .* -j KUBE-SEP")],
    "br-netfilter-off": [("", "node1", "sysctl.json", '"net.bridge.bridge-nf-call-iptables": "0"')],
    "forward-drop": [
        ("", "node1", "iptables-save.txt", r"^:FORWARD DROP \[57:3420\]$"),
        ("", "node2", "iptables-save.txt", "!^:FORWARD DROP"),
    ],
    "rp-filter": [
        ("", "node1", "sysctl.json", '"net.ipv4.conf.all.rp_filter": "1"'),
        ("", "node1", "routes.json", r'"dst": "10\.244\.2\.0/24", "gateway": "172\.31\.0\.12", "dev": "eth1"'),
        ("", "node1", "addresses.json", '"ifname": "eth1"'),
    ],
    "mtu-blackhole": [
        ("", "node1", "addresses.json", '"eth0", "flags": [^}]*"mtu": 9001'),
        ("", "node2", "addresses.json", '"eth0", "flags": [^}]*"mtu": 1500'),
        ("", "node2", "addresses.json", '"cni0", "flags": [^}]*"mtu": 9001'),
    ],
    "route-missing": [
        ("", "node1", "routes.json", r"!10\.244\.2\.0/24"),
        ("", "node2", "routes.json", r"10\.244\.1\.0/24"),
    ],
    "cidr-overlap": [("", "node2", "routes.json", r'"dst": "10\.96\.0\.0/12"')],
    "ephemeral-ports": [("", "node1", "sysctl.json", r'ip_local_port_range": "60000\\t60049"')],
    "foreign-drop": [
        ("iptables", "node1", "iptables-save.txt", r"-A INPUT -j KUBE-FIREWALL\n\[0:0\] -A FORWARD -d 10\.244\.2\."),
        ("nftables", "node1", "iptables-save.txt", r"-A FORWARD -d 10\.244\.2\.0/24 .* -j DROP"),
        ("ipvs", "node1", "iptables-save.txt", r"-A OUTPUT -d 10\.244\.2\.0/24 .* -j DROP"),
    ],
    "ip-forward-off": [
        ("", "node1", "sysctl.json", '"net.ipv4.ip_forward": "0"'),
        ("", "node2", "sysctl.json", '"net.ipv4.ip_forward": "1"'),
    ],
    "nodeport-clash": [("", "node2", "sysctl.json", r'ip_local_port_range": "1024\\t65535"')],
    "nodeport-address": [
        ("", "node1", "proxy-configz.json", r'"nodePortAddresses":\["172\.30\.0\.11/32"\]'),
        ("iptables", "node1", "iptables-save.txt", r"-d 172\.30\.0\.11/32 .* -j KUBE-NODEPORTS"),
        ("iptables", "node2", "iptables-save.txt", "!-A KUBE-SERVICES .* -j KUBE-NODEPORTS"),
        ("nftables", "node2", "nft-ip-kube-proxy.json", r'!172\.30\.0\.12'),
        ("ipvs", "node2", "ip_vs.txt", "!AC1E000C:"),
    ],
    "lb-health": [
        ("iptables", "node1", "iptables-save.txt", "health check node port"),
        ("ipvs", "node1", "ipset.txt", r"add KUBE-HEALTH-CHECK-NODE-PORT \d+"),
    ],
    "lb-source-range": [
        ("iptables", "node1", "iptables-save.txt", r"-A KUBE-FW-\S+ -s 198\.51\.100\.0/24 "),
        ("nftables", "node1", "nft-ip-kube-proxy.json", r'"198\.51\.100\.0", "len": 24'),
        ("ipvs", "node1", "ipset.txt", r"add KUBE-LOAD-BALANCER-SOURCE-CIDR 203\.0\.113\.80,tcp:80,198\.51\.100\.0/24"),
    ],
    "lb-hairpin": [("iptables", "node1", "iptables-save.txt", r"-d 203\.0\.113\.80/32 .* -j KUBE-EXT-")],
    "client-dns-cache": [
        ("", "node1", "conntrack.txt", r"4x SYN_SENT src=10\.244\.1\.2 dst=10\.96\.0\.76 .*\[UNREPLIED\] src=10\.96\."),
    ],
    "affinity-stuck": [
        ("", "node1", "sysctl.json", '"net.ipv4.vs.expire_quiescent_template": "0"'),
        ("", "node1", "ip_vs.txt", r"0050 rr  persistent \d+ FFFFFFFF\n  -> 0AF402FA:1F90      Masq    0      2"),
        ("", "node1", "conntrack.txt", r"SYN_SENT src=10\.244\.1\.2 dst=10\.96\.0\.77 .* src=10\.244\.2\.250 "),
    ],
    "affinity-nat": [
        ("", "node1", "conntrack.txt", r"48x src=198\.51\.100\.7 dst=203\.0\.113\.80 .* src=10\.244\.1\.4 "),
        ("iptables", "node1", "iptables-save.txt", "-m recent --rcheck --seconds 10800 --reap"),
    ],
    "keepalive-skew": [
        ("", "node1", "conntrack.txt", r"6x ESTABLISHED src=10\.244\.1\.2 .* dport=80 src=10\.244\.1\.4 "),
    ],
    "switch-sticky": [("", "node1", "conntrack.txt", r"ESTABLISHED src=10\.244\.1\.2 \S+ \S+ dport=80 src=10\.244\.")],
    "canary-skew": [("", "node1", "conntrack.txt", r"120x TIME_WAIT src=10\.244\.1\.2 ")],
}  # fmt: skip
"""Fault -> (mode if that matters, node, file, pattern). What stands after ``!`` is not found, after ``3x `` it is found
three times; an empty pattern says that there is no file."""

OBJECTS: dict[str, list[tuple[str, str, str, str]]] = {
    "proxy-down": [("daemonsets", "kube-system", "kube-proxy", '"desiredNumberScheduled": 1')],
    "itp-local-hole": [("services", "default", "web", '"internalTrafficPolicy": "Local"')],
    "etp-local-hole": [("services", "default", "web", '"externalTrafficPolicy": "Local".*"ip": "203.0.113.80"')],
    "udp-conntrack-stale": [("services", "default", "web", '"protocol": "UDP"')],
    "ipvs-reuse": [("nodes", "", "node1", '"kernelVersion": "4.19.')],
    "wrong-cluster-cidr": [("configmaps", "kube-system", "kube-proxy", r"clusterCIDR: 10\.42\.0\.0/16,fd00")],
    "nodeport-clash": [("services", "default", "web", NODE_PORT)],
    "nodeport-address": [
        ("services", "default", "web", NODE_PORT),
        ("configmaps", "kube-system", "kube-proxy", r"nodePortAddresses: \[172\.30\.0\.11/32\]"),
    ],
    "lb-no-controller": [("services", "default", "web", r'"type": "LoadBalancer".*"loadBalancer": \{\}')],
    "lb-error": [("services", "default", "web", r'"type": "LoadBalancer".*"loadBalancer": \{\}')],
    "lb-mixed-protocol": [("services", "default", "web", "LoadBalancerMixedProtocolNotSupported")],
    "lb-health": [
        ("services", "default", "web", '"healthCheckNodePort": 3'),
        ("nodes", "", "node2", "exclude-from-external-load-balancers"),
    ],
    "lb-source-range": [("services", "default", "web", r'"loadBalancerSourceRanges": \["198')],
    "lb-hairpin": [("services", "default", "web", 'proxy-protocol.*"ipMode": "VIP"')],
    "lb-no-nodeports": [("services", "default", "web", '"allocateLoadBalancerNodePorts": false')],
    "ingress-backend": [("ingresses", "default", "web", r'"name": "web", "port": \{"number": 8080\}.*"ip": "203')],
    "ingress-class": [("ingresses", "default", "web", r'"nginx-internal".*"loadBalancer": \{\}')],
    "ingress-misroute": [("ingresses", "default", "web", '"path": "/", .*"name": "blog"')],
    "route-refgrant": [
        ("httproutes", "edge", "web", '"status": "False", "reason": "RefNotPermitted"'),
        ("gateways", "edge", "edge", '"type": "Programmed", "status": "True"'),
    ],
    "appprotocol": [("services", "default", "web", '"appProtocol": "http"')],
    "keepalive-skew": [("services", "default", "web", '"appProtocol": "kubernetes.io/h2c"')],
    "switch-sticky": [("services", "default", "web", '"version": "green"')],
    "canary-skew": [("deployments", "default", "canary", '"readyReplicas": 1')],
    "hairpin-off": [("pods", "default", "web-0", '"nodeName": "node1"')],
    "ephemeral-ports": [("pods", "default", "batch-0", '"hostNetwork": true')],
}
"""Fault -> (resource, namespace, name, pattern in its JSON)."""

PLACES = [
    pytest.param(fault.name, mode, *place[1:], id=f"{fault.name}-{mode}-{number}")
    for fault in FAULTS
    for mode in fault.modes
    for number, place in enumerate(FILES.get(fault.name, ()))
    if place[0] == mode or (not place[0] and mode == fault.modes[0])
]


@pytest.mark.parametrize(("name", "mode", "node", "file", "pattern"), PLACES)
def test_files_show_it(name, mode, node, file, pattern):
    text = ill(name, mode).proxies.files(node).get(file)
    if not pattern:
        assert text is None
        return
    assert text is not None
    times = re.match(r"(\d+)x |!", pattern)
    wanted = int(times[1] or 0) if times else None
    found = len(re.findall(pattern[times.end() if times else 0 :], text, re.MULTILINE))
    assert found > 0 if wanted is None else found == wanted


@pytest.mark.parametrize("name", OBJECTS)
def test_objects_show_it(name):
    for resource, namespace, object_name, pattern in OBJECTS[name]:
        found = ill(name, BY_NAME[name].modes[0]).store.get(named(resource), namespace, object_name)
        assert re.search(pattern, json.dumps(found))


def test_every_fault_shows():
    assert {fault.name for fault in FAULTS} == FILES.keys() | OBJECTS.keys()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_the_client_runs(fault):
    if fault.client:
        found = ill(fault.name, fault.modes[0]).store.get(named("pods"), "default", fault.client)
        assert found and found["status"]["phase"] == "Running"
        assert found["spec"]["nodeName"] == "node1"


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_the_pods_are_well(fault):
    """Steps before have nothing to say: whatever is wrong is wrong between the client and ready pods."""
    cluster = ill(fault.name, fault.modes[0])
    pods = [stored.load() for stored in cluster.store.list(named("pods"))]
    assert all(pod["status"]["phase"] == "Running" and not pod["metadata"].get("deletionTimestamp") for pod in pods)
    assert all(status["ready"] for pod in pods for status in pod["status"]["containerStatuses"])
    slices = cluster.store.list(named("endpointslices"), "default")
    endpoints = [one for stored in slices if stored.name.startswith("web-") for one in stored.load()["endpoints"]]
    assert endpoints and all(one["conditions"]["ready"] for one in endpoints)


def test_an_outsiders_word_stands_in_the_events():
    events = [stored.load() for stored in ill("lb-error", "iptables").store.list(named("events"), "default")]
    found = [event for event in events if event["reason"] == "SyncLoadBalancerFailed"]
    assert [(event["involvedObject"]["name"], event["count"], event["type"]) for event in found] == [
        ("web", 6, "Warning")
    ]
    assert "Quota 'FORWARDING_RULES' exceeded" in found[0]["message"]


def test_node1_has_no_kube_proxy_when_it_is_down():
    pods = [stored.load() for stored in ill("proxy-down", "iptables").store.list(named("pods"), "kube-system")]
    assert [pod["spec"]["nodeName"] for pod in pods if pod["metadata"]["name"].startswith("kube-proxy-")] == ["node2"]


def test_a_kubelet_tells_its_hairpin_mode():
    cluster = ill("hairpin-off", "iptables")
    assert cluster.insides.configz("node1")["kubeletconfig"]["hairpinMode"] == "none"
