"""Policies made ready: those of a namespace by their selectors' labels, the cluster-wide ones by tier and priority.

A policy's rules are compiled when a question first needs them: of ten thousand policies one question needs a handful.
"""

from collections.abc import Iterable, Mapping
from itertools import groupby

from msgspec import Struct

from ...model.cluster import Namespace
from ...model.pod import Pod
from ...model.policy import (
    AdminNetworkPolicy,
    BaselineAdminNetworkPolicy,
    ClusterNetworkPolicy,
    ClusterPolicy,
    NetworkPolicy,
    Policy,
)
from . import defaults
from .cluster import Cluster, Host
from .rules import CompiledRule, compiled_rules, reference
from .shelf import Shelf
from .tries import Tries
from .verdict import Basis, Direction, PolicyRef

LAST = 1001
"""After every priority: the BaselineAdminNetworkPolicy has none."""


class Selected(Struct, frozen=True):
    """The policies that select a pod, and those of which it can't be told as their selector is not understood."""

    surely: tuple[NetworkPolicy, ...] = ()
    perhaps: tuple[NetworkPolicy, ...] = ()
    isolating: tuple[PolicyRef, ...] = ()  # the first kind, by name


class Compiled:
    """Policies over a cluster. Never changes once made; `with_policies` gives another."""

    def __init__(self, policies: Iterable[Policy], cluster: Cluster) -> None:
        self.policies = tuple(policies)
        self.cluster = cluster
        self._in_namespace: dict[str, list[NetworkPolicy]] = {}
        cluster_wide: list[ClusterPolicy] = []
        for policy in self.policies:
            if isinstance(policy, NetworkPolicy):
                self._in_namespace.setdefault(policy.metadata.namespace, []).append(policy)
            else:
                cluster_wide.append(policy)
        self._tiers = {tier: _groups(cluster_wide, tier) for tier in (Basis.ADMIN, Basis.BASELINE)}
        self._shelves: dict[str, Shelf] = {}
        self._selected: dict[tuple[str, Direction, frozenset[tuple[str, str]]], Selected] = {}
        self.tries = {direction: Tries(direction) for direction in Direction}
        self._rules: dict[tuple[int, Direction], tuple[CompiledRule, ...]] = {}

    def selects(self, namespace: str, labels: Mapping[str, str], direction: Direction) -> Selected:
        """The NetworkPolicies that isolate a pod with ``labels`` in ``direction``."""
        key = namespace, direction, frozenset(labels.items())
        found = self._selected.get(key)
        if found is None:
            found = self._selected[key] = self._select(namespace, labels, direction)
        return found

    def _select(self, namespace: str, labels: Mapping[str, str], direction: Direction) -> Selected:
        shelf = self._shelves.get(namespace)
        if shelf is None:
            shelf = self._shelves[namespace] = Shelf.of(self._in_namespace.get(namespace, ()))
        surely, perhaps = [], []
        for selector, policy in shelf.candidates(labels):
            if not defaults.isolates(policy, direction):
                continue
            if selector.broken:
                perhaps.append(policy)
            elif selector.holds(labels):
                surely.append(policy)
        return Selected(tuple(surely), tuple(perhaps), tuple(map(reference, surely)))

    def tier(self, tier: Basis) -> tuple[tuple[ClusterPolicy, ...], ...]:
        """The cluster-wide policies of a tier, first priority first; those of one priority stand together."""
        return self._tiers[tier]

    def rules(self, policy: Policy, direction: Direction) -> tuple[CompiledRule, ...]:
        """The rules of one direction, in their order."""
        key = id(policy), direction
        found = self._rules.get(key)
        if found is None:
            found = self._rules[key] = compiled_rules(policy, direction)
        return found


def compile_policies(
    policies: Iterable[Policy],
    namespaces: Iterable[Namespace],
    pods: Iterable[Pod] = (),
    hosts: Iterable[Host] | None = None,
    *,
    namespaces_complete: bool = True,
) -> Compiled:
    """Policies over the places that they speak of.

    ``pods`` serve to tell whose an address is. ``hosts`` are the nodes, None if they were not read. Unless
    ``namespaces_complete``, one that is not among ``namespaces`` may have labels that are not known.
    """
    return Compiled(policies, Cluster(namespaces, pods, hosts, namespaces_complete))


def with_policies(compiled: Compiled, *changed: Policy) -> Compiled:
    """The same cluster with these policies applied: a policy of that kind and name is replaced."""
    keys = {reference(policy) for policy in changed}
    kept = (policy for policy in compiled.policies if reference(policy) not in keys)
    return Compiled((*kept, *changed), compiled.cluster)


def with_policy(compiled: Compiled, policy: Policy) -> Compiled:
    """`with_policies` for one."""
    return with_policies(compiled, policy)


def _groups(policies: Iterable[ClusterPolicy], tier: Basis) -> tuple[tuple[ClusterPolicy, ...], ...]:
    ranked = sorted((policy for policy in policies if _tier(policy) is tier), key=lambda p: (_priority(p), p.name))
    return tuple(tuple(group) for _, group in groupby(ranked, key=_priority))


def _tier(policy: ClusterPolicy) -> Basis | None:
    if isinstance(policy, ClusterNetworkPolicy):
        return {"Admin": Basis.ADMIN, "Baseline": Basis.BASELINE}.get(policy.spec.tier)
    return Basis.ADMIN if isinstance(policy, AdminNetworkPolicy) else Basis.BASELINE


def _priority(policy: ClusterPolicy) -> int:
    return LAST if isinstance(policy, BaselineAdminNetworkPolicy) else policy.spec.priority
