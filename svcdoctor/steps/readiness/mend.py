"""Changes to the pod template of the workload that made a pod: the pods themselves can't be changed."""

from collections.abc import Mapping
from typing import Any

from ...model.case import Case
from ...model.pod import Container, Pod
from ..words import kubectl_patch, patch

PATCHABLE = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"})


def on_template(case: Case, pod: Pod, container: Container, change: Mapping[str, Any]) -> tuple[str | None, str]:
    """The command that makes ``change`` to a container for good, and the change itself (a strategic merge patch).

    There is no command for a pod without a workload: such a pod must be made anew.
    """
    place = "containers" if container in pod.spec.containers else "initContainers"
    body = {"spec": {"template": {"spec": {place: [{"name": container.name, **change}]}}}}
    workload = case.workload_of(pod)
    if workload is None or workload.kind not in PATCHABLE:
        return None, patch({"spec": {place: [{"name": container.name, **change}]}})
    return kubectl_patch(pod.namespace, workload.kind, workload.name, body, "strategic"), patch(body)
