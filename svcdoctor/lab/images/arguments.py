"""Command lines of the lab's programs: ``--name=value`` and ``--name value``, as Go's flag packages take them."""

import re
from collections.abc import Mapping, Sequence

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)?")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, None: 1.0}


class BadArguments(Exception):
    """The program can't be started like this. Its text is what it would print."""


def parse_flags(argv: Sequence[str], known: Mapping[str, bool]) -> dict[str, list[str]]:
    """The values of each flag, in order. ``known`` says of each whether it takes a value. Raises BadArguments."""
    found: dict[str, list[str]] = {}
    words = iter(argv)
    for word in words:
        name, equals, value = word.lstrip("-").partition("=")
        if not word.startswith("-") or name not in known:
            raise BadArguments(f"unknown flag: {word}" if word.startswith("-") else f"unexpected argument: {word}")
        if known[name] and not equals:
            try:
                value = next(words)
            except StopIteration:
                raise BadArguments(f"flag needs an argument: --{name}") from None
        found.setdefault(name, []).append(value or "true")
    return found


def seconds(name: str, text: str) -> float:
    """``20s``, ``500ms``, ``1m``; a bare number is seconds. Raises BadArguments."""
    found = _DURATION.fullmatch(text)
    if not found:
        raise BadArguments(f'invalid argument "{text}" for "--{name}" flag: not a duration')
    return float(found[1]) * _UNITS[found[2]]


def whole_number(name: str, text: str, low: int, high: int) -> int:
    """Raises BadArguments."""
    if not re.fullmatch(r"\d{1,9}", text) or not low <= int(text) <= high:
        raise BadArguments(f'invalid argument "{text}" for "--{name}" flag: want {low} to {high}')
    return int(text)


def port(name: str, text: str) -> int:
    return whole_number(name, text, 1, 65535)
