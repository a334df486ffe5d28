"""Answers that go on for long, and the connections of all. They end when the server does."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakSet


class OpenStreams:
    """The requests that are being answered at length, and the connections that were ever asked on."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._transports: WeakSet[asyncio.Transport] = WeakSet()

    def note(self, transport: asyncio.Transport | None) -> None:
        """Remembers a connection. A client that keeps one and sleeps would not answer TLS's goodbye for long."""
        if transport is not None:
            self._transports.add(transport)

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

    def close(self) -> None:
        """Cuts them all off."""
        for task in tuple(self._tasks):
            task.cancel()
        for transport in tuple(self._transports):
            transport.abort()
