"""Server-side apply, as a merge that sets what it says.

Lists are merged by the keys that the API declares for them (structured-merge-diff), sets united, atomic ones replaced.
It keeps no field ownership: nothing is removed for no longer being applied, and nobody's fields conflict.
"""

import copy
from typing import Any

from .openapi_types import Field, fields_of
from .status import bad_request

Json = dict[str, Any]

KEY_DEFAULTS = {"protocol": "TCP"}
"""Keys that an item may leave out: they have a default in the API."""

_UNTYPED = Field("any")
_BAD_ITEM = "failed to create typed patch object: associative list with keys has an element that"


def merge_applied(type_name: str | None, live: Json, applied: Json) -> Json:
    """``live`` (empty for a new object) with what is applied; neither is changed. Raises Refusal (400)."""
    return _merge_map(Field(type_name or "any"), live, copy.deepcopy(applied))


def _merge_map(field: Field, live: Json, applied: Json) -> Json:
    fields = fields_of(field.type)
    merged = dict(live)
    for key, value in applied.items():
        if value is not None:
            merged[key] = _merge_value(fields.get(key, _UNTYPED), live.get(key), value)
    return merged


def _merge_value(field: Field, old: Any, new: Any) -> Any:
    if field.atomic:
        return new
    if isinstance(new, dict) and isinstance(old, dict):
        return _merge_map(field if not field.shape else _UNTYPED, old, new)
    if isinstance(new, list) and isinstance(old, list):
        if field.is_set:
            return old + [value for value in new if value not in old]
        if field.keys:
            return _merge_list(field, old, new)
    return new


def _merge_list(field: Field, old: list[Any], new: list[Any]) -> list[Any]:
    merged = list(old)
    for item in new:
        name = _identity(field, item)
        at = next((at for at, one in enumerate(merged) if _identity(field, one) == name), None)
        if at is None:
            merged.append(item)
        else:
            merged[at] = _merge_map(Field(field.type), merged[at], item)
    return merged


def _identity(field: Field, item: Any) -> tuple[Any, ...]:
    if not isinstance(item, dict):
        raise bad_request(f"{_BAD_ITEM} is no map")
    found = tuple(item.get(key, KEY_DEFAULTS.get(key)) for key in field.keys)
    if None in found:
        missing = field.keys[found.index(None)]
        raise bad_request(f'{_BAD_ITEM} omits key field "{missing}" (and doesn\'t have default value)')
    return found
