"""A bounded pipe between two tasks of one loop: whoever is faster waits for the other."""

import asyncio
from collections.abc import Callable

LIMIT = 1 << 16
"""Bytes that may wait before a writer waits: what a Linux pipe holds."""
PIECE = 1 << 15
"""Bytes that are moved at once, as Go's io.Copy does."""


class Pipe:
    """Holds at most ``LIMIT`` bytes and one write more. One task reads, one writes."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._held = bytearray()
        self._closed = False
        self._waiters: set[asyncio.Future[None]] = set()

    async def read(self, n: int = PIECE, /) -> bytes:
        """At least one byte and at most ``n``; none once it is closed and drained."""
        await self._until(lambda: bool(self._held) or self._closed)
        data = bytes(self._held[:n])
        del self._held[:n]
        self._wake()
        return data

    async def write(self, data: bytes, /) -> None:
        """Waits for room first. What nobody will read is dropped."""
        await self._until(lambda: len(self._held) < self._limit or self._closed)
        if not self._closed:
            self._held += data
            self._wake()

    def close(self) -> None:
        """No more will be written; what is held can still be read."""
        self._closed = True
        self._wake()

    def abandon(self) -> None:
        """No more will be read: what is held and what still comes is dropped."""
        self._held.clear()
        self.close()

    def _wake(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def _until(self, ready: Callable[[], bool]) -> None:
        while not ready():
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.add(waiter)
            try:
                await waiter
            finally:
                self._waiters.discard(waiter)


class Nowhere:
    """Where output goes that nobody asked for."""

    async def write(self, data: bytes, /) -> None:
        """Drops it."""
