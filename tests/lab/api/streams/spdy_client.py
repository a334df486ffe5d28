"""A SPDY client over a raw connection, for what kubectl does not do."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from svcdoctor.lab.api.streams.carriers import UpgradedConnection
from svcdoctor.lab.api.streams.spdy import Session, Stream
from svcdoctor.lab.api.streams.spdy.connection import Connection
from svcdoctor.lab.api.streams.spdy.events import DataReceived
from svcdoctor.lab.api.streams.tasks import running

from .bench import POD, Bench

Raw = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def upgrade(
    bench: Bench, target: str, tls: ssl.SSLContext | None = None, protocol: str = "v4.channel.k8s.io"
) -> tuple[str, Raw]:
    """Asks for SPDY: the head of the answer, the connection."""
    reader, writer = await asyncio.open_connection(
        *bench.address, ssl=tls, server_hostname="localhost" if tls else None
    )
    writer.write(
        f"POST {POD}/{target} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n"
        f"X-Stream-Protocol-Version: {protocol}\r\nContent-Length: 0\r\n\r\n".encode()
    )
    return (await reader.readuntil(b"\r\n\r\n")).decode(), (reader, writer)


class Peer:
    """A client that only does what it is told to."""

    def __init__(self, raw: Raw) -> None:
        self.reader, self.writer = raw
        self.connection = Connection(client=True)

    async def send(self, more: bytes = b"") -> None:
        """What the connection has to send, and more."""
        self.writer.write(self.connection.take() + more)
        await self.writer.drain()

    async def receive(self, count: int) -> bytes:
        """So many bytes of data, on whichever stream, or fewer if the server hangs up."""
        got = b""
        while len(got) < count and (data := await self.reader.read(1000)):
            events = self.connection.receive(data)
            got += b"".join(event.data for event in events if isinstance(event, DataReceived))
        return got


@asynccontextmanager
async def spdy_session(
    bench: Bench, target: str, tls: ssl.SSLContext | None = None, protocol: str = "v4.channel.k8s.io"
) -> AsyncIterator[Session]:
    """An upgraded connection that runs; hung up at the end."""
    head, (reader, writer) = await upgrade(bench, target, tls, protocol)
    assert head.startswith("HTTP/1.1 101 ")
    carrier = UpgradedConnection(reader, writer)
    session = Session(carrier, lambda stream: False, client=True)
    try:
        async with running(session.run()):
            yield session
    finally:
        await carrier.close()


async def open_all(session: Session, *types: str, **headers: str) -> list[Stream]:
    """One stream of each type."""
    return [await session.open({"streamtype": each, **headers}) for each in types]


async def read_all(stream: Stream) -> bytes:
    """All until its end."""
    said = b""
    while data := await stream.read():
        said += data
    return said
