"""Misbehaving on demand: what real API servers, and what stands before them, do to their clients on bad days."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Literal

from msgspec import Struct

from .paths import RequestInfo

Deed = Literal["slow", "throttle", "expire", "gone", "garbage", "truncate", "drop", "half-open"]
"""What goes wrong.

slow       the answer comes ``seconds`` late
throttle   429 with Retry-After: ``seconds``
expire     401, as for a token that has expired
gone       410: every watch, and every list that goes on from a continue token
garbage    200 with bytes that are no JSON
truncate   the answer ends early, though the connection ends well: half a body, half an event after ``after`` events
drop       the connection is cut in mid-answer; a watch's after ``after`` events
half-open  a watch that says nothing and never ends; to all else no answer comes
"""


class Misbehaviour(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One thing that goes wrong, where it does, and how often. ``path`` and ``verb`` are shell patterns."""

    deed: Deed
    path: str = "*"
    verb: str = "*"  # the API's verbs: get, list, watch, create, ...
    times: int | None = None  # None: until it is cleared
    seconds: float = 1.0
    after: int = 0

    def covers(self, info: RequestInfo) -> bool:
        return fnmatchcase(info.path, self.path) and fnmatchcase(info.verb, self.verb)


class Misbehaviours:
    """What goes wrong now. Several may be set; each request meets all that cover it, in the order they were set."""

    def __init__(self) -> None:
        self._set: list[tuple[Misbehaviour, Iterator[int] | None]] = []

    def set(self, misbehaviour: Misbehaviour) -> None:
        times = misbehaviour.times
        self._set.append((misbehaviour, None if times is None else iter(range(times))))

    def clear(self) -> None:
        self._set.clear()

    def met_by(self, info: RequestInfo) -> tuple[Misbehaviour, ...]:
        """Those that this request meets; each is counted."""
        return tuple(
            misbehaviour
            for misbehaviour, left in self._set
            if misbehaviour.covers(info) and (left is None or next(left, None) is not None)
        )
