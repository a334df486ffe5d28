"""What the lab and its API server can ask of kubelets."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from ..api.streams.process import CannotStart, Process
from ..images import Images, Socket, lab_images
from ..proxy.kubelet import configz
from ..proxy.settings import NodeView
from ..store import Store
from . import logs, serving
from .fleet import Fleet
from .instance import Instance
from .processes import ShellProcess, container_file
from .worker import PodWorker

Json = dict[str, Any]

PATIENCE = 30.0
"""Seconds that the API server waits for a proxied answer."""


class Kubelets:
    """All kubelets of a lab: `api.kubelets.Kubelets`, and the switches of each node's."""

    def __init__(self, store: Store, images: Images | None = None) -> None:
        self._clock = store.clock
        self.images = images if images is not None else lab_images()
        self._fleet = Fleet(store, self.images)

    def begin(self) -> None:
        """All of them run from now on, also those that were stopped."""
        self._fleet.start()

    def stop_node(self, name: str) -> None:
        """The kubelet of one node stops: its containers go on, but nobody hears of them."""
        self._fleet.stop_node(name)

    def start_node(self, name: str) -> None:
        """It starts again, and looks at everything."""
        self._fleet.start_node(name)

    def poke(self, namespace: str, name: str) -> None:
        """Something changed behind a pod's back that its probes can notice."""
        self._fleet.poke(namespace, name)

    def log(self, pod: Json, container: str, previous: bool) -> list[tuple[datetime, str]]:
        """The lines so far. Raises Refusal (400) in the kubelet's words."""
        worker = self._of(pod)
        one = worker.containers.named(container) if worker else None
        return logs.read_log(pod, one, previous, self._clock.now) if one else []

    def start(self, pod: Json, container: str, argv: Sequence[str], tty: bool) -> Process:
        """A command in a running container. Raises CannotStart."""
        worker = self._of(pod)
        one = worker.containers.named(container) if worker else None
        run = one.running(self._clock.now) if one else None
        if worker is None or one is None or run is None:
            raise CannotStart(f'container not found ("{container}")')
        image, _ = self.images.find(one.spec["image"])
        clock = self._clock
        return ShellProcess(image, run, argv, lambda path: container_file(image, run, path, clock.now), clock)

    async def connect(self, pod: Json, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection to what listens on the pod's loopback. Raises ConnectionRefusedError."""
        found = self._listener(pod, port, ("127.0.0.1", "::1"))
        return await serving.connect(*found, lambda: self._clock.now)

    def http(self, target: Json, port: int, path: str, headers: Mapping[str, str]) -> tuple[int, str, bytes]:
        """A GET to the address of a pod or a node. Raises ConnectionRefusedError, TimeoutError."""
        status = target.get("status") or {}
        if target["kind"] == "Node":
            addresses = [one["address"] for one in status.get("addresses") or () if one["type"] == "InternalIP"]
        else:
            addresses = [one["ip"] for one in status.get("podIPs") or ()]
        run, _ = self._listener(target, port, addresses)
        answer = run.program.answer(path.partition("?")[0], run.age(self._clock.now))
        if answer.after > PATIENCE:
            raise TimeoutError
        return answer.status, answer.content_type, answer.body.encode()

    def configz(self, node: str) -> Json:
        """nodes/NAME/proxy/configz."""
        found: Json = msgspec.json.decode(configz(NodeView(name=node)))
        return found

    def _of(self, pod: Json) -> PodWorker | None:
        meta = pod["metadata"]
        worker = self._fleet.worker((meta["namespace"], meta["name"]))
        return worker if worker is not None and worker.uid == meta["uid"] else None

    def _listener(self, target: Json, port: int, addresses: Iterable[str]) -> tuple[Instance, Socket]:
        """Who takes a TCP connection to one of these addresses. Raises ConnectionRefusedError."""
        for run in self._runs(target):
            for address in addresses:
                found = run.program.socket(address, port)
                if found is not None and run.program.listens(run.age(self._clock.now)):
                    return run, found
        raise ConnectionRefusedError(f"nothing listens on port {port}")

    def _runs(self, target: Json) -> Iterator[Instance]:
        """All that runs in a pod's network, or in a node's."""
        if target["kind"] == "Pod":
            worker = self._of(target)
            yield from worker.neighbours() if worker else ()
            return
        for worker in self._fleet.in_network_of(target["metadata"]["name"]):
            yield from worker.neighbours()
            return
