"""Bytes of the API -> our Structs.

Kubernetes treats ``null`` like an absent field everywhere. The Structs allow null only where real servers send it, so
that the common case is one fast pass; a document with other nulls takes a second, slower one that drops them first. As
an item of a list ``null`` is dropped only where the type has no room for it: a policy's peer that is ``null`` is not no
peer.
"""

from typing import Any, Generic, TypeVar

import msgspec

from ..errors import BadData

T = TypeVar("T")


class ListMeta(msgspec.Struct, frozen=True, rename="camel"):
    """metav1.ListMeta: ``continue`` is the token of the next page, empty on the last one."""

    resource_version: str = ""
    continue_: str = msgspec.field(default="", name="continue")
    remaining_item_count: int | None = None


class ObjectList(msgspec.Struct, Generic[T], frozen=True):
    """A page of a list call."""

    metadata: ListMeta = ListMeta()
    items: tuple[T, ...] | None = None


class Kind(msgspec.Struct, frozen=True, rename="camel"):
    """What a document says it is: enough to tell an object from a list and from a Status."""

    kind: str = ""
    api_version: str = ""
    code: int = 0
    reason: str = ""
    message: str = ""


_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}


def decode(body: bytes, type: type[T], source: str) -> T:
    """``body`` (JSON, UTF-8) as ``type``.

    Raises BadData, which names ``source`` (a file or an API path), for anything that is not JSON of that shape.
    """
    decoder = _decoders.get(type)
    if decoder is None:
        decoder = _decoders[type] = msgspec.json.Decoder(type)
    try:
        try:
            return decoder.decode(body)  # type: ignore[no-any-return]
        except msgspec.ValidationError:
            return _without_nulls(body, decoder)  # type: ignore[no-any-return]
    except msgspec.ValidationError as error:
        raise BadData(source, f"of another shape than expected ({error})") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadData(
            source, f"not valid JSON ({error})", "read it again; the file or the answer may be cut short"
        ) from None


def decode_yaml(text: str, type: type[T]) -> T | None:
    """A YAML document as ``type``; None for what is no such thing. For texts that people write into ConfigMaps."""
    import yaml

    try:
        return msgspec.convert(_drop_nulls(yaml.safe_load(text)), type)
    except (yaml.YAMLError, msgspec.ValidationError, ValueError, RecursionError):
        return None


def _without_nulls(body: bytes, decoder: msgspec.json.Decoder[Any]) -> Any:
    document = msgspec.json.decode(body)
    try:
        return decoder.decode(msgspec.json.encode(_drop_nulls(document, in_lists=False)))
    except msgspec.ValidationError:
        return decoder.decode(msgspec.json.encode(_drop_nulls(document)))


def _drop_nulls(value: Any, in_lists: bool = True) -> Any:
    if isinstance(value, dict):
        return {key: _drop_nulls(item, in_lists) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_drop_nulls(item, in_lists) for item in value if item is not None or not in_lists]
    return value
