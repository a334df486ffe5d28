"""exec over WebSocket, frame by frame, against what a real API server sent (tests/lab/wire/exec-websocket.json)."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
import websocket

from svcdoctor.lab.api.streams import Process
from tests.lab.recorded import WIRE, exchange

from .bench import POD, Bench, run
from .processes import Echo, start

RECORDED = [
    each
    for each in json.loads((WIRE / "exec-websocket.json").read_text())
    if "/nope/" not in each["request"]  # whether there is such a pod is decided before
]
CUT = 399
"""Bytes of a frame that were recorded."""


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda each: urlsplit(each["request"]).query)
def test_each_frame_is_as_recorded(recorded):
    async def test(bench: Bench) -> None:
        answer = await asyncio.to_thread(_exchange, bench, recorded)
        expected = {key: recorded[key] for key in ("frames", "chosen", "error") if key in recorded}
        assert answer == expected

    run(test, start=lambda command: _iptables_save(recorded) if command[0] == "iptables-save" else start(command))


def test_without_upgrade():
    recorded = exchange("exec-without-upgrade")

    async def test(bench: Bench) -> None:
        async with (
            aiohttp.ClientSession() as session,
            session.request(recorded.method, f"{bench.url}{POD}/exec?{urlsplit(recorded.path).query}") as response,
        ):
            assert (response.status, await response.read()) == (recorded.code, recorded.body)
            for name in ("cache-control", "content-type", "content-length"):
                assert response.headers[name] == recorded.headers[name]

    run(test)


def _iptables_save(recorded: dict[str, Any]) -> Process:
    return Echo(recorded["frames"][1]["data"])


def _exchange(bench: Bench, recorded: dict[str, Any]) -> dict[str, Any]:
    """The same question to our server; its answer in the form of the recording."""
    client = websocket.WebSocket()
    query = urlsplit(recorded["request"]).query
    try:
        client.connect(f"ws{bench.url[4:]}{POD}/exec?{query}", subprotocols=recorded["subprotocols"], timeout=10)
    except websocket.WebSocketBadStatusException as error:
        return {"frames": [], "error": {"status": error.status_code, "body": (error.resp_body or b"").decode()}}
    assert (client.getheaders() or {}).get("upgrade") == "websocket"
    if "stdin=true" in query:
        client.send_binary(b"\x00hello\n")
        client.send_binary(b"\xff\x00")
    frames = _frames(client)
    client.shutdown()
    return {"frames": frames, "chosen": client.getsubprotocol()}


def _frames(client: websocket.WebSocket) -> Sequence[dict[str, Any]]:
    frames: list[dict[str, Any]] = []
    while True:
        frame = client.recv_frame()
        if frame.opcode == websocket.ABNF.OPCODE_CLOSE:
            client.send_close()
            return [*frames, {"opcode": "close", "hex": frame.data.hex()}]
        assert frame.opcode == websocket.ABNF.OPCODE_BINARY
        frames.append({"opcode": "binary", "channel": frame.data[0], "data": frame.data[1 : CUT + 1].decode()})
