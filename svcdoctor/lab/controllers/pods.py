"""Pods as the workload controllers see them: how far they are, which goes first, and how a template becomes one.

Source: pkg/controller/controller_utils.go and pkg/api/v1/pod/util.go of Kubernetes 1.36.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct

from ..api.defaults import created
from ..clock import parse_stamp
from ..store import Stored
from .objects import PODS, owner_reference

Json = dict[str, Any]

DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"


class Meta(Struct, frozen=True, rename="camel"):
    """The part of metadata that controllers look at."""

    name: str
    uid: str
    namespace: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    creation_timestamp: str = ""
    deletion_timestamp: str = ""


class Spec(Struct, frozen=True, rename="camel"):
    node_name: str = ""
    affinity: dict[str, Any] = {}


class Condition(Struct, frozen=True, rename="camel"):
    type: str
    status: str
    last_transition_time: str = ""


class ContainerStatus(Struct, frozen=True, rename="camel"):
    restart_count: int = 0


class Status(Struct, frozen=True, rename="camel"):
    phase: str = "Pending"
    conditions: tuple[Condition, ...] = ()
    container_statuses: tuple[ContainerStatus, ...] = ()


class Pod(Struct, frozen=True):
    """What controllers look at of a pod; the rest is not even decoded."""

    metadata: Meta
    spec: Spec = Spec()
    status: Status = Status()

    @property
    def active(self) -> bool:
        """It runs or will run: neither ended nor being deleted."""
        return self.status.phase not in ("Succeeded", "Failed") and not self.metadata.deletion_timestamp

    @property
    def terminating(self) -> bool:
        return self.status.phase not in ("Succeeded", "Failed") and bool(self.metadata.deletion_timestamp)

    @property
    def ready(self) -> bool:
        return any(one.type == "Ready" and one.status == "True" for one in self.status.conditions)

    @property
    def ready_since(self) -> datetime:
        """When Ready last changed; when it was made where nobody has said yet."""
        moments = (one.last_transition_time for one in self.status.conditions if one.type == "Ready")
        return parse_stamp(next(moments, "") or self.metadata.creation_timestamp)

    def available_at(self, min_ready_seconds: int) -> datetime | None:
        """From when on it counts as available; None while it is not ready."""
        return self.ready_since + timedelta(seconds=min_ready_seconds) if self.ready else None


_decoder = msgspec.json.Decoder(Pod)


def view(stored: Stored) -> Pod:
    return _decoder.decode(stored.body)


def count_available(pods: Iterable[Pod], min_ready_seconds: int, now: datetime) -> tuple[int, datetime | None]:
    """How many are available, and when the next of the others will be."""
    moments = [moment for pod in pods if (moment := pod.available_at(min_ready_seconds)) is not None]
    return sum(moment <= now for moment in moments), min((m for m in moments if m > now), default=None)


def first_to_go(pods: Sequence[Pod], neighbours: Mapping[str, int]) -> list[Pod]:
    """The order in which a controller gives pods up: ActivePodsWithRanks.

    ``neighbours`` counts, per node, the pods that do the same work: the more crowded node gives first.
    """

    def rank(pod: Pod) -> tuple[Any, ...]:
        restarts = max((status.restart_count for status in pod.status.container_statuses), default=0)
        return (
            bool(pod.spec.node_name),
            {"Pending": 0, "Unknown": 1}.get(pod.status.phase, 2),
            pod.ready,
            _deletion_cost(pod),
            -neighbours.get(pod.spec.node_name, 0),
            -pod.ready_since.timestamp() if pod.ready else 0,
            -restarts,
            -parse_stamp(pod.metadata.creation_timestamp).timestamp(),
            pod.metadata.uid,
        )

    return sorted(pods, key=rank)


def _deletion_cost(pod: Pod) -> int:
    try:
        return int(pod.metadata.annotations.get(DELETION_COST, "0"))
    except ValueError:
        return 0


def from_template(template: Json, owner: Json, name: str = "", labels: Mapping[str, str] | None = None) -> Json:
    """A pod of ``owner``'s, before admission; without ``name`` it gets the owner's and five letters."""
    given, meta = template.get("metadata") or {}, owner["metadata"]
    made: Json = {"name": name} if name else {"generateName": f"{meta['name']}-"}
    made |= {"namespace": meta["namespace"], "labels": {**(given.get("labels") or {}), **(labels or {})}}
    made |= {"annotations": given["annotations"]} if given.get("annotations") else {}
    made["ownerReferences"] = [owner_reference(owner)]
    return {"metadata": made, "spec": template["spec"]}


def admit(pod: Json) -> Json:
    """``pod`` as the API server stores a new one."""
    return created(PODS, pod)
