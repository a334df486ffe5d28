"""exec over WebSocket, beyond what was recorded."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiohttp
import pytest
from aiohttp import WSMsgType

from svcdoctor.lab.api.streams import channels

from .bench import POD, Bench, run
from .processes import Sleep, Yes

Socket = aiohttp.ClientWebSocketResponse[bool]
SUCCESS = b'\x03{"metadata":{},"status":"Success"}'
FAILS = "command=sh&command=-c&command=echo+out%3B+echo+err+%3E%262%3B+exit+3&stdout=true&stderr=true"


@asynccontextmanager
async def _exec(bench: Bench, query: str, *protocols: str) -> AsyncIterator[Socket]:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{bench.url}{POD}/exec?{query}", protocols=protocols) as socket,
    ):
        yield socket


async def _all(socket: Socket) -> list[bytes | str]:
    """All messages until the server says goodbye, which it does with 1000."""
    said = []
    while (message := await socket.receive()).type in {WSMsgType.BINARY, WSMsgType.TEXT}:
        said.append(message.data)
    assert (message.type, socket.close_code) == (WSMsgType.CLOSE, 1000)
    return said


def test_base64_channels_are_texts():
    async def test(bench: Bench) -> None:
        async with _exec(bench, FAILS, "v4.base64.channel.k8s.io") as socket:
            said = await _all(socket)
            assert said[:3] == ["1", "1b3V0Cg==", "2ZXJyCg=="]
            assert [str(each)[0] for each in said[3:]] == ["3"]

    run(test)


def test_base64_stdin():
    async def test(bench: Bench) -> None:
        async with _exec(bench, "command=cat&stdin=true&stdout=true", "v4.base64.channel.k8s.io") as socket:
            for text in ("", "0", "0not base64", "0aGVsbG8="):
                await socket.send_str(text)
            assert [await socket.receive_str(), await socket.receive_str()] == ["1", "1aGVsbG8="]

    run(test)


@pytest.mark.parametrize("protocols", [(), ("channel.k8s.io",)])
def test_before_v4_the_error_channel_is_text(protocols):
    async def test(bench: Bench) -> None:
        async with _exec(bench, FAILS, *protocols) as socket:
            assert await _all(socket) == [
                b"\x01",
                b"\x01out\n",
                b"\x02err\n",
                b"\x03command terminated with non-zero exit code: "
                b"error executing command [sh -c echo out; echo err >&2; exit 3], exit code 3",
            ]
        async with _exec(bench, "command=true&stderr=true", *protocols) as socket:
            assert await _all(socket) == [b"\x02"]

    run(test)


def test_v5_is_taken_wherever_it_is_offered():
    async def test(bench: Bench) -> None:
        async with _exec(bench, "command=true&stdout=true", "v4.channel.k8s.io", "v5.channel.k8s.io") as socket:
            assert socket.protocol == "v5.channel.k8s.io"
            assert await _all(socket) == [b"\x01", SUCCESS]

    run(test)


def test_only_what_was_asked_for_is_sent():
    async def test(bench: Bench) -> None:
        async with _exec(bench, FAILS.replace("stdout=true", "stdout=false"), "v5.channel.k8s.io") as socket:
            assert (await _all(socket))[:2] == [b"\x02", b"\x02err\n"]
        async with _exec(bench, "command=echo&command=hi&stdin=true", "v5.channel.k8s.io") as socket:
            assert await _all(socket) == [b"\x03", SUCCESS]

    run(test)


def test_stdin_that_was_not_asked_for_is_empty():
    async def test(bench: Bench) -> None:
        async with _exec(bench, "command=cat&stdout=true", "v4.channel.k8s.io") as socket:
            await socket.send_bytes(b"\x00unheard")
            assert await _all(socket) == [b"\x01", SUCCESS]

    run(test)


def test_a_terminal_has_a_size_and_one_output():
    async def test(bench: Bench) -> None:
        query = "command=stty&command=size&stdin=true&stdout=true&stderr=true&tty=true"
        async with _exec(bench, query, "v5.channel.k8s.io") as socket:
            await socket.send_bytes(b'\x04{"Width":80,"Height":24}')
            assert await _all(socket) == [b"\x01", b"\x0124 80\n", SUCCESS]

    run(test)


def test_what_makes_no_sense_is_passed_over():
    """Empty messages, channels that don't exist or only the server may write, closing what is not open."""

    async def test(bench: Bench) -> None:
        async with _exec(bench, "command=cat&stdin=true&stdout=true", "v5.channel.k8s.io") as socket:
            for message in (b"", b"\x01out", b"\x03status", b"\x09", b"\xff", b"\xff\x01", b"\xff\x00\x00", b"\x00hi"):
                await socket.send_bytes(message)
            await socket.send_str("\x00 there")
            await socket.send_bytes(b"\xff\x00")
            said = await _all(socket)
            assert b"".join(bytes(each[1:]) for each in said[1:-1] if isinstance(each, bytes)) == b"hi there"
            assert said[-1] == SUCCESS

    run(test)


