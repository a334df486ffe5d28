"""Paths that hold no objects: discovery, health, the version."""

from typing import Any

import msgspec
from aiohttp import hdrs

from .answers import JSON, Answer, text_answer
from .calls import Call
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
            return Answer(200, (msgspec.json.format(msgspec.json.encode(VERSION), indent=2),), {hdrs.CONTENT_TYPE: JSON})
        raise no_such_path()


def _health(name: str, path: str, call: Call) -> Answer:
    """``/livez``, or ``/livez/etcd``; with ``?verbose`` what was looked at."""
    _, _, check = path[1:].partition("/")
    if check and check not in CHECKS:
        raise no_such_path()
    if "verbose" not in call.query:
        return text_answer("ok")
    lines = [f"[+]{one} ok\n" for one in ([check] if check else CHECKS)]
    return text_answer("".join(lines) + f"{name} check passed\n")
