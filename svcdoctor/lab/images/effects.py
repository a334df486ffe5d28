"""What a running command does to its world, one effect at a time.

Who drives a script decides what an effect means: `shell.outcome` lives it through in no time, to find out what a
container's main process will log and when it ends; exec runs the same script with real streams and in lab time.
"""

from collections.abc import Callable, Collection, Generator, Mapping
from typing import Any

from msgspec import Struct


class Output(Struct, frozen=True):
    """Bytes that are written; to stderr with ``error``."""

    data: bytes
    error: bool = False


class Sleep(Struct, frozen=True):
    """Time that passes."""

    seconds: float


class Read(Struct, frozen=True):
    """What comes on stdin: answered with bytes, none at its end."""


class Extern(Struct, frozen=True):
    """A command that the image brings along: answered with its exit code."""

    argv: tuple[str, ...]


Effect = Output | Sleep | Read | Extern
Script = Generator[Effect, Any, int]


class NotFound(Exception):
    """No such program in the image; the text is its name."""


File = Callable[[str], bytes | None]
"""What a file holds; None where there is none of that path."""


def nothing(path: str) -> None:
    """A `File` of no files."""


class World(Struct, frozen=True):
    """What a script sees: its environment, its files, its host's name, and which further programs there are."""

    env: Mapping[str, str]
    hostname: str
    file: File = nothing
    extern: Collection[str] = ()


def fed(script: Script, data: bytes) -> Script:
    """``script`` with ``data`` on its stdin."""
    answer: Any = None
    try:
        while True:
            effect = script.send(answer)
            if isinstance(effect, Read):
                answer, data = data, b""
            else:
                answer = yield effect
    except StopIteration as stop:
        return int(stop.value)


def led(script: Script, stdout: Callable[[bytes], Effect | None], stderr: Callable[[bytes], Effect | None]) -> Script:
    """``script`` with its output led elsewhere: what the two return is written instead, None nowhere."""
    answer: Any = None
    try:
        while True:
            effect = script.send(answer)
            if isinstance(effect, Output):
                answer, there = None, (stderr if effect.error else stdout)(effect.data)
                if there is not None:
                    yield there
            else:
                answer = yield effect
    except StopIteration as stop:
        return int(stop.value)