def test_v4_does_not_know_how_to_close_stdin():
    async def test(bench: Bench) -> None:
        async with _exec(bench, "command=cat&stdin=true&stdout=true", "v4.channel.k8s.io") as socket:
            await socket.send_bytes(b"\xff\x00")
            await socket.send_bytes(b"\x00hi")
            assert [await socket.receive_bytes(), await socket.receive_bytes()] == [b"\x01", b"\x01hi"]

    run(test)


# ---------------------------------------------------------------------------------------------------------- bad clients


@pytest.mark.parametrize("goodbye", [True, False], ids=["close", "abort"])
def test_a_client_that_goes_ends_its_command(goodbye):
    process = Sleep()

    async def test(bench: Bench) -> None:
        async with _exec(bench, "command=sleep&stdout=true", "v5.channel.k8s.io") as socket:
            await process.began.wait()
            if not goodbye:
                _abort(socket)
        await process.cancelled.wait()

    run(test, start=lambda command: process)


def test_a_client_that_reads_nothing_stops_its_command():
    """The command can't write more than the buffers on the way hold."""
    process = Yes()

    async def test(bench: Bench) -> None:
        async with _exec(bench, "command=yes&stdout=true", "v5.channel.k8s.io") as socket:
            await process.stuck()
            _abort(socket)
        await bench.ended.wait()

    run(test, start=lambda command: process)


def test_a_client_that_floods_its_command_and_goes(monkeypatch):
    """Nothing is read from the connection any more, so only a ping can find out."""
    monkeypatch.setattr(channels, "PULSE", 0.05)
    process = Sleep()

    async def test(bench: Bench) -> None:
        async with _exec(bench, "command=sleep&stdin=true", "v5.channel.k8s.io") as socket:
            with pytest.raises(TimeoutError):
                while True:
                    async with asyncio.timeout(0.2):
                        await socket.send_bytes(b"\x00" + b"x" * 100_000)
            _abort(socket)
        await process.cancelled.wait()

    run(test, start=lambda command: process)


def test_a_message_that_is_too_long_ends_the_command():
    process = Sleep()

    async def test(bench: Bench) -> None:
        async with _exec(bench, "command=sleep&stdin=true", "v5.channel.k8s.io") as socket:
            with suppress(ConnectionError):  # it may hang up before it has heard all
                await socket.send_bytes(bytes(channels.LONGEST + 1))
        await process.cancelled.wait()

    run(test, start=lambda command: process)


def test_a_server_that_stops_ends_its_commands():
    process = Sleep()

    async def test(bench: Bench) -> None:
        async with _exec(bench, "command=sleep&stdout=true", "v5.channel.k8s.io"):
            await process.began.wait()
            await bench.stop()
            assert process.cancelled.is_set()

    run(test, start=lambda command: process)


def _abort(socket: Socket) -> None:
    transport = socket._conn.transport  # type: ignore[union-attr]
    assert transport is not None
    transport.abort()
