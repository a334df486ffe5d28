"""The shell's grammar, as far as the lab's containers speak it: lists, pipes, redirections, quotes, ``$NAME``."""

import re
from collections.abc import Callable, Iterator

from msgspec import Struct

_TOKEN = re.compile(
    r"""[^\S\n]*(?:
      (?P<redirect>(?:[012]|&)?>>?\s*(?:&[012]|[^\s;&|<>'"]+))
    | (?P<operator>&&|\|\||;|\||&|\n)
    | (?P<word>(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s;&|<>'"\\])+)
    )""",
    re.X,
)
_PIECE = re.compile(r"""'(?P<plain>[^']*)'|"(?P<quoted>(?:\\.|[^"\\])*)"|(?P<bare>(?:\\.|[^'"\\])+)""")
_VARIABLE = re.compile(r"\\(?P<escaped>.)|\$(?:\{(?P<braced>\w+)\}|(?P<name>\w+|\?))")


class ShellError(Exception):
    """The script can't be read."""


class Simple(Struct, frozen=True):
    """One command. ``follows`` is the operator before it: ``;``, ``&&``, ``||`` or ``|``."""

    follows: str
    words: tuple[str, ...]  # as written, still quoted
    redirects: tuple[str, ...] = ()


def read_script(text: str) -> list[Simple]:
    """The commands in order. Raises ShellError."""
    commands: list[Simple] = []
    words: list[str] = []
    redirects: list[str] = []
    follows = ";"
    for kind, token in _tokens(text):
        if kind == "word":
            words.append(token)
        elif kind == "redirect":
            redirects.append("".join(token.split()))
        else:
            if not words and token not in (";", "\n"):
                raise ShellError(f'syntax error: unexpected "{token}"')
            if words:
                commands.append(Simple(follows, tuple(words), tuple(redirects)))
                follows = ";" if token in ("\n", "&") else token
            words, redirects = [], []
    if words:
        commands.append(Simple(follows, tuple(words), tuple(redirects)))
    elif follows in ("&&", "||", "|"):
        raise ShellError("syntax error: unexpected end of file")
    return commands


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    position, end = 0, len(text.rstrip())
    while position < end:
        found = _TOKEN.match(text, position)
        if not found or not found.lastgroup:
            raise ShellError("syntax error: unterminated quoted string")
        yield found.lastgroup, found[found.lastgroup]
        position = found.end()


def expand(word: str, value_of: Callable[[str], str]) -> str:
    """One word with its quotes taken off and its variables put in."""
    made = []
    for piece in _PIECE.finditer(word):
        if piece.lastgroup == "plain":
            made.append(piece["plain"])
        else:
            text = piece[piece.lastgroup or "bare"]
            made.append(_VARIABLE.sub(lambda found: _replace(found, value_of), text))
    return "".join(made)


def _replace(found: re.Match[str], value_of: Callable[[str], str]) -> str:
    if found["escaped"] is not None:
        return found["escaped"]
    return value_of(found["braced"] or found["name"])
