"""Changes of NetworkPolicies that may let a denied packet pass: one rule made wider, or one policy more."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

import msgspec
from msgspec import Struct, structs

from ...model.meta import LabelSelector, ObjectMeta
from ...model.policy import (
    NetworkPolicy,
    NetworkPolicyEgressRule,
    NetworkPolicyIngressRule,
    NetworkPolicyPeer,
    NetworkPolicyPort,
    NetworkPolicySpec,
)
from . import defaults
from .compiled import Compiled
from .identity import peer, subject_labels, word
from .manifest import Json, manifest, written
from .question import Question
from .rules import reference
from .selectors import Selector
from .sides import Side
from .verdict import Direction, Lack, Near, PolicyRef, RuleRef, Ruling

T = TypeVar("T")

OF_PORTS = (
    Lack.PROTOCOL,
    Lack.PORT,
    Lack.SERVICE_PORT,
    Lack.NAMED_PORT_ABSENT,
    Lack.NAMED_PORT_NUMBER,
    Lack.NAMED_PORT_PROTOCOL,
)


class Denial(Struct, frozen=True):
    """A question that NetworkPolicies answer with no in one direction."""

    question: Question
    subject: Side
    peer: Side
    ruling: Ruling


class Change(Struct, frozen=True):
    """A NetworkPolicy as it should be."""

    policy: NetworkPolicy
    rule: RuleRef | None = None  # of the policy that exists, which was made wider; None for a new policy
    patch: tuple[Json, ...] = ()  # for the policy that exists, as JSON Patch (RFC 6902)

    @property
    def manifest(self) -> Json:
        """The whole policy, ready to be applied."""
        return manifest(self.policy)


def widen(compiled: Compiled, direction: Direction, denials: Sequence[Denial]) -> Iterator[Change]:
    """The rule that came nearest with one peer or one port more, if that is all it lacks."""
    near = denials[0].ruling.nearest
    if near is None or near.rule.policy.kind != "NetworkPolicy":
        return
    policy = next((p for p in compiled.policies if reference(p) == near.rule.policy), None)
    if not isinstance(policy, NetworkPolicy):
        return
    field, wanted = _addition(direction, denials, near)
    if wanted:
        yield Change(_with(policy, near.rule, field, wanted), near.rule, _patch(near.rule, field, wanted))


def allow(compiled: Compiled, direction: Direction, namespace: str, denials: Sequence[Denial]) -> Iterator[Change]:
    """A policy more, for just these ends and ports; its pods by their labels, else as an isolating policy has them."""
    peers, ports = _peers(direction, denials), _ports(denials)
    if not peers:
        return
    for selector in _subjects(compiled, direction, namespace, denials):
        name = _free_name(compiled, namespace, _name(direction, denials[0]))
        spec = NetworkPolicySpec(selector, policy_types=(direction.policy_type,))
        if direction is Direction.INGRESS:
            spec = structs.replace(spec, ingress=(NetworkPolicyIngressRule(peers, ports),))
        else:
            spec = structs.replace(spec, egress=(NetworkPolicyEgressRule(peers, ports),))
        yield Change(NetworkPolicy(ObjectMeta(name, namespace), spec))


# --------------------------------------------------------------------------------------------------------------- wider


def _addition(direction: Direction, denials: Sequence[Denial], near: Near) -> tuple[str, tuple[Any, ...]]:
    """The field of the rule that lacks something, and the items that it lacks; none if it lacks more than that."""
    if len(near.misses) != 1 or near.misses[0].lack is Lack.NOT_UNDERSTOOD:
        return "", ()
    if near.misses[0].lack in OF_PORTS:
        return "ports", _ports(denials)
    return "peers", _peers(direction, denials)


def _with(policy: NetworkPolicy, at: RuleRef, field: str, items: tuple[Any, ...]) -> NetworkPolicy:
    rules = list(defaults.rules(policy, at.direction))
    rule = rules[at.index]
    rules[at.index] = structs.replace(rule, **{field: (*(getattr(rule, field) or ()), *items)})
    return structs.replace(policy, spec=structs.replace(policy.spec, **{at.direction.value: tuple(rules)}))


def _patch(at: RuleRef, field: str, items: tuple[Any, ...]) -> tuple[Json, ...]:
    path = f"/spec/{at.direction}/{at.index}/{at.direction.peers if field == 'peers' else field}/-"
    return tuple({"op": "add", "path": path, "value": written(msgspec.to_builtins(item))} for item in items)


# ---------------------------------------------------------------------------------------------------------------- more


def _peers(direction: Direction, denials: Sequence[Denial]) -> tuple[NetworkPolicyPeer, ...]:
    """The peers of all denials; none if one of them cannot be named."""
    found = [peer(direction, each.peer, each.subject.namespace, each.question) for each in denials]
    return () if None in found else tuple(_distinct(each for each in found if each))


def _ports(denials: Sequence[Denial]) -> tuple[NetworkPolicyPort, ...]:
    return tuple(_distinct(NetworkPolicyPort(each.question.protocol, each.question.port) for each in denials))


def _distinct(items: Iterable[T]) -> list[T]:
    found: list[T] = []
    for item in items:
        if item not in found:
            found.append(item)
    return found


def _subjects(
    compiled: Compiled, direction: Direction, namespace: str, denials: Sequence[Denial]
) -> Iterator[LabelSelector]:
    """Selectors of all the subjects that isolate nobody anew."""
    labels = subject_labels(direction, (denial.subject for denial in denials), denials[0].question)
    by_labels = LabelSelector(match_labels=labels)
    if _isolates_nobody_anew(compiled, direction, namespace, by_labels):
        yield by_labels
    for policy in compiled.policies:
        if isinstance(policy, NetworkPolicy) and reference(policy) in denials[0].ruling.isolating:
            yield policy.spec.pod_selector
            return


def _isolates_nobody_anew(compiled: Compiled, direction: Direction, namespace: str, selector: LabelSelector) -> bool:
    ready = Selector.of(selector)
    return all(
        compiled.selects(namespace, pod.labels, direction).surely
        for pod in compiled.cluster.pods_in(namespace)
        if ready.holds(pod.labels)
    )


def _name(direction: Direction, denial: Denial) -> str:
    preposition = "from" if direction is Direction.INGRESS else "to"
    return f"allow-{word(denial.subject)}-{preposition}-{word(denial.peer)}"


def _free_name(compiled: Compiled, namespace: str, name: str) -> str:
    taken = {reference(policy) for policy in compiled.policies}
    number = 1
    while PolicyRef("NetworkPolicy", namespace, name if number == 1 else f"{name}-{number}") in taken:
        number += 1
    return name if number == 1 else f"{name}-{number}"
