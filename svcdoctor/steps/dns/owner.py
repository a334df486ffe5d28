"""Who answers a name: the server block that is the longest match, and the plugins that the question reaches in it.

The order of plugins in the file means nothing: it is compiled in. A plugin that nobody knows here is custom: it may
answer differently, which is a doubt, never an error.
"""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from . import names
from .answer import Expected
from .claims import MEDDLING, ORDER, SILENT, Claim
from .corefile import Corefile, Directive, ServerBlock
from .rewrite import apply
from .zone_keys import Key


class Owner(Struct, frozen=True):
    """A plugin that may answer, and the question as it reaches it."""

    plugin: str
    directive: Directive
    zone: str  # of the plugin, or of its block
    served: tuple[str, ...]  # the zones of its block
    name: str  # after rewrites
    type: str
    final: bool  # False: what it does not have goes to the next
    why: str = ""
    doubt: str = ""
    answer: Expected | None = None  # where the Corefile holds it

    def __str__(self) -> str:
        return f"{self.directive} (line {self.directive.line})"


class Route(Struct, frozen=True):
    """The way of one question through a Corefile."""

    block: ServerBlock | None  # None: no block serves the name, REFUSED
    owners: tuple[Owner, ...] = ()  # in the order in which they are asked; none: SERVFAIL
    changes: tuple[str, ...] = ()  # rewrites, in words
    doubts: tuple[str, ...] = ()  # in words: why it may go another way

    @property
    def owner(self) -> Owner | None:
        """The plugin that is asked first."""
        return self.owners[0] if self.owners else None


def route(corefile: Corefile, name: str, type: str = "A", port: int | None = None) -> Route:
    """Who answers ``name`` on the server's ``port``, by default the one where cluster names are served."""
    name = names.absolute(name)
    doubts = [f"what line {i.line} imports ({i.pattern}) may serve other zones" for i in corefile.imports]
    keyed = [(key, block) for block in corefile.blocks for key in block.keys]
    listening = [(key, block) for key, block in keyed if key.transport == "dns" and key.port == (port or corefile.port)]
    doubts += [f"the zone {key} depends on the server's environment" for key, _ in listening if not key.known]
    block = _longest(listening, name)
    if block is None:
        return Route(None, doubts=tuple(doubts))
    if block.plugin("view"):
        others = [(key, other) for key, other in listening if other is not block]
        doubts += ["other blocks serve the name for other clients"] if _longest(others, name) else []
    doubts += [f"what line {i.line} imports ({i.pattern}) was not seen" for i in block.imports]
    doubts += [MEDDLING[directive.name] for directive in block.directives if directive.name in MEDDLING]
    custom = [d for d in block.directives if d.name not in ORDER and d.name not in SILENT and d.name not in MEDDLING]
    doubts += [f"{d.name} (line {d.line}) is custom: answers may differ" for d in custom]
    rewritten = apply(block.plugin("rewrite"), name, type)
    owners = tuple(_owners(block, rewritten.name, rewritten.type, name))
    return Route(block, owners, rewritten.changes, (*doubts, *rewritten.doubts))


def _longest(keyed: Sequence[tuple[Key, ServerBlock]], name: str) -> ServerBlock | None:
    zone = names.longest(tuple(key.zone for key, _ in keyed), name)
    return next((block for key, block in keyed if key.zone == zone), None)


def _owners(block: ServerBlock, name: str, type: str, asked: str) -> Iterator[Owner]:
    """The plugins that the question reaches, up to the first that ends it."""
    early = ("local", "any")  # before rewrite
    for plugin, read in ORDER.items():
        for directive in block.plugin(plugin):
            reached = asked if plugin in early else name
            claim: Claim = read(directive, block.zones, reached, type)
            if claim.takes:
                zone = claim.zone or names.longest(block.zones, asked)
                place = (plugin, directive, zone, block.zones, reached, type)
                yield Owner(*place, not claim.passes, claim.why, claim.doubt, claim.answer)
            if not claim.passes:
                return
