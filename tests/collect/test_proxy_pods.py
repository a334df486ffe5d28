"""kube-proxy as distributions call it, and /proc/net as kernels print it."""

import json

import pytest

from svcdoctor.collect import proc_net
from svcdoctor.collect.proxy_pods import by_node, container_of
from svcdoctor.model.meta import ObjectMeta
from svcdoctor.model.pod import Container, Pod, PodSpec


def pod(*containers, name="one", node="node1", **labels):
    metadata = ObjectMeta(name=name, namespace="kube-system", labels=labels)
    return Pod(metadata=metadata, spec=PodSpec(node_name=node, containers=containers))


@pytest.mark.parametrize(
    "container",
    [
        Container("kube-proxy", command=("/usr/local/bin/kube-proxy", "--config=/var/lib/kube-proxy/config.conf")),
        Container("main", command=("kube-proxy", "--v=2")),
        Container("main", command=("/bin/sh", "-c"), args=("exec kube-proxy --master=x 1>>/var/log/kube-proxy.log",)),
        Container("main", command=("/hyperkube", "kube-proxy")),
        Container("main", image="example.test/rancher/hardened-kubernetes:v1", args=("kube-proxy",)),
        Container("main", image="example.test/eks/kube-proxy:v1.36.0-minimal"),
        Container("main", image="example.test/kube-proxy-amd64@sha256:00"),
    ],
)
def test_a_kube_proxy_by_whatever_name(container):
    assert container_of(pod(Container("other"), container)) == container.name


@pytest.mark.parametrize(
    "container",
    [
        Container("kube-rbac-proxy", image="example.test/kube-rbac-proxy:v1"),
        Container("main", image="example.test/kube-proxy-exporter/agent:v1"),
        Container("main", args=("--watch=kube-proxy-metrics",)),
        Container("main", args=("--configmap=kube-system/kube-proxy-config",)),
    ],
)
def test_no_kube_proxy(container):
    assert container_of(pod(container)) is None


def test_by_label_alone():
    assert container_of(pod(Container("main"), **{"k8s-app": "kube-proxy"})) == "main"
    assert container_of(pod(**{"k8s-app": "kube-proxy"})) is None
    assert by_node([pod(Container("kube-proxy"), node="")]) == {}


PROC = """\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t0100000A\t0003\t0\t0\t100\t00000000\t0\t0\t0
eth0\t0000000A\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0
eth0\t0100000A\t00000000\t0005\t0\t0\t100\tFFFFFFFF\t0\t0\t0
*\t0000FE0A\t00000000\t0201\t0\t0\t0\t0000FFFF\t0\t0\t0
Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     |-- 10.0.0.0
        /24 link UNICAST
Local:
  +-- 0.0.0.0/0 3 0 5
     +-- 10.0.0.0/24 2 0 2
        |-- 10.0.0.9
           /32 host LOCAL
        |-- 10.0.0.255
           /32 link BROADCAST
     |-- 10.96.0.1
        /32 host LOCAL
     +-- 127.0.0.0/8 2 0 2
        |-- 127.0.0.0
           /8 host LOCAL
        |-- 127.0.0.1
           /32 host LOCAL
fe800000000000000000000000000009 02 40 20 80     eth0
fd000000000000000000000000000009 02 40 00 80     eth0
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:    1016      12    0    0    0     0          0         0     1016      12    0    0    0     0       0          0
  eth0: 12345678   90123    0    0    0     0          0         0  1234567   12345    0    0    0     0       0          0
"""  # noqa: E501


def test_proc_net_as_ip_would_say_it():
    found = proc_net.read(PROC)
    assert json.loads(found["routes.json"]) == [
        {"dst": "default", "gateway": "10.0.0.1", "dev": "eth0"},
        {"dst": "10.0.0.0/24", "dev": "eth0"},
        {"dst": "10.0.0.1", "dev": "eth0"},
    ]
    links = json.loads(found["addresses.json"])
    assert {
        link["ifname"]: [(info["local"], info["prefixlen"], info["scope"]) for info in link["addr_info"]]
        for link in links
    } == {
        "lo": [("127.0.0.1", 8, "host")],
        "eth0": [("10.0.0.9", 24, "global"), ("fe80::9", 64, "link"), ("fd00::9", 64, "global")],
        "": [("10.96.0.1", 32, "global")],
    }


def test_with_ipvs_what_is_on_no_network_is_a_virtual_address():
    found = proc_net.read(PROC + "kube-ipvs0:       0       0    0    0    0     0          0         0        0\n")
    links = {link["ifname"]: link["addr_info"] for link in json.loads(found["addresses.json"])}
    assert [info["local"] for info in links["kube-ipvs0"]] == ["10.96.0.1"]


@pytest.mark.parametrize("text", ["", "nonsense\n", "cat: /proc/net/route: Permission denied\n", "|-- 1.2.3.4.5\n"])
def test_nothing_of_nothing(text):
    assert proc_net.read(text) == {}
