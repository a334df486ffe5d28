"""A server block as one function: its plugins, each asking the next (coredns plugin/plugin.go)."""

from collections.abc import Callable, Iterator

from dns.name import Name

from . import cache, forward, hosts, kubernetes, rewrite, template
from .corefile import Block, Directive
from .kubernetes_options import options
from .message import FAILURE, Next, Plugin, Question, Reply
from .plugin_order import ORDER
from .world import World

Build = Callable[[Directive, Block, World], Plugin]

BUILDERS: dict[str, Build] = {
    "loadbalance": cache.loadbalance,
    "cache": cache.build,
    "template": template.build,
    "hosts": hosts.build,
    "kubernetes": kubernetes.build,
    "forward": forward.build,
}
"""What can change an answer here. Every other plugin of CoreDNS is let through."""
ONCE = ("kubernetes", "hosts", "cache")


def build(block: Block, world: World) -> Next:
    """Raises CorefileError."""
    chain: Next = _end
    for plugin in reversed(list(_plugins(block, world))):
        chain = _before(plugin, chain)
    return chain


def cluster_zones(block: Block) -> Iterator[Name]:
    """What the kubernetes plugin is there for."""
    for directive in block.directives:
        if directive.name == "kubernetes":
            yield from options(directive, block).zones


def _plugins(block: Block, world: World) -> Iterator[Plugin]:
    for name in ORDER:
        stanzas = [directive for directive in block.directives if directive.name == name]
        if name in ONCE and len(stanzas) > 1:
            raise stanzas[1].error(f"plugin/{name}: this plugin can only be used once per Server Block")
        if name == "rewrite" and stanzas:
            yield rewrite.build(stanzas, block, world)
        elif name in BUILDERS:
            yield from (BUILDERS[name](stanza, block, world) for stanza in stanzas)


def _before(plugin: Plugin, following: Next) -> Next:
    return lambda question: plugin(question, following)


def _end(question: Question) -> Reply:
    """ "no next plugin found"."""
    return FAILURE
