"""The NetworkPolicies of one namespace, laid out so that a pod finds those that may select it."""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from ...model.policy import NetworkPolicy
from .selectors import Selector


class Shelf(Struct, frozen=True):
    """Policies with their places in the list, by one label that their selector demands (None: it demands none)."""

    by_label: Mapping[tuple[str, str] | None, list[tuple[int, Selector, NetworkPolicy]]]

    @classmethod
    def of(cls, policies: Iterable[NetworkPolicy]) -> "Shelf":
        shelf: dict[tuple[str, str] | None, list[tuple[int, Selector, NetworkPolicy]]] = {}
        for place, policy in enumerate(policies):
            selector = Selector.of(policy.spec.pod_selector)
            key = None if selector.broken else next(iter(selector.labels), None)
            shelf.setdefault(key, []).append((place, selector, policy))
        return cls(shelf)

    def candidates(self, labels: Mapping[str, str]) -> list[tuple[Selector, NetworkPolicy]]:
        """Those that may select a pod with ``labels``, in their order."""
        keys: tuple[tuple[str, str] | None, ...] = (None, *labels.items())
        found = [entry for key in keys for entry in self.by_label.get(key, ())]
        return [(selector, policy) for _, selector, policy in sorted(found, key=lambda entry: entry[0])]
