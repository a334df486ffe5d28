"""The loop over all kubelets of the lab: which node's kubelet runs which pod, and when it has something to do."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec import Struct

from ..controllers.loop import Controller
from ..controllers.objects import NODES, PODS
from ..images import Images
from ..store import Change, Key, Store
from .adoption import adopt
from .heartbeat import EVERY, beat
from .node import Node
from .worker import PodWorker

Json = dict[str, Any]

FINISHED = ("Succeeded", "Failed")


class _Spec(Struct, frozen=True, rename="camel"):
    node_name: str = ""
    host_network: bool = False


class _Condition(Struct, frozen=True):
    type: str
    status: str


class _Address(Struct, frozen=True):
    ip: str


class _Status(Struct, frozen=True, rename="camel"):
    phase: str = ""
    conditions: tuple[_Condition, ...] = ()
    pod_ips: tuple[_Address, ...] = msgspec.field(default=(), name="podIPs")


class _Meta(Struct, frozen=True, rename="camel"):
    deletion_timestamp: str = ""


class _Head(Struct, frozen=True):
    """As much of a pod as says whether its kubelet has anything to do."""

    metadata: _Meta
    spec: _Spec
    status: _Status = _Status()

    @property
    def settled(self) -> bool:
        if self.metadata.deletion_timestamp:
            return False
        ready = any(one.type == "Ready" and one.status == "True" for one in self.status.conditions)
        return self.status.phase in FINISHED or (self.status.phase == "Running" and ready)


_head = msgspec.json.Decoder(_Head)


class Fleet(Controller):
    """Keys are pods, and nodes as ("", name)."""

    name = "kubelet"

    def __init__(self, store: Store, images: Images) -> None:
        super().__init__(store)
        self.images = images
        self._nodes: dict[str, Node] = {}
        self._stopped: set[str] = set()
        self._workers: dict[Key, PodWorker] = {}
        self._places: dict[str, set[Key]] = {}  # node -> its pods
        self._writing = False

    # --------------------------------------------------------------------------------------------------- start and stop

    def stop_node(self, name: str) -> None:
        """The kubelet of a node stops: its containers go on, but nobody hears of them."""
        self._stopped.add(name)

    def start_node(self, name: str) -> None:
        """It starts again, and looks at everything."""
        self._stopped.discard(name)
        self.enqueue([("", name), *sorted(self._places.get(name, ()))])

    def start(self, look: bool = True) -> None:
        """All of them, also those that were stopped one by one."""
        stopped, self._stopped = self._stopped, set()
        if self.running:
            for name in sorted(stopped):
                self.start_node(name)
        super().start(look)

    def poke(self, namespace: str, name: str) -> None:
        """Something changed behind a pod's back that its probes will notice."""
        worker = self.worker((namespace, name))
        if worker is not None:
            worker.nudge()
            self.enqueue([(namespace, name)])

    def everything(self) -> Iterator[Key]:
        """All nodes, and those pods that are not settled; the others are looked at when something happens to them."""
        for stored in self.store.list(NODES):
            yield stored.key
        for stored in self.store.list(PODS):
            head = _head.decode(stored.body)
            node = self._node(head.spec.node_name)
            if node is None:
                continue
            self._places.setdefault(node.name, set()).add(stored.key)
            if not head.spec.host_network and head.status.phase not in FINISHED:
                node.pool.reserve(one.ip for one in head.status.pod_ips)
            if not head.settled:
                yield stored.key

    # ------------------------------------------------------------------------------------------------------- the loop

    def concerns(self, change: Change) -> Iterable[Key]:
        if change.resource == NODES:
            if change.old is None or change.new is None:
                self._nodes.pop(change.last.name, None)
                return (change.last.key,)
            return ()
        if change.resource != PODS or self._writing:
            return ()
        key = change.last.key
        if change.new is None:
            return (key,) if key in self._workers else ()
        node = _head.decode(change.new.body).spec.node_name
        if node:
            self._places.setdefault(node, set()).add(key)
        return (key,) if node else ()

    def reconcile(self, key: Any) -> None:
        if not key[0]:
            self._beat(key[1])
            return
        worker = self.worker(key)
        if worker is None or worker.node.name in self._stopped:
            return
        found = self.store.find(PODS, *key)
        if found is not None and str(found.revision) != worker.pod["metadata"]["resourceVersion"]:
            worker.update(found.load())
        following = worker.wake()
        if worker.gone:
            self._forget(key)
        elif following is not None:
            self.enqueue([key], max((following - self.clock.now).total_seconds(), 0))

    def _beat(self, name: str) -> None:
        node, found = self._node(name), self.store.get(NODES, "", name)
        if node is None or found is None:
            return
        if name not in self._stopped:
            beat(self.store, found, self.images, node.events)
            self.enqueue([("", name)], EVERY)

    def worker(self, key: Key) -> PodWorker | None:
        """Who runs this pod, made where nobody does yet; None for a pod that is on no node."""
        known, found = self._workers.get(key), self.store.find(PODS, *key)
        if known is not None and (found is None or found.uid != known.uid):
            known.close()
            self._forget(key)
            known = None
        if known is not None or found is None:
            return known
        pod = found.load()
        node = self._node(pod["spec"].get("nodeName", ""))
        if node is None:
            return None
        made = PodWorker(node, pod, self._write)
        adopt(made)
        self._workers[key] = made
        return made

    def in_network_of(self, node: str) -> Iterator[PodWorker]:
        """The workers of the pods that share a node's network."""
        for key in sorted(self._places.get(node, ())):
            found = self.store.find(PODS, *key)
            if found is not None and _head.decode(found.body).spec.host_network:
                worker = self.worker(key)
                if worker is not None:
                    yield worker

    def _forget(self, key: Key) -> None:
        worker = self._workers.pop(key, None)
        if worker is not None and self.store.find(PODS, *key) is None:
            self._places.get(worker.node.name, set()).discard(key)

    def _node(self, name: str) -> Node | None:
        if name and name not in self._nodes:
            found = self.store.get(NODES, "", name)
            if found is not None:
                self._nodes[name] = Node(self.store, found, self.images)
        return self._nodes.get(name)

    def _write(self, pod: Json) -> Json:
        """A status that a kubelet writes, which it needs not be told of."""
        self._writing = True
        try:
            return self.store.replace(PODS, pod)
        finally:
            self._writing = False
