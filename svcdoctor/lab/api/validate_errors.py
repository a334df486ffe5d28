"""What is wrong with one field, in the words of apimachinery's field.Error."""

import json
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

OMIT = object()
"""A bad value that the message leaves out."""

_TYPES = {
    "FieldValueNotFound": "Not found",
    "FieldValueRequired": "Required value",
    "FieldValueDuplicate": "Duplicate value",
    "FieldValueInvalid": "Invalid value",
    "FieldValueTypeInvalid": "Invalid value",
    "FieldValueNotSupported": "Unsupported value",
    "FieldValueForbidden": "Forbidden",
    "FieldValueTooLong": "Too long",
    "FieldValueTooMany": "Too many",
}


class FieldError(Struct, frozen=True):
    """``reason`` is the cause's reason on the wire; ``field`` a path as ``spec.ports[0].port``."""

    reason: str
    field: str
    value: Any = OMIT
    detail: str = ""

    @property
    def message(self) -> str:
        """Without the field, as causes have it."""
        text = _TYPES[self.reason]
        if self.value is not OMIT:
            text += f": {go_json(self.value)}"
        return f"{text}: {self.detail}" if self.detail else text

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


def required(field: str, detail: str = "") -> FieldError:
    return FieldError("FieldValueRequired", field, detail=detail)


def invalid(field: str, value: Any, detail: str) -> FieldError:
    return FieldError("FieldValueInvalid", field, value, detail)


def duplicate(field: str, value: Any) -> FieldError:
    return FieldError("FieldValueDuplicate", field, value)


def forbidden(field: str, detail: str) -> FieldError:
    return FieldError("FieldValueForbidden", field, detail=detail)


def not_found(field: str, value: Any) -> FieldError:
    return FieldError("FieldValueNotFound", field, value)


def not_supported(field: str, value: Any, supported: Sequence[str]) -> FieldError:
    quoted = ", ".join(go_json(one) for one in supported)
    return FieldError("FieldValueNotSupported", field, value, f"supported values: {quoted}")


def too_long(field: str, limit: int) -> FieldError:
    return FieldError("FieldValueTooLong", field, detail=f"may not be more than {limit} bytes")


def too_many(field: str, count: int, limit: int) -> FieldError:
    return FieldError("FieldValueTooMany", field, count, f"must have at most {limit} items")


def immutable(field: str, value: Any) -> FieldError:
    return invalid(field, value, "field is immutable")


def go_json(value: Any) -> str:
    """As Go prints a bad value: JSON, with strings quoted but not HTML-escaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    if isinstance(value, str):
        return text
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def aggregate(errors: Sequence[object]) -> str:
    """As apimachinery's Aggregate prints: one plain, several in brackets, none twice."""
    texts = list(dict.fromkeys(str(error) for error in errors))
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
