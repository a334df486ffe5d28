"""What stands beside a verdict: whether it is enforced, which other policies there are, and what nobody defines."""

from collections.abc import Iterable, Iterator, Sequence

from ...model.diagnosis import Confidence, Effect, Evidence, Finding, Fix, Severity
from ...model.foreign import ForeignPolicy
from ...network.netpol import Direction, PolicyRef, Ruling, Status
from ..step import find
from ..words import count, some, subject
from .enforcement import Enforced, Enforcement
from .passages import Passage
from .routes import Purpose
from .rules import NP_CNI_CRD, NP_UNDEFINED, NP_UNENFORCED
from .wording import decision, policies
from .world import World


def unenforced(
    world: World, enforcement: Enforcement, isolating: Sequence[PolicyRef], denied: bool
) -> Iterator[Finding]:
    """Said where policies matter: always of a network that enforces none, else only beside a denial."""
    plugin = enforcement.plugin
    matter = denied or (bool(isolating) and enforcement.enforced is Enforced.NO)
    if enforcement.enforced is Enforced.YES or not matter:
        return
    known = enforcement.enforced is Enforced.NO
    if plugin is not None and known:
        summary = f"{plugin.name} does not enforce NetworkPolicy: {policies(isolating)} has no effect"
    elif plugin is not None:
        summary = f"whether {plugin.name} enforces NetworkPolicy here is not known; if not, nothing is denied"
    else:
        summary = "no network plugin that enforces NetworkPolicy was recognized; if none does, nothing is denied"
    yield find(
        NP_UNENFORCED,
        subject(world.service),
        summary,
        [plugin.evidence if plugin else Evidence("Network plugin", f"none recognized: {enforcement.looked}")],
        Fix(
            "Use a network plugin that enforces NetworkPolicy, or add one that does only that, such as "
            "kube-network-policies."
            if known
            else "Try it: a connection from the client to a pod's own address tells whether the policy is enforced.",
        ),
        effect=Effect.NONE,
        confidence=Confidence.CERTAIN if known else Confidence.POSSIBLE,
    )


def other_kinds(world: World, foreign: Sequence[ForeignPolicy]) -> Iterator[Finding]:
    """One warning for all of them: they are not evaluated."""
    if not foreign:
        return
    kinds: dict[str, list[ForeignPolicy]] = {}
    for policy in foreign:
        kinds.setdefault(f"{policy.kind}.{policy.api_group}", []).append(policy)
    first = foreign[0]
    place = f" -n {first.namespace}" if first.namespace else ""
    yield find(
        NP_CNI_CRD,
        subject(world.service),
        f"{some(f'{count(len(found), kind)}' for kind, found in kinds.items())} may also allow or deny this traffic, "
        "and svcdoctor does not evaluate them",
        [
            Evidence(f"API: {kind}", some(f"{p.namespace}/{p.name}" if p.namespace else p.name for p in found))
            for kind, found in kinds.items()
        ],
        Fix(
            "Look at what they say of these pods.",
            f"kubectl get {first.kind.lower()}.{first.api_group}{place} {first.name} -o yaml",
        ),
        effect=Effect.NONE,
        confidence=Confidence.POSSIBLE,
    )


def undefined(world: World, passages: Sequence[Passage], who: str) -> Iterator[Finding]:
    """Packets of which the specification does not tell whether they pass."""
    open_ended = [p for p in passages if p.verdict.status is Status.UNDEFINED and not p.route.node_local]
    if not open_ended:
        return
    first = open_ended[0]
    alike = [p for p in passages if p.route.purpose is first.route.purpose]
    open_ended = [p for p in open_ended if p.route.purpose is first.route.purpose]
    what = "name server" if first.route.purpose is Purpose.DNS else "endpoint"
    direction, ruling = next((d, r) for d, r in first.verdict.rulings if r.status is Status.UNDEFINED)
    caveats = tuple(dict.fromkeys(caveat for p in open_ended for caveat in p.verdict.caveats))
    yield find(
        NP_UNDEFINED,
        subject(world.service),
        f"whether {who} reaches {len(_addresses(open_ended))} of {count(len(_addresses(alike)), what)} depends on the "
        f"network plugin: {some(caveats, 2)}",
        [*(Evidence(str(rule), "may decide") for rule in ruling.contenders[:2]), *_isolating(ruling, direction)],
        Fix("Try it from the client itself; a rule that allows it in any reading makes it certain."),
        effect=Effect.NONE,
        severity=Severity.WARNING,
        confidence=Confidence.POSSIBLE,
    )


def _addresses(passages: Iterable[Passage]) -> set[str]:
    return {passage.route.place.address for passage in passages}


def _isolating(ruling: Ruling, direction: Direction) -> Iterable[Evidence]:
    if ruling.isolating:
        return [Evidence(f"{ref}: spec.podSelector", f"isolates for {direction}") for ref in ruling.isolating[:2]]
    return [Evidence("Policies", decision(ruling))]
