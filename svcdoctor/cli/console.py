"""The one owner of stdout, stderr and exit codes.

stdout carries the report and nothing else; hints, progress and errors go to stderr. Whatever happens, exit code 1 keeps
its one meaning: findings.
"""

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import typer

from ..errors import ExitCode, SvcdoctorError

PATIENCE = 1.0
"""Seconds of silence before a terminal is told what is going on."""


class ReaderLeft(Exception):
    """Nobody reads stdout any more: ``| head`` has seen enough."""


def run(program: Callable[[], ExitCode]) -> ExitCode:
    """Runs ``program``; its errors become a line on stderr and an exit code."""
    try:
        return program()
    except SvcdoctorError as error:
        say(f"svcdoctor: {error.message}", *_advice(error.advice))
        return error.exit_code
    except typer.TyperException as error:  # the command line does not parse
        context = getattr(error, "ctx", None)
        say(f"svcdoctor: {error.format_message()}", *_advice(f"see {context.command_path} --help" if context else ""))
        return ExitCode.USAGE
    except typer.Exit as done:
        return ExitCode(done.exit_code)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except (ReaderLeft, BrokenPipeError):
        _forget_stdout()
        return ExitCode.READER_LEFT
    except Exception as error:
        _report_crash(error)
        return ExitCode.INTERNAL


def _advice(text: str) -> list[str]:
    return [f"  {text}"] if text else []


def say(*lines: str) -> None:
    """Lines for the user, on stderr. Strangers' text in them is made harmless."""
    from ..report.safe import safe

    for line in lines:
        _to_stderr(safe(line) + "\n")


def write(text: str) -> None:
    """The result, on stdout. Letters that its encoding lacks show as their escapes."""
    shown = text.encode(sys.stdout.encoding, "backslashreplace").decode(sys.stdout.encoding)
    try:
        sys.stdout.write(shown)
        sys.stdout.flush()
    except BrokenPipeError:
        raise ReaderLeft from None
    except OSError as error:
        _forget_stdout()
        raise SvcdoctorError(f"cannot write the result: {error.strerror}") from None


@contextmanager
def progress(text: str, after: float = PATIENCE) -> Iterator[None]:
    """Shows ``text`` on a terminal while the block takes longer than ``after`` seconds, and wipes it out."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield
        return
    from ..report.safe import safe

    line = f"{safe(text)[:75]} ..."
    shown = threading.Event()

    def show() -> None:
        shown.set()
        _to_stderr(line)

    timer = threading.Timer(after, show)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        if shown.is_set():
            _to_stderr(f"\r{' ' * len(line)}\r")


def _to_stderr(text: str) -> None:
    with suppress(OSError, ValueError, AttributeError):  # a stderr that is closed or gone takes nothing down with it
        sys.stderr.write(text)
        sys.stderr.flush()


def _forget_stdout() -> None:
    """Keeps the interpreter from flushing a broken stdout once more on its way out, which would end in a traceback."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _report_crash(error: Exception) -> None:
    """Where it happened, but not the exception's own words: they may hold data, or a token."""
    import traceback

    if os.environ.get("SVCDOCTOR_DEBUG"):
        _to_stderr("".join(traceback.format_exception(error)))
        return
    frames = traceback.extract_tb(error.__traceback__)
    place = f" in {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    say(f"svcdoctor: internal error, {type(error).__name__}{place}; SVCDOCTOR_DEBUG=1 shows the traceback")
