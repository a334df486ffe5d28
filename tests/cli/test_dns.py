"""svcdoctor dns: what it prints, and how it ends."""

import json
import re
import shlex
import sys
import textwrap
from pathlib import Path

import pytest

from svcdoctor import cli

ROOT = Path(__file__).parents[2]
HEALTHY = ["web", "-n", "shop", "--client", "client", "--snapshot", "tests/cases/iptables-healthy"]
ALIAS = ["legacy-db", "-n", "bridge", "--snapshot", "tests/cases/iptables-externalname-dangling"]
TRANSCRIPTS = re.findall(
    r"(?m)^    \$ (svcdoctor (?:dns|diagnose) .*)\n((?:    .*\n|\n)+)", (ROOT / "docs/dns.md").read_text()
)


@pytest.fixture
def run(monkeypatch, capsys):
    """Runs ``svcdoctor ARGUMENTS`` in the project's folder: exit code, stdout, stderr."""

    def ran(*arguments: str):
        monkeypatch.chdir(ROOT)
        monkeypatch.setattr(sys, "argv", ["svcdoctor", *arguments])
        code = cli.main()
        said = capsys.readouterr()
        return code, said.out, said.err

    return ran


@pytest.mark.parametrize(("command", "shown"), TRANSCRIPTS, ids=[command for command, _ in TRANSCRIPTS])
def test_the_docs_show_what_comes_out(run, command, shown):
    _, out, _ = run(*shlex.split(command)[1:])
    assert out == textwrap.dedent(shown).rstrip("\n") + "\n"


def test_the_docs_have_transcripts():
    assert len(TRANSCRIPTS) >= 2


def test_json(run):
    code, out, _ = run("dns", *HEALTHY, "-o", "json")
    said = json.loads(out)
    assert (code, said["kind"], said["name"]) == (0, "DnsTrace", "web.shop.svc.cluster.local")
    assert said["resolvConf"]["computed"] == said["resolvConf"]["real"]
    assert [tried["fate"] for tried in said["walk"]] == ["answers", "unreached", "unreached", "unreached"]
    assert [(r["type"], r["expected"], r["differs"]) for r in said["records"]] == [
        ("A", "10.110.247.131", False),
        ("AAAA", "NODATA", False),
        ("SRV", "80 web.shop.svc.cluster.local.", False),
    ]
    assert (said["findings"], said["gaps"]) == ([], [])


def test_a_finding_is_exit_code_1(run):
    code, out, _ = run("dns", *ALIAS, "-o", "json")
    assert code == 1
    assert [finding["name"] for finding in json.loads(out)["findings"]] == ["externalname-dangling"]


def test_musl_asks_in_its_own_way(run):
    _, out, _ = run("dns", *HEALTHY, "--libc", "musl")
    assert "web is looked up by musl" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([*HEALTHY, "--active"], "--active asks a cluster, but --snapshot reads none"),
        ([*HEALTHY, "--yes"], "--yes agrees to a debugging container, which only --active would add"),
        (["nobody", "-n", "shop", "--snapshot", "tests/cases/iptables-healthy"], "there is no Service nobody"),
    ],
)
def test_usage_errors(run, arguments, said):
    code, out, err = run("dns", *arguments)
    assert (code, out) == (2, "")
    assert said in err


def test_asked_actively(run):
    code, out, _ = run("dns", "web", "--lab", "healthy", "--client", "client", "--active")
    assert code == 0
    assert re.search(r"seen  NOERROR 10\.96\.\d+\.\d+ from port-forward kube-system/coredns-", out)
    assert re.search(r"seen NOERROR 10\.96\.\d+\.\d+ from 10\.96\.0\.10 UDP to default/client", out)
