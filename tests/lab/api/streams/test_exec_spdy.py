"""exec over plain SPDY, beyond what kubectl does."""

import asyncio
import json
import ssl

import pytest
import trustme

from svcdoctor.lab.api.streams import remotecommand_spdy
from svcdoctor.lab.api.streams.spdy import frames, session

from .bench import Bench, run
from .processes import Sleep, Yes
from .spdy_client import Peer, open_all, read_all, spdy_session, upgrade

FAILS = "exec?command=sh&command=-c&command=echo+out%3B+echo+err+%3E%262%3B+exit+3&stdout=true&stderr=true"


def test_all_streams_over_tls():
    authority = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("localhost").configure_cert(server)
    authority.configure_trust(client)

    async def test(bench: Bench) -> None:
        async with spdy_session(bench, FAILS, client) as spdy:
            error, out, err = await open_all(spdy, "error", "stdout", "stderr")
            assert (await read_all(out), await read_all(err)) == (b"out\n", b"err\n")
            assert json.loads(await read_all(error))["details"]["causes"] == [{"reason": "ExitCode", "message": "3"}]

    run(test, tls=server)


def test_before_v4_the_error_stream_is_text():
    async def test(bench: Bench) -> None:
        async with spdy_session(bench, FAILS, protocol="v3.channel.k8s.io, v2.channel.k8s.io") as spdy:
            error, out, _ = await open_all(spdy, "error", "stdout", "stderr")
            assert await read_all(out) == b"out\n"
            assert await read_all(error) == (
                b"command terminated with non-zero exit code: "
                b"error executing command [sh -c echo out; echo err >&2; exit 3], exit code 3"
            )

    run(test)


def test_stdin_ends_when_its_stream_does():
    async def test(bench: Bench) -> None:
        _, raw = await upgrade(bench, "exec?command=wc&command=-c&stdin=true&stdout=true")
        peer = Peer(raw)
        stdin = [peer.connection.open({"streamtype": each}) for each in ("error", "stdout", "stdin")][-1]
        for _ in range(100):
            peer.connection.send(stdin, b"x" * 10_000)
        peer.connection.send(stdin, b"", fin=True)
        await peer.send()
        said = b'1000000\n{"metadata":{},"status":"Success"}'
        assert await peer.receive(len(said)) == said
        peer.writer.close()

    run(test)


def test_a_terminal_has_a_size_and_one_output():
    async def test(bench: Bench) -> None:
        async with spdy_session(bench, "exec?command=stty&command=size&stdin=1&stdout=1&stderr=1&tty=1") as spdy:
            error, _, out, resize = await open_all(spdy, "error", "stdin", "stdout", "resize")
            await resize.write(b'{"Width":80,')
            await resize.write(b'"Height":24}\n')
            assert (await read_all(out), await read_all(error)) == (b"24 80\n", b'{"metadata":{},"status":"Success"}')

    run(test)


def test_a_stream_that_nobody_asked_for_is_reset():
    async def test(bench: Bench) -> None:
        async with spdy_session(bench, "exec?command=true&stdout=true") as spdy:
            stdin, out, again = await open_all(spdy, "stdin", "stdout", "stdout")
            assert (await read_all(stdin), await read_all(again)) == (b"", b"")
            (error,) = await open_all(spdy, "error")
            assert (await read_all(out), await read_all(error)) == (b"", b'{"metadata":{},"status":"Success"}')

    run(test)


def test_a_window_of_the_client_is_honoured():
    async def test(bench: Bench) -> None:
        _, raw = await upgrade(bench, "exec?command=yes&stdout=true")
        peer = Peer(raw)
        await peer.send(frames.control(frames.SETTINGS, frames.words(1, frames.INITIAL_WINDOW_SIZE, 100)))
        out = [peer.connection.open({"streamtype": each}) for each in ("error", "stdout")][-1]
        await peer.send()
        for room in (100, 10, 1000):
            assert len(await peer.receive(room)) == room
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.02):
                    await peer.reader.read(1)
            peer.connection.consumed(out, 10 if room == 100 else 1000)
            await peer.send()
        peer.writer.close()

    run(test)


# ---------------------------------------------------------------------------------------------------------- bad clients


