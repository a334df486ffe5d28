"""How steps put things: lists, ages, labels, and kubectl commands that can be pasted as they are."""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import msgspec

from .. import redact
from ..model.diagnosis import Evidence, Subject
from ..model.meta import Object


def some(items: Iterable[object], most: int = 3) -> str:
    """``a, b, c and 4 more``."""
    names = [str(item) for item in items]
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")


def count(number: int, noun: str, plural: str = "") -> str:
    """``1 pod``, ``3 pods``."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def ago(age: timedelta) -> str:
    """``47 s``, ``12 min``, ``5 h``, ``3 days``: as coarse as an operator needs it."""
    seconds = int(age.total_seconds())
    for limit, unit, word in ((120, 1, "s"), (7200, 60, "min"), (172800, 3600, "h")):
        if seconds < limit:
            return f"{seconds // unit} {word}"
    return f"{seconds // 86400} days"


def labels(pairs: Mapping[str, str]) -> str:
    """``app=web,tier=api``."""
    return ",".join(f"{key}={value}" for key, value in pairs.items())


def subject(item: Object, kind: str = "") -> Subject:
    return Subject(kind or type(item).__name__, item.namespace, item.name)


def source(item: Object, field: str = "", kind: str = "") -> str:
    """Where a fact was read: ``Pod shop/web-1: status.conditions[Ready]``."""
    place = f"{kind or type(item).__name__} " + (f"{item.namespace}/{item.name}" if item.namespace else item.name)
    return f"{place}: {field}" if field else place


def quote(place: str, text: str) -> Evidence:
    """What a stranger wrote (a message, a log) as evidence: without what looks like a secret."""
    return Evidence(place, redact.text(text.strip()))


def kubectl(namespace: str, *words: str) -> str:
    """A kubectl command line, quoted for a POSIX shell."""
    return shlex.join(["kubectl", "-n", namespace, *words])


def patch(change: Mapping[str, Any]) -> str:
    """A merge patch (RFC 7386) in one line."""
    return msgspec.json.encode(change).decode()


def kubectl_patch(namespace: str, kind: str, name: str, change: Mapping[str, Any], type: str = "merge") -> str:
    return kubectl(namespace, "patch", kind.lower(), name, "--type", type, "-p", patch(change))


def kubectl_json_patch(namespace: str, kind: str, name: str, operations: Sequence[Mapping[str, Any]]) -> str:
    """The same as a JSON patch (RFC 6902)."""
    operations_json = msgspec.json.encode(operations).decode()
    return kubectl(namespace, "patch", kind.lower(), name, "--type", "json", "-p", operations_json)
