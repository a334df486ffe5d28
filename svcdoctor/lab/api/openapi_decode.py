"""From what a client sent to an object of a known shape: what Go's decoder accepts, drops and refuses.

Unknown fields are dropped (and named), as are nulls and empty lists and maps; a value of the wrong type is 400 in the
decoder's words. Custom resources are taken as they are.
"""

import base64
import binascii
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from ..clock import micro_stamp, parse_stamp, stamp
from ..resources import Resource, of_kind
from .openapi_types import OBJECT_META, Field, Json, fields_of, type_of
from .quantity import canonical
from .status import Refusal, bad_request
from .validate_errors import go_json

QUANTITY = "^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$"
_RANGES = {"int32": 1 << 31, "int64": 1 << 63}
_GO_TYPES = {"double": "float64", "bytes": "[]uint8", "time": "v1.Time", "micro-time": "v1.MicroTime"}


class Decoded(Struct, frozen=True):
    """``unknown`` names the fields that were dropped: warnings, or with fieldValidation=Strict a refusal."""

    value: Json
    unknown: tuple[str, ...] = ()


class _Wrong(Exception):
    """What Go's decoder would say."""


def decode(resource: Resource, given: Json, strict: bool = False) -> Decoded:
    """An object for ``resource``: apiVersion and kind are filled in where absent. Raises Refusal (400)."""
    api_version, kind = given.get("apiVersion") or resource.api_version, given.get("kind") or resource.kind
    if (api_version, kind) != (resource.api_version, resource.kind):
        raise _other_kind(resource, api_version, kind)
    return decode_kind(api_version, kind, given, strict)


def decode_kind(api_version: str, kind: str, given: Json, strict: bool = False) -> Decoded:
    """The same for a kind that is no resource of its own, as Scale."""
    type_name = type_of(api_version, kind)
    head = {"apiVersion": api_version, "kind": kind}
    unknown: list[str] = []
    try:
        body = {**given, **head} if type_name is None else _object(type_name, {**given, **head}, "", unknown)
        meta = body.get("metadata")
        if type_name is None and meta is not None:  # a custom resource: only its metadata have a known shape
            body["metadata"] = _value(Field(OBJECT_META), meta, kind, "metadata", unknown)
    except _Wrong as error:
        raise _cannot_be(api_version, kind, kind, str(error)) from None
    if strict and unknown:
        raise _cannot_be(api_version, kind, kind, "strict decoding error: " + ", ".join(warnings(unknown)))
    body.setdefault("metadata", {})
    return Decoded({**head, **body}, tuple(unknown))


def warnings(unknown: list[str] | tuple[str, ...]) -> list[str]:
    """What the Warning headers say with fieldValidation=Warn."""
    return [f'unknown field "{field}"' for field in unknown]


def _other_kind(resource: Resource, api_version: Any, kind: Any) -> Refusal:
    sent = of_kind(str(api_version), str(kind))
    if sent is None:
        why = f'no kind {go_json(str(kind))} is registered for version {go_json(str(api_version))} in scheme "scheme"'
    elif sent.group != resource.group or sent.kind == resource.kind:
        why = (
            f"the API version in the data ({api_version}) does not match the expected API version "
            f"({resource.api_version})"
        )
        return bad_request(why)
    else:
        why = f"converting (v1.{kind}) to (core.{resource.kind}): unknown conversion"
    return _cannot_be(str(api_version), str(kind), resource.kind, why)


def _cannot_be(api_version: str, kind: str, wanted: str, why: str) -> Refusal:
    version = api_version.rpartition("/")[2]
    return bad_request(f"{kind} in version {go_json(version)} cannot be handled as a {wanted}: {why}")


# --------------------------------------------------------------------------------------------------------------- values


def _object(type_name: str, given: Json, path: str, unknown: list[str]) -> Json:
    fields = fields_of(type_name)
    owner = type_name.rpartition(".")[2]
    kept: Json = {}
    for name, value in given.items():
        place = f"{path}.{name}" if path else name
        field = fields.get(name)
        if field is None:
            unknown.append(place)
        elif value is None:
            if field.type in ("time", "micro-time") and type_name != OBJECT_META:
                kept[name] = None  # a zero time is written as null
        else:
            found = _value(field, value, owner, place, unknown)
            if found is not None:
                kept[name] = found
    return kept


