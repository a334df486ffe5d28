"""nft's statements (libnftables-json(5)): what one part of a rule does."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from ..ruleset.statements import (
    CopyMark,
    Dispatch,
    Field,
    Key,
    Lookup,
    Match,
    Nothing,
    NoTrack,
    Opaque,
    Place,
    Remember,
    SetMark,
    Statement,
    Translate,
    Verdict,
    VerdictKind,
)
from ..ruleset.values import Span, Values
from .expressions import CT, FAMILY, FULL_MARK, META, address, elements, keys, needs, parts, single

Json = Any

HARMLESS = {"counter", "log", "continue", "dup", "flow", "comment", "last", "ct helper", "ct timeout", "ct expectation"}
"""They change nothing that a rule asks for, and the next statement follows."""
CONDITIONS = {"match", "limit", "quota", "ct count", "meter"}
"""Where these are not understood, the rest of the rule may follow or not."""
MANGLED = {"saddr", "daddr", "sport", "dport", "protocol", "nexthdr"}
ICMP = {"icmp": "icmp", "icmpv6": "icmp6", "icmpx": "icmpx"}


def read_statement(written: Json, family: str) -> list[Statement]:
    """What it does, with what it needs before. One that is not understood is opaque."""
    try:
        name, value = single(written)
        if name in HARMLESS:
            return [Nothing(name)]
        return list(READERS[name](value, family))
    except (KeyError, ValueError, TypeError, IndexError, AttributeError, OverflowError):
        name = next(iter(written), "") if isinstance(written, dict) else ""
        condition = name in CONDITIONS or (name == "xt" and _of_xt(written) == "match")
        return [Opaque(json.dumps(written), action=not condition)]


def _of_xt(written: Json) -> str:
    """match or target, as far as it says."""
    return str(written["xt"].get("type", "")) if isinstance(written["xt"], dict) else ""


def verdict(written: Json) -> Verdict:
    """A verdict, as a statement or as the data of a map."""
    name, value = single(written)
    kind = VerdictKind(name)
    if kind is VerdictKind.REJECT:
        return Verdict(kind, _answer(value))
    target = value["target"] if kind in (VerdictKind.JUMP, VerdictKind.GOTO) else ""
    if not isinstance(target, str):
        raise ValueError(target)
    return Verdict(kind, target)


def _answer(value: Json) -> str:
    """What a reject sends, in the words of iptables."""
    if not value:
        return "icmp-port-unreachable"
    if value["type"] == "tcp reset":
        return "tcp-reset"
    return f"{ICMP[value['type']]}-{value.get('expr', 'port-unreachable')}"


def _match(value: Json, family: str) -> Iterator[Statement]:
    left, right, operator = value["left"], value["right"], value["op"]
    yield from needs(left, family)
    asked = keys(left)
    if isinstance(right, str) and right.startswith("@"):
        yield Match(asked, right[1:], operator == "!=")
    elif operator in COMPARED:
        (only,) = elements(right, asked)
        (part,) = only[0]
        if not isinstance(part, Span):
            raise ValueError(right)
        yield Match(asked, Values([((COMPARED[operator](part.first),), None)]))
    elif operator in ("==", "in", "!="):
        yield Match(asked, elements(right, asked), operator == "!=")
    else:
        raise ValueError(operator)


COMPARED: dict[str, Callable[[int], Span]] = {
    "<": lambda number: Span(0, number - 1),
    "<=": lambda number: Span(0, number),
    ">": lambda number: Span(number + 1, 1 << 128),
    ">=": lambda number: Span(number, 1 << 128),
}


def _verdict(name: str) -> Callable[[Json, str], Iterator[Statement]]:
    def read(value: Json, family: str) -> Iterator[Statement]:
        yield verdict({name: value})

    return read


def _vmap(value: Json, family: str) -> Iterator[Statement]:
    yield from needs(value["key"], family)
    asked = keys(value["key"])
    yield Dispatch(Lookup(asked, _data(value["data"], asked, verdict)))


def _data(data: Json, asked: tuple[Key, ...], convert: Callable[[Json], Any]) -> Values | str:
    """A map's name, or its elements."""
    if isinstance(data, str):
        return data.removeprefix("@")
    return Values((parts(key, asked), convert(found)) for key, found in data["set"])


