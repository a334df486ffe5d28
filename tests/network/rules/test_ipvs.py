"""Virtual servers in three forms, and ipset save."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcdoctor.errors import BadData
from svcdoctor.network import ipvs
from svcdoctor.network.ruleset import Server, VirtualServer
from tests.lab.proxy.dumps import recorded

FORMS = ("ip_vs.txt", "ipvsadm-Ln.txt", "ipvsadm-Sn.txt")


def said(text):
    return {
        (one.protocol, one.address, one.port, one.scheduler, one.persistent): sorted(
            (server.address, server.port, server.weight) for server in one.servers
        )
        for one in ipvs.read(text).virtual_servers
    }


@pytest.mark.parametrize("scheduler", ["rr", "lc", "sh"])
def test_the_three_forms_of_the_recorded_node_say_the_same(scheduler):
    kernel, listed, saved = (said(recorded()[f"ipvs/{scheduler}"][form]) for form in FORMS)
    assert kernel == listed == saved
    assert len(kernel) == 18


def test_what_was_read_comes_out_again():
    files = recorded()["ipvs/rr"]
    assert ipvs.write(ipvs.read(files["ipvsadm-Sn.txt"])) == files["ipvsadm-Sn.txt"]
    assert ipvs.write(ipvs.read(files["ip_vs.txt"])) == "".join(files["ip_vs.txt"].splitlines(keepends=True)[3:])
    assert ipvs.write_sets(ipvs.read_sets(files["ipset.txt"])) == files["ipset.txt"]


def test_the_kernels_table_whole():
    text = (
        "IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port Scheduler Flags\n"
        "  -> RemoteAddress:Port Forward Weight ActiveConn InActConn\n"
        "TCP  0A600001:01BB wrr persistent 150000 FFFFFFFF\n  -> C0A80001:192B      Masq    7      1          0\n"
        "UDP  [fd00:0172:0000:0000:0000:0000:0000:0041]:0035 sh (mh-port)\n"
        "  -> [fd00:0244:0000:0000:0000:0000:0000:0007]:14E9      Masq    0      0          0\n"
        "FWM  00000011 rr \n"
    )
    lines = text.splitlines()
    assert ipvs.read(text).virtual_servers == (
        VirtualServer(
            lines[3],
            "wrr",
            "tcp",
            "10.96.0.1",
            443,
            persistent=True,
            servers=(Server("192.168.0.1", 6443, 7, lines[4]),),
        ),
        VirtualServer(lines[5], "sh", "udp", "fd00:172::41", 53, servers=(Server("fd00:244::7", 5353, 0, lines[6]),)),
        VirtualServer(lines[7], "rr", mark=17),
    )


@pytest.mark.parametrize("text", ["<html>", b"\xff", "-A -t 10.0.0.1:80", "-a -t 10.0.0.1:80 -r 10.0.0.2:80 -m -w 1"])
def test_what_is_no_table_is_refused(text):
    with pytest.raises(BadData):
        ipvs.read(text, "node1")


@pytest.mark.parametrize("text", ["<html>", b"\xff", "add X 10.0.0.1", "create X", "create X hash:ip\nadd X"])
def test_what_is_no_set_is_refused(text):
    with pytest.raises(BadData):
        ipvs.read_sets(text, "node1")


def test_a_set_that_is_not_understood_leaves_its_neighbours():
    found = ipvs.read_sets("create A hash:mac\nadd A 01:02:03:04:05:06\ncreate B hash:ip family inet\nadd B 10.0.0.1\n")
    assert found.sets["A"].values is None
    assert found.sets["B"].values is not None


WORDS = ["-A", "-a", "-t", "-u", "-f", "10.0.0.1:80", "-s", "rr", "-r", "-w", "1", "->", "TCP", "FWM", "0A000001:0050"]
WORDS += ["IP Virtual Server version 1", "create", "add", "S", "hash:ip,port", "hash:ip", "10.0.0.1,tcp:80", "\n", "-p"]


@given(st.lists(st.sampled_from(WORDS) | st.text(max_size=4), max_size=14))
def test_any_words_are_read_or_refused(words):
    for read in (ipvs.read, ipvs.read_sets):
        try:
            found = read(" ".join(words).replace(" \n ", "\n"))
        except BadData:
            continue
        for one in found.sets.values():
            assert one.values is None or len(one.values) >= 0
