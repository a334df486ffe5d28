"""The shape of every kind that is served: which fields it has, of which type, and how patches merge them.

``openapi_types.json`` is the structural part of Kubernetes' OpenAPI specification. A field's type is one of string,
bool, int32, int64, double, quantity, int-or-string, time, micro-time, bytes, any, or the name of another type; ``[]``
before it makes a list of it, ``{}`` a map. After it: merge=KEY (its strategic merge key; an empty KEY for values),
retainKeys, replace, keys=A,B (what tells its items apart), set, atomic.
"""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

Json = dict[str, Any]

OBJECT_META = "meta.v1.ObjectMeta"


class Field(Struct, frozen=True):
    """One field. ``merge`` is None where a patch replaces the whole list."""

    type: str  # of one item, where it is a list or map
    shape: str = ""  # "", "[]" or "{}"
    merge: str | None = None
    retain_keys: bool = False
    replace: bool = False
    keys: tuple[str, ...] = ()
    is_set: bool = False
    atomic: bool = False

    @property
    def is_object(self) -> bool:
        return "." in self.type


Fields = Mapping[str, Field]


def type_of(api_version: str, kind: str) -> str | None:
    """The name of a kind's type; None for custom resources, whose shape nobody checks here."""
    found: str | None = _document()["kinds"].get(f"{api_version} {kind}")
    return found


@functools.cache
def fields_of(type_name: str) -> Fields:
    """The fields of one type; none for what is no object."""
    return {name: _field(text) for name, text in _document()["types"].get(type_name, {}).items()}


def type_names() -> tuple[str, ...]:
    return tuple(_document()["types"])


@functools.cache
def _document() -> Json:
    document: Json = msgspec.json.decode(Path(__file__).with_name("openapi_types.json").read_bytes())
    return document


def _field(text: str) -> Field:
    described, *marks = text.split(" ")
    shape = described[:2] if described[:2] in ("[]", "{}") else ""
    named = dict(mark.split("=", 1) for mark in marks if "=" in mark)
    return Field(
        described[len(shape) :],
        shape,
        named.get("merge"),
        retain_keys="retainKeys" in marks,
        replace="replace" in marks,
        keys=tuple(named["keys"].split(",")) if "keys" in named else (),
        is_set="set" in marks,
        atomic="atomic" in marks,
    )