def place(written: Json) -> Place:
    """An address, or one with a port. Raises ValueError for more than one of them."""
    if isinstance(written, dict) and "concat" in written:
        written, port = written["concat"]
        return Place(place(written).address, int(port))
    span = address(written)
    if span.width:
        raise ValueError(written)
    return Place(span.first)


def _dnat(value: Json, family: str) -> Iterator[Statement]:
    to, port = value.get("addr"), value.get("port")
    if family not in FAMILY and "family" in value:  # nft adds this match, and does not list it
        yield Match((Field.FAMILY,), Values([((FAMILY[value["family"]],), None)]))
    if port is not None and not isinstance(port, int):
        raise ValueError(port)
    if isinstance(to, dict) and "map" in to:
        yield from needs(to["map"]["key"], family)
        asked = keys(to["map"]["key"])
        yield Translate("dnat", Lookup(asked, _data(to["map"]["data"], asked, place)), port)
    else:
        yield Translate("dnat", place(to) if to is not None else Place(), port)


def _snat(value: Json, family: str) -> Iterator[Statement]:
    yield Translate("snat", Place(place(value["addr"]).address) if "addr" in value else Place())


def _redirect(value: Json, family: str) -> Iterator[Statement]:
    port = value.get("port") if value else None
    if port is not None and not isinstance(port, int):
        raise ValueError(port)
    yield Translate("redirect", Place(port=port))


def _masquerade(value: Json, family: str) -> Iterator[Statement]:
    yield Translate("masquerade")


def _notrack(value: Json, family: str) -> Iterator[Statement]:
    yield NoTrack()


def _mangle(value: Json, family: str) -> Iterator[Statement]:
    name, what = single(value["key"])
    if name in ("meta", "ct") and what["key"] == "mark":
        field = CT["mark"] if name == "ct" else META["mark"]
        yield _mark(field, value["value"])
    elif name == "payload" and what.get("field", "") in MANGLED:
        raise ValueError(what)
    else:
        yield Nothing(name)


def _mark(field: Field, value: Json) -> Statement:
    if isinstance(value, dict) and not value.keys() & {"|", "^", "&"}:
        (of,) = keys(value)
        if of not in (Field.MARK, Field.CONNECTION_MARK):
            raise ValueError(value)
        return SetMark(field, FULL_MARK, 0) if of is field else CopyMark(field, FULL_MARK, FULL_MARK)
    return SetMark(field, *_bitwise(field, value))


def _bitwise(field: Field, value: Json) -> tuple[int, int]:
    """(keep, flip) of an expression over the field itself and numbers; nft 1.1 gives an operator many operands."""
    if isinstance(value, int):
        return 0, value & FULL_MARK
    operator, operands = single(value)
    if operator not in ("|", "^", "&"):
        if keys(value) != (field,):
            raise ValueError(value)
        return FULL_MARK, 0
    keep, flip = _bitwise(field, operands[0])
    for operand in operands[1:]:
        none, number = _bitwise(field, operand)
        if none:
            raise ValueError(value)
        if operator == "|":
            keep, flip = keep & ~number, (flip & ~number) | number
        elif operator == "^":
            flip ^= number
        else:
            keep, flip = keep & number, flip & number
    return keep, flip


def _set(value: Json, family: str) -> Iterator[Statement]:
    if value.get("stmt"):  # such as a limit for each element
        raise ValueError(value)
    if value["op"] in ("add", "update"):
        element = value["elem"]
        yield Remember(keys(element["elem"]["val"] if "elem" in element else element), value["set"].removeprefix("@"))
    else:
        yield Nothing("set")


def _xt(value: Json, family: str) -> Iterator[Statement]:
    if value["type"] != "match" or value["name"] != "comment":
        raise ValueError(value)
    yield Nothing("comment")


READERS: dict[str, Callable[[Json, str], Iterator[Statement]]] = {
    "match": _match,
    "vmap": _vmap,
    "dnat": _dnat,
    "snat": _snat,
    "redirect": _redirect,
    "masquerade": _masquerade,
    "notrack": _notrack,
    "mangle": _mangle,
    "set": _set,
    "xt": _xt,
    **{kind.value: _verdict(kind.value) for kind in VerdictKind},
}
