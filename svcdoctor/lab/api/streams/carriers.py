"""What SPDY travels over: a raw connection that was HTTP before, or the binary messages of a WebSocket."""

import asyncio
from typing import cast

from aiohttp import WSMsgType, hdrs, web

from .channels import WebSocket, accept_websocket
from .negotiation import PROTOCOL_VERSION

READ = 1 << 16


class _TakenOver(asyncio.StreamReaderProtocol):
    """Gets a connection's bytes instead of aiohttp's handler, which still learns when the connection is lost."""

    def __init__(self, reader: asyncio.StreamReader, former: asyncio.BaseProtocol) -> None:
        super().__init__(reader)
        self._former = former

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._former.connection_lost(exc)


class UpgradedConnection:
    """A connection after ``101 Switching Protocols``.

    aiohttp has no hijacking; asyncio has: ``transport.set_protocol`` is how a connection changes its protocol.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def accept(cls, request: web.Request, protocol: str) -> tuple["UpgradedConnection", web.StreamResponse]:
        """Upgrades the request to SPDY/3.1. The connection is closed when the handler returns the response."""
        headers = {hdrs.CONNECTION: "Upgrade", hdrs.UPGRADE: "SPDY/3.1", PROTOCOL_VERSION: protocol}
        response = web.StreamResponse(status=101, headers=headers)
        response.force_close()
        await response.prepare(request)
        transport = request.transport
        if transport is None:
            raise ConnectionResetError("the client has gone")
        reader = asyncio.StreamReader(READ)
        taken_over = _TakenOver(reader, request.protocol)
        transport.set_protocol(taken_over)
        taken_over.connection_made(transport)
        writer = asyncio.StreamWriter(transport, taken_over, reader, asyncio.get_running_loop())
        return cls(reader, writer), response

    async def receive(self) -> bytes:
        """Some bytes; none when the client has gone."""
        try:
            return await self._reader.read(READ)
        except ConnectionError:
            return b""

    async def send(self, data: bytes) -> None:
        """Waits while the client is slow; raises ConnectionError when it has gone."""
        self._writer.write(data)
        await self._writer.drain()

    async def close(self) -> None:
        """Ends the connection once all is sent."""
        self._writer.close()


class Tunnel:
    """A WebSocket whose binary messages are the bytes of the connection, cut anywhere."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket

    @classmethod
    async def accept(cls, request: web.Request, protocol: str) -> tuple["Tunnel", web.StreamResponse]:
        """Upgrades the request to the subprotocol that was agreed on."""
        websocket = await accept_websocket(request, protocol)
        return cls(websocket), websocket

    async def receive(self) -> bytes:
        """Some bytes; none when the client has gone, or sends a text."""
        while (message := await self._websocket.receive()).type is WSMsgType.BINARY:
            if message.data:
                return cast(bytes, message.data)
        return b""

    async def send(self, data: bytes) -> None:
        """One message. Waits while the client is slow; raises ConnectionError when it has gone."""
        await self._websocket.send_bytes(data)

    async def close(self) -> None:
        """Says goodbye (1000) and waits for the client's."""
        await self._websocket.close()
