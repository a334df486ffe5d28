"""Which logs to read, and how much of them: a crash's last words, and what the name servers say."""

from collections.abc import Iterator, Mapping

from ..model.case import Case
from ..model.name_service import NameService
from ..model.pod import ContainerStatus, Pod

Place = tuple[str, str, str]
"""Namespace, pod, container."""

CRASHES = 3
NAME_SERVERS = 3
LAST_WORDS = {"previous": "true", "tailLines": "20", "limitBytes": "16384"}
TAIL = {"tailLines": "200", "limitBytes": "65536"}
LAST_TAIL = {"previous": "true", **TAIL}
SERVER_NAMES = ("coredns", "dns", "kubedns")
"""What the container of a name server is called, where its pod has several."""


def wanted(case: Case) -> Mapping[Place, Mapping[str, str]]:
    """The logs that the answer needs, with the options of their requests."""
    return {**dict(_name_servers(case)), **dict(_crashed(case))}


def _crashed(case: Case) -> Iterator[tuple[Place, Mapping[str, str]]]:
    """The first few containers behind the Service that crash."""
    found = [
        (pod.namespace, pod.name, status.name)
        for pod in case.backends
        for status in (*pod.status.init_container_statuses, *pod.status.container_statuses)
        if _crashes(status)
    ]
    for place in found[:CRASHES]:
        yield place, LAST_WORDS


def _name_servers(case: Case) -> Iterator[tuple[Place, Mapping[str, str]]]:
    """A few of the name servers' pods, those that are not ready first."""
    if case.service is None:
        return
    pods = sorted(NameService(case.snapshot).pods, key=lambda pod: pod.ready)
    for pod in pods[:NAME_SERVERS]:
        container = name_server_container(pod)
        status = pod.container_status(container)
        if status is not None:
            ended = _crashes(status) and status.state.running is None
            yield (pod.namespace, pod.name, container), LAST_TAIL if ended else TAIL


def name_server_container(pod: Pod) -> str:
    """The container that answers, by its name, else the first."""
    names = [container.name for container in pod.spec.containers]
    return next((name for name in names if name in SERVER_NAMES), names[0] if names else "")


def _crashes(status: ContainerStatus) -> bool:
    waiting, ended = status.state.waiting, status.state.terminated
    backing_off = waiting is not None and waiting.reason == "CrashLoopBackOff"
    return backing_off or (ended is not None and status.restart_count > 0)
