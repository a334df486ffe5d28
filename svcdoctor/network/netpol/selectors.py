"""Label selectors, with what a set of labels lacks for them (apimachinery's LabelSelectorAsSelector)."""

from collections.abc import Mapping

from msgspec import Struct

from ...model.meta import LabelSelector, LabelSelectorRequirement
from .verdict import Lack, Miss


class Selector(Struct, frozen=True, gc=False):
    """A selector ready for use; ``broken`` if the API server would not take its operators."""

    labels: tuple[tuple[str, str], ...] = ()
    requirements: tuple[LabelSelectorRequirement, ...] = ()
    broken: bool = False

    @classmethod
    def of(cls, selector: LabelSelector) -> "Selector":
        broken = not all(map(_sound, selector.match_expressions))
        return cls(tuple(selector.match_labels.items()), selector.match_expressions, broken)

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Whether ``labels``, known completely, satisfy every part. Never for a broken selector."""
        return (
            all(labels.get(key) == value for key, value in self.labels)
            and not self.broken
            and all(_holds(requirement, labels) for requirement in self.requirements)
        )


class Scope(Struct, frozen=True, gc=False):
    """Whose labels they are: how a lack is called, and whether there may be labels that were not read."""

    other: Lack
    absent: Lack
    complete: bool = True


PODS = Scope(Lack.POD_LABELS, Lack.POD_LABELS)
NODES = Scope(Lack.NODE, Lack.NODE)
NAMESPACES = Scope(Lack.NAMESPACE_LABELS, Lack.NAMESPACE_UNLABELLED)
UNREAD_NAMESPACES = Scope(Lack.NAMESPACE_LABELS, Lack.NAMESPACE_UNLABELLED, complete=False)


def misses(selector: Selector, labels: Mapping[str, str], scope: Scope) -> tuple[Miss, ...]:
    """What ``labels`` lack, one Miss for each part of the selector; none if it holds."""
    if selector.broken:
        return (Miss(Lack.NOT_UNDERSTOOD, wanted="a valid selector", doubt=True),)
    if scope.complete and selector.holds(labels):
        return ()
    found = [_miss(key, value, labels, scope) for key, value in selector.labels if labels.get(key) != value]
    for requirement in selector.requirements:
        if not scope.complete and requirement.key not in labels:
            found.append(_unread(requirement.key, words(requirement)))
        elif not _holds(requirement, labels):
            found.append(_miss(requirement.key, words(requirement), labels, scope))
    return tuple(found)


def words(requirement: LabelSelectorRequirement) -> str:
    """``in (a, b)``, ``not in (a)``, ``exists``, ``does not exist``."""
    values = f"({', '.join(requirement.values or ())})"
    spelt = {"In": f"in {values}", "NotIn": f"not in {values}", "Exists": "exists", "DoesNotExist": "does not exist"}
    return spelt.get(requirement.operator, requirement.operator)


def _miss(key: str, wanted: str, labels: Mapping[str, str], scope: Scope) -> Miss:
    if key in labels:
        return Miss(scope.other, wanted, labels[key], key)
    return Miss(scope.absent, wanted, None, key) if scope.complete else _unread(key, wanted)


def _unread(key: str, wanted: str) -> Miss:
    return Miss(Lack.NAMESPACE_UNKNOWN, wanted, None, key, doubt=True)


def _sound(requirement: LabelSelectorRequirement) -> bool:
    if requirement.operator in ("In", "NotIn"):
        return bool(requirement.values)
    return requirement.operator in ("Exists", "DoesNotExist") and not requirement.values


def _holds(requirement: LabelSelectorRequirement, labels: Mapping[str, str]) -> bool:
    match requirement.operator:
        case "In":
            return labels.get(requirement.key) in (requirement.values or ())
        case "NotIn":
            return labels.get(requirement.key) not in (requirement.values or ())
        case "Exists":
            return requirement.key in labels
        case _:
            return requirement.key not in labels
