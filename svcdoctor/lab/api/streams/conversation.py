"""A command and its client, whatever carries them: who waits for whom, and what ends it."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from .process import CannotStart, Process, Reader, Writer
from .status import Outcome, Wording, closing_status
from .tasks import running
from .terminal import Sizes

Start = Callable[[Sequence[str]], Process]
"""Makes the process of a command. May raise CannotStart."""


class Client(Protocol):
    """The other side of a command. All of it raises ConnectionError when the client has gone."""

    @property
    def stdin(self) -> Reader: ...

    @property
    def stdout(self) -> Writer: ...

    @property
    def stderr(self) -> Writer: ...

    @property
    def sizes(self) -> Sizes: ...

    @property
    def wording(self) -> Wording: ...

    async def ready(self) -> None:
        """Waits until all streams are there. None of them may be used before."""

    async def serve(self) -> None:
        """Takes in what the client sends, until it goes."""

    async def pulse(self) -> None:
        """Raises ConnectionError when the client has gone, even while nothing can be taken in from it."""

    async def finish(self, status: bytes, serving: asyncio.Task[None]) -> None:
        """Sends the closing status, then lets the client go. ``serving`` is the task of ``serve``."""


async def converse(client: Client, start: Start, command: Sequence[str]) -> None:
    """Runs the command until it ends or its client goes, whichever comes first."""
    async with running(client.serve(), client.pulse(), _outcome(client, start, command)) as tasks:
        serving, _, outcome = tasks
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if outcome.done():
            try:
                await client.finish(closing_status(outcome.result(), command, client.wording), serving)
            except ConnectionError:
                return


async def _outcome(client: Client, start: Start, command: Sequence[str]) -> Outcome:
    await client.ready()
    try:
        return await start(command).run(client.stdin, client.stdout, client.stderr, client.sizes)
    except CannotStart as error:
        return error
