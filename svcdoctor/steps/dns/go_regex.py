"""Regular expressions of Go (RE2) in Python.

RE2 never backtracks; Python's does, and may take years over a pattern with choices inside of repeats. Such patterns,
and what Python writes otherwise, are not computed: whoever asks must say so.
"""

import re
from functools import lru_cache
from math import factorial

LONGEST = 500
MOST_STEPS = 10_000_000
"""What backtracking may cost at worst: some tenths of a second."""

_REPEAT = re.compile(r"(?:[*+?]|\{\d*,\d*\}|\{\d{2,}\})[?+]?")
_ATOM = re.compile(r"\\.|\[\^?\]?(?:\\.|\[:\w+:\]|[^\]\\])*\]|\(\?P?<\w+>|\(\?[a-zA-Z:]*|.", re.DOTALL)
_ONLY_GO = re.compile(r"\\[pPCQEz]|\[\[:|\(\?[a-zA-Z]*U")


class NotComputed(ValueError):
    """The message says why what the pattern matches is left open."""


def search(pattern: str, text: str) -> re.Match[str] | None:
    """Where ``pattern`` matches in ``text``. Raises NotComputed."""
    regex, repeats = _compiled(pattern)
    if len(text) ** (repeats + 1) // factorial(repeats + 1) > MOST_STEPS:
        raise NotComputed("too wild a pattern to try here")
    return regex.search(text)


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> tuple[re.Pattern[str], int]:
    """The pattern and how many repeats stand beside each other in it."""
    if len(pattern) > LONGEST:
        raise NotComputed("too long a pattern")
    if _ONLY_GO.search(pattern):
        raise NotComputed("a pattern that only Go understands")
    try:
        return re.compile(pattern), _repeats(pattern)
    except (re.error, OverflowError, RecursionError):
        raise NotComputed("a pattern that only Go understands") from None


def _repeats(pattern: str) -> int:
    """The number of repeats, none of which holds another repeat or a choice. Raises NotComputed if one does."""
    open_groups: list[bool] = []  # of each open group: whether there is a choice in it
    closed = False  # whether what came last was such a group
    repeats = place = 0
    while place < len(pattern):
        if repeat := _REPEAT.match(pattern, place):
            repeats += 1
            if closed:
                raise NotComputed("too wild a pattern to try here")
            if open_groups:
                open_groups[-1] = True
            place = repeat.end()
            continue
        atom = _ATOM.match(pattern, place)
        assert atom is not None  # its last alternative takes any character
        closed = False
        if atom[0].startswith("("):
            open_groups.append(False)
        elif atom[0] == "|" and open_groups:
            open_groups[-1] = True
        elif atom[0] == ")" and open_groups:
            closed = open_groups.pop()
            if closed and open_groups:
                open_groups[-1] = True
        place = atom.end()
    return repeats
