"""Requests in Kubernetes' own binary form, which Go clients send for built-in kinds, as kubectl does in ``auth can-i``.

An envelope (runtime.Unknown) says the kind; fields are numbered. ``protobuf_fields.json`` has each type's field names
in the order of their numbers: ``-`` where there is none, ``~TYPE`` where a message's fields are the owner's in JSON.
Go writes every number and truth value, unset ones as 0; under ``zero`` are the fields where a 0 was meant: those that
are behind pointers.
"""

import base64
import functools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from ..clock import micro_stamp, stamp
from .openapi_types import Field, Fields, fields_of, type_of

Json = dict[str, Any]

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
MAGIC = b"k8s\0"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class NotProtobuf(ValueError):
    """The bytes are no message of their kind."""


def decode_protobuf(body: bytes) -> Json:
    """The object in the envelope, as JSON has it. Raises NotProtobuf."""
    if not body.startswith(MAGIC):
        raise NotProtobuf("the message does not begin with the magic number")
    envelope = {number: value for number, value in _fields(body[len(MAGIC) :]) if isinstance(value, bytes)}
    head = {number: value for number, value in _fields(envelope.get(1, b"")) if isinstance(value, bytes)}
    api_version, kind = head.get(1, b"").decode(errors="replace"), head.get(2, b"").decode(errors="replace")
    name = "meta.v1.DeleteOptions" if kind == "DeleteOptions" else type_of(api_version, kind)
    if name is None or name not in _numbers():
        raise NotProtobuf(f"no kind {kind} is known in {api_version}")
    return {"apiVersion": api_version, "kind": kind, **_message(name, fields_of(name), envelope.get(2, b""))}


def _message(numbering: str, fields: Fields, data: bytes) -> Json:
    """One object: ``numbering`` names the type that numbers the fields, ``fields`` says what they are."""
    names, made = _numbers()[numbering], Json()
    for number, raw in _fields(data):
        name = names[number - 1] if 0 < number <= len(names) else "-"
        if name.startswith("~"):
            made |= _message(name[1:], fields, _bytes(raw))
        elif (field := fields.get(name)) is not None:
            _put(made, name, field, raw)
    return made


def _put(made: Json, name: str, field: Field, raw: int | bytes) -> None:
    if field.shape == "[]":
        made.setdefault(name, []).extend(_items(field, raw))
    elif field.shape == "{}":
        key, value = _entry(field, _bytes(raw))
        made.setdefault(name, {})[key] = value
    else:
        value = _value(field.type, raw)
        if value or value == {} or (value is not None and value != "" and name in _numbers()["zero"]):
            made[name] = value


def _items(field: Field, raw: int | bytes) -> Iterator[Any]:
    """One item, or several numbers in one piece."""
    if field.type in ("int32", "int64") and isinstance(raw, bytes):
        at = 0
        while at < len(raw):
            number, at = _varint(raw, at)
            yield _signed(number)
    else:
        yield _value(field.type, raw)


def _entry(field: Field, data: bytes) -> tuple[str, Any]:
    found = dict(_fields(data))
    value = _value(field.type.removeprefix("[]"), found.get(2, b""))
    if field.type.startswith("[]"):
        value = [_bytes(item).decode(errors="replace") for number, item in _fields(_bytes(found.get(2, b"")))]
    return _bytes(found.get(1, b"")).decode(errors="replace"), value


def _value(kind: str, raw: int | bytes) -> Any:
    if kind in ("int32", "int64"):
        return _signed(_number(raw))
    if kind == "bool":
        return bool(_number(raw))
    data = _bytes(raw)
    if kind == "string":
        return data.decode(errors="replace")
    if kind == "bytes":
        return base64.b64encode(data).decode()
    if "." in kind:
        return _message(kind, fields_of(kind), data)
    return _special(kind, dict(_fields(data)))


def _special(kind: str, found: dict[int, int | bytes]) -> Any:
    """The messages that are scalars in JSON."""
    if kind == "quantity":
        return _bytes(found.get(1, b"")).decode(errors="replace")
    if kind == "int-or-string":
        return _bytes(found.get(3, b"")).decode(errors="replace") if found.get(1) else _signed(_number(found.get(2, 0)))
    if kind in ("time", "micro-time"):
        seconds, nanos = _signed(_number(found.get(1, 0))), _number(found.get(2, 0))
        try:
            moment = EPOCH + timedelta(seconds=seconds, microseconds=nanos // 1000)
        except OverflowError:
            raise NotProtobuf("a moment is out of range") from None
        return None if not found else stamp(moment) if kind == "time" else micro_stamp(moment)
    try:
        return msgspec.json.decode(_bytes(found.get(1, b"")) or b"null")
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise NotProtobuf("embedded JSON is none") from None


@functools.cache
def _numbers() -> dict[str, list[str]]:
    table: dict[str, str] = msgspec.json.decode(Path(__file__).with_name("protobuf_fields.json").read_bytes())
    return {name: names.split() for name, names in table.items()}


# ----------------------------------------------------------------------------------------------------------------- wire


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """(number, value) of each field, in order: an integer or bytes."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        match key & 7:
            case 0:
                number, at = _varint(data, at)
                yield key >> 3, number
                continue
            case 1:
                length = 8
            case 2:
                length, at = _varint(data, at)
            case 5:
                length = 4
            case _:
                raise NotProtobuf(f"wire type {key & 7} is not in use")
        if at + length > len(data):
            raise NotProtobuf("the message ends too early")
        yield key >> 3, data[at : at + length]
        at += length


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            break
        byte, at = data[at], at + 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & (1 << 64) - 1, at
    raise NotProtobuf("a number does not end")


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value


def _number(raw: int | bytes) -> int:
    if isinstance(raw, bytes):
        raise NotProtobuf("a number is expected")
    return raw


def _bytes(raw: int | bytes) -> bytes:
    if isinstance(raw, int):
        raise NotProtobuf("a message is expected")
    return raw
