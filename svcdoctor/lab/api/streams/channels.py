"""Channels over WebSocket: the first byte of a message says which channel the rest of it belongs to.

``*channel.k8s.io`` are binary messages; ``*base64.channel.k8s.io`` are texts: a digit, then base64 (apimachinery,
wsstream/conn.go).
"""

import asyncio
import base64
import binascii
from typing import Literal

from aiohttp import WSMsgType, web

from .pipe import PIECE

LINGER = 60.0
"""Seconds in which a client may read the rest and say goodbye after the end."""
PULSE = 30.0
"""Seconds between pings, which find out that a client has gone from which nothing is read just now."""
LONGEST = 4 << 20
"""Bytes of one message; the official Python client sends up to 1 MiB at once."""


WebSocket = web.WebSocketResponse[Literal[False]]
"""A WebSocket whose texts stay bytes."""


async def accept_websocket(request: web.Request, protocol: str) -> WebSocket:
    """Upgrades the request; uncompressed, as the API server does it."""
    websocket: WebSocket = web.WebSocketResponse(
        timeout=LINGER,
        protocols=(protocol,),
        compress=False,
        max_msg_size=LONGEST,
        decode_text=False,
    )
    await websocket.prepare(request)
    return websocket


class ChannelSocket:
    """A WebSocket, cut into channels."""

    def __init__(self, websocket: WebSocket, coded: bool) -> None:
        self._websocket = websocket
        self._coded = coded

    @classmethod
    async def accept(cls, request: web.Request, protocol: str) -> tuple["ChannelSocket", web.StreamResponse]:
        """Upgrades the request to the subprotocol that was agreed on."""
        websocket = await accept_websocket(request, protocol)
        return cls(websocket, coded="base64" in protocol), websocket

    async def send(self, channel: int, data: bytes) -> None:
        """One message. Waits while the client is slow; raises ConnectionError when it has gone."""
        if self._coded:
            await self._websocket.send_str(chr(ord("0") + channel) + base64.b64encode(data).decode("ascii"))
        else:
            await self._websocket.send_bytes(bytes([channel]) + data)

    async def receive(self) -> tuple[int, bytes] | None:
        """The client's next (channel, data); None when it has gone. What makes no sense is passed over."""
        while (message := await self._websocket.receive()).type in {WSMsgType.BINARY, WSMsgType.TEXT}:
            data: bytes = message.data
            if data and (decoded := self._decoded(data[1:])) is not None:
                return (data[0] - ord("0")) if self._coded else data[0], decoded
        return None

    async def pulse(self) -> None:
        """Pings for ever; raises ConnectionError when the client has gone."""
        while True:
            await asyncio.sleep(PULSE)
            await self._websocket.ping()

    async def close(self) -> None:
        """Says goodbye (1000) and waits for the client's, dropping what it still sends. Nobody may be receiving."""
        await self._websocket.close()

    def _decoded(self, data: bytes) -> bytes | None:
        if not self._coded:
            return data
        try:
            return base64.b64decode(data, validate=True)
        except binascii.Error:
            return None


class ChannelWriter:
    """A channel that is written to."""

    def __init__(self, socket: ChannelSocket, channel: int) -> None:
        self._socket = socket
        self._channel = channel

    async def write(self, data: bytes, /) -> None:
        """In pieces, each of them one message."""
        for start in range(0, len(data), PIECE):
            await self._socket.send(self._channel, data[start : start + PIECE])
