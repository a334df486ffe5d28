"""The named sets and maps of nft."""

import json
from typing import Any

from ..ruleset.statements import Field, Key
from ..ruleset.values import Values
from .expressions import keys, parts
from .statements import place, verdict

Json = Any

TYPES = {
    "ipv4_addr": Field.SOURCE,
    "ipv6_addr": Field.SOURCE,
    "inet_proto": Field.PROTOCOL,
    "inet_service": Field.SOURCE_PORT,
    "mark": Field.MARK,
    "ifname": Field.IN_INTERFACE,
    "ct_state": Field.STATE,
    "nf_proto": Field.FAMILY,
}
"""A field whose values look like those of the type."""
DATA_ERRORS = (KeyError, ValueError, TypeError, IndexError, AttributeError, OverflowError, RecursionError)


def types_of(written: Json) -> tuple[str, ...]:
    """The types of an element's components; empty if they are told by expressions (typeof)."""
    if isinstance(written, str):
        return (written,)
    return tuple(map(str, written)) if isinstance(written, list) else ()


def read_elements(text: str) -> Values | None:
    """The elements of a set or map object, None if one of them is not understood."""
    try:
        written = json.loads(text)
        asked = _keys(written["type"])
        elements = written.get("elem", ())
        if "map" not in written:
            return Values((parts(one, asked), None) for one in elements)
        convert = verdict if written["map"] == "verdict" else place
        return Values((parts(key, asked), convert(data)) for key, data in elements)
    except DATA_ERRORS:
        return None


def _keys(written: Json) -> tuple[Key, ...]:
    if isinstance(written, dict):
        return keys(written.get("typeof", written))
    return tuple(TYPES[name] for name in types_of(written))
