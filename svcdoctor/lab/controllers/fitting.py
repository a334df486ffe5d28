"""Whether a pod fits on a node, and if not, why: the scheduler's filters, in its order and words.

Source: pkg/scheduler/framework/plugins of Kubernetes 1.36 (NodeUnschedulable, NodeName, TaintToleration, NodeAffinity,
NodePorts, NodeResourcesFit, PodTopologySpread, InterPodAffinity). Volumes are not looked at: the lab has no storage.
"""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from msgspec import Struct

from ..api.quantity import parse_quantity
from ..api.selectors import Requirement

Json = dict[str, Any]
Amounts = dict[str, Decimal]

UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
_OPERATORS = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!", "Gt": "gt", "Lt": "lt"}


class Misfit(Struct, frozen=True):
    """Why a pod can't run on a node; ``hopeless`` where giving up other pods would not help."""

    reason: str
    hopeless: bool = True


class Room(Struct):
    """What is taken on a node."""

    requested: Amounts
    ports: list[tuple[str, str, int]]  # (hostIP, protocol, hostPort)
    pods: int = 0


def misfits(pod: Json, node: Json, room: Room) -> Iterator[Misfit]:
    """Why ``pod`` can't run on ``node``: all that the first filter which refuses it says; none if it can."""
    spec = pod["spec"]
    if node["spec"].get("unschedulable") and not tolerates_unschedulable(spec):
        yield Misfit("node(s) were unschedulable")
    elif spec.get("nodeName", node["metadata"]["name"]) != node["metadata"]["name"]:
        yield Misfit("node(s) didn't match the requested node name")
    elif untolerated(spec, node, ("NoSchedule", "NoExecute")) is not None:
        yield Misfit("node(s) had untolerated taint(s)")
    elif not matches_affinity(spec, node):
        yield Misfit("node(s) didn't match Pod's node affinity/selector")
    elif any(_clash(wanted, taken) for wanted in host_ports(spec) for taken in room.ports):
        yield Misfit("node(s) didn't have free ports for the requested pod ports", hopeless=False)
    else:
        yield from _lacking(spec, node, room)


def _lacking(spec: Json, node: Json, room: Room) -> Iterator[Misfit]:
    allocatable = {name: parse_quantity(amount) for name, amount in node["status"].get("allocatable", {}).items()}
    if room.pods + 1 > allocatable.get("pods", 110):
        yield Misfit("Too many pods", hopeless=False)
    for name, amount in requests(spec).items():
        if amount and amount > allocatable.get(name, 0) - room.requested.get(name, 0):
            yield Misfit(f"Insufficient {name}", hopeless=amount > allocatable.get(name, 0))


# --------------------------------------------------------------------------------------------------- taints, affinity


def tolerates_unschedulable(spec: Json) -> bool:
    return _tolerated(spec, {"key": UNSCHEDULABLE, "effect": "NoSchedule"})


def untolerated(spec: Json, node: Json, effects: Iterable[str]) -> Json | None:
    """The first taint of these effects that the pod does not tolerate."""
    taints = (taint for taint in node["spec"].get("taints") or () if taint["effect"] in effects)
    return next((taint for taint in taints if not _tolerated(spec, taint)), None)


def _tolerated(spec: Json, taint: Json) -> bool:
    return any(tolerates(toleration, taint) for toleration in spec.get("tolerations") or ())


def tolerates(toleration: Json, taint: Json) -> bool:
    """Toleration.ToleratesTaint."""
    if toleration.get("effect") not in (None, "", taint["effect"]):
        return False
    if toleration.get("key") not in (None, "", taint["key"]):
        return False
    if toleration.get("operator", "Equal") == "Exists":
        return True
    return bool(toleration.get("value", "") == taint.get("value", "")) and bool(toleration.get("key"))


def matches_affinity(spec: Json, node: Json) -> bool:
    """nodeSelector and the required part of nodeAffinity: any of its terms, all of a term's requirements."""
    labels = node["metadata"].get("labels") or {}
    if not (spec.get("nodeSelector") or {}).items() <= labels.items():
        return False
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    if not required:
        return True
    fields = {"metadata.name": node["metadata"]["name"]}
    return any(_matches_term(term, labels, fields) for term in required.get("nodeSelectorTerms") or ())


def _matches_term(term: Json, labels: Mapping[str, str], fields: Mapping[str, str]) -> bool:
    by_label, by_field = term.get("matchExpressions") or (), term.get("matchFields") or ()
    if not by_label and not by_field:
        return False
    return all(_holds(one, labels) for one in by_label) and all(_holds(one, fields) for one in by_field)


def _holds(given: Json, labels: Mapping[str, str]) -> bool:
    values = tuple(given.get("values") or ())
    return Requirement(given["key"], _OPERATORS[given["operator"]], values).matches(labels)


# --------------------------------------------------------------------------------------------------- ports, resources


def host_ports(spec: Json) -> list[tuple[str, str, int]]:
    """(hostIP, protocol, hostPort) of all containers; with hostNetwork every declared port is one."""
    found = []
    for container in (*spec["containers"], *_sidecars(spec)):
        for port in container.get("ports") or ():
            number = port.get("hostPort") or (port["containerPort"] if spec.get("hostNetwork") else 0)
            if number:
                found.append((port.get("hostIP") or "0.0.0.0", port.get("protocol", "TCP"), number))
    return found


def _clash(one: tuple[str, str, int], other: tuple[str, str, int]) -> bool:
    return one[1:] == other[1:] and (one[0] == other[0] or "0.0.0.0" in (one[0], other[0]))


def requests(spec: Json) -> Amounts:
    """PodRequests: containers and sidecars together, or the hungriest init container, whichever is more."""
    running: Amounts = {}
    peak: Amounts = {}
    for container in spec.get("initContainers") or ():
        own = _requests(container)
        if container.get("restartPolicy") == "Always":
            _add(running, own)
            own = running
        else:
            own = {name: own.get(name, Decimal()) + running.get(name, 0) for name in own.keys() | running.keys()}
        peak = {name: max(peak.get(name, Decimal()), own.get(name, Decimal())) for name in peak.keys() | own.keys()}
    for container in spec["containers"]:
        _add(running, _requests(container))
    total = {name: max(peak.get(name, Decimal()), running.get(name, Decimal())) for name in peak | running}
    _add(total, {name: parse_quantity(amount) for name, amount in (spec.get("overhead") or {}).items()})
    return total


def _requests(container: Json) -> Amounts:
    resources = container.get("resources") or {}
    given = {**(resources.get("limits") or {}), **(resources.get("requests") or {})}
    return {name: parse_quantity(amount) for name, amount in given.items()}


def _sidecars(spec: Json) -> Iterator[Json]:
    return (one for one in spec.get("initContainers") or () if one.get("restartPolicy") == "Always")


def _add(total: Amounts, more: Amounts) -> None:
    for name, amount in more.items():
        total[name] = total.get(name, Decimal()) + amount
