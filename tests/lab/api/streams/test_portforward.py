"""port-forward, beyond what kubectl and the Python client do."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import WSMsgType

from svcdoctor.lab.api.streams import forwarding, portforward_spdy
from svcdoctor.lab.api.streams.spdy import Session, Stream

from .bench import PATIENCE, POD, REFUSED, SANDBOX, Bench, run
from .spdy_client import open_all, read_all, spdy_session, upgrade

SPDY = "portforward.k8s.io"
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Says what it is told, and then that it was all."""
    while data := await reader.read(1000):
        writer.write(data)
        await writer.drain()
    writer.write(b".")


async def _mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Says nothing until it is closed, however long that takes."""
    await asyncio.Event().wait()


@asynccontextmanager
async def _listening(bench: Bench, port: int, handler: Handler) -> AsyncIterator[None]:
    """A server behind a port of the pod."""
    running: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        finally:
            writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        running.add(asyncio.create_task(serve(reader, writer)))

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
        bench.ports[port] = server.sockets[0].getsockname()[1]
        yield
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


def test_connections_share_one_session():
    async def test(bench: Bench) -> None:
        async with _listening(bench, 80, _echo), spdy_session(bench, "portforward", protocol=SPDY) as session:
            pairs = [await open_all(session, "error", "data", port="80", requestid=str(number)) for number in range(20)]
            for number, (_, data) in enumerate(pairs):
                await data.write(b"%d" % number)
            for number, (_, data) in enumerate(pairs):
                assert await data.read() == b"%d" % number
                await data.close()

    run(test)


def test_old_clients_number_their_streams_only():
    async def test(bench: Bench) -> None:
        async with _listening(bench, 80, _echo), spdy_session(bench, "portforward", protocol=SPDY) as session:
            _, data = await open_all(session, "error", "data", port="80")
            await data.write(b"hi")
            assert await data.read() == b"hi"

    run(test)


def test_a_port_hears_that_the_client_has_finished_and_may_answer(monkeypatch):
    monkeypatch.setattr(forwarding, "GRACE", PATIENCE)

    async def test(bench: Bench) -> None:
        async with _listening(bench, 80, _echo), spdy_session(bench, "portforward", protocol=SPDY) as session:
            error, data = await open_all(session, "error", "data", port="80", requestid="0")
            await data.write(b"x" * 1_000_000)
            await _finish(session, data)
            assert await read_all(data) == b"x" * 1_000_000 + b"."
            assert await read_all(error) == b""

    run(test)


async def _finish(session: Session, stream: Stream) -> None:
    """Ends our half of a stream only."""
    session._connection.send(stream.id, b"", fin=True)
    await session.flush()


def test_a_refused_connection_leaves_the_others_alone():
    async def test(bench: Bench) -> None:
        async with _listening(bench, 80, _echo), spdy_session(bench, "portforward", protocol=SPDY) as session:
            _, data = await open_all(session, "error", "data", port="80", requestid="0")
            error, refused = await open_all(session, "error", "data", port="81", requestid="1")
            said = f"error forwarding port 81 to pod {SANDBOX}, uid : {REFUSED.format(81)}"
            assert (await read_all(error), await read_all(refused)) == (said.encode(), b"")
            await data.write(b"hi")
            assert await data.read() == b"hi"

    run(test)


def test_a_port_that_resets_its_connection_is_told():
    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.transport.abort()

    async def test(bench: Bench) -> None:
        async with _listening(bench, 80, reset), spdy_session(bench, "portforward", protocol=SPDY) as session:
            error, data = await open_all(session, "error", "data", port="80", requestid="0")
            await data.write(b"much more than it reads")
            said = f"error forwarding port 80 to pod {SANDBOX}, uid : [Errno 104] Connection reset by peer"
            assert (await read_all(error)).decode() in {said, ""}  # the kernel may say reset or end
            assert await read_all(data) == b""

    run(test)


@pytest.mark.parametrize(
    "headers",
    [
        {"streamtype": "data"},
        {"streamtype": "data", "port": "0"},
        {"streamtype": "data", "port": "65536"},
        {"streamtype": "data", "port": "http"},
        {"streamtype": "data", "port": "\u0661"},
        {"streamtype": "stdin", "port": "80"},
        {"port": "80"},
    ],
)
def test_a_stream_that_makes_no_sense_is_reset(headers):
    async def test(bench: Bench) -> None:
        async with spdy_session(bench, "portforward", protocol=SPDY) as session:
            assert await read_all(await session.open(headers)) == b""

    run(test)


def test_a_stream_without_its_other_half(monkeypatch):
    monkeypatch.setattr(portforward_spdy, "STREAM_CREATION", 0.05)

    async def test(bench: Bench) -> None:
        async with spdy_session(bench, "portforward", protocol=SPDY) as session:
            error, again = await open_all(session, "error", "error", port="80", requestid="7")
            assert await read_all(again) == b""
            assert await read_all(error) == b"(request=7) timed out waiting for streams"
            (data,) = await open_all(session, "data", port="80", requestid="8")
            assert await read_all(data) == b""

    run(test)


def test_a_port_has_a_second_to_answer_after_the_clients_end(monkeypatch):
    monkeypatch.setattr(forwarding, "GRACE", 0.05)

    async def test(bench: Bench) -> None:
        async with _listening(bench, 80, _mute), spdy_session(bench, "portforward", protocol=SPDY) as session:
            error, data = await open_all(session, "error", "data", port="80", requestid="0")
            await _finish(session, data)
            assert (await read_all(data), await read_all(error)) == (b"", b"")

    run(test)


def test_a_session_that_hangs_up_ends_its_connections():
    ended = asyncio.Event()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hi")
        await reader.read()
        ended.set()

    async def test(bench: Bench) -> None:
        async with _listening(bench, 80, handler):
            async with spdy_session(bench, "portforward", protocol=SPDY) as session:
                _, data = await open_all(session, "error", "data", port="80", requestid="0")
                assert await data.read() == b"hi"
            await ended.wait()
            await bench.ended.wait()

    run(test)


# ------------------------------------------------------------------------------------------------------------- channels


@asynccontextmanager
async def _channels(bench: Bench, query: str, *protocols: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse[bool]]:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{bench.url}{POD}/portforward?{query}", protocols=protocols) as socket,
    ):
        yield socket


def test_channels_begin_with_their_port_and_end_together():
    async def test(bench: Bench) -> None:
        async with _listening(bench, 80, _echo), _channels(bench, "ports=80&ports=258", "v4.channel.k8s.io") as socket:
            begun = [await socket.receive_bytes() for _ in range(4)]
            assert begun == [b"\x00\x50\x00", b"\x01\x50\x00", b"\x02\x02\x01", b"\x03\x02\x01"]
            said = f"error forwarding port 258 to pod {SANDBOX}, uid : {REFUSED.format(258)}"
            assert await socket.receive_bytes() == b"\x03" + said.encode()
            for message in (b"", b"\x01error", b"\x04none", b"\x02refused", b"\x00hi"):
                await socket.send_bytes(message)
            assert await socket.receive_bytes() == b"\x00hi"

    run(test)


def test_channels_close_when_all_ports_have_ended():
    async def test(bench: Bench) -> None:
        async with _channels(bench, "ports=81", "v4.base64.channel.k8s.io") as socket:
            assert [await socket.receive_str(), await socket.receive_str()] == ["0UQA=", "1UQA="]
            assert (await socket.receive_str())[0] == "1"
            assert ((await socket.receive()).type, socket.close_code) == (WSMsgType.CLOSE, 1000)

    run(test)


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("", 'query parameter "port" is required'),
        ("ports=", 'unable to parse "" as a port: strconv.ParseUint: parsing "": invalid syntax'),
        ("ports=http", 'unable to parse "http" as a port: strconv.ParseUint: parsing "http": invalid syntax'),
        ("ports=80,0", 'port "0" must be > 0'),
        ("ports=" + ",".join(map(str, range(1, 130))), "at most 127 ports can be forwarded at once"),
    ],
)
def test_ports_that_can_not_be_forwarded(query, why):
    async def test(bench: Bench) -> None:
        async with aiohttp.ClientSession() as session:
            headers = {"Connection": "Upgrade", "Upgrade": "websocket"}
            async with session.get(f"{bench.url}{POD}/portforward?{query}", headers=headers) as response:
                assert (response.status, await response.text()) == (400, why + "\n")

    run(test)


def test_protocols_that_are_not_spoken():
    async def test(bench: Bench) -> None:
        head, (_, writer) = await upgrade(bench, "portforward", protocol="v1.nonsense")
        assert head.startswith("HTTP/1.1 403 Forbidden\r\n")
        writer.close()
        for protocol in ("v1.nonsense", "SPDY/3.1+other.k8s.io"):
            with pytest.raises(aiohttp.WSServerHandshakeError) as error:
                async with _channels(bench, "ports=80", protocol):
                    pass
            assert error.value.status == 403

    run(test)
