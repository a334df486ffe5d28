"""A SPDY connection that runs: its frames travel over a carrier, its streams are pipes."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from ..pipe import PIECE, Pipe
from . import frames
from .connection import Connection
from .errors import SpdyError
from .events import DataReceived, Event, StreamOpened, StreamReset, WindowOpened
from .headers import Headers

PULSE = 30.0
"""Seconds between pings, which find out that a client has gone from which nothing is read just now."""


class Carrier(Protocol):
    """What moves the bytes."""

    async def receive(self) -> bytes:
        """Some bytes; none when the peer has gone."""

    async def send(self, data: bytes) -> None:
        """All of it, in the order of the calls. Waits while the peer is slow; raises ConnectionError without one."""

    async def close(self) -> None:
        """Ends the connection. Nobody else may be receiving."""


class Session:
    """One side of a connection.

    ``accept`` looks at each stream that the peer opens. It is accepted where that returns True, else reset.
    """

    def __init__(self, carrier: Carrier, accept: Callable[["Stream"], bool], client: bool = False) -> None:
        self._carrier = carrier
        self._accept = accept
        self._connection = Connection(client)
        self._streams: dict[int, Stream] = {}
        self._sending = asyncio.Lock()

    async def run(self) -> None:
        """Takes in what the peer sends, until it goes or can't be understood. Waits while a stream's reader is slow."""
        try:
            while data := await self._carrier.receive():
                for event in self._connection.receive(data):
                    await self._handle(event)
                await self.flush()
        except SpdyError:
            self._connection.go_away(frames.GOAWAY_PROTOCOL_ERROR)
            await self.flush()
        finally:
            for stream in list(self._streams.values()):
                self.forget(stream)

    async def pulse(self) -> None:
        """Pings for ever; raises ConnectionError when the peer has gone."""
        while True:
            await asyncio.sleep(PULSE)
            self._connection.ping()
            await self.flush()

    async def leave(self) -> None:
        """Says that no more streams will be accepted."""
        self._connection.go_away()
        await self.flush()

    async def open(self, headers: Headers) -> "Stream":
        """Opens a stream of our own."""
        stream = Stream(self, self._connection, self._connection.open(headers), headers)
        self._streams[stream.id] = stream
        await self.flush()
        return stream

    async def flush(self) -> None:
        """Sends what is to be sent. Raises ConnectionError without a peer."""
        async with self._sending:
            if data := self._connection.take():
                await self._carrier.send(data)

    def forget(self, stream: "Stream") -> None:
        """The stream is over."""
        self._streams.pop(stream.id, None)
        stream.lose()

    async def _handle(self, event: Event) -> None:
        if isinstance(event, StreamOpened):
            await self._open(event)
        elif isinstance(event, DataReceived):
            if (stream := self._streams.get(event.stream)) is not None:
                await stream.feed(event.data, event.fin)
        elif isinstance(event, StreamReset):
            if (stream := self._streams.get(event.stream)) is not None:
                self.forget(stream)
        elif isinstance(event, WindowOpened):
            for each in [*self._streams.values()] if event.stream == 0 else [self._streams.get(event.stream)]:
                if each is not None:
                    each.window_opened()

    async def _open(self, event: StreamOpened) -> None:
        stream = Stream(self, self._connection, event.stream, event.headers)
        if event.fin:
            stream.end()
        if self._accept(stream):
            self._streams[stream.id] = stream
            self._connection.reply(stream.id)
        else:
            self._connection.reset(stream.id)
        await self.flush()


class Stream:
    """One stream of a session: a Reader and a Writer. Both end when the session does."""

    def __init__(self, session: Session, connection: Connection, id_: int, headers: Headers) -> None:
        self.id = id_
        self.headers = headers
        self._session = session
        self._connection = connection
        self._incoming = Pipe()
        self._window = asyncio.Event()

    async def read(self, n: int = PIECE, /) -> bytes:
        """At least one byte and at most ``n``; none at the end."""
        data = await self._incoming.read(n)
        self._connection.consumed(self.id, len(data))
        await self._session.flush()
        return data

    async def write(self, data: bytes, /) -> None:
        """Waits while the peer is slow. Raises ConnectionError on a stream that is over."""
        at = 0
        while at < len(data):
            size = min(PIECE, await self._room(), len(data) - at)
            self._connection.send(self.id, data[at : at + size])
            at += size
            await self._session.flush()

    async def close(self) -> None:
        """The stream is over for us: what still comes on it is dropped, and the peer is told that nothing will."""
        self._connection.send(self.id, b"", fin=True)
        self._session.forget(self)
        await self._session.flush()

    async def feed(self, data: bytes, fin: bool) -> None:
        """The peer sent this. Waits while nobody reads it."""
        await self._incoming.write(data)
        if fin:
            self.end()

    def end(self) -> None:
        """The peer will send no more."""
        self._incoming.close()

    async def _room(self) -> int:
        while self._connection.is_writable(self.id):
            if room := self._connection.allowance(self.id):
                return room
            self._window.clear()
            await self._window.wait()
        raise ConnectionResetError(f"stream {self.id} is over")

    def lose(self) -> None:
        """The stream is over, in both directions."""
        self._incoming.abandon()
        self._connection.discard(self.id)
        self._window.set()

    def window_opened(self) -> None:
        """The peer has room for more."""
        self._window.set()
