"""A rule before the one that denies in a cluster-wide policy: the smallest change for an administrator."""

import shlex
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from ...model.diagnosis import Fix
from ...model.policy import NAME_LABEL, ClusterNetworkPolicy, Policy
from ...network.netpol import AnyPod, AtPod, Basis, Direction, End, Question, RuleRef, evaluate, with_policy
from ...network.netpol.identity import naming_labels
from .passages import Refusal
from .rules import NP_TIER_DENY
from .world import World

Json = dict[str, Any]


def tier_fix(world: World, refusals: Sequence[Refusal]) -> Fix:
    """The first rule that helps, evaluated; in words only where none can be written."""
    ref = refusals[0].ruling.rule
    policy = world.by_reference.get(ref.policy) if ref else None
    if ref is None or policy is None:
        return Fix(NP_TIER_DENY.fix)
    mine = [refusal for refusal in refusals if refusal.ruling.rule == ref]
    for rule in _rules(policy, ref, refusals[0].ruling.basis, [refusal.passage.route.question for refusal in mine]):
        changed = _inserted(policy, ref, rule)
        compiled = with_policy(world.compiled, changed)
        if all(_passes(evaluate(compiled, r.passage.route.question), r.direction) for r in mine):
            return Fix(
                f"Put a rule before {ref.path} of {ref.policy} that lets this traffic "
                + ("on to the NetworkPolicies." if rule["action"] == "Pass" else "through.")
                + " That takes a cluster administrator.",
                _command(ref, rule),
                _yaml(rule),
            )
    return Fix(NP_TIER_DENY.fix)


def _rules(policy: Policy, ref: RuleRef, basis: Basis, questions: Sequence[Question]) -> Iterator[Json]:
    """Pass leaves the decision to NetworkPolicies, so it is tried first."""
    peers = [_peer(q.source if ref.direction is Direction.INGRESS else q.destination) for q in questions]
    if None in peers:
        return
    accept = "Accept" if isinstance(policy, ClusterNetworkPolicy) else "Allow"
    for action in ("Pass", accept) if basis is Basis.ADMIN else (accept,):
        yield {
            "action": action,
            ref.direction.peers: _distinct(peers),
            ref.ports_field: _distinct([_port(policy, q) for q in questions]),
        }


def _peer(end: End) -> Json | None:
    match end:
        case AtPod(pod, _) if not pod.spec.host_network:
            namespace, labels = pod.namespace, naming_labels(pod.labels)
        case AnyPod(namespace, wanted):
            labels = dict(wanted)
        case _:
            return None
    name = {"matchLabels": {NAME_LABEL: namespace}}
    pods = {"podSelector": {"matchLabels": labels} if labels else {}}
    return {"pods": {"namespaceSelector": name, **pods}}


def _port(policy: Policy, question: Question) -> Json:
    if isinstance(policy, ClusterNetworkPolicy):
        return {question.protocol.lower(): {"destinationPort": {"number": question.port}}}
    return {"portNumber": {"protocol": question.protocol, "port": question.port}}


def _distinct(items: Sequence[Json | None]) -> list[Json]:
    found: list[Json] = []
    for item in items:
        if item is not None and item not in found:
            found.append(item)
    return found


def _inserted(policy: Policy, ref: RuleRef, rule: Json) -> Policy:
    whole = msgspec.to_builtins(policy)
    rules = [*(whole["spec"].get(ref.direction.value) or ())]
    rules.insert(ref.index, rule)
    spec = {**whole["spec"], ref.direction.value: rules}
    return msgspec.convert({**whole, "spec": spec}, type(policy))


def _passes(verdict: Any, direction: Direction) -> bool:
    return bool(getattr(verdict, direction.value).passes)


def _command(ref: RuleRef, rule: Json) -> str:
    change = [{"op": "add", "path": f"/spec/{ref.direction}/{ref.index}", "value": rule}]
    words = ["kubectl", "patch", ref.policy.kind.lower(), ref.policy.name, "--type", "json", "-p"]
    return shlex.join([*words, msgspec.json.encode(change).decode()])


def _yaml(rule: Json) -> str:
    import yaml

    return str(yaml.safe_dump([rule], sort_keys=False))
