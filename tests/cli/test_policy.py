"""svcdoctor policy: every packet, the rules that decide, and what it means for the exit code."""

import json
import re
import shlex
import sys
import textwrap
from pathlib import Path

import pytest

from svcdoctor import cli

ROOT = Path(__file__).parents[2]
SEED = "tests/cases/iptables-seed-netpol-blocks-dns"
HEALTHY = "tests/cases/iptables-healthy"


@pytest.fixture
def run(monkeypatch, capsys):
    def go(*arguments):
        monkeypatch.chdir(ROOT)
        monkeypatch.setattr(sys, "argv", ["svcdoctor", "policy", *arguments])
        code = cli.main()
        said = capsys.readouterr()
        return code, said.out, said.err

    return go


def test_what_is_denied_is_a_finding(run):
    code, out, err = run("webapp-client", "webapp-service", "--snapshot", SEED)
    assert (code, err) == (1, "")
    assert "0 of 2 endpoints can be reached; 0 of 4 ways to the name servers are open" in out
    assert out.count("egress   denied") == 3
    assert "Enforced: not known" in out


def test_what_is_open_is_none(run):
    code, out, err = run("client", "web:80", "--snapshot", HEALTHY)
    assert (code, err) == (0, "")
    assert "3 of 3 endpoints can be reached; 4 of 4 ways to the name servers are open" in out


def test_json_says_the_same(run):
    code, out, _ = run("frontend/client", "webapp-service", "--snapshot", SEED, "-o", "json")
    document = json.loads(out)
    assert code == 1
    assert (document["kind"], document["client"]) == ("PolicyTrace", "Pod frontend/client")
    assert [packet["status"] for packet in document["endpoints"]] == ["denied", "denied"]
    assert {packet["egress"]["status"] for packet in document["endpoints"]} == {"allowed"}
    assert document["endpoints"][0]["ingress"]["isolatedBy"] == ["NetworkPolicy production/webapp-netpol"]
    assert [packet["status"] for packet in document["dns"]] == ["allowed"] * 4


def test_a_node(run):
    code, out, _ = run("node/node1", "web", "--snapshot", HEALTHY)
    assert code == 0
    assert "traffic with the pod's own node is never blocked" in out


@pytest.mark.parametrize(
    ("client", "service", "code", "said"),
    [
        ("nobody", "web", 3, "there is no such pod to look from"),
        ("client", "wbe", 2, "there is no Service wbe in namespace shop"),
        ("client", "web:http:80", 2, ""),
    ],
)
def test_what_is_not_there(run, client, service, code, said):
    assert run(client, service, "--snapshot", HEALTHY)[0] == code
    assert said in run(client, service, "--snapshot", HEALTHY)[2]


def test_the_guides_transcripts_are_what_comes_out(monkeypatch, capsys):
    """Of a diagnosis from its cause on: the rows of other steps come and go."""
    guide = (ROOT / "docs/policy.md").read_text()
    shown = re.findall(r"(?m)^    \$ (svcdoctor .*)\n((?:    .*\n|\n)+)", guide)
    assert len(shown) == 2
    monkeypatch.chdir(ROOT)
    for command, transcript in shown:
        monkeypatch.setattr(sys, "argv", shlex.split(command))
        cli.main()
        out, wanted = capsys.readouterr().out, textwrap.dedent(transcript)
        assert _told(out) == _told(wanted)


def _told(text):
    return text[max(text.find("Cause:"), 0) :].rstrip()
