"""What answers when somebody connects to a pod: a small HTTP server over one in-process connection."""

import asyncio
import socket
from collections.abc import Callable
from datetime import datetime

from ..images import Answer, Socket
from .instance import Instance

REASONS = {200: "OK", 301: "Moved Permanently", 302: "Found", 400: "Bad Request", 404: "Not Found"}
REASONS |= {500: "Internal Server Error", 503: "Service Unavailable"}


async def connect(
    run: Instance, listening: Socket, now: Callable[[], datetime]
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """The caller's end of a new connection to what listens there."""
    ours, theirs = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=theirs)
    serve = _serve_http(run, reader, writer, now) if listening.speaks == "http" else _echo(reader, writer)
    task = asyncio.get_running_loop().create_task(serve)
    _SERVING.add(task)
    task.add_done_callback(_SERVING.discard)
    return await asyncio.open_connection(sock=ours)


_SERVING: set[asyncio.Task[None]] = set()
"""Kept from being collected."""


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(1 << 15):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def _serve_http(
    run: Instance, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, now: Callable[[], datetime]
) -> None:
    """Answers one request after another until the client goes, or asks for an end."""
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            first, *headers = head.decode("latin-1").split("\r\n")
            method, _, rest = first.partition(" ")
            path, _, version = rest.partition(" ")
            if not version.startswith("HTTP/1."):
                writer.write(response(Answer(400, "400 Bad Request"), "GET", close=True))
                break
            names = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in headers)}
            if names.get("content-length", "0").isdigit():
                await reader.readexactly(int(names.get("content-length", "0")))
            answer = run.program.answer(path.partition("?")[0], run.age(now()))
            await asyncio.sleep(answer.after)
            close = names.get("connection", "").lower() == "close" or version == "HTTP/1.0"
            writer.write(response(answer, method, close))
            await writer.drain()
            if close:
                break
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
        pass
    finally:
        writer.close()


def response(answer: Answer, method: str, close: bool) -> bytes:
    """One HTTP/1.1 response."""
    body = answer.body.encode()
    lines = [f"HTTP/1.1 {answer.status} {REASONS.get(answer.status, 'Unknown')}"]
    lines += [f"Content-Type: {answer.content_type}", f"Content-Length: {len(body)}"]
    lines += [f"Location: {answer.location}"] if answer.location else []
    lines += ["Connection: close"] if close else []
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (b"" if method == "HEAD" else body)
