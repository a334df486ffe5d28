"""An answer before it is sent, and how it goes out: whole or in chunks, compressed, indented, or maltreated."""

import uuid
import zlib
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

import msgspec
from aiohttp import hdrs, web
from msgspec import Struct

from .misbehave import Misbehaviour
from .paths import is_true
from .status import Refusal

JSON = "application/json"
WHOLE = 128 * 1024
"""Bytes from which an answer is compressed and leaves in chunks, as the API server does it."""
UNSIZED = 2048
"""Bytes from which Go's HTTP server no longer counts before it sends."""
BROWSERS = ("curl", "Wget", "Mozilla/5.0")
GARBAGE = b"<html><body>\x00\xff\xfe upstream said nothing sensible {</body>"


class Answer(Struct, frozen=True):
    """A status, a body in pieces, and the headers that are not the same everywhere."""

    status: int
    pieces: Iterable[bytes]
    headers: Mapping[str, str] = {}


def json_answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """A value as JSON, with the line end that Go's encoder writes."""
    return Answer(status, (msgspec.json.encode(value), b"\n"), {hdrs.CONTENT_TYPE: JSON, **(headers or {})})


def text_answer(text: str, status: int = 200) -> Answer:
    headers = {hdrs.CONTENT_TYPE: "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"}
    return Answer(status, (text.encode(),), headers)


def refusal_answer(refusal: Refusal) -> Answer:
    """A Status, or plain text where the real server sends that."""
    if isinstance(refusal.body, str):
        return Answer(refusal.code, (refusal.body.encode(),), refusal.headers)
    headers = dict(refusal.headers)
    seconds = (refusal.body.get("details") or {}).get("retryAfterSeconds")
    if seconds:
        headers[hdrs.RETRY_AFTER] = str(seconds)
    return json_answer(refusal.body, refusal.code, headers)


def common_headers(flow: str) -> dict[str, str]:
    """What every answer carries. ``flow`` is the priority level that served it, empty for what none limits."""
    headers = {"Audit-Id": str(uuid.uuid4()), hdrs.CACHE_CONTROL: "no-cache, private"}
    if flow:
        headers["X-Kubernetes-Pf-Flowschema-Uid"] = str(uuid.uuid5(uuid.NAMESPACE_DNS, f"flowschema.{flow}"))
        headers["X-Kubernetes-Pf-Prioritylevel-Uid"] = str(uuid.uuid5(uuid.NAMESPACE_DNS, f"prioritylevel.{flow}"))
    return headers


async def send(
    request: web.Request, answer: Answer, flow: str, misbehaviour: Misbehaviour | None = None
) -> web.StreamResponse:
    """Sends the answer, or as much of it as ``misbehaviour`` leaves."""
    headers = {**common_headers(flow), **answer.headers}
    if answer.headers.get(hdrs.CONTENT_TYPE) == JSON and is_pretty(request):
        answer = Answer(answer.status, (msgspec.json.format(b"".join(answer.pieces), indent=2),))
    if misbehaviour is not None:
        return await _maltreated(request, Answer(answer.status, answer.pieces, headers), misbehaviour)
    pieces = iter(answer.pieces)
    head = _first(pieces)
    if len(head) >= WHOLE:
        return await _stream(request, Answer(answer.status, chain((head,), pieces), headers))
    response = web.Response(status=answer.status, body=head, headers=headers)
    if len(head) > UNSIZED:
        response.enable_chunked_encoding()
    return response


def is_pretty(request: web.Request) -> bool:
    """Whether somebody wants to read it: ``?pretty=true``, or a browser that says nothing of it."""
    if asked := request.query.get("pretty"):
        return is_true(asked)
    return request.headers.get(hdrs.USER_AGENT, "").startswith(BROWSERS)


def _first(pieces: Iterator[bytes]) -> bytes:
    """The body up to `WHOLE` bytes, and a piece more."""
    found: list[bytes] = []
    size = 0
    for piece in pieces:
        found.append(piece)
        size += len(piece)
        if size >= WHOLE:
            break
    return b"".join(found)


async def _stream(request: web.Request, answer: Answer) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    response.enable_chunked_encoding()
    pieces: Iterable[bytes] = answer.pieces
    if "gzip" in request.headers.get(hdrs.ACCEPT_ENCODING, ""):
        response.headers[hdrs.CONTENT_ENCODING] = "gzip"
        response.headers[hdrs.VARY] = hdrs.ACCEPT_ENCODING
        pieces = _gzipped(pieces)
    await response.prepare(request)
    for piece in pieces:
        await response.write(piece)
    await response.write_eof()
    return response


def _gzipped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """At the API server's own level: little work."""
    packer = zlib.compressobj(1, wbits=31)
    for piece in pieces:
        if packed := packer.compress(piece):
            yield packed
    yield packer.flush()


async def _maltreated(request: web.Request, answer: Answer, misbehaviour: Misbehaviour) -> web.StreamResponse:
    body = b"".join(answer.pieces)
    if misbehaviour.deed == "garbage":
        return web.Response(status=200, body=GARBAGE, headers=answer.headers)
    if misbehaviour.deed == "truncate":
        return web.Response(status=answer.status, body=body[: len(body) // 2], headers=answer.headers)
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    response.content_length = len(body)
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    cut(request)
    return response


def cut(request: web.Request) -> None:
    """Drops the connection as it is."""
    if request.transport is not None:
        request.transport.abort()
