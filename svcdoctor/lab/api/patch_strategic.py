"""Strategic merge patch: JSON merge patch that knows which lists are keyed.

Source: apimachinery/pkg/util/strategicpatch/patch.go (mergeMap, mergeSlice, normalizeElementOrder) and the design
proposal on preserving order. Merge keys come from the types of the API itself.
"""

import copy
from collections.abc import Sequence
from typing import Any

from .openapi_types import Field, fields_of
from .status import bad_request

Json = dict[str, Any]

DIRECTIVE = "$patch"
RETAIN_KEYS = "$retainKeys"
DELETE_FROM = "$deleteFromPrimitiveList/"
SET_ORDER = "$setElementOrder/"

BAD_RETAIN_KEYS = "invalid patch format of retainKeys"
BAD_PRIMITIVE_LIST = "invalid patch format of primitive list"
BAD_ORDER = "invalid patch format of setElementOrder list"

_UNTYPED = Field("any")


def merge_strategic(type_name: str, live: Json, patch: Json) -> Json:
    """``live`` after ``patch``; neither is changed. Raises Refusal (400) where the patch makes no sense."""
    return _merge_map(Field(type_name), copy.deepcopy(live), copy.deepcopy(patch))


def _merge_map(field: Field, original: Json, patch: Json) -> Json:
    """Both are the caller's own, and may end up in the result."""
    if DIRECTIVE in patch:
        return _directed(patch)
    fields = fields_of(field.type)
    _retain_keys(original, patch)
    ordered = {key.removeprefix(SET_ORDER): patch.pop(key) for key in list(patch) if key.startswith(SET_ORDER)}
    for key in list(patch):
        if key.startswith(DELETE_FROM):
            _delete_values(original, key.removeprefix(DELETE_FROM), patch.pop(key))
    for key in dict.fromkeys((*patch, *ordered)):
        known = fields.get(key, _UNTYPED)
        if key not in patch:
            if isinstance(original.get(key), list):
                original[key] = _in_order(known, original[key], original[key], _order(ordered[key]))
        elif patch[key] is None:
            original.pop(key, None)
        else:
            order = _order(ordered[key]) if key in ordered else None
            original[key] = _merge_value(known, original.get(key), patch[key], order)
    return original


def _merge_value(field: Field, old: Any, new: Any, order: list[Any] | None) -> Any:
    if isinstance(new, dict) and isinstance(old, dict) and not field.replace:
        return _merge_map(field if not field.shape else _UNTYPED, old, new)
    if isinstance(new, list) and field.merge is not None and field.shape == "[]":
        if order is not None:
            _check_order(field, new, order)
        return _merge_list(field, old if isinstance(old, list) else [], new, order)
    return _without_directives(new)


def _directed(patch: Json) -> Json:
    directive = patch.pop(DIRECTIVE)
    if directive == "replace":
        return patch
    if directive == "delete":
        return {}
    raise bad_request(f"unknown patch type: {_go(directive)} in map: {_go(patch)}")


def _retain_keys(original: Json, patch: Json) -> None:
    """$retainKeys: what it does not list goes; it must list whatever the patch sets."""
    if RETAIN_KEYS not in patch:
        return
    kept = patch.pop(RETAIN_KEYS)
    if not isinstance(kept, list):
        raise bad_request(BAD_RETAIN_KEYS)
    for key, value in patch.items():
        if value is not None and not key.startswith((DELETE_FROM, SET_ORDER)) and key not in kept:
            raise bad_request(BAD_RETAIN_KEYS)
    for key in [key for key in original if key not in kept]:
        del original[key]


def _delete_values(original: Json, key: str, values: Any) -> None:
    if not isinstance(values, list):
        raise bad_request(BAD_PRIMITIVE_LIST)
    if isinstance(original.get(key), list):
        original[key] = [value for value in original[key] if value not in values]


# ---------------------------------------------------------------------------------------------------------------- lists


