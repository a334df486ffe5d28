"""The smallest change of NetworkPolicies that lets the refused packets pass: evaluated before it is told."""

from collections.abc import Iterable, Iterator, Sequence

from msgspec import structs

from ...model.diagnosis import Fix, Rule
from ...model.meta import LabelSelector, LabelSelectorRequirement
from ...model.policy import NAME_LABEL, NetworkPolicy
from ...network.netpol import AnyPod, Change, Compiled, Direction, PolicyRef, RuleRef, evaluate, mend, with_policies
from ...network.netpol.defaults import rules
from ...network.netpol.manifest import manifest
from ...network.netpol.rules import reference
from ..words import count, kubectl_json_patch, some
from .namespaces import DeadPeer, dead_peers
from .passages import Refusal
from .routes import Purpose
from .rules import NP_AND_OR, NP_NS_UNLABELLED, NP_TIER_DENY
from .tier_fix import tier_fix
from .world import World


def fix(world: World, rule: Rule, refusals: Sequence[Refusal]) -> Fix:
    """What to do about refusals that all are called ``rule``; in words only where no policy can be written."""
    if rule is NP_TIER_DENY:
        return tier_fix(world, refusals)
    dead = meant(world, refusals) if rule is NP_NS_UNLABELLED else ()
    corrected = tuple(by_name(dead))
    changes = _changes(with_policies(world.compiled, *corrected), refusals)
    if changes is None:
        return by_name_fix(dead) if dead else Fix(rule.fix)
    written = {reference(policy): policy for policy in (*corrected, *(change.policy for change in changes))}
    if not written or not _opens(with_policies(world.compiled, *written.values()), refusals):
        return Fix(rule.fix)
    if len(changes) == 1 and not corrected:
        return _one(rule, changes[0], refusals)
    return _several(tuple(written.values()), dead, changes)


def _changes(compiled: Compiled, refusals: Sequence[Refusal]) -> tuple[Change, ...] | None:
    """What lets all of them pass: what is for names stands apart from what is for the Service."""
    found: list[Change] = []
    for purpose in Purpose:
        mine = [refusal for refusal in refusals if refusal.purpose is purpose]
        questions = tuple({id(refusal.passage): refusal.passage.route.question for refusal in mine}.values())
        directions = tuple(
            way for way in (Direction.EGRESS, Direction.INGRESS) if any(r.direction is way for r in mine)
        )
        made = mend(compiled, questions, directions)
        if made is None:
            return None
        found += made
        compiled = with_policies(compiled, *(change.policy for change in made))
    return tuple(found)


def _opens(compiled: Compiled, refusals: Iterable[Refusal]) -> bool:
    return all(
        getattr(evaluate(compiled, refusal.passage.route.question), refusal.direction.value).passes
        for refusal in refusals
    )


# --------------------------------------------------------------------------------------------- namespaces by their name


def meant(world: World, refusals: Iterable[Refusal]) -> tuple[DeadPeer, ...]:
    """The items of the policies in question that name a namespace by a label which it lacks."""
    found: dict[str, DeadPeer] = {}
    for isolating, direction in dict.fromkeys((r.ruling.isolating, r.direction) for r in refusals):
        policies = world.network_policies(isolating)
        found |= {str(dead.rule): dead for dead in dead_peers(world, policies, direction) if dead.meant}
    return tuple(found.values())


def by_name(dead: Iterable[DeadPeer]) -> Iterator[NetworkPolicy]:
    """The policies with those namespaces selected by the label that each has."""
    changed: dict[PolicyRef, NetworkPolicy] = {}
    for item in dead:
        ref = reference(item.policy)
        changed[ref] = _corrected(changed.get(ref, item.policy), item)
    yield from changed.values()


def by_name_fix(dead: Sequence[DeadPeer]) -> Fix:
    """The same as something to paste, with the other way round: labels for the namespaces."""
    named = sorted({name for item in dead for name in item.meant})
    labelled = (kubectl_label(item) for item in dead[:1] if len(item.meant) == 1)
    return Fix(
        f"Select namespace {some(named)} by {NAME_LABEL}, which every namespace has.",
        _patch_command(dead) if len({reference(item.policy) for item in dead}) == 1 else kubectl_apply(),
        yaml_of(tuple(by_name(dead))),
        tuple(Fix("Or label the namespace.", command) for command in labelled),
    )


