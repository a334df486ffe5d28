"""--request-timeout, as kubectl reads it."""

import re

from msgspec import Struct

from ..errors import UsageError

CONNECT = 5.0
READ = 30.0
UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
NUMBER = r"[0-9]*\.?[0-9]+"
PART = re.compile(rf"({NUMBER})(ns|us|µs|ms|s|m|h)")
FOR_EVER = 1e7
"""Seconds from which on a limit is none: more than a socket takes."""


class Timeouts(Struct, frozen=True):
    """Seconds to wait for a connection and for the next piece of an answer; None waits for ever."""

    connect: float | None = CONNECT
    read: float | None = READ

    @property
    def pair(self) -> tuple[float | None, float | None]:
        return self.connect, self.read

    @property
    def whole(self) -> float | None:
        """The longest that one answer may take in all, however steadily it drips."""
        return self.read * 4 if self.read else None


def parse_timeout(text: str | None) -> Timeouts:
    """``5s``, ``1m30s``, ``10`` (seconds); ``0`` waits for ever. None gives the defaults. Raises UsageError."""
    if text is None:
        return Timeouts()
    parts = PART.findall(text)
    if re.fullmatch(NUMBER, text):
        seconds = float(text)
    elif parts and "".join(number + unit for number, unit in parts) == text:
        seconds = sum(float(number) * UNITS[unit] for number, unit in parts)
    else:
        raise UsageError(f"--request-timeout {text} is no length of time", "say 10s, 1m30s, or 0 for no limit")
    if seconds == 0 or seconds > FOR_EVER:
        return Timeouts(None, None)
    return Timeouts(seconds, seconds)
