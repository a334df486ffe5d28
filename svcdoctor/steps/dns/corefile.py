"""A Corefile: which server blocks there are, and which directives stand in them.

The grammar is that of CoreDNS's fork of Caddy 1 (caddyfile/parse.go): addresses, then a block of directives, each up to
the end of its line or of its braces; snippets ``(name) { ... }`` and ``import name``. Files that are imported stand on
the server's disk: they are kept as `Import`, not seen. Which directives CoreDNS knows depends on how it was built, so
an unknown one is no error here.
"""

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from .tokens import BadCorefile, Token, tokens
from .zone_keys import Key, keys

MOST_IMPORTS = 1000
"""Snippets that CoreDNS expands before it gives up (maxSnippetExpansions)."""

MOST_TOKENS = 200_000
"""What those may amount to here; a ConfigMap holds one MiB."""

DEEPEST = 50
"""Blocks within blocks; no plugin has more than two."""


class Directive(Struct, frozen=True):
    """One line of a block with what its braces hold: a plugin, or an option of one."""

    name: str
    args: tuple[str, ...] = ()
    block: tuple["Directive", ...] = ()
    line: int = 0

    def options(self, name: str) -> tuple["Directive", ...]:
        return tuple(option for option in self.block if option.name == name)

    def __str__(self) -> str:
        return " ".join((self.name, *self.args))


class Import(Struct, frozen=True):
    """A file or glob that is imported from the server's disk; what it holds is not known."""

    pattern: str
    line: int


class ServerBlock(Struct, frozen=True):
    """The zones that are served alike, and by which plugins."""

    keys: tuple[Key, ...]
    directives: tuple[Directive, ...]
    imports: tuple[Import, ...]
    line: int

    def plugin(self, name: str) -> tuple[Directive, ...]:
        return tuple(directive for directive in self.directives if directive.name == name)

    @property
    def zones(self) -> tuple[str, ...]:
        return tuple(key.zone for key in self.keys)


class Corefile(Struct, frozen=True):
    """All server blocks in their order; ``imports`` are those outside of any block, which may add blocks."""

    blocks: tuple[ServerBlock, ...]
    imports: tuple[Import, ...] = ()

    @property
    def port(self) -> int:
        """Where cluster names are served: the port of the first block that has the kubernetes plugin."""
        ported = [key.port for block in self.blocks for key in block.keys if block.plugin("kubernetes")]
        others = [key.port for block in self.blocks for key in block.keys]
        return next(iter([*ported, *others]), 53)


def parse(text: str, source: str = "Corefile") -> Corefile:
    """Read a Corefile. Raises BadCorefile, and nothing else, for what CoreDNS would refuse to load."""
    return _Parser(list(tokens(text, source)), source).corefile()


