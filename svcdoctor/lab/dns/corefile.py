"""A Corefile's text: server blocks, their zones, and the directives in them (Caddy's grammar, coredns corefile(5)).

What a directive means is each plugin's own business.
"""

from collections.abc import Iterator, Sequence

from dns.name import Name
from msgspec import Struct

from . import zones
from .plugin_order import ORDER
from .tokens import CorefileError, Token, tokens


class Directive(Struct, frozen=True):
    """One plugin's stanza: the words after its name, and the lines between its braces."""

    name: str
    args: tuple[str, ...]
    body: tuple[tuple[str, ...], ...]
    line: int

    def error(self, problem: str) -> CorefileError:
        return CorefileError(self.line, problem)


class Block(Struct, frozen=True):
    """One server block: what it serves, and with what."""

    keys: tuple[tuple[Name, int], ...]
    directives: tuple[Directive, ...]

    @property
    def zones(self) -> tuple[Name, ...]:
        return tuple(zone for zone, _ in self.keys)


def parse(text: str) -> tuple[Block, ...]:
    """Raises CorefileError."""
    reader = _Reader(list(tokens(text)))
    blocks = tuple(reader.blocks())
    seen: set[tuple[Name, int]] = set()
    for block in blocks:
        for key in block.keys:
            if key in seen:
                raise CorefileError(1, f"cannot serve dns://{key[0]}:{key[1]} - it is already defined")
            seen.add(key)
    return blocks


class _Reader:
    """Tokens to blocks; snippets are put where they are imported."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._snippets: dict[str, tuple[Directive, ...]] = {}

    def blocks(self) -> Iterator[Block]:
        while self._peek() is not None:
            keys = self._keys()
            braced = self._skip("{")
            directives = tuple(self._directives(braced))
            name = keys[0].text
            if len(keys) == 1 and name.startswith("(") and name.endswith(")"):
                self._snippets[name[1:-1]] = directives
            elif name == "import":
                raise CorefileError(keys[0].line, f"File to import not found: {' '.join(key.text for key in keys[1:])}")
            else:
                yield Block(tuple(pair for key in keys for pair in zones.key(key.text, key.line)), directives)

    def _keys(self) -> list[Token]:
        found: list[Token] = []
        more = True
        while (token := self._peek()) is not None and token.text != "{" and (more or token.line == found[-1].line):
            if token.text == "}":
                raise CorefileError(token.line, "Unexpected '}' because no matching opening brace")
            self._at += 1
            more = token.text.endswith(",")
            for part in filter(None, token.text.split(",")):
                found.append(Token(part, token.line))
        if not found:
            raise CorefileError(token.line if token else 1, "expected a server block key")
        return found

    def _directives(self, braced: bool) -> Iterator[Directive]:
        while (token := self._peek()) is not None and token.text != "}":
            directive = self._directive()
            if directive.name == "import":
                yield from self._imported(directive)
            else:
                yield directive
        if braced and not self._skip("}"):
            raise CorefileError(self._last_line(), "Unexpected EOF")
        if not braced and self._peek() is not None:
            raise CorefileError(self._last_line(), "Unexpected '}' because no matching opening brace")

    def _directive(self) -> Directive:
        name, *args = self._line()
        if name.text not in ORDER and name.text != "import":
            raise CorefileError(name.line, f"Unknown directive '{name.text}'")
        body: tuple[tuple[str, ...], ...] = ()
        if args and args[-1].text == "{":
            args.pop()
            body = tuple(self._body(name.line))
        if any(arg.text == "{" for arg in args):
            raise CorefileError(name.line, "Unexpected token '{', expecting the end of the line after it")
        return Directive(name.text, tuple(arg.text for arg in args), body, name.line)

    def _body(self, opened: int) -> Iterator[tuple[str, ...]]:
        depth = 1
        while self._peek() is not None:
            line = [token.text for token in self._line()]
            depth += line.count("{") - line.count("}")
            if depth <= 0:
                if line[:-1]:
                    yield tuple(line[:-1])
                return
            yield tuple(line)
        raise CorefileError(opened, "Unexpected EOF")

    def _imported(self, directive: Directive) -> Sequence[Directive]:
        name = directive.args[0] if directive.args else ""
        if name in self._snippets:
            return self._snippets[name]
        if "*" in name:
            return ()  # CoreDNS warns of a pattern that fits no file, and goes on
        raise directive.error(f"File to import not found: {name}")

    def _line(self) -> list[Token]:
        first = self._tokens[self._at]
        found: list[Token] = []
        while (token := self._peek()) is not None and token.line == first.line and (not found or token.text != "}"):
            found.append(token)
            self._at += 1
        return found

    def _peek(self) -> Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _skip(self, text: str) -> bool:
        token = self._peek()
        if token is None or token.text != text:
            return False
        self._at += 1
        return True

    def _last_line(self) -> int:
        return self._tokens[min(self._at, len(self._tokens) - 1)].line
