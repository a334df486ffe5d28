"""svcdoctor lab, as its users run it: what it prints, how it ends, what it leaves behind (nothing)."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = (sys.executable, "-m", "svcdoctor")


@pytest.fixture
def environment(tmp_path):
    """A temporary folder of one's own, so that what is left behind can be counted."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path), "NO_COLOR": "1", "KUBECONFIG": ""}


@pytest.fixture
def run(environment):
    def run(*arguments, **more):
        return subprocess.run(
            [*PROGRAM, *arguments],
            env=environment | more,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


@pytest.fixture
def up(environment):
    """Starts labs, waits until each serves, and ends what a test left running."""
    started = []

    def up(*arguments):
        process = subprocess.Popen(
            [*PROGRAM, "lab", "up", *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        greeting = ""
        while "dig @" not in greeting:
            greeting += process.stdout.readline()
        return process, greeting

    yield up
    for process in started:
        process.kill()
        process.communicate()


def end(process, *signals):
    """The exit code and stderr after these signals."""
    for number in signals:
        process.send_signal(number)
    _, said = process.communicate(timeout=20)
    return process.returncode, said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_lab_runs_until_it_is_told_to_end_and_leaves_nothing(up, tmp_path, number):
    process, greeting = up()
    assert re.match(r"The lab runs at https://127\.0\.0\.1:\d+; Ctrl-C ends it\.\n", greeting)
    (place,) = re.findall(r"export KUBECONFIG=(.*)", greeting)
    kubeconfig = Path(place)
    assert kubeconfig.is_file()
    assert kubeconfig.parent.stat().st_mode & 0o077 == 0
    assert end(process, number) == (0, "the lab has ended, and nothing of it is left\n")
    assert list(tmp_path.iterdir()) == []


def test_an_impatient_user_ends_it_too(up, tmp_path):
    process, _ = up()
    code, said = end(process, signal.SIGINT, signal.SIGINT, signal.SIGINT)
    assert (code, "Traceback" in said) == (0, False)
    assert list(tmp_path.iterdir()) == []


def test_a_running_lab_is_broken_and_healed_from_another_terminal(up, run, tmp_path):
    up()
    kubeconfig = str(next(tmp_path.glob("svcdoctor-lab-*/kubeconfig")))

    def root():
        return run("diagnose", "web", "-q", KUBECONFIG=kubeconfig).stdout

    assert root().startswith("default/web healthy")
    told = run("lab", "break", "selector-typo")
    assert (told.returncode, told.stderr) == (0, "selector-typo: one letter of the selector is wrong\n")
    assert root().startswith("default/web broken: selector-typo")
    assert run("lab", "heal").stderr == "healed; pods that have to start anew need a few seconds\n"
    deadline = time.monotonic() + 30
    while not root().startswith("default/web healthy"):
        assert time.monotonic() < deadline


def test_a_bad_day_is_had_and_ended(up, run, tmp_path):
    up()
    kubeconfig = str(next(tmp_path.glob("svcdoctor-lab-*/kubeconfig")))
    assert run("lab", "forbid", "list", "pods").stderr == "forbidden: list pods\n"
    assert "list pods in namespace default" in run("diagnose", "web", KUBECONFIG=kubeconfig).stdout
    assert run("lab", "misbehave", "garbage", "--path", "/api/v1/namespaces/default/services*").returncode == 0
    assert run("diagnose", "web", KUBECONFIG=kubeconfig).returncode == 3
    assert run("lab", "misbehave", "clear").returncode == 0
    assert run("diagnose", "web", KUBECONFIG=kubeconfig).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("up", "--fault", "selector-tpyo"), "no fault is called selector-tpyo\n  did you mean selector-typo?\n"),
        (("up", "--proxy-mode", "ebpf"), "no proxy mode is called ebpf\n"),
        (("break", "no-such"), "no fault is called no-such\n  svcdoctor lab faults lists them\n"),
        (("break", "svc-missing"), "no lab is running\n  start one with: svcdoctor lab up\n"),
        (("heal",), "no lab is running\n  start one with: svcdoctor lab up\n"),
        (("misbehave", "slwo"), "no deed is called slwo\n  did you mean slow?\n"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_does_not_exist_is_said_in_one_line(run, tmp_path, arguments, said):
    done = run("lab", *arguments)
    assert done.returncode == 2
    assert done.stderr.startswith(f"svcdoctor: {said}")
    assert list(tmp_path.iterdir()) == []


def test_a_port_in_use(run, tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = run("lab", "up", "--port", str(port))
    said = (
        f"svcdoctor: cannot listen on 127.0.0.1:{port}: Address already in use\n  leave out --port to take a free one\n"
    )
    assert (done.returncode, done.stderr) == (2, said)
    assert list(tmp_path.iterdir()) == []


def test_a_temporary_folder_that_cannot_be_written_to(environment):
    """Root may write anywhere but where nothing can be made: below /proc."""
    script = "import tempfile, sys; tempfile.tempdir = '/proc/1'; from svcdoctor.cli import main; sys.exit(main())"
    blocked = subprocess.run(
        [sys.executable, "-c", script, "lab", "up"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert blocked.returncode == 3
    assert re.fullmatch(
        r"svcdoctor: cannot write to the temporary folder: .*\n  set TMPDIR to a folder that can be written to\n",
        blocked.stderr,
    )


def test_what_a_killed_lab_left_is_cleaned(up, run, tmp_path):
    process, _ = up()
    process.kill()
    process.wait()
    (left,) = tmp_path.iterdir()
    done = run("lab", "clean")
    assert (done.returncode, done.stderr) == (0, f"removed {left}\n")
    assert list(tmp_path.iterdir()) == []
    assert run("lab", "clean").stderr == "nothing was left behind\n"


def test_a_kubeconfig_that_is_no_labs(run, tmp_path):
    other = tmp_path / "config"
    other.write_text("apiVersion: v1\nkind: Config\nclusters: []\n")
    done = run("lab", "heal", "--kubeconfig", str(other))
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, f"svcdoctor: {other} is not a lab's kubeconfig")


def test_the_list_of_faults_fits_the_screen(run):
    done = run("lab", "faults")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["healthy", "nothing", "is", "wrong"]
    assert max(map(len, lines)) <= 80
    assert "  selector-typo" in done.stdout


def test_diagnose_asks_a_lab_and_leaves_nothing(run, tmp_path):
    done = run("diagnose", "web", "--lab", "scaled-to-zero", "-q")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("default/web broken: scaled-to-zero")
    assert list(tmp_path.iterdir()) == []


def test_a_snapshot_can_be_taken_of_a_lab(run, tmp_path):
    assert run("snapshot", "web", "--lab", "crash-loop", "-o", str(tmp_path / "web.tar.gz")).returncode == 0
    done = run("diagnose", "web", "--snapshot", str(tmp_path / "web.tar.gz"), "-q")
    assert done.stdout.startswith("default/web broken: crash-loop")


@pytest.mark.parametrize(
    "arguments",
    [("--snapshot", "somewhere"), ("--kubeconfig", "somewhere"), ("--context", "prod")],
    ids=lambda arguments: arguments[0],
)
def test_a_lab_is_not_mixed_with_another_cluster(run, arguments):
    done = run("diagnose", "web", "--lab", "healthy", *arguments)
    assert done.returncode == 2
    assert "leave out one of the two" in done.stderr


def test_ctrl_c_during_a_diagnosis_ends_the_lab_too(environment, tmp_path):
    process = subprocess.Popen(
        [*PROGRAM, "diagnose", "web", "--lab", "healthy"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 30
    while not list(tmp_path.glob("svcdoctor-lab-*")) and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    # 0 where the answer was quicker than the signal; the signal's own end where the interpreter was ending already
    assert process.returncode in (130, 0, -signal.SIGINT)
    assert list(tmp_path.iterdir()) == []
