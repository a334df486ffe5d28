"""The words of a rule as iptables-save quotes them, and options with what belongs to them."""

import re
from collections.abc import Iterator, Sequence

WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)', re.DOTALL)
ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def split(text: str) -> list[str]:
    """``text`` at blanks; what stands in double quotes is one word."""
    if '"' not in text:
        return text.split()
    words: list[str] = []
    outside = text.split('"')
    if len(outside) == 3 and "\\" not in outside[1]:  # one plain comment, as most rules have it
        words += outside[0].split()
        words.append(outside[1])
        words += outside[2].split()
        return words
    for found in WORD.finditer(text):
        quoted = found[1]
        words.append(found[2] if quoted is None else ESCAPED.sub(r"\1", quoted))
    return words


Option = tuple[bool, str, list[str]]


def options(words: Sequence[str]) -> Iterator[Option]:
    """(negated, option, its arguments). Raises ValueError for words that are no options."""
    negated, name, arguments = False, "", list[str]()
    expected = False  # a ! was read
    for word in words:
        if word == "!":
            expected = True
        elif word.startswith("--"):
            if name:
                yield negated, name, arguments
            negated, name, arguments, expected = expected, word, [], False
        elif expected or not name:
            raise ValueError(word)
        else:
            arguments.append(word)
    if expected:
        raise ValueError("!")
    if name:
        yield negated, name, arguments


def single(arguments: list[str]) -> str:
    """The one argument. Raises ValueError."""
    (only,) = arguments
    return only
