"""The name server on sockets: UDP and TCP on one port, in the running event loop."""

import asyncio
import itertools
import socket
import struct
from collections.abc import Callable
from typing import cast

from . import wire
from .behaviour import Transport
from .server import PAYLOAD, NameServer

TRIES = 20
IDLE = 10.0
"""Seconds after which CoreDNS closes a TCP connection that asks nothing."""
LENGTH = struct.Struct("!H")

Send = Callable[[bytes], None]


class Serving:
    """A name server that listens, until it is closed."""

    def __init__(self, server: NameServer) -> None:
        self.server = server
        self.port = 0
        self._numbers = itertools.count()
        self._timers: dict[int, asyncio.TimerHandle] = {}
        self._connections: set[asyncio.Transport] = set()
        self._tcp: asyncio.Server | None = None
        self._udp: asyncio.DatagramTransport | None = None

    async def listen(self, host: str, port: int) -> None:
        """Takes ``port`` for both transports, any free one for 0. Raises OSError where it is taken."""
        loop = asyncio.get_running_loop()
        for left in reversed(range(TRIES if port == 0 else 1)):
            self._tcp = await loop.create_server(lambda: _Connection(self), host, port)
            self.port = self._tcp.sockets[0].getsockname()[1]
            try:
                self._udp, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), (host, self.port))
            except OSError:
                self._tcp.close()
                if not left:
                    raise
            else:
                return

    async def close(self) -> None:
        """Ends every connection; what was still to be answered is not."""
        for timer in self._timers.values():
            timer.cancel()
        if self._udp is not None:
            self._udp.close()
        if self._tcp is not None:
            self._tcp.close()
        for connection in tuple(self._connections):
            connection.abort()
        if self._tcp is not None:
            await self._tcp.wait_closed()
        await asyncio.sleep(0)  # lets the transports hear of it

    def respond(self, question: bytes, transport: Transport, send: Send) -> None:
        """Sends the answer now or when its time comes. It never raises, or the socket would be lost."""
        answer, seconds = self._answer(question, transport)
        if answer is None:
            return
        if seconds <= 0:
            send(answer)
            return
        number = next(self._numbers)
        self._timers[number] = asyncio.get_running_loop().call_later(seconds, self._late, number, answer, send)

    def _late(self, number: int, answer: bytes, send: Send) -> None:
        del self._timers[number]
        send(answer)

    def _answer(self, question: bytes, transport: Transport) -> tuple[bytes | None, float]:
        try:
            query = wire.parse(question)
            message, seconds = self.server.timed_answer(query, transport)
            room = wire.room(query, PAYLOAD) if transport == "udp" else wire.LONGEST
            return (None if message is None else wire.render(message, room)), seconds
        except wire.Unanswerable as unanswerable:
            return unanswerable.reply, 0.0
        except Exception:  # whatever an odd object led to: CoreDNS recovers from a panic with this answer too
            return wire.failure(question), 0.0

    def opened(self, connection: asyncio.Transport) -> None:
        self._connections.add(connection)

    def closed(self, connection: asyncio.Transport) -> None:
        self._connections.discard(connection)


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, serving: Serving) -> None:
        self._serving = serving
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._serving.respond(data, "udp", lambda answer: self._send(answer, addr))

    def _send(self, answer: bytes, addr: tuple[str, int]) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(answer, addr)


class _Connection(asyncio.Protocol):
    """One TCP connection: any number of questions, each behind its length (RFC 1035 4.2.2)."""

    def __init__(self, serving: Serving) -> None:
        self._serving = serving
        self._received = bytearray()
        self._transport: asyncio.Transport | None = None
        self._idle: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._serving.opened(self._transport)
        behaviour = self._serving.server.behaviour
        if behaviour.refuse_tcp or behaviour.loop:
            self._reset(self._transport)
        else:
            self._rest()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._idle is not None:
            self._idle.cancel()
        if self._transport is not None:
            self._serving.closed(self._transport)

    def data_received(self, data: bytes) -> None:
        self._rest()
        self._received += data
        while len(self._received) >= LENGTH.size:
            (length,) = LENGTH.unpack_from(self._received)
            if len(self._received) < LENGTH.size + length:
                return
            question = bytes(self._received[LENGTH.size : LENGTH.size + length])
            del self._received[: LENGTH.size + length]
            self._serving.respond(question, "tcp", self._send)

    def pause_writing(self) -> None:
        """A client that does not read its answers is asked to wait with its questions."""
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        if self._transport is not None:
            self._transport.resume_reading()

    def _send(self, answer: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(LENGTH.pack(len(answer)) + answer)

    def _rest(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        if self._transport is not None:
            self._idle = asyncio.get_running_loop().call_later(IDLE, self._transport.close)

    def _reset(self, transport: asyncio.Transport) -> None:
        """Closes with RST, the nearest to a refusal that a listening socket can give."""
        connection: socket.socket = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()


async def serve(server: NameServer, host: str = "127.0.0.1", port: int = 0) -> Serving:
    """Listens on one port over UDP and TCP. Raises OSError where ``port`` is taken."""
    serving = Serving(server)
    await serving.listen(host, port)
    return serving
