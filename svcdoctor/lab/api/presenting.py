"""The shape that a client wants its objects in: their own, a table's rows, or their metadata alone."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from ..clock import Clock
from ..resources import Resource
from ..store import Stored
from .calls import Call, Form, accepted, wanted_form
from .reading import Page, list_bytes
from .status import bad_request
from .tables import META, partial, table

Json = dict[str, Any]

INCLUDED = ("Metadata", "Object", "None")


class Presenter:
    """Turns objects into bytes."""

    def __init__(self, resource: Resource, form: Form, include: str, clock: Clock) -> None:
        self.resource = resource
        self.form = form
        self._include = include
        self._clock = clock
        self._headed = False  # whether a watch has told its table's columns

    def one(self, stored: Stored) -> bytes:
        """One object."""
        return self.of(stored.load()) if self.form else stored.body

    def of(self, item: Json) -> bytes:
        """The same of an object that is not stored."""
        match self.form:
            case "Table":
                version = item["metadata"].get("resourceVersion", "")
                return msgspec.json.encode(self._table([item], {"resourceVersion": version}))
            case "PartialObjectMetadata":
                return msgspec.json.encode(partial(item))
        return msgspec.json.encode(item)

    def event(self, stored: Stored) -> bytes:
        """One object of a watch: only the first table describes its columns."""
        if self.form != "Table":
            return self.one(stored)
        shown = self._table([stored.load()], {"resourceVersion": str(stored.revision)})
        if self._headed:
            shown["columnDefinitions"] = None
        self._headed = True
        return msgspec.json.encode(shown)

    def many(self, page: Page) -> Iterable[bytes]:
        """A list, in pieces."""
        match self.form:
            case "Table":
                items = [stored.load() for stored in page.objects]
                return msgspec.json.encode(self._table(items, page.metadata())), b"\n"
            case "PartialObjectMetadata":
                return _partial_list(page)
        return list_bytes(self.resource, page)

    def _table(self, items: Sequence[Json], metadata: Json) -> Json:
        return table(self.resource, items, metadata, self._clock.now, self._include)


def presenter_of(call: Call, resource: Resource, clock: Clock) -> Presenter:
    """What the call wants. Raises Refusal: 400, 406."""
    include = call.query.get("includeObject") or INCLUDED[0]
    if include not in INCLUDED:
        raise bad_request(f'unrecognized includeObject value: "{include}"')
    return Presenter(resource, wanted_form(accepted(call.request.headers.get("Accept", ""))), include, clock)


def _partial_list(page: Page) -> Iterator[bytes]:
    head = {"kind": "PartialObjectMetadataList", "apiVersion": META, "metadata": page.metadata()}
    yield msgspec.json.encode(head)[:-1] + b',"items":['
    comma = b""
    for stored in page.objects:
        yield comma + msgspec.json.encode(partial(stored.load()))
        comma = b","
    yield b"]}\n"
