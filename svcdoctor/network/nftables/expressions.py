"""nft's expressions (libnftables-json(5)): what they ask of a packet, and the values beside it.

All raise KeyError, ValueError, TypeError, IndexError or AttributeError for what they do not know.
"""

from collections.abc import Iterator
from typing import Any

from ..ruleset.statements import Field, Key, Masked, Match, Random
from ..ruleset.values import Component, Span, Values, addresses, numbers, one, protocol

Json = Any

TRANSPORTS = ("tcp", "udp", "sctp", "dccp", "udplite")
FULL_MARK = 0xFFFFFFFF
TCP_FLAGS = {"fin": 1, "syn": 2, "rst": 4, "psh": 8, "ack": 16, "urg": 32, "ecn": 64, "cwr": 128}

PAYLOAD = {
    ("ip", "saddr"): Field.SOURCE,
    ("ip", "daddr"): Field.DESTINATION,
    ("ip", "protocol"): Field.PROTOCOL,
    ("ip6", "saddr"): Field.SOURCE,
    ("ip6", "daddr"): Field.DESTINATION,
    ("ip6", "nexthdr"): Field.PROTOCOL,
    ("tcp", "flags"): Field.TCP_FLAGS,
    **{(name, "sport"): Field.SOURCE_PORT for name in ("th", *TRANSPORTS)},
    **{(name, "dport"): Field.DESTINATION_PORT for name in ("th", *TRANSPORTS)},
}
META = {
    "l4proto": Field.PROTOCOL,
    "nfproto": Field.FAMILY,
    "protocol": Field.FAMILY,
    "mark": Field.MARK,
    "iifname": Field.IN_INTERFACE,
    "iif": Field.IN_INTERFACE,
    "oifname": Field.OUT_INTERFACE,
    "oif": Field.OUT_INTERFACE,
}
CT = {"state": Field.STATE, "status": Field.STATUS, "mark": Field.CONNECTION_MARK, "direction": Field.DIRECTION}
ORIGINAL = {
    "ip saddr": Field.ORIGINAL_SOURCE,
    "ip6 saddr": Field.ORIGINAL_SOURCE,
    "saddr": Field.ORIGINAL_SOURCE,
    "ip daddr": Field.ORIGINAL_DESTINATION,
    "ip6 daddr": Field.ORIGINAL_DESTINATION,
    "daddr": Field.ORIGINAL_DESTINATION,
    "proto-dst": Field.ORIGINAL_PORT,
}
FIB = {"saddr": Field.SOURCE_TYPE, "daddr": Field.DESTINATION_TYPE}
FAMILY = {"ip": "ipv4", "ip6": "ipv6"}

OF_ADDRESSES = {Field.SOURCE, Field.DESTINATION, Field.ORIGINAL_SOURCE, Field.ORIGINAL_DESTINATION}
OF_PORTS = {Field.SOURCE_PORT, Field.DESTINATION_PORT, Field.ORIGINAL_PORT}
OF_NUMBERS = {Field.MARK, Field.CONNECTION_MARK}


def single(expression: Json) -> tuple[str, Json]:
    """The one item of an object."""
    ((name, value),) = expression.items()
    return name, value


def keys(expression: Json) -> tuple[Key, ...]:
    """What an expression, or each part of a concatenation, asks of the packet."""
    name, value = single(expression)
    if name == "concat":
        return tuple(key for part in value for key in keys(part))
    return (READERS[name](value),)


def needs(expression: Json, family: str) -> Iterator[Match]:
    """What must hold for the packet to have such a field: nft adds these matches, and does not list them."""
    name, value = single(expression)
    if name == "concat" or name == "&":
        for part in value if name == "concat" else value[:1]:
            yield from needs(part, family)
    elif name == "payload" and value["protocol"] in TRANSPORTS:
        yield Match((Field.PROTOCOL,), Values([((protocol(value["protocol"]),), None)]))
    elif name == "payload" and value["protocol"] in FAMILY and family not in FAMILY:
        yield Match((Field.FAMILY,), Values([((FAMILY[value["protocol"]],), None)]))


def _payload(value: Json) -> Key:
    return PAYLOAD[value["protocol"], value["field"]]


def _meta(value: Json) -> Key:
    return META[value["key"]]


def _ct(value: Json) -> Key:
    return ORIGINAL[value["key"]] if value.get("dir") == "original" else CT[value["key"]]


def _fib(value: Json) -> Key:
    flags = value["flags"]
    if value["result"] != "type":
        raise ValueError(value)
    return FIB[flags if isinstance(flags, str) else " ".join(flags)]


def _numgen(value: Json) -> Key:
    modulus = int(value["mod"])
    if modulus < 1:
        raise ValueError(value)
    return Random(modulus, int(value.get("offset", 0)))


def _masked(value: Json) -> Key:
    masked, *masks = value
    (field,) = keys(masked)
    if field not in (*OF_NUMBERS, Field.TCP_FLAGS) or not isinstance(field, Field):
        raise ValueError(value)
    mask = FULL_MARK
    for one_mask in masks:
        mask &= bits(one_mask)
    return Masked(field, mask)


READERS = {"payload": _payload, "meta": _meta, "ct": _ct, "fib": _fib, "numgen": _numgen, "&": _masked}


def bits(value: Json) -> int:
    """A number, or TCP flags by name."""
    if isinstance(value, int):
        return value
    if isinstance(value, str):
        return TCP_FLAGS[value] if value in TCP_FLAGS else int(value, 0)
    parts = value if isinstance(value, list) else value["|"]
    found = 0
    for part in parts:
        found |= bits(part)
    return found


# --------------------------------------------------------------------------------------------------------------- values


def elements(right: Json, keys_: tuple[Key, ...]) -> Values:
    """The values on the right of a match: one, or those of an anonymous set."""
    if isinstance(right, dict) and "set" in right:
        right = right["set"]
    return Values((parts(value, keys_), None) for value in (right if isinstance(right, list) else [right]))


def parts(value: Json, keys_: tuple[Key, ...]) -> tuple[Component, ...]:
    """One element, of as many components as there are keys."""
    if isinstance(value, dict) and "elem" in value:
        value = value["elem"]["val"]
    concatenated = value["concat"] if isinstance(value, dict) and "concat" in value else [value]
    return tuple(component(part, key) for part, key in zip(concatenated, keys_, strict=True))


def component(value: Json, key: Key) -> Component:
    """A single value, prefix or range, as the key has it."""
    field = key.field if isinstance(key, Masked) else key
    if field in OF_ADDRESSES:
        return address(value)
    if isinstance(value, dict) and "range" in value:
        first, last = (component(end, key) for end in value["range"])
        if not isinstance(first, Span) or not isinstance(last, Span):
            raise ValueError(value)
        return Span(first.first, last.last)
    if isinstance(field, Random) or field in OF_PORTS or field in OF_NUMBERS:
        return numbers(str(value))
    if field is Field.TCP_FLAGS:
        return one(bits(value))
    if field is Field.PROTOCOL:
        return protocol(str(value))
    if not isinstance(value, str):
        raise ValueError(value)
    return FAMILY.get(value, value) if field is Field.FAMILY else value


def address(value: Json) -> Span:
    if isinstance(value, str):
        return addresses(value)
    if "prefix" in value:
        return addresses(f"{value['prefix']['addr']}/{value['prefix']['len']}")
    first, last = value["range"]
    return Span(addresses(first).first, addresses(last).last)