def test_a_protocol_that_is_not_spoken():
    async def test(bench: Bench) -> None:
        head, (reader, writer) = await upgrade(bench, "exec?command=true&stdout=true", protocol="v9.nonsense, channel")
        assert head.startswith("HTTP/1.1 403 Forbidden\r\n")
        assert [line for line in head.split("\r\n") if line.startswith("X-Accepted")] == [
            "X-Accepted-Stream-Protocol-Versions: v4.channel.k8s.io",
            "X-Accepted-Stream-Protocol-Versions: v3.channel.k8s.io",
            "X-Accepted-Stream-Protocol-Versions: v2.channel.k8s.io",
        ]
        assert await reader.readline() == (
            b"unable to upgrade: unable to negotiate protocol: client supports [v9.nonsense channel], "
            b"server accepts [v4.channel.k8s.io v3.channel.k8s.io v2.channel.k8s.io]\n"
        )
        writer.close()

    run(test)


def test_no_stream_is_asked_for():
    async def test(bench: Bench) -> None:
        head, (reader, writer) = await upgrade(bench, "exec?command=true")
        assert head.startswith("HTTP/1.1 400 Bad Request\r\n")
        assert await reader.readline() == b"you must specify at least 1 of stdin, stdout, stderr\n"
        writer.close()

    run(test)


def test_garbage_ends_the_connection():
    async def test(bench: Bench) -> None:
        _, (reader, writer) = await upgrade(bench, "exec?command=sleep&stdout=true")
        writer.write(b"\x80\x07garbage" * 10)
        goaway_with_protocol_error = bytes.fromhex("80030007 00000008 00000000 00000001")
        assert await reader.read() == goaway_with_protocol_error
        writer.close()

    run(test)


def test_a_client_that_opens_no_streams(monkeypatch):
    monkeypatch.setattr(remotecommand_spdy, "STREAM_CREATION", 0.05)

    async def test(bench: Bench) -> None:
        async with spdy_session(bench, "exec?command=true&stdout=true") as spdy:
            (error,) = await open_all(spdy, "error")
            assert await read_all(error) == b""

    run(test)


def test_a_client_that_hangs_up_ends_its_command():
    process = Sleep()

    async def test(bench: Bench) -> None:
        async with spdy_session(bench, "exec?command=sleep&stdout=true") as spdy:
            await open_all(spdy, "error", "stdout")
            await process.began.wait()
        await process.cancelled.wait()

    run(test, start=lambda command: process)


def test_a_server_that_stops_ends_its_commands():
    process = Sleep()

    async def test(bench: Bench) -> None:
        async with spdy_session(bench, "exec?command=sleep&stdout=true") as spdy:
            _, out = await open_all(spdy, "error", "stdout")
            await process.began.wait()
            await bench.stop()
            assert process.cancelled.is_set()
            assert await read_all(out) == b""

    run(test, start=lambda command: process)


def test_a_client_that_reads_nothing_stops_its_command():
    """The command can't write more than the buffers on the way hold; the kernel's are a few megabytes."""
    process = Yes()

    async def test(bench: Bench) -> None:
        _, (reader, writer) = await upgrade(bench, "exec?command=yes&stdout=true")
        peer = Peer((reader, writer))
        for each in ("error", "stdout"):
            peer.connection.open({"streamtype": each})
        await peer.send()
        await process.stuck()
        writer.transport.abort()
        await bench.ended.wait()

    run(test, start=lambda command: process)


def test_a_client_that_floods_its_command_and_goes(monkeypatch):
    """Nothing is read from the connection any more, so only a ping can find out."""
    monkeypatch.setattr(session, "PULSE", 0.05)
    process = Sleep()

    async def test(bench: Bench) -> None:
        _, (reader, writer) = await upgrade(bench, "exec?command=sleep&stdin=true")
        peer = Peer((reader, writer))
        stdin = [peer.connection.open({"streamtype": each}) for each in ("error", "stdin")][-1]
        await peer.send()
        with pytest.raises(TimeoutError):
            while True:
                peer.connection.send(stdin, b"x" * 100_000)
                async with asyncio.timeout(0.2):
                    await peer.send()
        writer.transport.abort()
        await process.cancelled.wait()

    run(test, start=lambda command: process)
