"""What runs in a container, as exec sees it: three streams, a terminal's size, an exit code."""

from collections.abc import AsyncIterator
from typing import Protocol

from msgspec import Struct


class CannotStart(Exception):
    """The command can't be started. Its text is the container runtime's, e.g. ``failed to exec in container: ...``."""


class Reader(Protocol):
    """Where bytes come from; asyncio.StreamReader is one."""

    async def read(self, n: int = ..., /) -> bytes:
        """At least one byte and at most ``n``; none at the end."""


class Writer(Protocol):
    """Where bytes go to."""

    async def write(self, data: bytes, /) -> None:
        """Waits while the other side is slow. Raises ConnectionError when it has gone."""


class Size(Struct, frozen=True):
    """A terminal's size in characters."""

    width: int
    height: int


class Process(Protocol):
    """One command. It is cancelled when its client goes away."""

    async def run(self, stdin: Reader, stdout: Writer, stderr: Writer, resize: AsyncIterator[Size]) -> int:
        """Runs to the end; the exit code (0..255). Raises CannotStart instead of running."""
