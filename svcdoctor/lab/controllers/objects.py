"""What the workload controllers share: who owns whom, and conditions."""

import json
import zlib
from collections.abc import Iterable
from typing import Any

from ..resources import named
from ..store import SUFFIX

Json = dict[str, Any]

PODS = named("pods")
NODES = named("nodes")
LEASES = named("leases")
NAMESPACES = named("namespaces")
DEPLOYMENTS = named("deployments")
REPLICASETS = named("replicasets")
STATEFULSETS = named("statefulsets")
DAEMONSETS = named("daemonsets")
REVISIONS = named("controllerrevisions")


def owner_reference(owner: Json) -> Json:
    """metav1.NewControllerRef."""
    meta = owner["metadata"]
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": meta["name"],
        "uid": meta["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def controller_of(obj: Json) -> Json | None:
    """The ownerReference of what controls it."""
    return next((ref for ref in obj["metadata"].get("ownerReferences") or () if ref.get("controller")), None)


def find_condition(obj: Json, kind: str) -> Json | None:
    conditions = (obj.get("status") or {}).get("conditions") or ()
    return next((condition for condition in conditions if condition["type"] == kind), None)


def without_zeros(status: Json, kept: Iterable[str] = ()) -> Json:
    """As Go's omitempty: counts that are 0 are not there, but for those that are pointers or are not omitted."""
    return {key: value for key, value in status.items() if key in kept or (value != 0 and value != [])}


def stable_hash(value: Any) -> str:
    """Ten letters at most, as rand.SafeEncodeString makes them of a hash: equal values, equal hashes."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
    return "".join(SUFFIX[ord(digit) % len(SUFFIX)] for digit in str(zlib.crc32(text)))


def percent(value: int | str, total: int, round_up: bool) -> int:
    """An IntOrString of ``total``: ``25%`` or a number of its own."""
    if isinstance(value, int):
        return value
    share = int(value.removesuffix("%")) * total
    return -(-share // 100) if round_up else share // 100
