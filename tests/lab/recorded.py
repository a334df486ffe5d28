"""What a real API server said: one request and its answer per file of ``wire/``."""

import json
import re
from pathlib import Path
from typing import Any

from msgspec import Struct

WIRE = Path(__file__).parent / "wire"


class Exchange(Struct, frozen=True):
    """``sent`` and ``body`` as they were on the wire; headers by their name in lower case."""

    method: str
    path: str
    asked: dict[str, str]
    sent: bytes
    code: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def sent_json(self) -> Any:
        return json.loads(self.sent)


def exchange(name: str) -> Exchange:
    """The exchange in ``wire/<name>.http``."""
    lines = (WIRE / f"{name}.http").read_text().split("\n")
    lines = lines[next(at for at, line in enumerate(lines) if line.startswith(">")) :]
    ours = [line[2:] for line in lines if line.startswith(">")]
    end = next(at for at, line in enumerate(lines) if at >= len(ours) and not line.startswith("<"))
    theirs = [line[2:] for line in lines[len(ours) : end]]
    method, path, _ = ours[0].split(" ")
    blank = ours.index("") if "" in ours else len(ours)
    code = re.match(r"HTTP/1.1 (\d+)", theirs[0])
    assert code
    sent, body = "\n".join(ours[blank + 1 :]), "\n".join(lines[end + 1 :])
    return Exchange(
        method, path, _headers(ours[1:blank]), sent.encode(), int(code[1]), _headers(theirs[1:]), body.encode()
    )


def _headers(lines: list[str]) -> dict[str, str]:
    return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
