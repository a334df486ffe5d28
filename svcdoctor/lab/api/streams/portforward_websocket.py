"""port-forward over WebSocket channels: two for each port of the query, data (2n) and error (2n + 1).

The first message on each is its port, 16 bits little-endian (kubelet, cri/streaming/portforward/websocket.go).
"""

import asyncio
import struct

from aiohttp import web

from .channels import ChannelSocket, ChannelWriter
from .forwarding import Connect, forward, wording
from .negotiation import Refused, choose_websocket, plain
from .options import BadOptions, forwarded_ports
from .pipe import Pipe
from .tasks import running

PROTOCOLS = ("v4.channel.k8s.io", "v4.base64.channel.k8s.io", "")
MOST_PORTS = 127
"""All that fit into the byte that numbers channels."""


async def serve(request: web.Request, connect: Connect, pod: str, uid: str) -> web.StreamResponse:
    """Upgrades, forwards each port once, says goodbye. Raises Refused."""
    try:
        ports = forwarded_ports(request.query)
    except BadOptions as error:
        raise Refused(plain(400, str(error))) from error
    if len(ports) > MOST_PORTS:
        raise Refused(plain(400, f"at most {MOST_PORTS} ports can be forwarded at once"))
    protocol = choose_websocket(request, PROTOCOLS)
    socket, response = await ChannelSocket.accept(request, protocol)
    await Forwarder(socket, ports).run(connect, pod, uid)
    return response


class Forwarder:
    """The ports of one WebSocket."""

    def __init__(self, socket: ChannelSocket, ports: list[int]) -> None:
        self._socket = socket
        self._ports = ports
        self._incoming = [Pipe() for _ in ports]

    async def run(self, connect: Connect, pod: str, uid: str) -> None:
        """Forwards until all ports have finished or the client goes."""
        async with running(self._serve(), self._socket.pulse(), self._forward_all(connect, pod, uid)) as tasks:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            is_finished = tasks[2].done()
        if is_finished:
            await self._socket.close()

    async def _serve(self) -> None:
        while (received := await self._socket.receive()) is not None:
            channel, data = received
            if channel % 2 == 0 and channel // 2 < len(self._incoming):
                await self._incoming[channel // 2].write(data)

    async def _forward_all(self, connect: Connect, pod: str, uid: str) -> None:
        for channel in range(2 * len(self._ports)):
            await self._socket.send(channel, struct.pack("<H", self._ports[channel // 2]))
        each = (self._forward(index, connect, pod, uid) for index in range(len(self._ports)))
        async with running(*each) as tasks:
            await asyncio.wait(tasks)

    async def _forward(self, index: int, connect: Connect, pod: str, uid: str) -> None:
        port, incoming = self._ports[index], self._incoming[index]
        try:
            await forward(port, connect, incoming, ChannelWriter(self._socket, 2 * index))
        except OSError as error:
            await self._socket.send(2 * index + 1, wording(error, port, pod, uid).encode("utf-8", "replace"))
        finally:
            incoming.abandon()
