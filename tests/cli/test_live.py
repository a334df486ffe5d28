"""The whole program against a replayed API server: what an operator types, and what comes out."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from svcdoctor import cli
from tests import replay as says
from tests.collect.conftest import CASES, authority, serve, tls

__all__ = ["authority", "serve", "tls"]  # fixtures

SOME = ("iptables-healthy", "iptables-selector-typo", "iptables-crashloop", "nftables-shared-numeric-ports")


@pytest.fixture
def svcdoctor(monkeypatch, capsys):
    """Runs the program in this process: its exit code, stdout and stderr."""

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["svcdoctor", *words])
        code = cli.main()
        out, err = capsys.readouterr()
        return int(code), out, err

    return run


@pytest.mark.parametrize("case", SOME)
def test_live_and_saved_say_the_same(svcdoctor, serve, tmp_path, case):
    truth = json.loads((CASES / case / "truth.json").read_text())
    cluster = serve(case)
    name, flags = truth["service"], ["-n", truth["namespace"], "--kubeconfig", str(cluster.path)]
    code, live, errors = svcdoctor("diagnose", name, *flags, "-o", "json")
    assert errors == ""
    assert json.loads(live)["context"] == "lab"
    assert json.loads(live)["server"] == cluster.replay.url
    path = tmp_path / "saved.tar.gz"
    assert svcdoctor("snapshot", name, *flags, "-o", str(path))[0] == 0
    again, offline, _ = svcdoctor("diagnose", name, "-n", truth["namespace"], "--snapshot", str(path), "-o", "json")
    assert again == code == (1 if truth["causes"] else 0)
    assert json.loads(offline) == json.loads(live)
    assert json.loads(live)["root"] == json.loads((CASES / case / "report.json").read_text())["root"]


def test_every_call_is_told_to_the_curious(svcdoctor, serve):
    cluster = serve("iptables-healthy")
    _, _, errors = svcdoctor("diagnose", "web", "--kubeconfig", str(cluster.path), "-v")
    assert len(errors.splitlines()) == len(cluster.replay.requests)
    assert "GET /api/v1/namespaces/shop/services/web 200" in errors
    assert "hush-hush" not in errors


def test_a_missing_permission_is_told(svcdoctor, serve):
    cluster = serve("iptables-healthy")
    cluster.replay.misdeeds.append(says.on("api/v1/namespaces/shop/pods", says.forbid))
    code, out, _ = svcdoctor("diagnose", "web", "--kubeconfig", str(cluster.path))
    assert code == 3
    assert "403 Forbidden" in out
    assert "list pods in namespace shop" in out


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"server": "https://127.0.0.1:1"}, "cannot be reached: connection refused"),
        ({"certificate-authority": "/dev/null"}, "cannot be trusted"),
        ({"tls-server-name": "other.example"}, "its certificate is for another name"),
    ],
)
def test_no_cluster_is_one_line_and_exit_3(svcdoctor, serve, change, words):
    cluster = serve("iptables-healthy")
    cluster.cluster.update(change)
    cluster.write()
    code, out, errors = svcdoctor("diagnose", "web", "--kubeconfig", str(cluster.path))
    assert (code, out) == (3, "")
    first, advice = errors.splitlines()
    assert first.startswith("svcdoctor: ")
    assert words in first
    assert advice.startswith("  ")


def test_an_unknown_context(svcdoctor, serve):
    cluster = serve("iptables-healthy")
    code, _, errors = svcdoctor("diagnose", "web", "--kubeconfig", str(cluster.path), "--context", "labb")
    assert (code, errors) == (3, "svcdoctor: the kubeconfig has no context called labb\n  did you mean lab?\n")


def test_an_expired_token(svcdoctor, serve):
    cluster = serve("iptables-healthy")
    cluster.replay.token = "another"
    code, _, errors = svcdoctor("diagnose", "web", "--kubeconfig", str(cluster.path))
    assert code == 3
    assert "does not accept the credentials of context lab" in errors


def test_ctrl_c_while_the_server_is_silent(serve):
    cluster = serve("iptables-healthy")
    cluster.replay.misdeeds.append(says.on("", says.dawdle(30)))
    command = [sys.executable, "-m", "svcdoctor", "diagnose", "web", "--kubeconfig", str(cluster.path)]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    while not cluster.replay.requests:
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=20)  # a hang would last as long as the server's silence
    assert (process.returncode, out) == (130, "")
    assert "Traceback" not in errors
