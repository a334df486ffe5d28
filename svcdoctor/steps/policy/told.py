"""What a finding says in one sentence, by the mistake that it names."""

from collections.abc import Callable, Sequence

from ...model.diagnosis import Rule
from ...network.netpol import Direction, Lack, Near
from ..words import count, some
from .fixes import meant
from .passages import Refusal
from .routes import Purpose
from .rules import (
    NP_AND_OR,
    NP_CLUSTERIP_CIDR,
    NP_DEFAULT_DENY,
    NP_DNS_EGRESS,
    NP_DNS_REALPORT,
    NP_NAMED_PORT,
    NP_NS_UNLABELLED,
    NP_SERVICE_PORT,
    NP_TIER_DENY,
)
from .wording import end, lacks, policies
from .world import World

Teller = Callable[[World, Sequence[Refusal], str], str]


def told(world: World, rule: Rule, refusals: Sequence[Refusal], who: str) -> str:
    """The sentence; ``who`` are the ones that are refused, ``Pod shop/client`` or ``nobody``."""
    return TELLERS.get(rule.name, _peers)(world, refusals, who)


def target(refusals: Sequence[Refusal]) -> str:
    """What cannot be reached: the endpoints, or the name servers."""
    asked = [refusal.passage.route.question for refusal in refusals]
    places = {r.passage.route.place.address for r in refusals}
    what = "name server" if refusals[0].purpose is Purpose.DNS else "endpoint"
    protocols = " and ".join(sorted({question.protocol for question in asked}, reverse=True))
    return f"{count(len(places), what)} on port {some(sorted({q.port for q in asked}))} ({protocols})"


def _near(refusals: Sequence[Refusal]) -> Near | None:
    return next((r.ruling.nearest for r in refusals if r.ruling.nearest), None)


def _default_deny(world: World, refusals: Sequence[Refusal], who: str) -> str:
    first = refusals[0]
    isolating = policies(dict.fromkeys(ref for r in refusals for ref in r.ruling.isolating))
    if first.direction is Direction.EGRESS:
        subject = end(first.passage.route.question.source)
        return f"{isolating} isolates {subject} for egress, and no rule lets it out to {target(refusals)}"
    pods = len({r.passage.route.place.address for r in refusals})
    behind = f"{isolating} isolates {count(pods, 'pod')} behind the Service"
    return f"{behind}, and no rule lets {_who(who)} in on port {_port(first)}"


def _who(who: str) -> str:
    return "anybody" if who == "nobody" else who


def _port(refusal: Refusal) -> str:
    question = refusal.passage.route.question
    return f"{question.port}/{question.protocol}"


def _peers(world: World, refusals: Sequence[Refusal], who: str) -> str:
    near, first = _near(refusals), refusals[0]
    if near is None:
        return _default_deny(world, refusals, who)
    inwards = first.direction is Direction.INGRESS
    way = f"lets others in, not {_who(who)}" if inwards else f"lets {who} out to others, not there"
    return f"{near.rule.policy} {way}: {lacks(near.misses)}"


def _unlabelled(world: World, refusals: Sequence[Refusal], who: str) -> str:
    dead = meant(world, refusals)
    if dead:
        return (
            f"{dead[0].rule.policy} selects namespace {some(dead[0].meant)} by {dead[0].spoken}, "
            "a label that no namespace has"
        )
    near = _near(refusals)
    missing = [miss for miss in near.misses if miss.lack is Lack.NAMESPACE_UNLABELLED] if near else []
    if near is None or not missing:
        return _peers(world, refusals, who)
    return f"{near.rule.policy} {lacks(missing)}"


def _and_or(world: World, refusals: Sequence[Refusal], who: str) -> str:
    near = _near(refusals)
    if near is None:
        return _peers(world, refusals, who)
    return (
        f"{near.rule.policy} has a namespaceSelector and a podSelector in one item, so both must hold: "
        f"{lacks(near.misses)}"
    )


def _ports(world: World, refusals: Sequence[Refusal], who: str) -> str:
    near = _near(refusals)
    if near is None:
        return _default_deny(world, refusals, who)
    return f"a rule of {near.rule.policy} {lacks(near.misses)}"


def _dns(world: World, refusals: Sequence[Refusal], who: str) -> str:
    protocols = sorted({r.passage.route.question.protocol for r in refusals}, reverse=True)
    isolating = policies(dict.fromkeys(ref for r in refusals for ref in r.ruling.isolating))
    names = "names don't resolve" if "UDP" in protocols else "answers too long for UDP fail"
    return f"{isolating} isolates {who} for egress, and no rule lets it ask {target(refusals)}: {names}"


def _realport(world: World, refusals: Sequence[Refusal], who: str) -> str:
    first = refusals[0].passage.route
    if first.node_local:
        return (
            f"port 53 of the DNS pods is allowed, but {who} asks {first.place.address}, the cache of its node, "
            "which no podSelector matches"
        )
    return f"port 53 is allowed, but the DNS pods listen on {first.question.port}: no rule lets {who} ask them"


def _tier(world: World, refusals: Sequence[Refusal], who: str) -> str:
    first = refusals[0]
    rule = first.ruling.rule
    named = f" ({rule.name})" if rule and rule.name else ""
    what = f"{rule.policy} denies it in {rule.path}{named}" if rule else "a cluster-wide policy denies it"
    if who == "nobody":
        return f"{what}: nobody reaches {target(refusals)}, whatever NetworkPolicies allow"
    return f"{what}: {who} can't reach {target(refusals)}, whatever NetworkPolicies allow"


TELLERS: dict[str, Teller] = {
    NP_DEFAULT_DENY.name: _default_deny,
    NP_NS_UNLABELLED.name: _unlabelled,
    NP_AND_OR.name: _and_or,
    NP_SERVICE_PORT.name: _ports,
    NP_NAMED_PORT.name: _ports,
    NP_CLUSTERIP_CIDR.name: _ports,
    NP_DNS_EGRESS.name: _dns,
    NP_DNS_REALPORT.name: _realport,
    NP_TIER_DENY.name: _tier,
}