def _merge_list(field: Field, old: list[Any], new: list[Any], order: list[Any] | None) -> list[Any]:
    """Keyed items are merged with their namesakes, values are a set; then the order is made."""
    key = field.merge or ""
    if not key:
        if any(isinstance(value, dict | list) for value in new):
            raise bad_request(BAD_PRIMITIVE_LIST)
        merged = list(dict.fromkeys((*old, *new)))
        return _in_order(field, merged, old, order if order is not None else new)
    items = [_keyed(item, key) for item in new]
    plain = [item for item in items if DIRECTIVE not in item]
    if _apply_directives(old, items, key):
        return [_without_directives(item) for item in plain]
    merged = list(old)
    for item in plain:
        at = next((at for at, one in enumerate(merged) if isinstance(one, dict) and one.get(key) == item[key]), None)
        if at is None:
            merged.append(_without_directives(item))
        else:
            merged[at] = _merge_map(Field(field.type), merged[at], item)
    return _in_order(field, merged, old, order if order is not None else plain)


def _apply_directives(old: list[Any], items: list[Json], key: str) -> bool:
    """Removes what ``$patch: delete`` names from ``old``; says whether ``$patch: replace`` takes the list's place."""
    replace = False
    for item in items:
        directive = item.get(DIRECTIVE)
        if directive == "delete":
            old[:] = [one for one in old if not (isinstance(one, dict) and one.get(key) == item[key])]
        elif directive == "replace":
            replace = True
        elif directive == "merge":
            raise bad_request("merging lists cannot yet be specified in the patch")
        elif DIRECTIVE in item:
            raise bad_request(f"unknown patch type: {_go(directive)} in map: {_go(item)}")
    return replace


def _keyed(item: Any, key: str) -> Json:
    if not isinstance(item, dict):
        raise bad_request("list element types are not identical")
    if key not in item and item.get(DIRECTIVE) != "replace":
        raise bad_request(f"map: {_go(item)} does not contain declared merge key: {key}")
    return item


def _order(given: Any) -> list[Any]:
    if not isinstance(given, list):
        raise bad_request(BAD_ORDER)
    return given


def _check_order(field: Field, new: list[Any], order: list[Any]) -> None:
    """What the patch sets must be in $setElementOrder, in the same relative order."""
    wanted = [_identity(field, item) for item in order]
    at = 0
    for item in new if order else ():
        if isinstance(item, dict) and DIRECTIVE in item:
            continue
        name = _identity(field, item)
        if name not in wanted[at:]:
            text = f"The order in patch list:\n{_go(new)}\n doesn't match {SET_ORDER[:-1]} list:\n{_go(order)}\n"
            raise bad_request(text)
        at = wanted.index(name, at) + 1


def _in_order(field: Field, merged: list[Any], old: list[Any], order: Sequence[Any]) -> list[Any]:
    """What ``order`` names comes in that order, the rest as it was; the two are woven by where they were in ``old``."""
    wanted = [_identity(field, item) for item in order]
    before = [_identity(field, item) for item in old]
    named = [item for item in merged if _identity(field, item) in wanted]
    named.sort(key=lambda item: wanted.index(_identity(field, item)))
    others = [item for item in merged if _identity(field, item) not in wanted]
    woven: list[Any] = []
    while named and others:
        mine, theirs = (_identity(field, one[0]) for one in (others, named))
        first = mine in before and theirs in before and before.index(mine) < before.index(theirs)
        woven.append((others if first else named).pop(0))
    return woven + named + others


def _identity(field: Field, item: Any) -> Any:
    return item.get(field.merge) if field.merge and isinstance(item, dict) else item


# ---------------------------------------------------------------------------------------------------------------- words


def _without_directives(value: Any) -> Any:
    """What is new takes the patch as it is, but for nulls and directives."""
    if isinstance(value, list):
        return [_without_directives(item) for item in value if not (isinstance(item, dict) and DIRECTIVE in item)]
    if not isinstance(value, dict):
        return value
    if value.get(DIRECTIVE) == "delete":
        return {}
    return {key: _without_directives(one) for key, one in value.items() if one is not None and not key.startswith("$")}


def _go(value: Any) -> str:
    """As Go's %v prints it."""
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{_go(value[key])}' for key in sorted(value))}]"
    if isinstance(value, list):
        return f"[{' '.join(map(_go, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    return "<nil>" if value is None else str(value)
