"""A client's sockets, and the small cluster that it asks about."""

import asyncio
import struct
from collections.abc import Awaitable, Callable

import dns.message
from dns.message import Message

from svcdoctor.lab.dns import Serving

from .world import Objects, endpoint, piece, service

WEB = "web.shop.svc.cluster.local."
MANY = "many.shop.svc.cluster.local."
COUNT = 60


def cluster() -> Objects:
    endpoints = [endpoint(f"10.244.1.{number}") for number in range(1, COUNT + 1)]
    return Objects([service("web", "10.96.0.20"), service("many", "None")], [piece("many", *endpoints)])


class Datagrams(asyncio.DatagramProtocol):
    """A client's UDP socket: what came, in order."""

    def __init__(self) -> None:
        self.came: asyncio.Queue[bytes] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.came.put_nowait(data)


async def datagrams(served: Serving) -> tuple[asyncio.DatagramTransport, Datagrams]:
    loop = asyncio.get_running_loop()
    return await loop.create_datagram_endpoint(Datagrams, remote_addr=("127.0.0.1", served.port))


def framed(message: Message | bytes) -> bytes:
    raw = message if isinstance(message, bytes) else message.to_wire()
    return struct.pack("!H", len(raw)) + raw


async def unframed(reader: asyncio.StreamReader) -> Message:
    (length,) = struct.unpack("!H", await asyncio.wait_for(reader.readexactly(2), 5))
    return dns.message.from_wire(await asyncio.wait_for(reader.readexactly(length), 5))


async def connected(
    served: Serving, talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    try:
        await talk(reader, writer)
    finally:
        writer.close()


def talking(talk: Callable[..., Awaitable[None]]) -> Callable[[Serving], Awaitable[None]]:
    return lambda served: connected(served, talk)
