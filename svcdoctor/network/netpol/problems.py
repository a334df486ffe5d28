"""What the API server would refuse: its shape, and what is shared by all kinds of policies."""

from collections.abc import Iterator

from msgspec import Struct

from ...model.meta import LabelSelector
from .names import label_key, label_value

HIGHEST_PORT = 65535


class Problem(Struct, frozen=True):
    """``field`` as in ``spec.ingress[0].ports[1].endPort``."""

    field: str
    detail: str

    def __str__(self) -> str:
        return f"{self.field}: {self.detail}"


def selector_problems(selector: LabelSelector | None, path: str) -> Iterator[Problem]:
    """metav1's ValidateLabelSelector."""
    if selector is None:
        return
    for key, value in selector.match_labels.items():
        if not label_key(key):
            yield Problem(f"{path}.matchLabels", f"{key!r} is not a label key")
        if not label_value(value):
            yield Problem(f"{path}.matchLabels", f"{value!r} is not a label value")
    for index, requirement in enumerate(selector.match_expressions):
        where = f"{path}.matchExpressions[{index}]"
        values = requirement.values or ()
        if not label_key(requirement.key):
            yield Problem(f"{where}.key", f"{requirement.key!r} is not a label key")
        if requirement.operator in ("In", "NotIn"):
            if not values:
                yield Problem(f"{where}.values", "must be specified when the operator is In or NotIn")
        elif requirement.operator in ("Exists", "DoesNotExist"):
            if values:
                yield Problem(f"{where}.values", "may not be specified when the operator is Exists or DoesNotExist")
        else:
            yield Problem(f"{where}.operator", f"{requirement.operator!r} is not a valid selector operator")
        for value in values:
            if not label_value(value):
                yield Problem(f"{where}.values", f"{value!r} is not a label value")
