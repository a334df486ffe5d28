"""The tiers of cluster-wide policies: ordered rules, of which the first that matches decides or passes on."""

from collections.abc import Sequence

from msgspec import Struct, structs

from ...model.policy import ClusterPolicy
from .attempts import Attempt, attempt
from .compiled import Compiled
from .opinions import DOUBTS, UNDECIDED, Opinion, Outcome, of
from .peers import Unknown
from .question import Question
from .rules import CompiledRule, selection
from .sides import Side
from .verdict import Basis, Caveat, Direction

ACTIONS = {"Accept": Outcome.ACCEPT, "Allow": Outcome.ACCEPT, "Deny": Outcome.DENY, "Pass": Outcome.NEXT}


class _Said(Struct, frozen=True):
    """What a policy may say; ``silent`` if it may also say nothing."""

    opinions: tuple[Opinion, ...] = ()
    silent: bool = True


def cluster_tier(
    compiled: Compiled, tier: Basis, direction: Direction, ends: tuple[Side, Side], question: Question
) -> tuple[Opinion, ...]:
    """The opinions of the Admin or the Baseline tier on the egress of the source or the ingress of the destination.

    A tier in which no rule matches leaves the packet to the next one. Pods on the host's network are nobody's subject.
    """
    subject = ends[0] if direction is Direction.EGRESS else ends[1]
    if subject.host_network:
        return (UNDECIDED,)
    opinions: list[Opinion] = []
    for group in compiled.tier(tier):
        said = _group([_policy(compiled, policy, tier, direction, ends, question) for policy in group])
        opinions += said.opinions
        if not said.silent:
            return tuple(opinions)
    return (*opinions, UNDECIDED)


def _group(said: Sequence[_Said]) -> _Said:
    """Policies of one priority: an implementation may apply any of those that match."""
    speaking = [each for each in said if each.opinions]
    if len(speaking) < 2:
        return speaking[0] if speaking else _Said()
    opinions = tuple(opinion for each in speaking for opinion in each.opinions)
    if len({opinion.outcome for opinion in opinions}) > 1:
        opinions = tuple(_with(opinion, Caveat.EQUAL_PRIORITY) for opinion in opinions)
    return _Said(opinions, all(each.silent for each in speaking))


def _policy(
    compiled: Compiled,
    policy: ClusterPolicy,
    tier: Basis,
    direction: Direction,
    ends: tuple[Side, Side],
    question: Question,
) -> _Said:
    subject, peer = ends if direction is Direction.EGRESS else ends[::-1]
    governed = selection(policy.spec.subject) or Unknown()
    doubts = governed.misses(subject, question)
    if any(not miss.doubt for miss in doubts):
        return _Said()
    opinions: list[Opinion] = []
    silent = True
    for rule in compiled.rules(policy, direction):
        tried = attempt(rule, peer, ends[1], question)
        if tried.may_match:
            opinions += _opinions(tried, tier, peer)
        if tried.matches and not (_unclear(rule) and ACTIONS.get(rule.ref.action) is Outcome.ACCEPT):
            silent = bool(doubts)
            break
    caveats = tuple(DOUBTS[miss.lack] for miss in doubts)
    return _Said(tuple(_with(opinion, *caveats) for opinion in opinions), silent)


def _opinions(tried: Attempt, tier: Basis, peer: Side) -> list[Opinion]:
    """What a rule that matches or may match does to the packet."""
    outcome = ACTIONS.get(tried.rule.ref.action)
    if outcome is None:
        both = (of(tried, either, tier, peer) for either in (Outcome.ACCEPT, Outcome.DENY))
        return [_with(opinion, Caveat.NOT_UNDERSTOOD) for opinion in both]
    opinions = [of(tried, outcome, tier, peer)]
    if _unclear(tried.rule):
        # an implementation that fails closed takes a Deny or Pass rule with such a peer for "deny everything"
        closed = () if outcome is Outcome.ACCEPT else (of(tried, Outcome.DENY, tier, peer),)
        return [_with(opinion, Caveat.NOT_UNDERSTOOD) for opinion in (*opinions, *closed)]
    return opinions


def _unclear(rule: CompiledRule) -> bool:
    """One of the peers is of a kind that is not known: who fails closed then takes an Accept rule for none at all."""
    return any(isinstance(peer, Unknown) for peer in rule.peers or ())


def _with(opinion: Opinion, *caveats: Caveat) -> Opinion:
    return structs.replace(opinion, caveats=tuple(dict.fromkeys(opinion.caveats + caveats)))
