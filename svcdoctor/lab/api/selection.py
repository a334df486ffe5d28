"""Which objects a list or watch is about: a namespace, a name, a label selector, a field selector."""

from collections.abc import Iterable, Mapping
from functools import cached_property

import msgspec
from msgspec import Struct

from ..resources import Resource
from ..store import Stored
from .selectors import Matcher, parse_labels
from .selectors_fields import FieldSelector, parse_fields

ABSENT = ("", "false", "0")
"""What a field reads as that is not there at all."""


class Selection(Struct, frozen=True, dict=True):
    """A predicate on stored objects that decodes as few of them as it can."""

    namespace: str = ""
    name: str = ""
    labels: Matcher | None = None
    fields: FieldSelector | None = None

    @property
    def is_narrowed(self) -> bool:
        """Whether there is a selector: then nobody counts what remains."""
        return bool(self.name) or self.labels is not None or self.fields is not None

    def takes(self, stored: Stored) -> bool:
        if self.namespace and stored.namespace != self.namespace:
            return False
        if self.name and stored.name != self.name:
            return False
        if self.labels is not None and not self.labels(stored.labels):
            return False
        if self.fields is None:
            return True
        return all(needle in stored.body for needle in self._needles) and self.fields(stored.load())

    def of(self, objects: Iterable[Stored]) -> Iterable[Stored]:
        """Those of one namespace's ``objects`` that are selected."""
        return filter(self.takes, objects) if self.is_narrowed else objects

    @cached_property
    def _needles(self) -> tuple[bytes, ...]:
        """What stands in the body of all that the field selector takes."""
        terms = self.fields.terms if self.fields is not None else ()
        wanted = (term.value for term in terms if not term.negated and term.value not in ABSENT)
        return tuple(msgspec.json.encode(value)[1:-1] for value in wanted)


def selection_of(resource: Resource, namespace: str, name: str, query: Mapping[str, str]) -> Selection:
    """What path and query ask for. Raises Refusal (400)."""
    labels, fields = query.get("labelSelector"), query.get("fieldSelector")
    return Selection(
        namespace,
        name,
        parse_labels(labels) if labels else None,
        parse_fields(resource, fields) if fields else None,
    )