class _Parser:
    """One pass over the words, into which snippets are spliced as they are imported."""

    def __init__(self, words: list[Token], source: str) -> None:
        self.words = words
        self.source = source
        self.place = 0
        self.snippets: dict[str, list[Token]] = {}
        self.depth = 0
        self.expanded = 0
        self.unseen: list[Import] = []
        self.served: dict[tuple[str, str, int], int] = {}

    def corefile(self) -> Corefile:
        blocks: list[ServerBlock] = []
        outside: list[Import] = []
        while self.place < len(self.words):
            self.unseen = []
            block = self._block()
            if block is None:
                outside += self.unseen
            else:
                blocks.append(block)
        return Corefile(tuple(blocks), tuple(outside))

    # ------------------------------------------------------------------------------------------------------- addresses

    def _block(self) -> ServerBlock | None:
        """The next server block; None where a snippet or the import of a file stood instead."""
        line = self.words[self.place].line
        named = self._addresses()
        if not named:
            if self.place < len(self.words) and self.words[self.place].opens():
                raise self._error("a block without a zone")
            return None
        braced = self.place < len(self.words) and self.words[self.place].opens()
        if len(named) == 1 and named[0].text.startswith("(") and named[0].text.endswith(")"):
            self._snippet(named[0].text[1:-1], braced)
            return None
        self.place += braced
        outside, self.unseen = self.unseen, []
        directives = tuple(self._directives(braced))
        block = ServerBlock(self._keys(named, directives), directives, tuple(self.unseen), line)
        self.unseen = outside
        return block

    def _addresses(self) -> list[Token]:
        """The keys of a block: a line of words, which goes on after a comma. An import may stand for them."""
        named: list[Token] = []
        more = False
        while self.place < len(self.words):
            word = self.words[self.place]
            if word.opens():
                if more:
                    raise self._error("a comma promises another zone, but a block begins")
                break
            if word.first and named and not more:
                break
            if word.text == "import" and word.first:
                self._import()
                if not named:
                    return named
                continue
            self.place += 1
            if len(word.text) > 1 and word.text.endswith("{") and not word.quoted:
                self.words.insert(self.place, Token("{", word.line, False))
                word = Token(word.text[:-1], word.line, word.first)
            more = word.text.endswith(",")
            if text := word.text.removesuffix(","):
                named.append(Token(text, word.line, word.first))
        if more and self.place >= len(self.words):
            raise self._error("a comma promises another zone, but the file ends")
        return named

    def _keys(self, named: Sequence[Token], directives: Iterable[Directive]) -> tuple[Key, ...]:
        found: list[Key] = []
        for word in named:
            try:
                found += keys(word.text)
            except ValueError as error:
                raise BadCorefile(self.source, word.line, str(error)) from None
        if not any(directive.name in ("bind", "view") for directive in directives):
            for key in found:
                place = (key.transport, key.zone, key.port)
                if key.known and self.served.setdefault(place, id(named)) != id(named):
                    raise BadCorefile(self.source, named[0].line, f"{key} is served by another block already")
        return tuple(found)

    # ------------------------------------------------------------------------------------------------------ directives

    def _directives(self, braced: bool) -> Iterator[Directive]:
        opened = self.words[self.place - 1].line
        while self.place < len(self.words):
            word = self.words[self.place]
            if word.closes():  # Caddy takes a stray one for the end, too
                self.place += 1
                return
            if word.text == "import" and not word.quoted:
                self._import()
            else:
                yield self._directive()
        if braced:
            raise self._error("a block is never closed", opened)

    def _directive(self) -> Directive:
        """A line, and the block that its braces hold; options within follow the same rule."""
        name = self.words[self.place]
        if name.text.endswith("{") and not name.quoted:
            raise self._error("a brace opens where the name of a plugin or an option should stand alone")
        self.place += 1
        args: list[str] = []
        inner: tuple[Directive, ...] = ()
        while self.place < len(self.words):
            word = self.words[self.place]
            if word.opens():
                inner += self._nested()
            elif word.first:
                break
            elif word.closes():
                raise self._error("a closing brace needs a line of its own")
            else:
                args.append(word.text)
                self.place += 1
        return Directive(name.text, tuple(args), inner, name.line)

    def _nested(self) -> tuple[Directive, ...]:
        self.place += 1
        self.depth += 1
        if self.depth > DEEPEST:
            raise self._error(f"more than {DEEPEST} blocks within each other")
        inner = tuple(self._directives(True))
        self.depth -= 1
        return inner

    # --------------------------------------------------------------------------------------------- snippets and imports

    def _snippet(self, name: str, braced: bool) -> None:
        if not braced:
            raise self._error(f"snippet ({name}) has no braces")
        if name in self.snippets:
            raise self._error(f"snippet ({name}) is declared twice")
        start, depth = self.place + 1, 0
        while self.place < len(self.words):
            word = self.words[self.place]
            depth += word.opens() - word.closes()
            self.place += 1
            if depth == 0:
                body = self.words[start : self.place - 1]
                self.snippets[name] = [Token(w.text, w.line, w.first or w is body[0], w.quoted) for w in body]
                return
        raise self._error(f"snippet ({name}) is never closed", self.words[start - 1].line)

    def _import(self) -> None:
        """Replace ``import NAME`` by the snippet, or keep in mind that a file was not seen."""
        line = self.words[self.place].line
        rest = self.words[self.place + 1 : self.place + 3]
        if not rest or rest[0].first or not rest[0].text or rest[0].closes():
            raise self._error("import of nothing", line)
        if len(rest) == 2 and not rest[1].first:
            raise self._error("import takes one name", line)
        body = self.snippets.get(rest[0].text)
        if body is None:
            self.unseen.append(Import(rest[0].text, line))
        self.expanded += 1
        if self.expanded > MOST_IMPORTS or len(self.words) + len(body or ()) > MOST_TOKENS:
            raise self._error("snippets import each other without end", line)
        self.words[self.place : self.place + 2] = body or ()

    def _error(self, why: str, line: int = 0) -> BadCorefile:
        last = self.words[min(self.place, len(self.words) - 1)]
        return BadCorefile(self.source, line or last.line, why)
