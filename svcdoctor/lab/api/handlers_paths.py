"""Paths that hold no objects: discovery, health, the version."""

from collections.abc import Sequence
from typing import Any

import msgspec
from aiohttp import hdrs

from .answers import JSON, Answer, json_answer, text_answer
from .calls import Call, Clause, accepted
from .discovery import AGGREGATED, aggregated, legacy
from .openapi import document
from .status import method_not_allowed, no_such_path

Json = dict[str, Any]

VERSION: Json = {
    "major": "1",
    "minor": "36",
    "emulationMajor": "1",
    "emulationMinor": "36",
    "minCompatibilityMajor": "1",
    "minCompatibilityMinor": "35",
    "gitVersion": "v1.36.2",
    "gitCommit": "$Format:%H$",
    "gitTreeState": "clean",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "go1.27.3",
    "compiler": "gc",
    "platform": "linux/amd64",
}
HEALTH = ("healthz", "livez", "readyz")
CHECKS = ("ping", "log", "etcd", "poststarthook/start-apiextensions-informers", "informer-sync")


class Paths:
    """Serves them."""

    def __init__(self, address: str) -> None:
        self._address = address

    async def answer(self, call: Call) -> Answer:
        """Raises Refusal: 404, 405, 406."""
        if call.info.verb not in ("get", "head"):
            raise method_not_allowed()
        path = call.info.path.rstrip("/") or "/"
        first = path.split("/")[1]
        if first in HEALTH:
            return _health(first, path, call)
        if path == "/version":
            return Answer(
                200, (msgspec.json.format(msgspec.json.encode(VERSION), indent=2),), {hdrs.CONTENT_TYPE: JSON}
            )
        if first in ("", "api", "apis"):
            return self._discovery(path, call)
        found = document(path)
        if found is None:
            raise no_such_path()
        return json_answer(found)

    def _discovery(self, path: str, call: Call) -> Answer:
        """In the first form of the Accept header that there is of it."""
        clauses = accepted(call.request.headers.get(hdrs.ACCEPT, ""))
        found = aggregated(path)
        if found is not None and _prefers(clauses, AGGREGATED):
            headers: dict[str, str] = {hdrs.CACHE_CONTROL: "public", hdrs.ETAG: found.etag, hdrs.VARY: hdrs.ACCEPT}
            if call.request.headers.get(hdrs.IF_NONE_MATCH) == found.etag:
                return Answer(304, (), headers)
            return json_answer(found.body, headers={**headers, hdrs.CONTENT_TYPE: AGGREGATED})
        document = legacy(path, self._address)
        if document is None:
            raise no_such_path()
        return json_answer(document)


def _prefers(clauses: Sequence[Clause], media_type: str) -> bool:
    """Whether ``media_type`` is asked for before plain JSON is."""
    wanted = accepted(media_type)[0]
    plain = ("application/json", "application/*", "*/*")
    first = next((one for one in clauses if one == wanted or (one.media_type in plain and not one.parameters)), None)
    return first == wanted


def _health(name: str, path: str, call: Call) -> Answer:
    """``/livez``, or ``/livez/etcd``; with ``?verbose`` what was looked at."""
    _, _, check = path[1:].partition("/")
    if check and check not in CHECKS:
        raise no_such_path()
    if "verbose" not in call.query:
        return text_answer("ok")
    lines = [f"[+]{one} ok\n" for one in ([check] if check else CHECKS)]
    return text_answer("".join(lines) + f"{name} check passed\n")
