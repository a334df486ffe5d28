"""The real kubectl against the streams, each way that it speaks."""

import asyncio
import os
import re
import shutil
import signal
import urllib.request
from contextlib import asynccontextmanager, suppress

import pytest

from .bench import REFUSED, SANDBOX, Bench, run
from .processes import NOT_FOUND, Sleep

pytestmark = pytest.mark.skipif(shutil.which("kubectl") is None, reason="no kubectl on this machine")

PLAIN_SPDY = {"KUBECTL_REMOTE_COMMAND_WEBSOCKETS": "false", "KUBECTL_PORT_FORWARD_WEBSOCKETS": "false"}
ways = pytest.mark.parametrize("way", [{}, PLAIN_SPDY], ids=["websocket", "spdy"])


@ways
def test_exec_says_what_the_command_says(way):
    async def test(bench: Bench) -> None:
        assert await bench.kubectl("exec", "x", "--", "echo", "hello", "there", **way) == (0, "hello there\n", "")
        assert [list(options.command) for options in bench.asked] == [["echo", "hello", "there"]]
        assert [(options.stdin, options.stdout, options.stderr) for options in bench.asked] == [(False, True, True)]
        if way:
            assert bench.upgrades[0].startswith("SPDY/3.1 ")
        else:
            assert bench.upgrades[0].startswith(("websocket v5.channel.k8s.io", "SPDY/3.1 "))

    run(test)


@ways
def test_exec_has_stderr_and_an_exit_code(way):
    async def test(bench: Bench) -> None:
        code, out, err = await bench.kubectl("exec", "x", "--", "sh", "-c", "echo out; echo err >&2; exit 3", **way)
        assert (code, out, err) == (3, "out\n", "err\ncommand terminated with exit code 3\n")

    run(test)


@ways
def test_exec_has_stdin(way):
    async def test(bench: Bench) -> None:
        assert await bench.kubectl("exec", "-i", "x", "--", "cat", stdin=b"hello\n", **way) == (0, "hello\n", "")

    run(test)


@ways
def test_exec_moves_more_than_any_buffer_holds(way):
    async def test(bench: Bench) -> None:
        much = b"0123456789abcdef" * 250_000
        code, out, err = await bench.kubectl("exec", "-i", "x", "--", "cat", stdin=much, **way)
        assert (code, len(out), out == much.decode(), err) == (0, len(much), True, "")

    run(test)


@ways
def test_exec_tells_why_a_command_cannot_start(way):
    async def test(bench: Bench) -> None:
        code, out, err = await bench.kubectl("exec", "x", "--", "nosuch", **way)
        assert (code, out) == (1, "")
        assert f"Internal error occurred: error executing command in container: {NOT_FOUND.format('nosuch')}" in err

    run(test)


@ways
def test_a_kubectl_that_is_killed_ends_its_command(way):
    process = Sleep()

    async def test(bench: Bench) -> None:
        kubectl = await bench.start_kubectl("exec", "-i", "x", "--", "sleep", **way)
        await process.began.wait()
        kubectl.kill()
        await kubectl.communicate()
        await process.cancelled.wait()

    run(test, start=lambda command: process)


@ways
def test_port_forward_carries_connections(way):
    async def test(bench: Bench) -> None:
        async with _hello(bench, 8080), _forwarding(bench, ":8080", way) as (port, _):
            got = await asyncio.gather(*(asyncio.to_thread(_get, port) for _ in range(5)))
            assert got == [b"hello"] * 5
        if way:
            assert bench.upgrades == ["SPDY/3.1 portforward.k8s.io"]
        else:
            assert bench.upgrades[0].endswith("portforward.k8s.io")

    run(test)


@ways
def test_port_forward_tells_that_a_port_refuses(way):
    async def test(bench: Bench) -> None:
        async with _forwarding(bench, ":81", way) as (port, kubectl):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            assert await reader.read() == b""
            writer.close()
            assert kubectl.stderr is not None
            said = (await kubectl.stderr.readline()).decode()
        assert f"error forwarding port 81 to pod {SANDBOX}, uid : {REFUSED.format(81)}" in said.replace('\\"', '"')

    run(test)


@asynccontextmanager
async def _hello(bench: Bench, port: int):
    """An HTTP server behind a port of the pod."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    bench.ports[port] = server.sockets[0].getsockname()[1]
    async with server:
        yield


@asynccontextmanager
async def _forwarding(bench: Bench, ports: str, way: dict[str, str]):
    """A kubectl that forwards: (local port, process)."""
    kubectl = await bench.start_kubectl("port-forward", "--address=127.0.0.1", "pod/x", ports, **way)
    assert kubectl.stdout is not None
    line = (await kubectl.stdout.readline()).decode()
    found = re.fullmatch(r"Forwarding from 127\.0\.0\.1:(\d+) -> \d+\n", line)
    assert found, line
    try:
        yield int(found[1]), kubectl
    finally:
        with suppress(ProcessLookupError):
            os.kill(kubectl.pid, signal.SIGINT)  # send_signal() would reap it before asyncio does
        await kubectl.communicate()


def _get(port: int) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as response:
        body: bytes = response.read()
        return body
