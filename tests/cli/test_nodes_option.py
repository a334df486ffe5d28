"""--nodes as it is typed."""

import json
import signal
import subprocess
import sys

import pytest

from svcdoctor.lab.faults import BY_NAME
from tests.cli.test_live import svcdoctor
from tests.lab.living import running

__all__ = ["svcdoctor"]  # fixture


def outcome(text):
    return next(step for step in json.loads(text)["steps"] if step["name"] == "proxy")


def test_nothing_is_asked_of_nodes_without_it(svcdoctor):
    _, out, errors = svcdoctor("diagnose", "web", "--lab", "rule-missing", "-o", "json", "-v")
    assert outcome(out)["status"] == "skipped"
    assert "/exec" not in errors
    assert "portforward" not in errors


def test_a_rule_that_is_missing_is_found_live_and_in_what_was_saved(svcdoctor, tmp_path):
    ask = ("web", "--lab", "rule-missing", "--nodes", "auto", "--client", "client")
    code, out, errors = svcdoctor("diagnose", *ask, "-o", "json")
    assert (code, errors) == (1, "")
    assert json.loads(out)["root"] == "rule-missing"
    saved = tmp_path / "saved"
    assert svcdoctor("snapshot", *ask, "-o", str(saved))[0] == 0
    assert (saved / "nodes/node1/iptables-save.txt").exists()
    code, out, _ = svcdoctor("diagnose", "web", "--client", "client", "--snapshot", str(saved), "-o", "json")
    assert (code, json.loads(out)["root"]) == (1, "rule-missing")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--nodes", "nod1"), "no node is called nod1"),
        (("--nodes", ","), "--nodes names no node"),
    ],
)
def test_what_names_no_node(svcdoctor, words, says):
    code, out, errors = svcdoctor("diagnose", "web", "--lab", "healthy", *words)
    assert (code, out) == (2, "")
    assert says in errors


def test_a_snapshot_has_no_nodes_to_ask(svcdoctor, tmp_path):
    code, _, errors = svcdoctor("diagnose", "web", "--snapshot", str(tmp_path), "--nodes", "all")
    assert code == 2
    assert "--nodes asks a cluster, but --snapshot reads none" in errors


def test_interrupting_while_a_kube_proxy_hangs_is_quiet_and_quick():
    with running(BY_NAME["proxy-stale"]) as lab:
        words = ("diagnose", "web", "--kubeconfig", str(lab.kubeconfig), "--nodes", "all", "-v")
        command = [sys.executable, "-m", "svcdoctor", *words]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            next(line for line in process.stderr if "portforward" in line)
            process.send_signal(signal.SIGINT)
            out, errors = process.communicate(timeout=20)
    assert (process.returncode, out) == (130, "")
    assert "Traceback" not in errors
