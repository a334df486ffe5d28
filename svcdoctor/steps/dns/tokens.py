"""The words of a Corefile (CoreDNS's fork of Caddy 1, caddyfile/lexer.go).

White space parts them, a ``#`` opens a comment anywhere outside of quotes, a word that starts with a double quote runs
to the next one, over lines too, and only ``\\"`` is an escape in it.
"""

import re
from collections.abc import Iterator

from msgspec import Struct

from ...errors import BadData

ENVIRONMENT = re.compile(r"\{\$[^{}]+\}|\{%[^{}]+%\}")
"""``{$NAME}`` and ``{%NAME%}``: filled in from the server's environment, which nobody reads."""

_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_SKIPPED = re.compile(r"(?:\s|#[^\n]*)+")
_BARE = re.compile(r"[^\s#]+")


class BadCorefile(BadData):
    """A Corefile that CoreDNS would refuse; ``line`` counts from 1."""

    def __init__(self, source: str, line: int, why: str) -> None:
        super().__init__(source, f"line {line}: {why}", "CoreDNS keeps the last one that it could read")
        self.line = line
        self.why = why


class Token(Struct, frozen=True):
    """One word."""

    text: str
    line: int  # from 1
    first: bool  # the first of its line: a new directive or option begins
    quoted: bool = False

    def opens(self) -> bool:
        return self.text == "{" and not self.quoted

    def closes(self) -> bool:
        return self.text == "}" and not self.quoted


def tokens(text: str, source: str) -> Iterator[Token]:
    """The words of ``text``. Raises BadCorefile for a quote that is never closed."""
    text = text.removeprefix("\ufeff")
    place, line, first = 0, 1, True
    while place < len(text):
        if skipped := _SKIPPED.match(text, place):
            breaks = skipped[0].count("\n")
            line, first, place = line + breaks, first or breaks > 0, skipped.end()
            continue
        if text[place] == '"':
            word = _QUOTED.match(text, place)
            if word is None:
                raise BadCorefile(source, line, "a quote is never closed")
            yield Token(word[1].replace('\\"', '"'), line, first, quoted=True)
        else:
            word = _BARE.match(text, place)
            assert word is not None  # neither white space nor a comment begins here
            yield Token(word[0], line, first)
        breaks = word[0].count("\n")
        line, first, place = line + breaks, breaks > 0, word.end()
