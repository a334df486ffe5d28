"""watch: events as they happen, for as long as the client and the clock allow."""

import asyncio
from collections.abc import Iterable, Iterator

from aiohttp import hdrs, web

from ..store import Store
from .answers import JSON, common_headers, cut
from .calls import Call
from .handlers_objects import namespace_of, resource_of
from .list_options import ListOptions, list_options
from .open_streams import OpenStreams
from .presenting import Presenter, presenter_of
from .selection import selection_of
from .status import Refusal, too_old
from .watch_events import bookmark_line, error_line, event_line
from .watching import Event, TooSlow, Watcher

BOOKMARKS = 60.0
"""Seconds between two bookmarks."""
LONGEST = 1800.0
"""Seconds that a watch lasts that names no timeout."""
GLANCE = 5.0
"""Seconds between two looks whether the client is still there."""


class Watches:
    """Serves watches over the store."""

    def __init__(self, store: Store, streams: OpenStreams) -> None:
        self._store = store
        self._streams = streams

    async def watch(self, call: Call) -> web.StreamResponse:
        """Raises Refusal (400, 406, 422) before it begins; later trouble is an ERROR event."""
        resource, options = resource_of(call), list_options(call.query, watch=True)
        selection = selection_of(resource, namespace_of(call), call.info.name, call.query)
        presenter = presenter_of(call, resource, self._store.clock)
        watcher = Watcher(self._store, resource, selection, options, lambda: cut(call.request))
        response = web.StreamResponse(headers={**common_headers(call.flow), hdrs.CONTENT_TYPE: JSON})
        response.enable_chunked_encoding()
        stream = WatchStream(call, response, presenter)
        with self._streams.entered(), watcher:
            first = _first(watcher, call, options)
            try:
                await response.prepare(call.request)
                await stream.run(watcher, first, options)
                await response.write_eof()
            except (ConnectionError, TooSlow):
                cut(call.request)
        return response


def _first(watcher: Watcher, call: Call, options: ListOptions) -> Iterator[Event] | Refusal:
    try:
        if call.misbehaviour("gone") is not None:
            raise too_old(options.revision or 0, watcher.revision)
        return watcher.first()
    except Refusal as refusal:
        return refusal


class WatchStream:
    """One watch's connection."""

    def __init__(self, call: Call, response: web.StreamResponse, presenter: Presenter) -> None:
        self._call = call
        self._response = response
        self._presenter = presenter
        self._ends = call.misbehaviour("drop", "truncate")
        self._told = 0

    async def run(self, watcher: Watcher, first: Iterable[Event] | Refusal, options: ListOptions) -> None:
        """Tells all until the end: of time, of patience, or as a misbehaviour wants it. Raises ConnectionError."""
        if isinstance(first, Refusal):
            assert isinstance(first.body, dict)
            await self._response.write(error_line(first.body))
            return
        if self._call.misbehaviour("half-open") is not None:
            await asyncio.Event().wait()
        for event in first:
            if not await self._tell(event):
                return
        await self._follow(watcher, options)

    async def _follow(self, watcher: Watcher, options: ListOptions) -> None:
        now = asyncio.get_running_loop().time
        deadline, mark = now() + (options.timeout or LONGEST), now() + BOOKMARKS
        while not self._drops():
            event = await watcher.next(min(deadline, mark, now() + GLANCE) - now())
            if self._is_left():
                return
            if event is not None and not await self._tell(event):
                return
            if event is None and options.bookmarks and now() >= min(deadline, mark):
                await self._response.write(bookmark_line(self._presenter, watcher.revision))
                mark = now() + BOOKMARKS
            if now() >= deadline:
                return
        raise ConnectionAbortedError

    async def _tell(self, event: Event) -> bool:
        """Writes one event; False where the watch is to end with it."""
        line = event_line(self._presenter, event)
        if self._ends is not None and self._told >= self._ends.after:
            await self._response.write(line[: len(line) // 2])
            if self._drops():
                raise ConnectionAbortedError
            return False
        await self._response.write(line)
        self._told += 1
        return True

    def _drops(self) -> bool:
        """Whether the connection is to be cut now."""
        return self._ends is not None and self._ends.deed == "drop" and self._told >= self._ends.after

    def _is_left(self) -> bool:
        return self._call.request.transport is None or self._call.request.transport.is_closing()
