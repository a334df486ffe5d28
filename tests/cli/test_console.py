"""stdout, stderr and exit codes: whatever happens, 1 means findings and nothing else."""

import io
import sys
import threading

import pytest

from svcdoctor.cli import console
from svcdoctor.errors import BadData, ExitCode, UsageError


def test_errors_become_a_line_with_its_advice(capsys):
    def program():
        raise UsageError("no step is called \x1b[31mx", "did you mean y?")

    assert console.run(program) == ExitCode.USAGE
    assert capsys.readouterr() == ("", "svcdoctor: no step is called \\x1b[31mx\n  did you mean y?\n")


def test_errors_without_advice_are_one_line(capsys):
    def program():
        raise BadData("meta.json", "cut short")

    assert console.run(program) == ExitCode.COULD_NOT_LOOK
    assert capsys.readouterr().err == "svcdoctor: meta.json: cut short\n"


def test_ctrl_c_is_quiet(capsys):
    def program():
        raise KeyboardInterrupt

    assert console.run(program) == ExitCode.INTERRUPTED
    assert capsys.readouterr() == ("", "")


def crash():
    secret = "token-of-the-operator"
    raise ValueError(secret)


def test_a_crash_says_where_but_not_what(capsys, monkeypatch):
    monkeypatch.delenv("SVCDOCTOR_DEBUG", raising=False)
    assert console.run(crash) == ExitCode.INTERNAL
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("svcdoctor: internal error, ValueError in test_console.py:")
    assert err.endswith("; SVCDOCTOR_DEBUG=1 shows the traceback\n")
    assert "token" not in err


def test_the_traceback_is_there_for_who_asks(capsys, monkeypatch):
    monkeypatch.setenv("SVCDOCTOR_DEBUG", "1")
    assert console.run(crash) == ExitCode.INTERNAL
    assert "Traceback (most recent call last):" in capsys.readouterr().err


@pytest.mark.parametrize("error", [SystemError, RecursionError, MemoryError, OSError, UnicodeError])
def test_no_exception_exits_1(error, capsys):
    def program():
        raise error

    assert console.run(program) == ExitCode.INTERNAL


def test_a_closed_stderr_takes_nothing_down(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    assert console.run(crash) == ExitCode.INTERNAL


class Screen(io.StringIO):
    """A terminal that tells when it is written to."""

    def __init__(self):
        super().__init__()
        self.written = threading.Event()

    def isatty(self):
        return True

    def write(self, text):
        self.written.set()
        return super().write(text)


def test_progress_shows_on_a_terminal_and_leaves_no_trace(monkeypatch):
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    with console.progress("Reading \x1b", after=0):
        assert screen.written.wait(30)
    assert screen.getvalue() == f"Reading \\x1b ...\r{' ' * 16}\r"


def test_progress_is_silent_while_things_are_quick(monkeypatch):
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    with console.progress("Reading", after=3600):
        pass
    assert screen.getvalue() == ""


def test_progress_is_silent_where_nobody_watches(monkeypatch):
    pipe = io.StringIO()
    monkeypatch.setattr(sys, "stderr", pipe)
    threads = threading.active_count()
    with console.progress("Reading", after=0):
        assert threading.active_count() == threads
    assert pipe.getvalue() == ""


def test_letters_that_stdout_lacks_show_as_their_escapes(monkeypatch):
    buffer = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(buffer, encoding="latin-1"))
    console.write("é ✓ \ud800\n")
    assert buffer.getvalue() == b"\xe9 \\u2713 \\ud800\n"
