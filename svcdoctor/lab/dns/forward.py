"""The forward plugin: what lies outside is asked of others (coredns plugin/forward)."""

from dns.name import Name
from dns.rcode import Rcode
from msgspec import Struct

from .corefile import Block, Directive
from .message import FAILURE, Next, Question, Reply
from .tokens import number
from .world import World
from .zones import zones

MOST_TARGETS = 15


class Forward(Struct, frozen=True):
    """One stanza; ``most`` is max_concurrent, 0 for no bound."""

    source: Name
    targets: tuple[str, ...]
    spared: tuple[Name, ...]
    most: int
    world: World

    def __call__(self, question: Question, following: Next) -> Reply:
        name = question.name
        if not name.is_subdomain(self.source) or any(name.is_subdomain(zone) for zone in self.spared):
            return following(question)
        behaviour = self.world.behaviour
        if self.most and behaviour.in_flight >= self.most:
            return Reply(Rcode.REFUSED)
        reply = None if self.dead(behaviour.dead_upstreams) else self.world.upstream(question)
        if reply is None:
            self.world.wait(behaviour.upstream_seconds)
            return FAILURE
        return reply

    def dead(self, addresses: frozenset[str]) -> bool:
        return all(host(target) in addresses for target in self.targets)


def host(target: str) -> str:
    """``dns://10.0.0.1:5353`` -> ``10.0.0.1``: a target without its scheme and port."""
    bare = target.rpartition("://")[2]
    if bare.startswith("["):
        return bare[1:].partition("]")[0]
    return bare.partition(":")[0] if bare.count(":") == 1 else bare


def build(directive: Directive, block: Block, world: World) -> Forward:
    """Raises CorefileError."""
    source, *targets = directive.args or ("",)
    if not targets:
        raise directive.error("Wrong argument count or unexpected line ending after 'forward'")
    if len(targets) > MOST_TARGETS:
        raise directive.error(f"more than {MOST_TARGETS} TOs configured: {len(targets)}")
    options = {word: tuple(args) for word, *args in directive.body}
    given = " ".join(options.get("max_concurrent", ("0",)))
    most = number(given)
    if most is None:
        raise directive.error(f"max_concurrent must be a number: {given}")
    spared = zones(options.get("except", ()), directive.line)
    return Forward(zones([source], directive.line)[0], tuple(targets), spared, most, world)
