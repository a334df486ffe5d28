"""A debugging container in somebody's pod, for images that have no tools. It can't be removed: it ends by itself."""

import secrets
import time
from collections.abc import Callable

from msgspec import Struct

from ..errors import BadData
from ..model.decode import decode
from ..model.meta import Base
from ..model.objects import RESOURCES
from ..model.pod import ContainerStatus, Pod
from .api import Api, Silence
from .websocket import Refused

LIFE = 300
"""Seconds that it lives."""
PATIENCE = 60.0
HOPELESS = frozenset(
    {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "CreateContainerConfigError"}
)
"""Why a container waits that will not start by waiting longer."""
PAUSE = 0.5
MERGE = "application/strategic-merge-patch+json"


class _Status(Base, frozen=True):
    ephemeral_container_statuses: tuple[ContainerStatus, ...] = ()


class _Pod(Base, frozen=True):
    """The part of a pod that tells of debugging containers."""

    status: _Status = _Status()


class _Said(Struct, frozen=True):
    message: str = ""


def add_container(api: Api, pod: Pod, image: str, sleep: Callable[[float], None] = time.sleep) -> str:
    """Adds a container of ``image`` that sleeps, and waits until it runs; returns its name.

    Raises Refused where it may not be added, Silence where it does not come up.
    """
    name = f"svcdoctor-{secrets.token_hex(3)}"
    container = {"name": name, "image": image, "command": ["sleep", str(LIFE)], "terminationMessagePolicy": "File"}
    path = RESOURCES["pods"].path(pod.namespace, pod.name)
    reply = api.patch(f"{path}/ephemeralcontainers", {"spec": {"ephemeralContainers": [container]}}, MERGE)
    if reply.status != 200:
        raise Refused(reply.status, _message(reply.body) or f"the server answered {reply.status}")
    waiting = None
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        status = _status(api, path, name)
        if status is not None and status.state.running is not None:
            return name
        if status is not None and status.state.terminated is not None:
            raise Silence(f"the debugging container ended: {status.state.terminated.reason}")
        waiting = status.state.waiting if status else None
        if waiting is not None and waiting.reason in HOPELESS:
            break
        sleep(PAUSE)
    raise Silence(f"the debugging container did not start: {waiting.reason if waiting else 'nothing is said of it'}")


def _status(api: Api, path: str, name: str) -> ContainerStatus | None:
    found = decode(api.get(path).body, _Pod, path).status.ephemeral_container_statuses
    return next((status for status in found if status.name == name), None)


def _message(body: bytes) -> str:
    try:
        return decode(body, _Said, "").message
    except BadData:
        return ""
