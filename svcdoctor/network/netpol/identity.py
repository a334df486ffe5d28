"""How a policy would name an end: by labels that outlive a rollout, by its namespace, or by its address."""

import re
from collections.abc import Iterable, Mapping
from ipaddress import ip_network

from ...model.meta import LabelSelector
from ...model.policy import NAME_LABEL, IPBlock, NetworkPolicyPeer
from .question import Question
from .sides import Kind, Side
from .verdict import Direction

NAMING = (
    "app.kubernetes.io/name",
    "app.kubernetes.io/instance",
    "app.kubernetes.io/component",
    "app",
    "k8s-app",
    "component",
    "role",
    "tier",
    "run",
)
"""What charts and people call a workload by: where one of them is there, the other labels are not needed."""

PASSING = (
    "pod-template-hash",
    "pod-template-generation",
    "controller-revision-hash",
    "controller-uid",
    "job-name",
    "statefulset.kubernetes.io/pod-name",
    "apps.kubernetes.io/pod-index",
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-name",
    "batch.kubernetes.io/job-completion-index",
    "helm.sh/chart",
    "app.kubernetes.io/version",
    "topology.kubernetes.io/region",
    "topology.kubernetes.io/zone",
)
"""Written by controllers and releases: another tomorrow."""


def naming_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """Those of ``labels`` that say which workload it is."""
    named = {key: labels[key] for key in NAMING if key in labels}
    return named or {key: value for key, value in labels.items() if key not in PASSING}


def subject_labels(direction: Direction, sides: Iterable[Side], question: Question) -> dict[str, str]:
    """Labels that all of ``sides`` bear: the Service's selector if they are its pods, else what they have in common."""
    everyone = list(sides)
    selector = _service_selector(direction is Direction.INGRESS, question)
    if selector and all(_bears(side, selector) for side in everyone):
        return selector
    first, *others = (naming_labels(side.labels) for side in everyone)
    return {key: value for key, value in first.items() if all(other.get(key) == value for other in others)}


def peer(direction: Direction, side: Side, home: str, question: Question) -> NetworkPolicyPeer | None:
    """``side`` as a peer of a policy in namespace ``home``; None if it has no address to name it by."""
    if side.kind is not Kind.POD or side.host_network:
        return None if side.address is None else NetworkPolicyPeer(ip_block=IPBlock(str(ip_network(side.address))))
    selector = _service_selector(direction is Direction.EGRESS, question)
    labels = selector if selector and _bears(side, selector) else naming_labels(side.labels)
    pods = LabelSelector(match_labels=labels)
    if side.namespace == home:
        return NetworkPolicyPeer(pod_selector=pods)
    namespaces = LabelSelector(match_labels={NAME_LABEL: side.namespace})
    return NetworkPolicyPeer(pod_selector=pods if labels else None, namespace_selector=namespaces)


def word(side: Side) -> str:
    """One word for the name of a policy."""
    named = next((side.labels[key] for key in NAMING if side.labels.get(key)), "")
    text = named or side.namespace or side.node or str(side.address)
    return re.sub(r"[^a-z0-9]+", "-", text.lower())[:60].strip("-") or "pods"


def _service_selector(behind: bool, question: Question) -> dict[str, str]:
    """The Service's selector, if the end in question stands ``behind`` it."""
    return dict(question.service.selector) if behind and question.service else {}


def _bears(side: Side, labels: Mapping[str, str]) -> bool:
    return all(side.labels.get(key) == value for key, value in labels.items())
