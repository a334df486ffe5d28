"""The program as its users run it: exit codes, streams, pipes, terminals."""

import json
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from svcdoctor import __version__
from svcdoctor.cli.diagnose import exit_code
from svcdoctor.model.diagnosis import Severity
from svcdoctor.steps import RULES
from tests.report.diagnoses import ALL

ROOT = Path(__file__).parents[2]
CASES = ROOT / "tests/cases"
TYPO = ("diagnose", "invoice", "--snapshot", str(CASES / "iptables-selector-typo"))
HEALTHY = ("diagnose", "web", "--snapshot", str(CASES / "iptables-healthy"))
PLAIN = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS")}
PLAIN |= {"PYTHONPATH": str(ROOT), "LANG": "C.UTF-8", "TERM": "xterm", "LC_ALL": ""}
PROGRAM = (sys.executable, "-m", "svcdoctor")


def run(*arguments, stdout=subprocess.PIPE, program=PROGRAM, **environ):
    return subprocess.run(
        [*program, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        env=PLAIN | environ,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def on_a_terminal(*arguments, **environ):
    """What a terminal of 80 columns gets, and the exit code."""
    ours, theirs = pty.openpty()
    try:
        process = subprocess.Popen(
            [*PROGRAM, *arguments], stdin=theirs, stdout=theirs, stderr=theirs, env=PLAIN | {"COLUMNS": "80"} | environ
        )
    finally:
        os.close(theirs)
    seen = b""
    while True:
        try:
            chunk = os.read(ours, 65536)
        except OSError:  # EIO: the other side is closed
            break
        seen += chunk
        if not chunk:
            break
    os.close(ours)
    return seen.decode().replace("\r\n", "\n"), process.wait(timeout=60)


# -------------------------------------------------------------------------------------------------- help and start-up


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help(flag):
    done = run(flag)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: python -m svcdoctor [OPTIONS] COMMAND [ARGS]...\n")
    assert all(f"  {command} " in done.stdout for command in ("diagnose", "snapshot", "explain"))


@pytest.mark.parametrize("command", ["diagnose", "snapshot", "explain"])
def test_help_fits_a_screen_and_names_kubectls_options(command):
    done = run(command, "-h")
    assert (done.returncode, done.stderr) == (0, "")
    assert all(len(line) <= 80 for line in done.stdout.split("\n"))
    if command != "explain":
        for option in ("-n, --namespace", "--context", "--cluster", "--user", "--kubeconfig", "--as", "--as-group"):
            assert f"  {option} " in done.stdout


def test_version():
    done = run("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"svcdoctor {__version__}\n", "")


def test_nothing_asked_is_a_usage_error_with_help():
    done = run()
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Usage: ")


START = """
import sys
sys.argv = {arguments}
from svcdoctor.cli import main
code = main()
print(*sorted(sys.modules), file=sys.stderr)
sys.exit(code)
"""


@pytest.mark.parametrize("flag", ["-h", "--help", "--version"])
def test_help_and_version_load_nothing_heavy(flag):
    done = run(program=(sys.executable, "-c", START.format(arguments=["svcdoctor", flag])))
    assert done.returncode == 0
    loaded = {name.partition(".")[0] for name in done.stderr.split()}
    assert "typer" in loaded
    heavy = {"kubernetes", "textual", "dns", "scapy", "rich", "msgspec", "pydantic", "rapidfuzz", "yaml", "asyncio"}
    assert not loaded & heavy


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/usr/local/bin/svcdoctor", "svcdoctor"),
        ("/usr/local/bin/kubectl-svcdoctor", "kubectl svcdoctor"),
        ("C:/bin/kubectl-svcdoctor.exe", "kubectl svcdoctor"),
    ],
)
def test_help_says_what_the_user_typed(path, name):
    code = START.format(arguments=[path, "diagnose", "-h"])
    done = run(program=(sys.executable, "-c", code))
    assert done.stdout.startswith(f"Usage: {name} diagnose [OPTIONS] {{NAME}}\n")


# ---------------------------------------------------------------------------------------------------------- exit codes


def test_findings_exit_1():
    done = run(*TYPO)
    assert (done.returncode, done.stderr) == (1, "")
    assert "\nCause: selector-typo (SVC203), certain\n" in done.stdout
    assert "kubectl -n billing patch service invoice " in done.stdout


def test_a_healthy_service_exits_0():
    done = run(*HEALTHY)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\nHEALTHY: nothing wrong was found; " in done.stdout


def unlooked(tmp_path):
    """A snapshot in which the pods were not read."""
    folder = tmp_path / "snapshot"
    shutil.copytree(CASES / "iptables-healthy", folder)
    (folder / "api/api/v1/namespaces/shop/pods.json").unlink()
    path = "api/v1/namespaces/shop/pods"
    gap = {"what": path, "why": "403 Forbidden", "permission": "list pods in namespace shop"}
    (folder / "gaps.json").write_text(json.dumps([gap]))
    return str(folder)


def test_could_not_look_exits_3_and_names_the_permission(tmp_path):
    done = run("diagnose", "web", "--snapshot", unlooked(tmp_path))
    assert done.returncode == 3
    assert "\nUNKNOWN: " in done.stdout
    assert "\n    to grant: list pods in namespace shop\n" in done.stdout
    assert "HEALTHY" not in done.stdout


@pytest.mark.parametrize(("fail_on", "code"), [("error", 0), ("warning", 0), ("advice", 1)])
def test_fail_on_decides_what_exits_1(fail_on, code):
    done = run("diagnose", "ops", "--snapshot", str(CASES / "iptables-client-hostnetwork-dns"), "--fail-on", fail_on)
    assert done.returncode == code
    assert "\n  - advice   single-endpoint: " in done.stdout


@pytest.mark.parametrize(
    ("verdict", "fail_on", "code"),
    [
        ("broken", "error", 1),
        ("broken", "advice", 1),
        ("degraded", "error", 0),
        ("degraded", "warning", 1),
        ("degraded", "advice", 1),
        ("unknown", "error", 3),
        ("unknown", "advice", 3),
        ("healthy", "advice", 0),
    ],
)
def test_exit_codes_by_verdict_and_severity(verdict, fail_on, code):
    assert exit_code(ALL[verdict], Severity(fail_on)) == code


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["diagnos"], "No such command 'diagnos'. Did you mean 'diagnose', 'dns'?\n  see python -m svcdoctor --help\n"),
        (["diagnose"], "Missing argument 'NAME'.\n  see python -m svcdoctor diagnose --help\n"),
        (
            ["diagnose", "web", "--bogus"],
            "No such option: --bogus (Possible options: --user, --verbose)\n  see python -m svcdoctor diagnose ",
        ),
        (
            [*TYPO, "--only", "endpoint"],
            "no step is called endpoint\n  did you mean endpoints?\n",
        ),
        ([*TYPO, "--skip", "service,nonsense"], "no step is called nonsense\n  there are: "),
        ([*TYPO, "--only", ""], "no step is called nothing\n  there are: "),
        (
            [*TYPO, "--skip", "service,endpoints", "--only", "service"],
            "--only and --skip leave no step to ask\n  there are: ",
        ),
        (
            ["diagnose", "web.shop", "-n", "lab"],
            "web.shop lies in namespace shop, but -n says lab\n  leave one of them out\n",
        ),
        (
            [*TYPO, "--context", "prod"],
            "--context speaks of a cluster, but --snapshot reads none\n  leave out one of the two\n",
        ),
        ([*TYPO, "--as", "jane"], "--as speaks of a cluster, but --snapshot reads none\n  leave out one of the two\n"),
        ([*TYPO, "--client", "node/"], "nothing can't be the name of a pod or a node\n  names hold a-z, 0-9 and -\n"),
        (["explain"], "explain takes one finding, or --all\n  svcdoctor explain --all shows what there is\n"),
        (["explain", "SVC101", "--all"], "explain takes one finding, or --all\n"),
        (["explain", "selector-tpyo"], "no finding is called selector-tpyo\n  did you mean selector-typo?\n"),
    ],
    ids=lambda value: " ".join(value[-3:]) if isinstance(value, list) else "",
)
def test_usage_errors_are_a_line_and_exit_2(arguments, said):
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"svcdoctor: {said}")
    assert len(done.stderr.splitlines()) == 2


