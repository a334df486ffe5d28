"""Answers that go on for long. All of them end when the server does."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class OpenStreams:
    """The requests that are being answered at length."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

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
