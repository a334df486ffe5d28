"""exec over WebSocket channels: 0 stdin, 1 stdout, 2 stderr, 3 the closing status, 4 resize, and since v5 255 to close.

kubelet, cri/streaming/remotecommand/websocket.go; apiserver, util/proxy/websocket.go (v5 only).
"""

import asyncio

from aiohttp import web

from .channels import ChannelSocket, ChannelWriter
from .conversation import Start, converse
from .negotiation import choose_websocket, websocket_protocols
from .options import ExecOptions
from .pipe import Nowhere, Pipe
from .process import Writer
from .status import Wording
from .tasks import end
from .terminal import Sizes

STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255

V5 = "v5.channel.k8s.io"
V4 = ("v4.channel.k8s.io", "v4.base64.channel.k8s.io")
BEFORE_V4 = ("channel.k8s.io", "base64.channel.k8s.io", "")


async def serve(request: web.Request, start: Start, options: ExecOptions) -> web.StreamResponse:
    """Upgrades, runs, says goodbye. Raises Refused."""
    protocol = _choose(request)
    socket, response = await ChannelSocket.accept(request, protocol)
    client = WebSocketClient(socket, protocol, options)
    await converse(client, start, options.command)
    return response


def _choose(request: web.Request) -> str:
    """The API server takes v5 itself wherever a client speaks it, and passes all else on to the kubelet."""
    if V5 in websocket_protocols(request):
        return choose_websocket(request, [V5])
    return choose_websocket(request, [*V4, *BEFORE_V4])


class WebSocketClient:
    """A client behind channels."""

    def __init__(self, socket: ChannelSocket, protocol: str, options: ExecOptions) -> None:
        stderr = options.stderr and not options.tty
        self._socket = socket
        self._closes_streams = protocol == V5
        self._greeted = STDOUT if options.stdout else STDERR if stderr else ERROR
        self.wording = Wording.TRANSLATED if protocol == V5 else Wording.RUNTIME if protocol in V4 else Wording.TEXT
        self.stdin = Pipe()
        self.sizes = Sizes()
        self.stdout: Writer = ChannelWriter(socket, STDOUT) if options.stdout else Nowhere()
        self.stderr: Writer = ChannelWriter(socket, STDERR) if stderr else Nowhere()
        if not options.stdin:
            self.stdin.abandon()

    async def ready(self) -> None:
        """An empty message on the first channel that can be written: the connection stands."""
        await self._socket.send(self._greeted, b"")

    async def serve(self) -> None:
        """Sorts the client's messages into stdin and resize, until it goes."""
        while (received := await self._socket.receive()) is not None:
            channel, data = received
            if channel == STDIN:
                await self.stdin.write(data)
            elif channel == RESIZE:
                self.sizes.feed(data)
            elif channel == CLOSE and self._closes_streams:
                self._close(data)

    async def pulse(self) -> None:
        """Raises ConnectionError when the client has gone."""
        await self._socket.pulse()

    async def finish(self, status: bytes, serving: asyncio.Task[None]) -> None:
        """The closing status, then the close handshake."""
        await end([serving])
        if status:
            await self._socket.send(ERROR, status)
        await self._socket.close()

    def _close(self, channels: bytes) -> None:
        if channels == bytes([STDIN]):
            self.stdin.close()
        elif channels == bytes([RESIZE]):
            self.sizes.close()
