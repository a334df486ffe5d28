"""Kubernetes' protobuf bodies: what typed Go clients send (kubectl auth can-i, kubectl create deployment) since 1.32.

``openapi_numbers.json`` has the numbers of each type's fields (generated.proto of k8s.io/api); ``+TYPE`` stands for a
part that JSON writes into its owner. Answers stay JSON: every client takes that too.

Go writes the zero values of fields that are no pointers. They are dropped here, as JSON drops them; a zero that a
client meant survives in POINTERS only.
"""

import functools
import struct
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from ..clock import micro_stamp, stamp
from .openapi_types import Field, fields_of, type_of
from .status import bad_request

Json = dict[str, Any]
Wire = tuple[int, int | bytes]
"""A field's number, and its value: an integer, or the bytes of anything else."""

PROTOBUF = "application/vnd.kubernetes.protobuf"
MAGIC = b"k8s\x00"
POINTERS = {
    *("replicas", "minReplicas", "completions", "parallelism", "backoffLimit", "revisionHistoryLimit", "suspend"),
    *("automountServiceAccountToken", "enableServiceLinks", "shareProcessNamespace", "hostUsers", "optional"),
    *("terminationGracePeriodSeconds", "gracePeriodSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"),
    *("runAsUser", "runAsGroup", "runAsNonRoot", "fsGroup", "privileged", "allowPrivilegeEscalation"),
    *("readOnlyRootFilesystem", "allocateLoadBalancerNodePorts", "controller", "blockOwnerDeletion", "immutable"),
    *("expirationSeconds", "ttlSecondsAfterFinished", "activeDeadlineSeconds", "minAvailable", "maxUnavailable"),
    *("maxSurge", "tolerationSeconds", "priority", "orphanDependents"),
}
_MESSAGES = ("quantity", "int-or-string", "time", "micro-time", "any")


def decode_protobuf(raw: bytes) -> Json:
    """The object in a body, as its JSON would be. Raises Refusal (400)."""
    try:
        if not raw.startswith(MAGIC):
            raise ValueError("expected the magic number")
        envelope = dict(_fields(raw[len(MAGIC) :]))
        meta = {number: _text(value) for number, value in _fields(_bytes(envelope.get(1, b"")))}
        api_version, kind = meta.get(1, ""), meta.get(2, "")
        type_name = type_of(api_version, kind) or _OTHERS.get(kind)
        if type_name is None or type_name not in _numbers():
            raise ValueError(f'no kind "{kind}" is registered for version "{api_version}"')
        body = _object(type_name, _bytes(envelope.get(2, b"")))
    except (ValueError, IndexError, OverflowError, RecursionError, struct.error) as error:
        raise bad_request(f"the object provided is unrecognized: {error}") from None
    return {"apiVersion": api_version, "kind": kind, **body}


_OTHERS = {"DeleteOptions": "meta.v1.DeleteOptions"}


@functools.cache
def _numbers() -> Mapping[str, Mapping[int, str]]:
    document = msgspec.json.decode(Path(__file__).with_name("openapi_numbers.json").read_bytes())
    return {type_name: {number: name for name, number in found.items()} for type_name, found in document.items()}


# ----------------------------------------------------------------------------------------------------------- the format


def _fields(raw: bytes) -> Iterator[Wire]:
    """Raises ValueError or IndexError where the bytes end too soon."""
    at = 0
    while at < len(raw):
        tag, at = _varint(raw, at)
        value: int | bytes
        match tag & 7:
            case 0:
                value, at = _varint(raw, at)
            case 1 | 5 as fixed:
                size = 8 if fixed == 1 else 4
                value, at = raw[at : at + size], at + size
            case 2:
                size, at = _varint(raw, at)
                value, at = raw[at : at + size], at + size
            case other:
                raise ValueError(f"wire type {other}")
        if at > len(raw):
            raise ValueError("unexpected EOF")
        yield tag >> 3, value


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = raw[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not byte & 0x80:
            return value, at
        if shift > 63:
            raise ValueError("integer overflow")


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise ValueError("wrong wire type")
    return value


def _text(value: int | bytes) -> str:
    return _bytes(value).decode()


def _signed(value: int | bytes) -> int:
    if not isinstance(value, int):
        raise ValueError("wrong wire type")
    return value - (1 << 64) if value >> 63 else value


# ---------------------------------------------------------------------------------------------------------- the objects


def _object(type_name: str, raw: bytes, shown_as: str = "") -> Json:
    """``shown_as`` is the JSON type that has the fields, where it is another."""
    names, fields = _numbers().get(type_name, {}), fields_of(shown_as or type_name)
    made: Json = {}
    for number, value in _fields(raw):
        name = names.get(number, "")
        if name.startswith("+"):
            made |= _object(name[1:], _bytes(value), shown_as or type_name)
        elif name in fields:
            _put(made, name, fields[name], value)
    return made


def _put(made: Json, name: str, field: Field, value: int | bytes) -> None:
    if field.shape == "[]":
        made.setdefault(name, []).append(_value(field.type, value))
    elif field.shape == "{}":
        entry = dict(_fields(_bytes(value)))
        made.setdefault(name, {})[_text(entry.get(1, b""))] = _value(field.type, entry.get(2, b""))
    else:
        found = _value(field.type, value)
        if found not in (None, "") and (found or isinstance(found, dict) or name in POINTERS):
            made[name] = found


def _value(type_name: str, value: int | bytes) -> Any:
    match type_name:
        case "string":
            return _text(value)
        case "bool":
            return bool(_signed(value))
        case "int32" | "int64":
            return _signed(value)
        case "double":
            return struct.unpack("<d", _bytes(value))[0]
        case "bytes":
            return msgspec.to_builtins(_bytes(value))
        case _ if type_name in _MESSAGES:
            return _message(type_name, dict(_fields(_bytes(value))))
        case "[]string":
            return [_text(item) for _, item in _fields(_bytes(value))]
    return _object(type_name, _bytes(value))


def _message(type_name: str, parts: Mapping[int, int | bytes]) -> Any:
    match type_name:
        case "quantity":
            return _text(parts.get(1, b"0"))
        case "int-or-string":
            return _text(parts.get(3, b"")) if parts.get(1) else _signed(parts.get(2, 0))
        case "any":
            raw = _bytes(parts.get(1, b""))
            return msgspec.json.decode(raw) if raw else None
    if not parts:
        return None
    seconds, nanoseconds = (_signed(parts.get(number, 0)) for number in (1, 2))
    moment = datetime.fromtimestamp(0, UTC) + timedelta(seconds=seconds, microseconds=nanoseconds // 1000)
    return micro_stamp(moment) if type_name == "micro-time" else stamp(moment)
