"""Answers that go on for long, and the connections of all. They end when the server does."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

PATIENCE = 1.0
"""Seconds that what is cut off may take to end."""
CROWD = 1000
"""Connections that are remembered before it is worth a look which of them have been closed."""


class OpenStreams:
    """The requests that are being answered at length, and the connections that were ever asked on."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._transports: set[asyncio.Transport] = set()

    def note(self, transport: asyncio.Transport | None) -> None:
        """Remembers a connection. A client that keeps one and sleeps would not answer TLS's goodbye for long."""
        if transport is not None:
            self._transports.add(transport)
        if len(self._transports) > CROWD:
            self._transports = {one for one in self._transports if not one.is_closing()}

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Around the answering of one: it is cancelled when all are closed."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            yield
        finally:
            self._tasks.discard(task)

    async def close(self) -> None:
        """Cuts them all off, and waits until they have ended."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        for transport in tuple(self._transports):
            transport.abort()
        if tasks:
            await asyncio.wait(tasks, timeout=PATIENCE)
