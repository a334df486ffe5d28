"""A Corefile's words (Caddy's lexer)."""

from collections.abc import Iterator

from msgspec import Struct


class CorefileError(Exception):
    """CoreDNS would not start with this, or would go on with the old one. Worded as it words it."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"Corefile:{line} - Error during parsing: {problem}")
        self.line = line


class Token(Struct, frozen=True):
    text: str
    line: int


def number(text: str) -> int | None:
    """A whole number that is not absurd; None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def tokens(text: str) -> Iterator[Token]:
    """Words, or quoted strings; a # outside quotes begins a comment."""
    word, begun, line, quoted, comment, escaped = "", 1, 1, False, False, False
    for character in text + "\n":
        if quoted and character == "\\" and not escaped:
            escaped = True
            continue
        if quoted and character == '"' and not escaped:
            yield Token(word, begun)
            word, quoted = "", False
        elif quoted:
            word += ("\\" if escaped and character != '"' else "") + character
        elif character.isspace():
            if word:
                yield Token(word, begun)
            word, comment = "", comment and character != "\n"
        elif character == "#" or comment:
            comment = True
        elif not word and character == '"':
            quoted, begun = True, line
        else:
            begun = begun if word else line
            word += character
        escaped = False
        line += character == "\n"
    if quoted:
        raise CorefileError(begun, "quote is not closed")
