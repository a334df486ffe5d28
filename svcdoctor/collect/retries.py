"""How long to wait before a request is made again."""

import random
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_WAIT = 10.0
"""Seconds that one Retry-After is obeyed; a server that wants more is reported instead."""


def retry_after(status: int, headers: Mapping[str, str], attempt: int) -> float | None:
    """How long to wait before asking again; None where the server asks for more patience than we have."""
    said = headers.get("retry-after")
    if said is None:
        return pause(attempt) if status != 500 else None
    try:
        seconds = float(said)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(said) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError, OverflowError):
            return pause(attempt)
    return max(seconds, 0.0) if seconds <= LONGEST_WAIT else None


def pause(attempt: int) -> float:
    """Back-off with jitter: about 0.2, 0.4, 0.8 s."""
    return 0.1 * 2.0**attempt * random.uniform(0.8, 1.2)
