"""The size of the client's terminal, as the resize stream tells it: JSON objects, one after another."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from .process import Size

LONGEST = 4096
"""Bytes of an unfinished object; one has about 30."""

Uint16 = Annotated[int, Meta(ge=0, le=0xFFFF)]


class _TerminalSize(Struct, rename="pascal"):
    """client-go's remotecommand.TerminalSize."""

    width: Uint16 = 0
    height: Uint16 = 0


class Sizes(AsyncIterator[Size]):
    """The sizes a client sends. Only the newest waits to be read: the older ones are no longer true."""

    def __init__(self) -> None:
        self._text = ""
        self._newest: Size | None = None
        self._closed = False
        self._changed = asyncio.Event()

    def feed(self, data: bytes) -> None:
        """Takes in a piece of the stream. What is not a size ends it, as Go's json.Decoder does."""
        if self._closed:
            return
        self._text = (self._text + data.decode("utf-8", "replace")).lstrip()
        try:
            self._decode()
        except (ValueError, RecursionError, msgspec.ValidationError):
            self.close()

    def close(self) -> None:
        """No more sizes."""
        self._closed = True
        self._text = ""
        self._changed.set()

    async def __anext__(self) -> Size:
        while self._newest is None and not self._closed:
            self._changed.clear()
            await self._changed.wait()
        if self._newest is None:
            raise StopAsyncIteration
        size, self._newest = self._newest, None
        return size

    def _decode(self) -> None:
        decoder = json.JSONDecoder()
        while self._text:
            try:
                value, end = decoder.raw_decode(self._text)
            except json.JSONDecodeError:
                if self._text[0] != "{" or len(self._text) > LONGEST or "}" in self._text:
                    raise
                return
            told = msgspec.convert(value, _TerminalSize)
            self._newest = Size(told.width, told.height)
            self._changed.set()
            self._text = self._text[end:].lstrip()