@pytest.mark.parametrize("option", [["-o", "yaml"], ["--fail-on", "fatal"]])
def test_unknown_choices_name_the_known_ones(option):
    done = run(*TYPO, *option)
    assert (done.returncode, done.stdout) == (2, "")
    assert ("'terminal'" if "-o" in option else "'warning'") in done.stderr


def test_a_snapshot_that_is_not_there_exits_with_a_line(tmp_path):
    done = run("diagnose", "web", "--snapshot", str(tmp_path / "absent"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("svcdoctor: ")
    assert str(tmp_path / "absent") in done.stderr


SILENT = """
current-context: silent
clusters: [{{name: silent, cluster: {{server: "http://127.0.0.1:{port}"}}}}]
contexts: [{{name: silent, context: {{cluster: silent}}}}]
"""


def test_ctrl_c_ends_a_wait_at_once_and_exits_130(tmp_path):
    kubeconfig = tmp_path / "config"
    with socket.create_server(("127.0.0.1", 0)) as server:
        kubeconfig.write_text(SILENT.format(port=server.getsockname()[1]))
        command = [*PROGRAM, "diagnose", "web", "--kubeconfig", str(kubeconfig), "--request-timeout", "0"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=PLAIN, text=True)
        connection, _ = server.accept()  # it is asked, and says nothing
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        connection.close()
    assert (process.returncode, out, err) == (130, "", "")


# -------------------------------------------------------------------------------------------------------- what is said


def test_json_fits_its_schema():
    done = run(*TYPO, "-o", "json", "--client", "node/node1")
    schema = json.loads((ROOT / "docs/diagnosis.schema.json").read_text(encoding="utf-8"))
    document = json.loads(done.stdout)
    Draft202012Validator(schema).validate(document)
    assert (done.returncode, document["root"]) == (1, "selector-typo")
    assert document["client"] == {"node": "node1"}


@pytest.mark.parametrize(
    "name", ["invoice.billing", "svc/invoice", "invoice.billing.svc.cluster.local", "http://invoice.billing/pay"]
)
def test_a_service_by_any_name(name):
    done = run("diagnose", name, *TYPO[2:], "-q")
    assert done.stdout.startswith("billing/invoice")
    assert (done.returncode, done.stdout.count("\n"), done.stderr) == (1, 1, "")


def test_the_snapshots_namespace_is_the_default_and_n_overrides_it():
    assert run(*TYPO, "-q").stdout.startswith("billing/invoice broken: selector-typo: ")
    assert run(*TYPO, "-q", "-n", "elsewhere").stdout.startswith("elsewhere/invoice ")


def statuses(*arguments):
    document = json.loads(run(*TYPO, "-o", "json", *arguments).stdout)
    return {step["name"]: step["status"] for step in document["steps"]}


def test_steps_can_be_chosen_and_left_out():
    chosen = statuses("--only", "service,endpoints")
    assert (chosen["service"], chosen["endpoints"], chosen["readiness"]) == ("pass", "fail", "skipped")
    assert statuses("--only", "service", "--only", "endpoints") == chosen
    assert statuses("--skip", "endpoints")["endpoints"] == "skipped"


def test_explain_one_by_code_or_name():
    by_name = run("explain", "selector-typo")
    assert (by_name.returncode, by_name.stderr) == (0, "")
    assert by_name.stdout.startswith("SVC203 selector-typo (error, step endpoints)\n  Meaning  ")
    assert run("explain", "svc203").stdout == by_name.stdout


def test_explain_all_is_sorted_and_whole():
    titles = re.findall(r"^(SVC\d+) ", run("explain", "--all").stdout, re.MULTILINE)
    assert titles == sorted(rule.code for rule in RULES)


@pytest.mark.parametrize("output", ["terminal", "json"])
def test_a_hostile_snapshot_can_not_paint_the_screen(tmp_path, output):
    folder = tmp_path / "snapshot"
    shutil.copytree(CASES / "iptables-selector-typo", folder)
    for path in (folder / "meta.json", folder / "api/api/v1/namespaces/billing/services.json"):
        text = path.read_text(encoding="utf-8")
        path.write_text(re.sub(r'"(real|invioce)"', r'"\\u001b]0;\1[red]\\u202e\\u0007\\n"', text), encoding="utf-8")
    done = run("diagnose", "invoice", "--snapshot", str(folder), "-o", output)
    assert done.returncode == 1
    assert all(char == "\n" or char.isprintable() for char in done.stdout)
    escaped = {"terminal": "\\x1b]0;{}[red]\\u202e\\x07\\n", "json": "\\u001b]0;{}[red]\\u202e\\u0007\\n"}[output]
    assert escaped.format("real") in done.stdout
    assert escaped.format("invioce") in done.stdout


# ------------------------------------------------------------------------------------------------- pipes and terminals


@pytest.mark.parametrize("arguments", [TYPO, (*TYPO, "-o", "json"), ("explain", "--all"), ("--help",), ("--version",)])
def test_a_reader_that_left_is_no_finding(arguments):
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = run(*arguments, stdout=writer)
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


def test_a_full_disk_is_no_finding():
    with Path("/dev/full").open("w") as full:
        done = run(*TYPO, stdout=full)
    assert (done.returncode, done.stderr) == (4, "svcdoctor: cannot write the result: No space left on device\n")


def test_a_closed_stdout_is_no_finding():
    done = run(*TYPO, program=("sh", "-c", 'exec "$@" >&-', "sh", *PROGRAM))
    assert done.returncode == 4
    assert "Traceback" not in done.stderr


def test_a_pipe_gets_whole_lines_without_escapes():
    done = run(*TYPO)
    assert "\x1b" not in done.stdout
    assert any(len(line) > 80 and not line.startswith("kubectl") for line in done.stdout.split("\n"))


def test_a_terminal_gets_colour_and_80_columns():
    seen, code = on_a_terminal(*TYPO)
    assert code == 1
    assert "\x1b[31m✗ fail" in seen
    lines = re.sub(r"\x1b\[\d+m", "", seen).split("\n")
    assert all(len(line) <= 80 for line in lines if not line.startswith("kubectl"))


@pytest.mark.parametrize(
    ("arguments", "environ"), [((), {"NO_COLOR": "1"}), (("--no-color",), {}), ((), {"TERM": "dumb"})], ids=str
)
def test_a_terminal_without_colour(arguments, environ):
    seen, code = on_a_terminal(*TYPO, *arguments, **environ)
    assert code == 1
    assert "✗ fail" in seen
    assert "\x1b" not in seen


def test_colour_can_be_forced_into_a_pipe():
    assert "\x1b[31m✗ fail" in run(*TYPO, FORCE_COLOR="1").stdout
    assert "\x1b" not in run(*TYPO, "--no-color", FORCE_COLOR="1").stdout
    assert "\x1b" not in run(*TYPO, "-o", "json", FORCE_COLOR="1").stdout


@pytest.mark.parametrize("environ", [{"LANG": "C"}, {"PYTHONIOENCODING": "ascii"}], ids=str)
def test_ascii_where_nothing_else_can_be_shown(environ):
    done = run(*TYPO, **environ)
    assert done.returncode == 1
    assert done.stdout.isascii()
    assert "  x fail     endpoints" in done.stdout
