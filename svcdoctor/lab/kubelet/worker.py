"""One pod on its node: the kubelet's worker, its sync loop, and the moments at which something is due.

As in the real one a sync is repeated until nothing fails, and what comes while one is under way waits for its end; but
a pod that is well has nothing due at all. Source: pkg/kubelet/{kubelet,pod_workers}.go of Kubernetes 1.36.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from ..clock import stamp
from .backoff import Backoff
from .containers import Container, Containers
from .instance import Instance
from .node import Node
from .prober import Prober
from .probing import Probing
from .status import Place, pod_status
from .syncing import Sync, keep, terminate

Json = dict[str, Any]


class PodWorker:
    """Lives as long as its pod is bound to this node."""

    def __init__(self, node: Node, pod: Json, write: Callable[[Json], Json]) -> None:
        self.node, self.pod, self._write = node, pod, write
        self.uid: str = pod["metadata"]["uid"]
        self.addresses: tuple[str, ...] = tuple(node.host_addresses()) if pod["spec"].get("hostNetwork") else ()
        self.backoff, self.pulls = Backoff(), Backoff()
        self.pull_errors: dict[str, str] = {}
        self.containers = Containers(pod["spec"], self.now)
        self.sandbox = False
        self.gone = False
        self._since = stamp(self.now)
        self._due: dict[Any, datetime] = {"sync": self.now}
        self._sync: Sync | None = None
        self.again = False
        self.mounts = 0
        self._ending = bool(pod["metadata"].get("deletionTimestamp"))
        node.workers[self.uid] = self

    @property
    def now(self) -> datetime:
        return self.node.store.clock.now

    @property
    def full_name(self) -> str:
        meta = self.pod["metadata"]
        return f"{meta['name']}_{meta['namespace']}({self.uid})"

    def neighbours(self) -> Iterator[Instance]:
        """All that runs in the same network."""
        workers = self.node.in_host_network() if self.pod["spec"].get("hostNetwork") else (self,)
        return (run for worker in workers for one in worker.containers if (run := one.running(self.now)))

    def tell(self, one: Container, type: str, reason: str, message: str, times: int = 1) -> None:
        self.node.events.record(self.pod, type, reason, message, f"spec.{one.field}{{{one.name}}}", times)

    # ------------------------------------------------------------------------------------------------------ what is due

    def update(self, pod: Json) -> None:
        """A new version of the pod, by somebody else."""
        ends = pod["metadata"].get("deletionTimestamp")
        hastened = ends != self.pod["metadata"].get("deletionTimestamp")
        self.pod = pod
        self.containers.refresh(pod["spec"])
        if ends and hastened:
            if self._sync is not None:
                self._sync.close()
            self._sync, self._ending = None, True
            self._due.pop("step", None)
            self._due["sync"] = self.now
        else:
            self.request()

    def request(self) -> None:
        """A sync as soon as possible."""
        if self._sync is not None:
            self.again = True
        else:
            self._due["sync"] = self.now

    def nudge(self) -> None:
        """What listens in the pod may answer otherwise: its probes look again."""
        for one in self.containers:
            for prober in one.probers.values():
                prober.nudge(self.now)

    def wake(self) -> datetime | None:
        """Does all that is due; when the next thing is, None for never."""
        while not self.gone:
            moments = {**self._due, **dict(self._probe_moments())}
            what = min(moments, key=lambda key: moments[key], default=None)
            if what is None or moments[what] > self.now:
                return moments[what] if what is not None else None
            self._due.pop(what, None)
            if what == "relist":
                self._relist()
            elif isinstance(what, tuple):
                self._probe(*what)
            else:
                self._advance(begin=what == "sync")
        return None

    def _probe_moments(self) -> Iterator[tuple[tuple[Container, Prober], datetime]]:
        for one in self.containers:
            for prober in one.probers.values():
                if prober.next is not None and prober.instance is not None and prober.instance is one.latest:
                    yield (one, prober), prober.next

    def _probe(self, one: Container, prober: Prober) -> None:
        if one.running(self.now) is None or (self._ending and prober.kind != "readiness"):
            prober.next = None
        elif prober.step(self.now, Probing(self, one)):
            if prober.kind == "startup" and prober.result:
                self._attend()
            self.request()

    def _relist(self) -> None:
        """The kubelet notices what its runtime did: runs that began, runs that ended."""
        for one in self.containers:
            run = one.latest
            if run is not None and not run.seen_running:
                run.seen_running = True
                self.request()
            if run is not None and not run.runs(self.now) and not run.seen_ended:
                run.seen_ended = True
                self.request()
        self._attend()
        self._watch()

    def _attend(self) -> None:
        """Sets the probes on what runs; readiness is asked about at once, once it is known to run."""
        for one in self.containers:
            run = one.running(self.now)
            if run is None:
                continue
            for kind, prober in one.probers.items():
                if prober.instance is run or (kind != "startup" and not one.started(self.now)):
                    continue
                prober.attend(run, self.now, at_once=kind == "readiness")
        self.nudge()

    def _watch(self) -> None:
        """Sets the next look at the runtime: after what is not noticed yet."""
        moments = []
        for one in self.containers:
            run = one.latest
            if run is not None and not run.seen_running:
                moments.append(self.node.relist_after(run.started))
            elif run is not None and run.end is not None and not run.seen_ended:
                moments.append(self.node.relist_after(max(run.end, run.started)))
        self._due.pop("relist", None)
        if moments:
            self._due["relist"] = max(min(moments), self.now)

    # ----------------------------------------------------------------------------------------------------------- syncs

    def _advance(self, begin: bool) -> None:
        """Begins a sync, or takes the next step of the one under way."""
        if self._sync is None:
            self._sync = terminate(self) if self._ending else keep(self)
        elif begin:
            self.again = True
            return
        try:
            self._due["step"] = self.now + timedelta(seconds=next(self._sync))
        except StopIteration as stop:
            self._sync = None
            if stop.value is not None:
                self._due["sync"] = self.now + timedelta(seconds=stop.value)
            if self.again:
                self.again, self._due["sync"] = False, self.now
        if not self.gone:
            self._watch()

    def close(self) -> None:
        """The pod is no more: its address is free."""
        self.gone = True
        self.end_sandbox()
        self._due.clear()
        self.node.workers.pop(self.uid, None)

    def end_sandbox(self) -> None:
        """Its network goes, and its address is free; nothing happens where that is so already."""
        if self.sandbox and not self.pod["spec"].get("hostNetwork"):
            self.node.pool.release(self.addresses)
        self.sandbox = False

    def write_status(self) -> None:
        addresses = self.addresses
        place = Place(self.node.host_addresses(), addresses, self.sandbox, self._since)
        status = pod_status(self.pod, self.containers, place, self.now)
        if status != self.pod.get("status"):
            self.pod = self._write({**self.pod, "status": status})
