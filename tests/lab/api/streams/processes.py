"""Commands that the containers of these tests know."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from svcdoctor.lab.api.streams import CannotStart, Process, Reader, Size, Writer

NOT_FOUND = (
    "failed to exec in container: "
    'failed to start exec "f3cdfb47b167c9db3df0cce09f8f31bad2352e743cc4f0cb0aa1fc5968be0c80": '
    'OCI runtime exec failed: exec failed: unable to start container process: exec: "{}": '
    "executable file not found in $PATH: unknown"
)


class Echo:
    """Says a text on stdout and one on stderr, and exits."""

    def __init__(self, out: str = "", err: str = "", code: int = 0) -> None:
        self._out, self._err, self._code = out, err, code

    async def run(self, stdin: Reader, stdout: Writer, stderr: Writer, resize: AsyncIterator[Size]) -> int:
        await stdout.write(self._out.encode())
        await stderr.write(self._err.encode())
        return self._code


class Cat:
    """Says what it is told."""

    async def run(self, stdin: Reader, stdout: Writer, stderr: Writer, resize: AsyncIterator[Size]) -> int:
        while data := await stdin.read():
            await stdout.write(data)
        return 0


class Count:
    """Says how many bytes it is told."""

    async def run(self, stdin: Reader, stdout: Writer, stderr: Writer, resize: AsyncIterator[Size]) -> int:
        count = 0
        while data := await stdin.read():
            count += len(data)
        await stdout.write(b"%d\n" % count)
        return 0


class Yes:
    """Says yes without end."""

    def __init__(self) -> None:
        self._said = 0

    async def run(self, stdin: Reader, stdout: Writer, stderr: Writer, resize: AsyncIterator[Size]) -> int:
        while True:
            await stdout.write(b"y\n" * 10_000)
            self._said += 1

    async def stuck(self) -> None:
        """Waits until it can say no more."""
        before = -1
        while before != self._said or not self._said:
            before = self._said
            await asyncio.sleep(0.1)


class Sleep:
    """Reads nothing, says nothing, and never ends. Its events tell when it began and how it was ended."""

    def __init__(self) -> None:
        self.began, self.cancelled = asyncio.Event(), asyncio.Event()

    async def run(self, stdin: Reader, stdout: Writer, stderr: Writer, resize: AsyncIterator[Size]) -> int:
        self.began.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        return 0


class Stty:
    """Says the next size of its terminal."""

    async def run(self, stdin: Reader, stdout: Writer, stderr: Writer, resize: AsyncIterator[Size]) -> int:
        async for size in resize:
            await stdout.write(b"%d %d\n" % (size.height, size.width))
            await stderr.write(b"nobody sees this\n")
            return 0
        return 1


def start(command: Sequence[str]) -> Process:
    """The process of a command."""
    match command:
        case ["cat"]:
            return Cat()
        case ["wc", "-c"]:
            return Count()
        case ["yes"]:
            return Yes()
        case ["stty", "size"]:
            return Stty()
        case ["true"]:
            return Echo()
        case ["echo", *words]:
            return Echo(" ".join(words) + "\n")
        case ["sh", "-c", "echo out; echo err >&2; exit 3"]:
            return Echo("out\n", "err\n", 3)
        case [name, *_]:
            raise CannotStart(NOT_FOUND.format(name))
    raise CannotStart("no command specified")
