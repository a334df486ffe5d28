"""port-forward over SPDY/3.1: for each connection the client opens an error and a data stream with the same requestid.

kubelet, cri/streaming/portforward/httpstream.go. Since 1.30 kubectl puts the same SPDY bytes into a WebSocket
(apiserver, util/proxy/streamtunnel.go).
"""

import asyncio
import re
from typing import Any

from aiohttp import web

from .carriers import Tunnel, UpgradedConnection
from .forwarding import Connect, forward, wording
from .negotiation import agree, choose_spdy, websocket_protocols
from .spdy import Carrier, Session, Stream
from .tasks import end, running

PROTOCOL = "portforward.k8s.io"
TUNNEL_PREFIX = "SPDY/3.1+"
STREAM_CREATION = 30.0
"""Seconds that the first of two streams waits for the second."""
TIMED_OUT = "(request={}) timed out waiting for streams"


def is_tunnelled(protocol: str) -> bool:
    """Whether a WebSocket subprotocol carries SPDY."""
    return protocol.startswith(TUNNEL_PREFIX) and protocol.endswith(".k8s.io")


async def serve(request: web.Request, connect: Connect, pod: str, uid: str) -> web.StreamResponse:
    """Upgrades and forwards until the client goes. Raises Refused."""
    protocol = choose_spdy(request, [PROTOCOL])
    carrier, response = await UpgradedConnection.accept(request, protocol)
    await Forwarder(carrier, connect, pod, uid).run()
    return response


async def serve_tunnelled(request: web.Request, connect: Connect, pod: str, uid: str) -> web.StreamResponse:
    """The same inside a WebSocket. Raises Refused."""
    offered = [name.removeprefix(TUNNEL_PREFIX) for name in websocket_protocols(request) if is_tunnelled(name)]
    protocol = agree(offered, [PROTOCOL])
    carrier, response = await Tunnel.accept(request, TUNNEL_PREFIX + protocol)
    await Forwarder(carrier, connect, pod, uid).run()
    return response


class Forwarder:
    """The forwarded connections of one client."""

    def __init__(self, carrier: Carrier, connect: Connect, pod: str, uid: str) -> None:
        self._carrier = carrier
        self._connect = connect
        self._pod = pod
        self._uid = uid
        self._session = Session(carrier, self._accept)
        self._pairs: dict[str, Pair] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    async def run(self) -> None:
        """Forwards until the client goes."""
        try:
            async with running(self._session.run(), self._session.pulse()) as tasks:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await end(self._tasks)
            await self._carrier.close()

    def _accept(self, stream: Stream) -> bool:
        kind, port = stream.headers.get("streamtype", ""), stream.headers.get("port", "")
        if kind not in {"error", "data"} or not re.fullmatch("[0-9]{1,5}", port, re.ASCII) or not 0 < int(port) < 65536:
            return False
        name = _request_id(stream, kind)
        pair = self._pairs.setdefault(name, Pair())
        if kind in pair.streams:
            return False
        pair.streams[kind] = stream
        if len(pair.streams) == 1:
            self._start(name, pair)
        else:
            pair.complete.set()
        return True

    def _start(self, name: str, pair: "Pair") -> None:
        task = asyncio.create_task(self._serve(name, pair))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, name: str, pair: "Pair") -> None:
        try:
            message = await self._forward(pair) if await self._completes(name, pair) else TIMED_OUT.format(name)
            if message and (error := pair.streams.get("error")) is not None:
                await error.write(message.encode("utf-8", "replace"))
            for stream in pair.streams.values():
                await stream.close()
        except ConnectionError:  # the client has gone, and all of its streams with it
            return

    async def _completes(self, name: str, pair: "Pair") -> bool:
        try:
            async with asyncio.timeout(STREAM_CREATION):
                await pair.complete.wait()
        except TimeoutError:
            return False
        finally:
            del self._pairs[name]
        return True

    async def _forward(self, pair: "Pair") -> str:
        data = pair.streams["data"]
        port = int(data.headers["port"])
        try:
            await forward(port, self._connect, data, data)
        except OSError as error:
            return wording(error, port, self._pod, self._uid)
        return ""


class Pair:
    """The two streams of one connection, by type, as they come."""

    def __init__(self) -> None:
        self.streams: dict[str, Stream] = {}
        self.complete = asyncio.Event()


def _request_id(stream: Stream, kind: str) -> str:
    """Clients older than 1.2 send none: their data stream comes right after its error stream."""
    return stream.headers.get("requestid") or str(stream.id if kind == "error" else stream.id - 2)
