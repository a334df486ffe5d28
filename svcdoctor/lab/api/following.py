"""A log that is followed: what a container says from now on, until it ends."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from ..resources import named
from ..store import Store
from .kubelets import Kubelets
from .pod_logs import Lines
from .status import Refusal
from .streams.process import Reader, Size, Writer

Json = dict[str, Any]

PODS = named("pods")
PEEK = 0.25
"""Seconds between two looks at the log."""
STATUSES = ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")


def running_id(pod: Json | None, container: str) -> str:
    """The id of the container that runs under that name; empty where none does."""
    for field in STATUSES:
        for status in ((pod or {}).get("status") or {}).get(field) or ():
            if status["name"] == container and (status.get("state") or {}).get("running") is not None:
                return str(status.get("containerID", "")) or container
    return ""


async def followed(store: Store, kubelets: Kubelets, pod: Json, container: str, told: int) -> AsyncIterator[Lines]:
    """Lines after the first ``told``, as they come, until the container that runs now has ended."""
    meta, same = pod["metadata"], running_id(pod, container)
    while same:
        await asyncio.sleep(PEEK)
        now = store.get(PODS, meta["namespace"], meta["name"])
        if now is None or running_id(now, container) != same:
            return
        try:
            lines = kubelets.log(now, container, False)
        except Refusal:
            return
        if len(lines) > told:
            yield lines[told:]
            told = len(lines)


class Attached:
    """A container's own process as somebody sees it who attaches: its output from now on. Input is not read.

    One that was made to be attached to (stdin: true) is seen from its first line: that may be sooner.
    """

    def __init__(self, store: Store, kubelets: Kubelets, pod: Json, container: str) -> None:
        self._store = store
        self._kubelets = kubelets
        self._pod = pod
        self._container = container

    async def run(self, stdin: Reader, stdout: Writer, stderr: Writer, resize: AsyncIterator[Size]) -> int:
        before = self._kubelets.log(self._pod, self._container, False)
        told = len(before)
        if _waits_for_input(self._pod, self._container):
            await stdout.write("".join(f"{line}\n" for _, line in before).encode())
        async for lines in followed(self._store, self._kubelets, self._pod, self._container, told):
            await stdout.write("".join(f"{line}\n" for _, line in lines).encode())
        return 0


def _waits_for_input(pod: Json, container: str) -> bool:
    spec = pod["spec"]
    fields = ("containers", "initContainers", "ephemeralContainers")
    return any(one.get("stdin", False) for field in fields for one in spec.get(field) or () if one["name"] == container)
