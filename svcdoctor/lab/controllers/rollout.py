"""The arithmetic of a Deployment's rollout: how many pods each of its ReplicaSets may have now.

Source: pkg/controller/deployment/{rolling,sync}.go and util/deployment_util.go of Kubernetes 1.36.
"""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from .objects import percent

Json = dict[str, Any]

DESIRED = "deployment.kubernetes.io/desired-replicas"
MAXIMUM = "deployment.kubernetes.io/max-replicas"


class Size(Struct):
    """One ReplicaSet: how many pods it is asked for, and how many of them are available."""

    replicas: int
    available: int = 0


class Bounds(Struct, frozen=True):
    """What a rollout keeps to: never more pods than ``desired + surge``, never fewer available than the rest."""

    desired: int
    surge: int
    unavailable: int

    @property
    def maximum(self) -> int:
        return self.desired + self.surge

    @property
    def minimum(self) -> int:
        return self.desired - self.unavailable


def bounds(spec: Json) -> Bounds:
    """Of a DeploymentSpec. Where rounding leaves neither surge nor unavailability, one may be unavailable."""
    desired, strategy = spec.get("replicas", 1), spec.get("strategy") or {}
    if strategy.get("type", "RollingUpdate") != "RollingUpdate":
        return Bounds(desired, 0, 0)
    given = strategy.get("rollingUpdate") or {}
    surge = percent(given.get("maxSurge", "25%"), desired, round_up=True)
    unavailable = percent(given.get("maxUnavailable", "25%"), desired, round_up=False)
    if not surge and not unavailable:
        unavailable = 1
    return Bounds(desired, surge, min(unavailable, desired))


def new_size(spec: Json, new: int, total: int) -> int:
    """NewRSNewReplicas: what the new set is asked for next, of ``total`` pods that all sets are asked for."""
    allowed = bounds(spec)
    if (spec.get("strategy") or {}).get("type", "RollingUpdate") != "RollingUpdate":
        return allowed.desired
    if total >= allowed.maximum:
        return new
    return new + min(allowed.maximum - total, allowed.desired - new)


def shrink_old(allowed: Bounds, new: Size, old: Sequence[Size]) -> list[int]:
    """What the old sets (oldest first) are asked for next: those that are not available go first, then as many as
    availability allows."""
    sizes = [Size(one.replicas, one.available) for one in old]
    total = sum(one.replicas for one in (new, *sizes))
    spare = total - allowed.minimum - (new.replicas - new.available)
    if not any(one.replicas for one in sizes) or spare <= 0:
        return [one.replicas for one in sizes]
    for one in sizes:
        gone = min(spare, max(one.replicas - one.available, 0))
        one.replicas -= gone
        spare -= gone
    excess = new.available + sum(one.available for one in sizes) - allowed.minimum
    for one in sizes:
        gone = max(min(one.replicas, excess), 0)
        one.replicas -= gone
        excess -= gone
    return [one.replicas for one in sizes]


def proportional(allowed: Bounds, sizes: Sequence[int], former_maximum: Sequence[int]) -> list[int]:
    """What the sets are asked for when a Deployment is scaled in mid-rollout: each in proportion to its size.

    ``sizes`` are in the order in which they are to grow (newest first) or to shrink (oldest first); ``former_maximum``
    is what each was told the Deployment's maximum was (its max-replicas annotation).
    """
    change = (allowed.maximum if allowed.desired else 0) - sum(sizes)
    made, given = list(sizes), 0
    for index, size in enumerate(sizes):
        if not size or not change:
            continue
        share = _round_half_up(size * allowed.maximum, former_maximum[index]) if allowed.desired else 0
        fraction = share - size
        left = change - given
        part = max(min(fraction, left), 0) if change > 0 else min(max(fraction, left), 0)
        made[index], given = size + part, given + part
    if made and change:
        made[0] = max(made[0] + change - given, 0)
    return made


def _round_half_up(number: int, divisor: int) -> int:
    return (2 * number + divisor) // (2 * divisor)
