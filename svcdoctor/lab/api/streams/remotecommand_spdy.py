"""exec over SPDY/3.1: the client opens one stream each for error, stdin, stdout, stderr and resize.

kubelet, cri/streaming/remotecommand/httpstream.go. v1, which Kubernetes 1.0 spoke, is refused.
"""

import asyncio

from aiohttp import web

from .carriers import UpgradedConnection
from .channels import LINGER
from .conversation import Start, converse
from .negotiation import choose_spdy
from .options import ExecOptions
from .pipe import Nowhere, Pipe
from .process import Reader, Writer
from .spdy import Carrier, Session, Stream
from .status import Wording
from .tasks import running
from .terminal import Sizes

V2, V3, V4 = "v2.channel.k8s.io", "v3.channel.k8s.io", "v4.channel.k8s.io"
STREAM_CREATION = 30.0
"""Seconds in which the client must have opened all streams."""


async def serve(request: web.Request, start: Start, options: ExecOptions) -> web.StreamResponse:
    """Upgrades, runs, says goodbye. Raises Refused."""
    protocol = choose_spdy(request, [V4, V3, V2])
    carrier, response = await UpgradedConnection.accept(request, protocol)
    try:
        await converse(SpdyClient(carrier, protocol, options), start, options.command)
    finally:
        await carrier.close()
    return response


class SpdyClient:
    """A client behind SPDY streams."""

    def __init__(self, carrier: Carrier, protocol: str, options: ExecOptions) -> None:
        self._session = Session(carrier, self._accept)
        self._expected = _stream_types(options, protocol)
        self._streams: dict[str, Stream] = {}
        self._complete = asyncio.Event()
        self._nothing = Pipe()
        self._nothing.close()
        self.sizes = Sizes()
        self.wording = Wording.RUNTIME if protocol == V4 else Wording.TEXT

    @property
    def stdin(self) -> Reader:
        return self._streams.get("stdin", self._nothing)

    @property
    def stdout(self) -> Writer:
        return self._streams.get("stdout", Nowhere())

    @property
    def stderr(self) -> Writer:
        return self._streams.get("stderr", Nowhere())

    async def ready(self) -> None:
        """Waits for the streams. Raises ConnectionError if the client does not open them."""
        try:
            async with asyncio.timeout(STREAM_CREATION):
                await self._complete.wait()
        except TimeoutError:
            raise ConnectionAbortedError("timed out waiting for client to create streams") from None

    async def serve(self) -> None:
        """Runs the connection until the client goes."""
        async with running(self._follow_resize()):
            await self._session.run()

    async def pulse(self) -> None:
        """Raises ConnectionError when the client has gone."""
        await self._session.pulse()

    async def finish(self, status: bytes, serving: asyncio.Task[None]) -> None:
        """The closing status, the end of each stream, then waits for the client to hang up.

        Hanging up first could destroy what is still on its way: the kernel resets a connection that has unread input.
        """
        await self._streams["error"].write(status)
        for stream in self._streams.values():
            await stream.close()
        await self._session.leave()
        await asyncio.wait([serving], timeout=LINGER)

    def _accept(self, stream: Stream) -> bool:
        kind = stream.headers.get("streamtype", "")
        if kind not in self._expected or kind in self._streams:
            return False
        self._streams[kind] = stream
        if len(self._streams) == len(self._expected):
            self._complete.set()
        return True

    async def _follow_resize(self) -> None:
        await self._complete.wait()
        if (stream := self._streams.get("resize")) is not None:
            while data := await stream.read():
                self.sizes.feed(data)
        self.sizes.close()


def _stream_types(options: ExecOptions, protocol: str) -> set[str]:
    wanted = {
        "error": True,
        "stdin": options.stdin,
        "stdout": options.stdout,
        "stderr": options.stderr and not options.tty,
        "resize": options.tty and protocol != V2,
    }
    return {kind for kind, is_wanted in wanted.items() if is_wanted}
