"""Near misses: the workloads that a selector nearly matches, and what keeps them apart.

A workload stands for its pods; pods without one stand in a group of equal labels. Workloads count even with no pod, by
their template.
"""

from collections.abc import Iterator, Mapping
from enum import IntEnum

from msgspec import Struct

from ...model.case import Case, WorkloadRef
from ...model.cluster import Workload
from ...model.pod import Pod
from ..near import extends, same_but_digits, slip, versions

IDENTITY = frozenset(
    {
        "app",
        "name",
        "k8s-app",
        "run",
        "component",
        "service",
        "app.kubernetes.io/name",
        "app.kubernetes.io/component",
    }
)
"""Keys by which people tell applications apart; other values of these are other applications."""

CONTROLLER_KEYS = frozenset({"pod-template-hash", "controller-revision-hash", "rollouts-pod-template-hash"})


class Kind(IntEnum):
    """How near a miss is; the lower, the nearer."""

    SLIP = 1  # every difference reads like a slip of the hand: selector-typo
    DRIFT = 2  # the rest of the selector matches, one pair says another thing: selector-extra-key


class Difference(Struct, frozen=True):
    """A pair of the selector that the pods lack, and what they carry instead."""

    key: str
    wanted: str
    found_key: str | None  # the key that they carry in its stead, None when they carry nothing near
    found: str | None
    cost: int

    @property
    def spoken(self) -> str:
        if self.found_key is None or self.found is None:
            return f"no label {self.key}"
        return f"{self.found_key}={self.found} instead of {self.key}={self.wanted}"


class Candidate(Struct, frozen=True):
    """A group of pods that the selector may have meant."""

    workload: WorkloadRef | None
    labels: Mapping[str, str]
    pods: tuple[Pod, ...]
    template: Workload | None = None
    namesake: bool = False  # the workload bears the Service's name

    @property
    def spoken(self) -> str:
        return str(self.workload) if self.workload else f"Pod {self.pods[0].name}"

    @property
    def ready(self) -> int:
        return sum(pod.ready for pod in self.pods)


class NearMiss(Struct, frozen=True):
    """A candidate and all that separates the selector from it."""

    kind: Kind
    candidate: Candidate
    differences: tuple[Difference, ...]

    @property
    def cost(self) -> int:
        return sum(difference.cost for difference in self.differences)

    @property
    def selector_change(self) -> dict[str, str | None]:
        """The merge patch of the selector that makes it match: None takes a key away."""
        change: dict[str, str | None] = {}
        for difference in self.differences:
            if difference.found_key != difference.key:
                change[difference.key] = None
            if difference.found_key is not None:
                change[difference.found_key] = difference.found
        return change


def candidates(case: Case) -> Iterator[Candidate]:
    """Every workload of the namespace with its live pods, then the bare pods by their labels."""
    groups: dict[WorkloadRef | tuple[tuple[str, str], ...], list[Pod]] = {}
    for pod in case.pods:
        if not pod.terminal:
            group = case.workload_of(pod) or tuple(sorted(pod.labels.items()))
            groups.setdefault(group, []).append(pod)
    for ref, workload in case.workloads.items():
        if workload.metadata.controller is None and ref not in groups:
            yield Candidate(ref, workload.spec.template.metadata.labels, (), workload, ref.name == case.target.name)
    for group, pods in groups.items():
        owner = group if isinstance(group, WorkloadRef) else None
        newest = max(pods, key=lambda pod: (pod.ready, pod.metadata.creation_timestamp is not None, pod.name))
        shared = {k: v for k, v in newest.labels.items() if k not in CONTROLLER_KEYS or k in case.selector}
        namesake = owner is not None and owner.name == case.target.name
        yield Candidate(owner, shared, tuple(pods), case.workloads.get(owner) if owner else None, namesake)


def near_misses(case: Case) -> tuple[NearMiss, ...]:
    """The candidates that the selector nearly matches, nearest first; of equally near ones, those with more pods."""
    everyone = tuple(candidates(case))
    found = [miss for candidate in everyone if (miss := near_miss(case.selector, candidate, everyone))]
    return tuple(sorted(found, key=_rank))


def _rank(miss: NearMiss) -> tuple[int, int, bool, int, int, str]:
    candidate = miss.candidate
    return (miss.kind, miss.cost, not candidate.namesake, -candidate.ready, -len(candidate.pods), candidate.spoken)


def near_miss(selector: Mapping[str, str], candidate: Candidate, everyone: tuple[Candidate, ...]) -> NearMiss | None:
    """How ``selector`` misses ``candidate``; None when it matches, or when the two are strangers."""
    apart = [key for key, value in selector.items() if candidate.labels.get(key) != value]
    kept = {key: value for key, value in selector.items() if key not in apart}
    if not apart:
        return None
    taken: set[str] = set(kept)
    slips: list[Difference] = []
    for key in apart:
        difference = _slip(key, selector[key], candidate.labels, taken, alone=len(selector) == 1)
        if difference is None:
            return _drift(selector, apart, kept, candidate, everyone)
        if difference.found_key:
            taken.add(difference.found_key)
        slips.append(difference)
    return NearMiss(Kind.SLIP, candidate, tuple(slips))


def _slip(key: str, wanted: str, labels: Mapping[str, str], taken: set[str], alone: bool) -> Difference | None:
    """The difference read as a slip: a misspelt value of the right key, or a misspelt key of the right value."""
    found = labels.get(key)
    if found is not None:
        edits = slip(wanted, found)
        if edits is not None:
            return Difference(key, wanted, key, found, edits)
        if extends(wanted, found) and key in IDENTITY:
            return Difference(key, wanted, key, found, 4)
        if alone and same_but_digits(wanted, found) and not versions(wanted, found):
            return Difference(key, wanted, key, found, 5)
        return None
    for other, value in labels.items():
        if other not in taken and value == wanted and _same_key(key, other):
            return Difference(key, wanted, other, value, slip(key, other) or 1)
    return None


def _same_key(key: str, other: str) -> bool:
    """``App`` and ``app``, ``name`` and ``app.kubernetes.io/name``, ``app`` and ``k8s-app``."""
    last, other_last = key.rsplit("/", 1)[-1], other.rsplit("/", 1)[-1]
    return slip(key, other) is not None or last == other_last or (key in IDENTITY and other in IDENTITY)


def _drift(
    selector: Mapping[str, str],
    apart: list[str],
    kept: Mapping[str, str],
    candidate: Candidate,
    everyone: tuple[Candidate, ...],
) -> NearMiss | None:
    """The difference read as drift: the pairs that do match, or its name, must single the workload out."""
    if not kept or len(apart) > max(1, len(selector) // 3):
        return None
    alike = [other for other in everyone if all(other.labels.get(k) == v for k, v in kept.items())]
    identified = candidate.namesake or any(key in IDENTITY for key in kept)
    if not identified and (len(alike) > 1 or any(key in IDENTITY and key in candidate.labels for key in apart)):
        return None
    differences = (
        Difference(key, selector[key], key if key in candidate.labels else None, candidate.labels.get(key), 10)
        for key in apart
    )
    return NearMiss(Kind.DRIFT, candidate, tuple(differences))