def _value(field: Field, value: Any, owner: str, place: str, unknown: list[str]) -> Any:
    """The value as it is kept; None for what is as good as absent."""
    if field.shape == "[]":
        if not isinstance(value, list):
            raise _mismatch(field, value, owner, place)
        item = Field(field.type)
        return [_item(item, one, owner, f"{place}[{index}]", unknown) for index, one in enumerate(value)] or None
    if field.shape == "{}":
        if not isinstance(value, dict):
            raise _mismatch(field, value, owner, place)
        item = Field(field.type)
        return {key: _item(item, one, owner, f"{place}.{key}", unknown) for key, one in value.items()} or None
    if field.is_object:
        if not isinstance(value, dict):
            raise _mismatch(field, value, owner, place)
        return _object(field.type, value, place, unknown)
    return _scalar(field, value, owner, place)


def _item(field: Field, value: Any, owner: str, place: str, unknown: list[str]) -> Any:
    if value is None:
        return {} if field.is_object else _ZERO.get(field.type)
    return _value(field, value, owner, place, unknown)


_ZERO: dict[str, Any] = {"string": "", "bool": False, "int32": 0, "int64": 0, "quantity": "0"}


def _scalar(field: Field, value: Any, owner: str, place: str) -> Any:
    match field.type:
        case "string":
            fits = isinstance(value, str)
        case "bool":
            fits = isinstance(value, bool)
        case "int32" | "int64":
            fits = isinstance(value, int) and not isinstance(value, bool)
            if fits and not -_RANGES[field.type] <= value < _RANGES[field.type]:
                raise _mismatch(field, value, owner, place, f"number {value}")
        case "double":
            fits = isinstance(value, int | float) and not isinstance(value, bool)
        case "quantity":
            return _quantity(value)
        case "int-or-string":
            return _int_or_string(value)
        case "time" | "micro-time":
            return _time(value, micro_stamp if field.type == "micro-time" else stamp)
        case "bytes":
            return _bytes(value, owner, place)
        case _:
            return value
    if not fits:
        raise _mismatch(field, value, owner, place)
    return value


def _quantity(value: Any) -> str:
    text = str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not re.fullmatch(QUANTITY, text):
        raise _Wrong(f"quantities must match the regular expression '{QUANTITY}'")
    try:
        return canonical(text)
    except ValueError:
        raise _Wrong("unable to parse quantity's suffix") from None


def _int_or_string(value: Any) -> int | str:
    if isinstance(value, str):
        return value
    if not isinstance(value, int) or isinstance(value, bool):
        raise _Wrong(f"json: cannot unmarshal {_json_type(value)} into Go value of type int32")
    if not -_RANGES["int32"] <= value < _RANGES["int32"]:
        raise _Wrong(f"json: cannot unmarshal number {value} into Go value of type int32")
    return value


def _time(value: Any, write: Callable[[datetime], str]) -> str:
    """The same moment as the server writes it, whatever zone the client is in."""
    if not isinstance(value, str):
        raise _Wrong(f"json: cannot unmarshal {_json_type(value)} into Go value of type string")
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", value):
        layout = go_json("2006-01-02T15:04:05Z07:00")
        raise _Wrong(f'parsing time {go_json(value)} as {layout}: cannot parse {go_json(value)} as "2006"')
    try:
        return write(parse_stamp(value).astimezone(UTC))
    except (ValueError, OverflowError):
        raise _Wrong(f"parsing time {go_json(value)}: day out of range") from None


def _bytes(value: Any, owner: str, place: str) -> str:
    if not isinstance(value, str):
        raise _mismatch(Field("bytes"), value, owner, place)
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise _Wrong("illegal base64 data at input byte 0") from None
    return value


def _mismatch(field: Field, value: Any, owner: str, place: str, what: str = "") -> _Wrong:
    plain = re.sub(r"\[\d+\]", "", place)
    go_type = f"v1.{field.type.rpartition('.')[2]}" if field.is_object else _GO_TYPES.get(field.type, field.type)
    shaped = {"[]": "[]", "{}": "map[string]"}.get(field.shape, "") + go_type
    found = what or _json_type(value)
    return _Wrong(f"json: cannot unmarshal {found} into Go struct field {owner}.{plain} of type {shaped}")


def _json_type(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "number"
    if isinstance(value, float):
        return f"number {value}"
    if isinstance(value, list):
        return "array"
    return "object" if isinstance(value, dict) else "string"
