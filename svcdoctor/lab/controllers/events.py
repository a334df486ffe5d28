"""Events as client-go's recorder writes them: repeated ones counted, similar ones combined, spam held back.

Source: client-go/tools/record (events_cache.go) and tools/events of Kubernetes 1.36.
"""

from collections.abc import Hashable
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from ..clock import micro_stamp, stamp
from ..resources import named
from ..store import Exists, Store

Json = dict[str, Any]

EVENTS = named("events")
SIMILAR = 10
"""From so many different messages of one kind on, they are combined ..."""
SIMILAR_WINDOW = timedelta(minutes=10)
"""... where they come within this."""
BURST = 25
"""Writes that one kind of event of one object has from the beginning ..."""
REFILL = timedelta(minutes=5)
"""... and how long each further one takes."""
REMEMBERED = 4096


class _Similar:
    """The messages of one kind of event lately."""

    __slots__ = ("last", "messages")

    def __init__(self, now: datetime) -> None:
        self.messages: set[str] = set()
        self.last = now


class _Bucket:
    """Writes that are left."""

    __slots__ = ("at", "tokens")

    def __init__(self, now: datetime) -> None:
        self.tokens: float = BURST
        self.at = now

    def fill(self, now: datetime) -> float:
        self.tokens = min(BURST, self.tokens + (now - self.at) / REFILL)
        self.at = now
        return self.tokens


class _Seen(Struct):
    """One event as far as it has been counted."""

    name: str
    count: int
    first: datetime


class EventRecorder:
    """Records core/v1 Events for one component (of one host, for what runs on nodes)."""

    def __init__(self, store: Store, component: str, host: str = "") -> None:
        self._store = store
        self._source = {"component": component} | ({"host": host} if host else {})
        self._similar: dict[Hashable, _Similar] = {}
        self._buckets: dict[Hashable, _Bucket] = {}
        self._seen: dict[Hashable, _Seen] = {}

    def record(self, about: Json, type: str, reason: str, message: str, field_path: str = "", times: int = 1) -> None:
        """What happened to ``about``, ``times`` times since it was last said. Where the object's kind of event has used
        up its writes it is only counted, and shows when the next write is due (`due`)."""
        now = self._store.clock.now
        kind = (about["metadata"]["uid"] or about["metadata"]["name"], field_path, type, reason)
        combined = self._combines(kind, message, now)
        key = kind if combined else (*kind, message)
        text = f"(combined from similar events): {message}" if combined else message
        seen = _remember(self._seen, key, lambda: _Seen("", 0, now))
        seen.count += times
        bucket = _remember(self._buckets, kind, lambda: _Bucket(now))
        if bucket.fill(now) >= 1:
            bucket.tokens -= 1
            self._write(about, type, reason, text, field_path, seen)

    def due(self, about: Json, type: str, reason: str, field_path: str = "") -> datetime:
        """When the next event of this kind will be written and not only counted."""
        now = self._store.clock.now
        bucket = self._buckets.get((about["metadata"]["uid"], field_path, type, reason))
        lacking = 0.0 if bucket is None else max(1 - bucket.fill(now), 0.0)
        return now + lacking * REFILL

    def _combines(self, kind: Hashable, message: str, now: datetime) -> bool:
        similar = _remember(self._similar, kind, lambda: _Similar(now))
        if now - similar.last > SIMILAR_WINDOW:
            similar.messages.clear()
        similar.last = now
        if len(similar.messages) >= SIMILAR - 1 and message not in similar.messages:
            return True
        similar.messages.add(message)
        return False

    def _write(self, about: Json, type: str, reason: str, message: str, field_path: str, seen: _Seen) -> None:
        now = stamp(self._store.clock.now)
        namespace = about["metadata"].get("namespace") or "default"
        known = self._store.get(EVENTS, namespace, seen.name) if seen.name else None
        if known is not None:
            self._store.replace(EVENTS, known | {"count": seen.count, "lastTimestamp": now, "message": message})
            return
        made = {
            "involvedObject": reference(about, field_path),
            "reason": reason,
            "message": message,
            "source": self._source,
            "firstTimestamp": stamp(seen.first),
            "lastTimestamp": now,
            "count": seen.count,
            "type": type,
            "eventTime": None,
            "reportingComponent": self._source["component"],
            "reportingInstance": self._source.get("host", ""),
        }
        seen.name = create_event(self._store, about, made)


class SeriesRecorder:
    """Records events in the newer form (events.k8s.io), which counts in ``series``: the scheduler's."""

    def __init__(self, store: Store, component: str, instance: str) -> None:
        self._store = store
        self._reporter = {"reportingComponent": component, "reportingInstance": instance}
        self._names: dict[Hashable, str] = {}

    def record(self, about: Json, type: str, reason: str, action: str, message: str) -> None:
        now = micro_stamp(self._store.clock.now)
        meta = about["metadata"]
        key = (meta["uid"], type, reason, action, message)
        known = self._store.get(EVENTS, meta["namespace"], self._names.get(key, ""))
        if known is not None:
            count = (known.get("series") or {"count": 1})["count"] + 1
            self._store.replace(EVENTS, {**known, "series": {"count": count, "lastObservedTime": now}})
            return
        made = {
            "involvedObject": reference(about),
            "reason": reason,
            "message": message,
            "source": {},
            "firstTimestamp": None,
            "lastTimestamp": None,
            "type": type,
            "eventTime": now,
            "action": action,
            **self._reporter,
        }
        _remember(self._names, key, str)
        self._names[key] = create_event(self._store, about, made)


def reference(about: Json, field_path: str = "") -> Json:
    """An involvedObject. A node's uid is its name, as kubelets have it."""
    meta = about["metadata"]
    made = {"apiVersion": about["apiVersion"], "kind": about["kind"], "name": meta["name"], "uid": meta["uid"]}
    made |= {"namespace": meta["namespace"]} if meta.get("namespace") else {}
    made |= {"resourceVersion": meta["resourceVersion"]} if meta.get("resourceVersion") else {}
    return made | ({"fieldPath": field_path} if field_path else {})


def create_event(store: Store, about: Json, made: Json) -> str:
    """Stores a new event under the name that client-go gives it: the object's and a time in nanoseconds."""
    meta = about["metadata"]
    moment = int(store.clock.now.timestamp() * 1_000_000) * 1000
    while True:
        name = f"{meta['name']}.{moment:x}"
        try:
            store.create(EVENTS, {"metadata": {"name": name, "namespace": meta.get("namespace") or "default"}, **made})
        except Exists:
            moment += 1
            continue
        return name


def _remember(held: dict[Hashable, Any], key: Hashable, make: Any) -> Any:
    """The entry of ``key``; the oldest one makes room, as in the recorder's LRU cache."""
    if key not in held:
        if len(held) >= REMEMBERED:
            del held[next(iter(held))]
        held[key] = make()
    return held[key]
