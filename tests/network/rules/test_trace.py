"""svcdoctor trace on dumps."""

import json

import pytest
from typer.testing import CliRunner

from svcdoctor.cli import app, console
from svcdoctor.errors import ExitCode
from tests.lab.proxy.dumps import recorded

SAVED = recorded()["iptables-healthy/node1"]["iptables-save.txt"]
LISTED = recorded()["nftables-healthy/node1"]["nft-ip-kube-proxy.json"]

SMALL = """*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:WEB - [0:0]
[3:180] -A PREROUTING -d 10.96.0.10/32 -p tcp -m tcp --dport 80 -j WEB
-A POSTROUTING -m conntrack --ctstate DNAT -j MASQUERADE
-A WEB -m statistic --mode random --probability 0.50000000000 -j DNAT --to-destination 10.244.1.7:8080
-A WEB -p tcp -j DNAT --to-destination 10.244.2.7:8080
COMMIT
"""
SHOWN = """10.244.1.2 -> 10.96.0.10:80/tcp  enters from pod

    prerouting  ip nat PREROUTING: jump WEB
        -A PREROUTING -d 10.96.0.10/32 -p tcp -m tcp --dport 80 -j WEB

 50.0% to endpoint 10.244.1.7:8080
  sees the node's address, not the client's: -A POSTROUTING -m conntrack --ctstate DNAT -j MASQUERADE
    prerouting  ip nat WEB: dnat 10.244.1.7:8080
        -A WEB -m statistic --mode random --probability 0.50000000000 -j DNAT --to-destination 10.244.1.7:8080
    postrouting ip nat POSTROUTING: masquerade
        -A POSTROUTING -m conntrack --ctstate DNAT -j MASQUERADE

 50.0% to endpoint 10.244.2.7:8080
  sees the node's address, not the client's: -A POSTROUTING -m conntrack --ctstate DNAT -j MASQUERADE
    prerouting  ip nat WEB: dnat 10.244.2.7:8080
        -A WEB -p tcp -j DNAT --to-destination 10.244.2.7:8080
    then as above
"""


@pytest.fixture
def dump(tmp_path):
    """Writes a dump, gives its path."""

    def write(text, name="dump"):
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(tmp_path / name)

    return write


def trace(*arguments):
    result = CliRunner().invoke(app, ["trace", *arguments], standalone_mode=False)
    if result.exception:
        raise result.exception
    return ExitCode(result.return_value), result.stdout


def said(capsys, *arguments):
    """The exit code and what stderr says of arguments that don't do."""
    code = console.run(lambda: trace(*arguments)[0])
    return code, capsys.readouterr().err


def test_the_way_is_shown_hop_by_hop(dump):
    assert trace("--rules", dump(SMALL), "--from", "10.244.1.2", "--to", "10.96.0.10:80") == (ExitCode.OK, SHOWN)


def test_json_says_it_all(dump):
    code, out = trace("--rules", dump(SMALL), "--from", "10.244.1.2", "--to", "10.96.0.11:53/udp", "-o", "json")
    assert code is ExitCode.COULD_NOT_LOOK
    assert json.loads(out) == {
        "apiVersion": "svcdoctor.io/v1",
        "kind": "Trace",
        "packet": {
            "source": "10.244.1.2",
            "destination": "10.96.0.11",
            "port": 53,
            "protocol": "udp",
            "enters": "pod",
        },
        "outcomes": [
            {
                "kind": "unknown",
                "share": "1",
                "address": "10.96.0.11",
                "port": 53,
                "source": "10.244.1.2",
                "masqueraded": False,
                "masqueradedBy": None,
                "why": "it is not known whether 10.96.0.11 is an address of the node",
                "hops": [],
            }
        ],
        "notes": [],
    }


@pytest.mark.parametrize(("text", "to"), [(SAVED, "10.110.247.131:80"), (LISTED, "10.97.178.71:80")])
def test_recorded_dumps(dump, text, to):
    code, out = trace("--rules", dump(text), "--from", "10.244.1.200", "--to", to, "-o", "json")
    assert code is ExitCode.OK
    assert [(one["kind"], one["share"], one["masqueraded"]) for one in json.loads(out)["outcomes"]] == [
        ("endpoint", "1/3", False)
    ] * 3


def test_several_dumps_are_one_node(dump):
    files = recorded()["ipvs/rr"]
    rules = [
        argument
        for name in ("iptables-save.txt", "ip_vs.txt", "ipset.txt")
        for argument in ("--rules", dump(files[name], name))
    ]
    code, out = trace(*rules, "--from", "10.0.2.99", "--enters", "outside", "--to", "10.96.0.1:443", "-o", "json")
    (outcome,) = json.loads(out)["outcomes"]
    assert (code, outcome["address"], outcome["port"], outcome["masqueraded"]) == (
        ExitCode.OK,
        "172.30.0.1",
        16443,
        True,
    )


def test_what_is_refused_is_a_finding(dump):
    text = "*filter\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -p tcp -j REJECT --reject-with tcp-reset\nCOMMIT\n"
    arguments = ["--rules", dump(text), "--from", "172.30.0.11", "--node-address", "172.30.0.11"]
    code, out = trace(*arguments, "--to", "10.96.0.10:80")
    assert code is ExitCode.FINDINGS
    assert "100.0% refused: tcp-reset\n" in out


GOOD = ("--from", "10.244.1.2", "--to", "10.96.0.10:80")


@pytest.mark.parametrize(
    ("text", "arguments", "code", "says"),
    [
        ("<html>", GOOD, ExitCode.COULD_NOT_LOOK, "no dump of rules"),
        (b"\x1f\x8b\xff", GOOD, ExitCode.COULD_NOT_LOOK, "not text"),
        ("", GOOD, ExitCode.COULD_NOT_LOOK, "empty"),
        ("*nat\n:X - [0:0]\n", GOOD, ExitCode.COULD_NOT_LOOK, "cut short: table nat does not end with COMMIT"),
        (SMALL, ("--from", "web", "--to", "10.96.0.10:80"), ExitCode.USAGE, "--from: web is no IP address"),
        (SMALL, ("--from", "10.0.0.1", "--to", "10.96.0.10"), ExitCode.USAGE, "10.96.0.10 is no destination"),
        (SMALL, ("--from", "10.0.0.1", "--to", "10.96.0.10:99999"), ExitCode.USAGE, "10.96.0.10:99999 is no"),
        (SMALL, ("--from", "10.0.0.1", "--to", "10.96.0.10:80/icmp"), ExitCode.USAGE, "10.96.0.10:80/icmp is no"),
        (SMALL, ("--from", "10.0.0.1", "--to", "fd00::1:80"), ExitCode.USAGE, "fd00::1:80 is no destination"),
        (SMALL, ("--from", "10.0.0.1", "--to", "[fd00::1]:80"), ExitCode.USAGE, "different families"),
    ],
)
def test_bad_input_is_one_clear_line(dump, capsys, text, arguments, code, says):
    found, err = said(capsys, "--rules", dump(text), *arguments)
    assert found is code
    assert says in err.splitlines()[0]


def test_a_file_that_is_not_there(capsys):
    code, err = said(capsys, "--rules", "nowhere", *GOOD)
    assert (code, err) == (ExitCode.USAGE, "svcdoctor: cannot read nowhere: No such file or directory\n")
