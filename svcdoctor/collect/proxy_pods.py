"""Where a node's kube-proxy runs, if it is a pod: distributions call it, label it and start it in their own ways."""

import re
from collections.abc import Iterable, Iterator

from ..errors import BadData
from ..model.pod import Container, Pod
from ..model.snapshot import Gap, Snapshot, assemble
from .asking import Asker, Found

SYSTEM = "kube-system"
NAME = "kube-proxy"
LABELS = ("k8s-app", "component", "app.kubernetes.io/name")
"""kubeadm, EKS and Talos; GKE, AKS and RKE2; Helm charts."""
STARTED = re.compile(r"(?:^|[/\s])kube-proxy(?:\.exe)?(?:\s|$)")
"""In a word of a command: /usr/local/bin/kube-proxy, hyperkube kube-proxy, sh -c "exec kube-proxy ..."."""
IMAGE = re.compile(r"(?:^|/)(?:hardened-)?kube-proxy(?:-\w+)?(?:[:@]|$)")
MOST_LISTS = 8


def container_of(pod: Pod) -> str | None:
    """The container that is kube-proxy; None where the pod has none."""
    containers = pod.spec.containers
    for one in containers:
        if _is_proxy(one):
            return one.name
    labelled = any(pod.labels.get(label) == NAME for label in LABELS)
    return containers[0].name if labelled and containers else None


def _is_proxy(container: Container) -> bool:
    words = (*(container.command or ()), *(container.args or ()))
    return container.name == NAME or bool(IMAGE.search(container.image)) or any(STARTED.search(word) for word in words)


def by_node(pods: Iterable[Pod]) -> dict[str, Pod]:
    """Each node's kube-proxy pod, rather one that stays than one that goes."""
    found: dict[str, Pod] = {}
    for pod in sorted(pods, key=lambda pod: (not pod.terminating, pod.ready)):
        if pod.spec.node_name and not pod.terminal and container_of(pod) is not None:
            found[pod.spec.node_name] = pod
    return found


def elsewhere(ask: Asker, nodes: Iterable[str]) -> Iterator[tuple[str, Found, Pod | None]]:
    """A few nodes that have none in kube-system: every pod of theirs is looked at. (node, answers, pod)."""
    for node in list(nodes)[:MOST_LISTS]:
        found = ask.list("pods", "", {"fieldSelector": f"spec.nodeName={node}"})
        try:
            pods = assemble(Snapshot(ask.api.now()), found.answers).pods.items
        except BadData as error:
            yield node, Found(gaps=(Gap(found.answers[0].path, error.detail),)), None
        else:
            yield node, found, by_node(pods).get(node)
