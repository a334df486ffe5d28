"""What a container has written, and what the kubelet says where there is nothing to read.

Source: pkg/kubelet/kubelet_pods.go (validateContainerLogStatus) of Kubernetes 1.36.
"""

from datetime import datetime, timedelta
from typing import Any

from ..api.status import bad_request
from .containers import Container
from .instance import Instance

Json = dict[str, Any]
Lines = list[tuple[datetime, str]]

PULLING = ("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName", "ErrInvalidImageName")


def read_log(pod: Json, one: Container, previous: bool, now: datetime) -> Lines:
    """The lines of the run that is meant. Raises Refusal (400)."""
    run = _previous(pod, one, now) if previous else _current(pod, one, now)
    until = min(run.end, now) if run.end is not None else now
    return [
        (moment, line.said(moment))
        for line in run.program.lines
        if (moment := run.started + timedelta(seconds=line.after)) <= until
    ]


def _previous(pod: Json, one: Container, now: datetime) -> Instance:
    """What lastState tells of."""
    latest = one.latest
    if latest is not None and not latest.runs(now) and one.waits is not None:
        return latest
    if len(one.runs) < 2:
        name = pod["metadata"]["name"]
        raise bad_request(f'previous terminated container "{one.name}" in pod "{name}" not found')
    return one.runs[0]


def _current(pod: Json, one: Container, now: datetime) -> Instance:
    if one.latest is not None:
        return one.latest
    default = "PodInitializing" if pod["spec"].get("initContainers") else "ContainerCreating"
    reason = one.waits[0] if one.waits else default
    why = "trying and failing to pull image" if reason in PULLING else reason
    place = f'container "{one.name}" in pod "{pod["metadata"]["name"]}"'
    raise bad_request(f"{place} is waiting to start: {why}")
