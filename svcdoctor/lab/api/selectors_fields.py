"""Field selectors: the few fields of each kind that a list may be narrowed by.

Source: apimachinery/pkg/fields/selector.go; the fields are those of each kind's field label conversion and its
strategy's ToSelectableFields.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from ..resources import CUSTOM, Resource
from .status import bad_request
from .validate_errors import go_json

Json = dict[str, Any]
Field = Callable[[Json], str]


def _at(path: str) -> Field:
    """Reads ``path`` as text; empty where it is absent, as Go's zero values are."""
    steps = path.split(".")

    def read(item: Json) -> str:
        found: Any = item
        for step in steps:
            found = found.get(step) if isinstance(found, dict) else None
        if isinstance(found, bool):
            return str(found).lower()
        return "" if found is None else str(found)

    return read


def _flag(path: str) -> Field:
    """A boolean that is false where it is absent."""
    read = _at(path)
    return lambda item: read(item) or "false"


def _count(path: str) -> Field:
    read = _at(path)
    return lambda item: read(item) or "0"


def _reporter(item: Json) -> str:
    return _at("source.component")(item) or _at("reportingComponent")(item)


def _all(*paths: str) -> dict[str, Field]:
    return {path: _at(path) for path in paths}


_META = _all("metadata.name", "metadata.namespace")
_NAME = _all("metadata.name")
_OBJECT = tuple(
    f"involvedObject.{field}"
    for field in ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
)

FIELDS: Mapping[str, Mapping[str, Field]] = {
    "pods": {
        **_META,
        **_all("spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName"),
        "spec.hostNetwork": _flag("spec.hostNetwork"),
        **_all("status.phase", "status.podIP", "status.nominatedNodeName"),
    },
    "services": {**_META, **_all("spec.clusterIP", "spec.type")},
    "events": {**_META, **_all(*_OBJECT, "reason", "reportingComponent", "type"), "source": _reporter},
    "nodes": {**_NAME, "spec.unschedulable": _flag("spec.unschedulable")},
    "namespaces": {**_NAME, **_all("status.phase")},
    "secrets": {**_META, **_all("type")},
    "replicationcontrollers": {**_META, "status.replicas": _count("status.replicas")},
    "jobs.batch": {**_META, "status.successful": _count("status.succeeded")},
}
"""By group resource. What is not here can be selected by name and namespace."""


class Term(Struct, frozen=True):
    """``field`` has ``value``, or, with ``negated``, has not."""

    field: str
    value: str
    negated: bool = False


class FieldSelector(Struct, frozen=True):
    """What ``?fieldSelector=`` asks for; call it with an object."""

    terms: tuple[Term, ...]
    readers: Mapping[str, Field]

    def __call__(self, item: Json) -> bool:
        return all((self.readers[term.field](item) == term.value) is not term.negated for term in self.terms)

    def exactly(self, field: str) -> str | None:
        """The one value that ``field`` must have, if there is one: who asks for a name need not look at the rest."""
        return next((term.value for term in self.terms if term.field == field and not term.negated), None)


def parse_fields(resource: Resource, text: str) -> FieldSelector:
    """Raises Refusal (400) with the real server's words."""
    readers = FIELDS.get(resource.group_resource, _META)
    terms = tuple(_term(part, text) for part in re.findall(r"(?:\\.|[^,])+", text))
    renamed = tuple(_renamed(resource, term) for term in terms)
    for term in renamed:
        if term.field not in readers:
            raise bad_request(_unknown(resource, term.field))
    return FieldSelector(renamed, readers)


def _term(part: str, whole: str) -> Term:
    found = re.match(r"(.*?)(!=|==|=)(.*)", part, re.DOTALL)
    if found is None:
        raise bad_request(f"invalid selector: '{whole}'; can't understand '{part}'")
    return Term(found[1], re.sub(r"\\([\\,=])", r"\1", found[3]), found[2] == "!=")


def _renamed(resource: Resource, term: Term) -> Term:
    """spec.host is what pods called spec.nodeName before v1."""
    if resource.group_resource == "pods" and term.field == "spec.host":
        return Term("spec.nodeName", term.value, term.negated)
    return term


def _unknown(resource: Resource, field: str) -> str:
    if resource.group_resource in FIELDS or resource.verbs == CUSTOM:
        return f"field label not supported: {field}"
    return f'{go_json(field)} is not a known field selector: only "metadata.name", "metadata.namespace"'
