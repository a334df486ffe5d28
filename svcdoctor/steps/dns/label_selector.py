"""Label selectors as text, as the ``labels`` options of CoreDNS take them: ``env in (qa, live),app=web,!old``."""

import re
from collections.abc import Iterator, Mapping

from ...model.meta import LabelSelectorRequirement

_PART = re.compile(
    r"\s*(?:(?P<key>[^\s,=!()]+)\s*(?:(?P<sign>==|=|!=)\s*(?P<value>[^\s,=!()]*)"
    r"|\s(?P<set>in|notin)\s*\((?P<values>[^()]*)\))?|!\s*(?P<absent>[^\s,=!()]+))\s*(?:,|\Z)"
)


class BadSelector(ValueError):
    """The text is no label selector."""


def parse(text: str) -> tuple[LabelSelectorRequirement, ...]:
    """The requirements, all of which must hold (apimachinery's labels.Parse). Raises BadSelector."""
    return tuple(_parts(text))


def _parts(text: str) -> Iterator[LabelSelectorRequirement]:
    place = 0
    while place < len(text.rstrip()):
        part = _PART.match(text, place)
        if part is None:
            raise BadSelector(f"no label selector: {text!r}")
        place = part.end()
        if part["absent"]:
            yield LabelSelectorRequirement(part["absent"], "DoesNotExist")
        elif part["set"]:
            values = tuple(value.strip() for value in part["values"].split(","))
            yield LabelSelectorRequirement(part["key"], "In" if part["set"] == "in" else "NotIn", values)
        elif part["sign"]:
            yield LabelSelectorRequirement(part["key"], "NotIn" if part["sign"] == "!=" else "In", (part["value"],))
        else:
            yield LabelSelectorRequirement(part["key"], "Exists")


def matches(requirements: tuple[LabelSelectorRequirement, ...], labels: Mapping[str, str]) -> bool:
    """Whether ``labels`` meet them all; NotIn holds where the label is absent."""
    return all(_holds(requirement, labels) for requirement in requirements)


def _holds(requirement: LabelSelectorRequirement, labels: Mapping[str, str]) -> bool:
    values = requirement.values or ()
    match requirement.operator:
        case "In":
            return requirement.key in labels and labels[requirement.key] in values
        case "NotIn":
            return requirement.key not in labels or labels[requirement.key] not in values
        case "Exists":
            return requirement.key in labels
        case _:
            return requirement.key not in labels
