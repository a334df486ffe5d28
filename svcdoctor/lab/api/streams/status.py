"""How a command ended, in the words of the error stream.

Who words it depends on the protocol. Over v4 and SPDY the container runtime itself speaks to the client; over v5 the
API server reads that and says it again in its own words (apiserver, util/proxy/streamtranslator.go); before v4 there
was only text. All of it but the last is recorded in tests/lab/wire/exec-websocket.json.
"""

import json
from collections.abc import Sequence
from enum import Enum
from typing import Any

from .process import CannotStart

Outcome = int | CannotStart
"""An exit code, or why there is none."""


class Wording(Enum):
    """Who speaks on the error stream."""

    RUNTIME = "v4"
    TRANSLATED = "v5"
    TEXT = "before v4"


def closing_status(outcome: Outcome, command: Sequence[str], wording: Wording) -> bytes:
    """What goes on the error stream when a command has ended; before v4 nothing for a success."""
    status = _status(outcome, command, wording)
    if wording is Wording.TEXT:
        return b"" if outcome == 0 else str(status["message"]).encode("utf-8", "replace")
    return go_json(status)


def go_json(value: Any) -> bytes:
    """As Go's encoding/json writes it, which is safe inside HTML."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text.encode("utf-8", "replace")


def _status(outcome: Outcome, command: Sequence[str], wording: Wording) -> dict[str, Any]:
    if isinstance(outcome, CannotStart):
        return _cannot_start(f"error executing command in container: {outcome}", wording)
    if outcome == 0:
        return {"metadata": {}, "status": "Success"}
    return _exited(outcome, command, wording)


def _exited(code: int, command: Sequence[str], wording: Wording) -> dict[str, Any]:
    how = f"error executing command [{' '.join(command)}], exit code {code}"
    if wording is Wording.TRANSLATED:
        how = f"command terminated with exit code {code}"
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: {how}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }


def _cannot_start(cause: str, wording: Wording) -> dict[str, Any]:
    message = f"Internal error occurred: {cause}"
    if wording is Wording.TRANSLATED:  # the runtime's whole message is what the API server wraps once more
        cause, message = message, f"Internal error occurred: {message}"
    return {
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": "InternalError",
        "details": {"causes": [{"message": cause}]},
        "code": 500,
    }
