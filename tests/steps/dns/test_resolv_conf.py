"""resolv.conf: as resolvers read it, as kubelets write it, and the one held against the other."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcdoctor import archive
from svcdoctor.model.cluster import KubeletConfiguration, KubeletConfigz
from svcdoctor.model.decode import decode
from svcdoctor.model.pod import Pod
from svcdoctor.steps.dns.kubelet import Told, node_file, told
from svcdoctor.steps.dns.resolv_conf import ResolvConf, parse

CASES = Path(__file__).parents[2] / "cases"
RECORDED = sorted(CASES.glob("*/pods/*/*/resolv.conf"))
CONFIGZ = decode((Path(__file__).parent / "kubelet-configz.json").read_bytes(), KubeletConfigz, "configz")
KUBELET = KubeletConfiguration(("10.96.0.10",), "cluster.local", "/run/systemd/resolve/resolv.conf")
NODE = node_file("nameserver 192.168.1.1\nsearch corp.example. lan\noptions edns0 trust-ad\n")
CLUSTER_SEARCH = ("shop.svc.cluster.local", "svc.cluster.local", "cluster.local")


def pod(**spec: Any) -> Pod:
    body = {"metadata": {"name": "client", "namespace": "shop"}, "spec": spec}
    return decode(json.dumps(body).encode(), Pod, "pod")


@pytest.mark.parametrize("file", RECORDED, ids=lambda file: file.relative_to(CASES).parts[0])
def test_recorded_files_are_what_the_kubelet_writes(file):
    case, _, namespace, name, _ = file.relative_to(CASES).parts
    client = archive.load(CASES / case).pods.get(namespace, name)
    assert client is not None
    computed = told(client, CONFIGZ.kubeletconfig)
    assert computed.conf.render() == file.read_text()
    assert computed.differs(parse(file.read_text())) == ()
    assert computed.unknown == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ResolvConf()),
        (
            "# comment\n; too\nnameserver 10.0.0.1\nnameserver fd00::1%eth0\nsearch a.b c.\noptions ndots:2 rotate\n",
            ResolvConf(("10.0.0.1", "fd00::1%eth0"), ("a.b", "c"), ("ndots:2", "rotate")),
        ),
        ("search a b\ndomain c d\n", ResolvConf(search=("c",))),
        ("domain c\nsearch a b\n", ResolvConf(search=("a", "b"))),
        ("search .\n", ResolvConf(search=(".",))),
        ("options ndots:2\noptions ndots:5 use-vc\n", ResolvConf(options=("ndots:5", "use-vc"))),
        (
            " nameserver 10.0.0.1\nnameserver dns.example\nnameserver\nNameserver 10.0.0.1\nsortlist 1\n<html>\n",
            ResolvConf(
                garbage=(
                    "line 1: nameserver 10.0.0.1",
                    "line 2: nameserver dns.example",
                    "line 3: nameserver",
                    "line 4: Nameserver 10.0.0.1",
                    "line 6: <html>",
                )
            ),
        ),
        ("nameserver\t10.0.0.1\r\n", ResolvConf(("10.0.0.1",))),
    ],
)
def test_parse(text: str, expected: ResolvConf):
    assert parse(text) == expected


def test_limits_of_resolvers():
    conf = parse("".join(f"nameserver 10.0.0.{n}\n" for n in range(1, 6)) + "options ndots:99 timeout:1 attempts:x\n")
    assert conf.asked == ("10.0.0.1", "10.0.0.2", "10.0.0.3")
    assert conf.never_asked == ("10.0.0.4", "10.0.0.5")
    assert (conf.ndots, conf.number("timeout"), conf.number("attempts")) == (15, 1, 2)
    assert (ResolvConf().asked, ResolvConf().ndots) == (("127.0.0.1",), 1)


SEARCH = (*CLUSTER_SEARCH, "corp.example", "lan")


@pytest.mark.parametrize(
    ("spec", "conf", "why", "cluster"),
    [
        ({}, ResolvConf(("10.96.0.10",), SEARCH, ("ndots:5",)), "dnsPolicy ClusterFirst: the cluster's DNS", True),
        (
            {"hostNetwork": True},
            ResolvConf(("192.168.1.1",), ("corp.example", "lan"), ("edns0", "trust-ad")),
            "dnsPolicy ClusterFirst with hostNetwork: the node's own file",
            False,
        ),
        (
            {"hostNetwork": True, "dnsPolicy": "ClusterFirstWithHostNet"},
            ResolvConf(("10.96.0.10",), SEARCH, ("ndots:5",)),
            "dnsPolicy ClusterFirstWithHostNet: the cluster's DNS",
            True,
        ),
        (
            {"dnsPolicy": "Default"},
            ResolvConf(("192.168.1.1",), ("corp.example", "lan"), ("edns0", "trust-ad")),
            "dnsPolicy Default: the node's own file",
            False,
        ),
        (
            {"dnsPolicy": "None", "dnsConfig": {"nameservers": ["1.1.1.1"], "searches": ["x"], "options": []}},
            ResolvConf(("1.1.1.1",), ("x",)),
            "dnsPolicy None: only what dnsConfig says",
            False,
        ),
        (
            {
                "dnsConfig": {
                    "nameservers": ["10.96.0.10", "1.1.1.1"],
                    "searches": ["lan", "more"],
                    "options": [{"name": "ndots", "value": "2"}, {"name": "use-vc"}],
                }
            },
            ResolvConf(("10.96.0.10", "1.1.1.1"), (*SEARCH, "more"), ("ndots:2", "use-vc")),
            "dnsPolicy ClusterFirst: the cluster's DNS",
            True,
        ),
    ],
)
def test_policies(spec: Any, conf: ResolvConf, why: str, cluster: bool):
    assert told(pod(**spec), KUBELET, NODE) == Told(conf, why, cluster)


def test_kubelets_without_cluster_dns_or_domain():
    bare = told(pod(), KubeletConfiguration((), "cluster.local", ""), NODE)
    assert bare.conf == ResolvConf(("127.0.0.1",), (".",))
    assert bare.why == (
        "dnsPolicy ClusterFirst, but the kubelet has no clusterDNS (event MissingClusterDNS): the node's own file, "
        "but resolvConf is empty: no DNS but on the pod's own loopback"
    )
    assert told(pod(), KubeletConfiguration(("10.96.0.10",), "", ""), None).conf.search == ()


def test_what_was_not_read_is_open():
    cluster = told(pod(), KUBELET)
    assert cluster.conf.search == CLUSTER_SEARCH
    assert cluster.unknown == ("the node's /run/systemd/resolve/resolv.conf was not read",)
    real = ResolvConf(("10.96.0.10",), SEARCH, ("ndots:5",))
    assert cluster.differs(real) == ()
    host = told(pod(dnsPolicy="Default"), KUBELET)
    assert host.differs(ResolvConf(("8.8.8.8",), ("x",), ("rotate",))) == ()
    blind = told(pod(dnsConfig={"options": [{"name": "ndots", "value": "1"}]}), None)
    assert blind.unknown == (
        "the kubelet's configuration was not read: neither its clusterDNS nor its clusterDomain is known",
    )
    assert blind.differs(ResolvConf(("10.0.0.10",), CLUSTER_SEARCH, ("ndots:1",))) == ()
    assert blind.differs(ResolvConf(("10.0.0.10",), CLUSTER_SEARCH, ("ndots:5",))) == (
        "option ndots is 5 instead of 1",
    )


def test_differences():
    expected = told(pod(), KUBELET, NODE)
    real = parse(
        "nameserver 10.43.0.10\nsearch svc.cluster.local shop.svc.cluster.local cluster.local lan evil.example\n"
    )
    assert expected.differs(real) == (
        "nameserver 10.96.0.10 is missing",
        "nameserver 10.43.0.10 is not what the kubelet writes",
        "search domain corp.example is missing",
        "search domain evil.example is not what the kubelet writes",
        "option ndots is not set instead of 5",
    )
    swapped = parse(
        "nameserver 10.96.0.10\nsearch lan svc.cluster.local shop.svc.cluster.local cluster.local corp.example\n"
    )
    assert expected.differs(swapped)[0] == (
        "the search domains are tried in another order: "
        "lan svc.cluster.local shop.svc.cluster.local cluster.local corp.example"
    )


def test_limits_of_the_kubelet():
    many = [f"d{n}.example" for n in range(40)]
    config = {"nameservers": ["1.1.1.1", "2.2.2.2", "3.3.3.3"], "searches": ["x" * 254, *many]}
    found = told(pod(dnsConfig=config), KUBELET, node_file(""))
    assert found.conf.nameservers == ("10.96.0.10", "1.1.1.1", "2.2.2.2")
    assert found.conf.search == (*CLUSTER_SEARCH, *many[:28])
    assert found.omitted[:2] == (
        "nameserver 3.3.3.3: only 3 are kept",
        f"search domain {'x' * 254}: more than 253 characters",
    )
    assert found.omitted[2:] == tuple(f"search domain {domain}: only 32 are kept" for domain in many[28:])
    long = [f"{letter * 200}.example" for letter in "abcdefghijkl"]
    found = told(pod(dnsConfig={"searches": long}), KUBELET, node_file(""))
    assert found.conf.search == (*CLUSTER_SEARCH, *long[:9])
    assert found.omitted == tuple(f"search domain {d}: the line would have more than 2048 characters" for d in long[9:])


def test_a_node_file_is_read_as_the_kubelet_does():
    text = "  nameserver 10.0.0.1\ndomain ignored\nsearch a. .\nsearch b. .\noptions ndots:1 edns0\noptions ndots:3\n"
    assert node_file(text) == ResolvConf(("10.0.0.1",), ("b",), ("ndots:3", "edns0"))


NAME = st.from_regex(r"\A[a-z]{1,8}(\.[a-z]{1,8}){0,2}\Z")
OPTION = st.sampled_from(["ndots:5", "rotate", "use-vc", "timeout:2", "edns0"])
CONFS = st.builds(
    ResolvConf,
    st.lists(st.ip_addresses().map(str), max_size=5).map(tuple),
    st.lists(NAME, max_size=5).map(tuple),
    st.lists(OPTION, max_size=4, unique=True).map(tuple),
)


@given(CONFS)
def test_what_is_written_is_read(conf: ResolvConf):
    assert parse(conf.render()) == conf
    assert node_file(conf.render()) == conf
    assert Told(conf, "", True).differs(conf) == ()


@given(CONFS, CONFS)
def test_other_files_differ(one: ResolvConf, other: ResolvConf):
    same = (one.nameservers, one.search, one.named) == (other.nameservers, other.search, other.named)
    unordered = (set(one.nameservers), set(one.search)) == (set(other.nameservers), set(other.search))
    loopback = {*one.nameservers, *other.nameservers} <= {"127.0.0.1", "::1"}
    if not same and not unordered and not loopback:
        assert Told(one, "", True).differs(other)


@given(
    st.text(max_size=300)
    | st.lists(st.sampled_from(["nameserver", "search", "options", " ", "\n", "x", ":"])).map("".join)
)
def test_any_text(text: str):
    conf = parse(text)
    assert conf.ndots <= 15
    node_file(text)
    told(pod(), KUBELET, conf)
