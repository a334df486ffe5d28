"""``ipset save``: text -> the sets of a Ruleset -> text."""

from collections.abc import Callable
from functools import partial

from ...errors import BadData
from ..ruleset import NamedSet, Ruleset
from ..ruleset.values import NO_MATCH, Component, Span, Values, addresses, numbers, one, protocol

ADVICE = "save it anew: ipset save"
KINDS = ("bitmap", "hash", "list")


class Ipset(NamedSet):
    """A set of ipset's, with the lines of its elements."""

    def __init__(self, name: str, types: tuple[str, ...], header: str, lines: list[str], expires: bool) -> None:
        super().__init__(name, types, header, partial(_values, types, lines), expires)
        self.lines = lines


def read_sets(text: str | bytes, source: str = "ipset save") -> Ruleset:
    """The sets. Raises BadData, naming ``source``. A set with elements that are not understood has no values."""
    if isinstance(text, bytes):
        try:
            text = text.decode()
        except UnicodeDecodeError:
            raise BadData(source, "not text", ADVICE) from None
    sets: dict[str, NamedSet] = {}
    elements: dict[str, list[str]] = {}
    for number, line in enumerate(text.split("\n"), 1):
        words = line.split()
        if not words or line[0] == "#":
            continue
        if words[0] == "create" and len(words) > 2 and words[2].partition(":")[0] in KINDS:
            name, kind = words[1], words[2]
            elements[name] = []
            sets[name] = Ipset(name, _types(kind), line, elements[name], "timeout" in words)
        elif words[0] == "add" and len(words) > 2 and words[1] in elements:
            elements[words[1]].append(line)
        else:
            raise BadData(source, f"line {number}: no line of ipset save", ADVICE)
    return Ruleset(sets=sets)


def write_sets(ruleset: Ruleset) -> str:
    """The sets as they were read."""
    lines = (line for one in ruleset.sets.values() if isinstance(one, Ipset) for line in (one.header, *one.lines))
    return "".join(f"{line}\n" for line in lines)


def _types(kind: str) -> tuple[str, ...]:
    """The parts of an element: ip, net, port (bitmap) or proto and port (hash), iface, mark, mac, set."""
    storage, _, parts = kind.partition(":")
    types: list[str] = []
    for part in parts.split(","):
        types += ["proto", "port"] if part == "port" and storage == "hash" else [part]
    return tuple(types)


def _values(types: tuple[str, ...], lines: list[str]) -> Values | None:
    try:
        return Values(_element(types, line.split()) for line in lines)
    except (ValueError, KeyError, IndexError):
        return None


def _element(types: tuple[str, ...], words: list[str]) -> tuple[tuple[Component, ...], str]:
    """One element and whether it is an exception."""
    _, _, text, *rest = words
    parts: list[Component] = []
    texts = iter(text.split(","))
    for type_ in types:
        if len(parts) > 0 and type_ == "port" and types[len(parts) - 2] == "proto":
            continue  # read with its protocol
        part = next(texts)
        if type_ == "proto":
            name, colon, port = part.rpartition(":")
            parts += [protocol(name) if colon else one(6), numbers(port)]
        else:
            parts.append(READERS[type_](part))
    if next(texts, None) is not None:
        raise ValueError(text)
    return tuple(parts), NO_MATCH if "nomatch" in rest else ""


def _interface(text: str) -> str:
    return text.removeprefix("physdev:")


def _mark(text: str) -> Span:
    return one(int(text, 0))


READERS: dict[str, Callable[[str], Component]] = {
    "ip": addresses,
    "net": addresses,
    "port": numbers,
    "iface": _interface,
    "mark": _mark,
}
"""Sets of MAC addresses and of other sets are not understood."""
