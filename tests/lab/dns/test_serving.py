"""A server's life: its port, its connections, its end."""

import asyncio

import dns.message
import pytest

from svcdoctor.lab.dns import Behaviour, serve

from .sockets import WEB, cluster, framed, talking
from .world import COREFILE, name_server, serving


def test_one_port_for_both_and_free_again_after_closing() -> None:
    async def run() -> None:
        first = await serve(name_server(cluster()))
        with pytest.raises(OSError, match="in use"):
            await serve(name_server(cluster()), port=first.port)
        await first.close()
        second = await serve(name_server(cluster()), port=first.port)
        assert second.port == first.port
        await second.close()
        await second.close()

    asyncio.run(run())


def test_closing_ends_open_connections_and_late_answers() -> None:
    async def run() -> bytes:
        served = await serve(name_server(cluster(), behaviour=Behaviour(delay=600)))
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(framed(dns.message.make_query(WEB, "A")))
        await writer.drain()
        await asyncio.sleep(0)
        await served.close()
        try:
            return await asyncio.wait_for(reader.read(), 5)
        except ConnectionResetError:
            return b""
        finally:
            writer.close()

    assert asyncio.run(run()) == b""


def test_an_idle_connection_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("svcdoctor.lab.dns.transport.IDLE", 0.01)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await asyncio.wait_for(reader.read(), 5) == b""

    serving(name_server(cluster(), COREFILE), talking(talk))