def kubectl_label(item: DeadPeer) -> str:
    return f"kubectl label namespace {item.meant[0]} {item.key}={item.meant[0]}"


def _patch_command(dead: Sequence[DeadPeer]) -> str:
    changes = [{"op": "replace", "path": _path(item), "value": _selector_of(item)} for item in dead]
    policy = dead[0].policy
    return kubectl_json_patch(policy.namespace, "NetworkPolicy", policy.name, changes)


def _path(item: DeadPeer) -> str:
    ref = item.rule
    return f"/spec/{ref.direction}/{ref.index}/{ref.direction.peers}/{ref.peer}/namespaceSelector"


def _selector_of(item: DeadPeer) -> dict[str, object]:
    if len(item.meant) == 1:
        return {"matchLabels": {NAME_LABEL: item.meant[0]}}
    return {"matchExpressions": [{"key": NAME_LABEL, "operator": "In", "values": list(item.meant)}]}


def _corrected(policy: NetworkPolicy, item: DeadPeer) -> NetworkPolicy:
    if len(item.meant) == 1:
        selector = LabelSelector(match_labels={NAME_LABEL: item.meant[0]})
    else:
        selector = LabelSelector(match_expressions=(LabelSelectorRequirement(NAME_LABEL, "In", item.meant),))
    ref = item.rule
    written = list(rules(policy, ref.direction))
    rule = written[ref.index]
    peers = list(rule.peers or ())
    peer = peers[ref.peer] if ref.peer is not None else None
    if peer is None:
        return policy
    peers[ref.peer or 0] = structs.replace(peer, namespace_selector=selector)
    written[ref.index] = structs.replace(rule, peers=tuple(peers))
    return structs.replace(policy, spec=structs.replace(policy.spec, **{ref.direction.value: tuple(written)}))


# ------------------------------------------------------------------------------------------------------------ to paste


def _one(rule: Rule, change: Change, refusals: Sequence[Refusal]) -> Fix:
    policy = change.policy
    if change.rule is None:
        return Fix(_admitting(change, refusals), kubectl_apply(), yaml_of((policy,)))
    return Fix(
        _wider(rule, change.rule, change),
        kubectl_json_patch(policy.namespace, "NetworkPolicy", policy.name, change.patch),
        yaml_of((policy,)),
    )


def _admitting(change: Change, refusals: Sequence[Refusal]) -> str:
    """A policy more; where nobody said for whom, it is for a whole namespace."""
    said = f"Apply a policy more, for {' and '.join(t.lower() for t in change.policy.spec.policy_types or ())}"
    sources = {type(refusal.passage.route.question.source) for refusal in refusals}
    if AnyPod in sources:
        return f"{said}; it lets in all pods of the namespace: narrow it to the clients that should call."
    return f"{said}; policies add up, so the others stay as they are."


def _wider(rule: Rule, ref: RuleRef, change: Change) -> str:
    place = f"spec.{ref.direction}[{ref.index}]"
    if rule is NP_AND_OR:
        return f"Let the podSelector stand as an item of its own in {place}.{ref.direction.peers} of {ref.policy}."
    what = "port" if "/ports/" in change.patch[0]["path"] else "peer"
    field = "ports" if what == "port" else ref.direction.peers
    return f"Add the {what} to {place}.{field} of {ref.policy}."


def _several(policies: Sequence[NetworkPolicy], dead: Sequence[DeadPeer], changes: Sequence[Change]) -> Fix:
    """Corrected selectors, and what is still missing then; as whole policies, for they belong together."""
    if not changes:
        return by_name_fix(dead)
    named = some(sorted({name for item in dead for name in item.meant}))
    by_names = f"Select namespace {named} by {NAME_LABEL}, which every namespace has. " if named else ""
    let = f"Let the client through where no rule is for it: {_count(changes)}."
    return Fix(f"{by_names}{let}", kubectl_apply(), yaml_of(policies))


def _count(changes: Sequence[Change]) -> str:
    new = sum(change.rule is None for change in changes)
    wider = len(changes) - new
    parts = [
        count(wider, "rule") + " made wider" if wider else "",
        count(new, "policy", "policies") + " more" if new else "",
    ]
    return " and ".join(part for part in parts if part)


def kubectl_apply() -> str:
    return "kubectl apply -f -"


def yaml_of(policies: Sequence[NetworkPolicy]) -> str:
    import yaml

    return str(yaml.safe_dump_all([manifest(policy) for policy in policies], sort_keys=False, explicit_start=False))
