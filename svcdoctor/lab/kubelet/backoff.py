"""Exponential back-off by key: client-go's flowcontrol.Backoff, as the kubelet uses it."""

from datetime import datetime, timedelta

FIRST = timedelta(seconds=10)
LONGEST = timedelta(minutes=5)


class Backoff:
    """A key that has been quiet for twice the longest time begins anew."""

    def __init__(self) -> None:
        self._entries: dict[str, tuple[timedelta, datetime]] = {}  # how long, since when

    def holds(self, key: str, since: datetime, now: datetime) -> timedelta | None:
        """What the back-off is while it holds for something that happened at ``since``; else None."""
        entry = self._entries.get(key)
        if entry is None or since - entry[1] > 2 * LONGEST or now - since >= entry[0]:
            return None
        return entry[0]

    def holds_since_update(self, key: str, now: datetime) -> bool:
        """The same, counted from when it last grew."""
        entry = self._entries.get(key)
        return entry is not None and now - entry[1] < entry[0]

    def grow(self, key: str, since: datetime, now: datetime) -> None:
        entry = self._entries.get(key)
        if entry is None or since - entry[1] > 2 * LONGEST:
            self._entries[key] = FIRST, now
        else:
            self._entries[key] = min(2 * entry[0], LONGEST), now

    def resume(self, key: str, restarts: int, now: datetime) -> None:
        """As if it had grown ``restarts`` times: a kubelet that takes over what crashed before."""
        if restarts > 0:
            self._entries[key] = min(FIRST * 2 ** min(restarts - 1, 10), LONGEST), now


def go_duration(seconds: float) -> str:
    """As Go prints a time.Duration: 10s, 1m20s, 5m0s, 1.5s, 308ms."""
    if 0 < seconds < 1:
        return f"{seconds * 1000:.6f}".rstrip("0").rstrip(".") + "ms"
    hours, rest = divmod(round(seconds, 3), 3600)
    minutes, rest = divmod(rest, 60)
    text = f"{rest:.3f}".rstrip("0").rstrip(".") + "s"
    if hours:
        return f"{int(hours)}h{int(minutes)}m{text}"
    return f"{int(minutes)}m{text}" if minutes else text
