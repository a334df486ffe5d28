"""Reading nodes of a live cluster without an agent: which ones, through which pods, side by side."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from functools import partial
from itertools import islice

from msgspec import Struct, structs

from ..errors import BadData
from ..model import node_rules
from ..model.case import Case
from ..model.cluster import Node
from ..model.diagnosis import Target
from ..model.meta import each
from ..model.pod import Pod
from ..model.snapshot import Gap, assemble
from . import node_pages, node_reading, proxy_pods
from .api import WORKERS, Api
from .asking import Asker, Found
from .gather import Gathered
from .node_look import Read
from .proxy_pods import SYSTEM
from .questions import client_pod
from .workers import Workers

AUTO, ALL = ("auto",), ("all",)
MOST = 8
"""Nodes that are read unless more are asked for."""
OF_ENDPOINTS = 5
LIMIT = 10.0
"""Seconds that a node gets."""
CONFIG_MAPS = ("kube-proxy", "kube-proxy-config")
LOG_TAIL = {"tailLines": "200", "limitBytes": "65536"}
Announce = Callable[[str], None]


def read_nodes(
    api: Api, gathered: Gathered, target: Target, which: Sequence[str], announce: Announce, limit: float = LIMIT
) -> Gathered:
    """``gathered`` with what the nodes show that ``which`` means: AUTO, ALL, or names.

    Besides the nodes, the pods of kube-system and the ConfigMap of kube-proxy are read. ``announce`` is told of nodes
    without a kube-proxy pod where no node has one. Raises CouldNotLook where the API server can't be reached any more.
    """
    return _Reading(api, gathered, target, announce, limit).run(tuple(which))


class _Place(Struct, frozen=True):
    """The container of a node that is its kube-proxy."""

    node: str
    pod: Pod
    container: str


class _Reading:
    """One run; holds what has been found so far."""

    def __init__(self, api: Api, gathered: Gathered, target: Target, announce: Announce, limit: float) -> None:
        self.api, self.target, self.announce, self.limit = api, target, announce, limit
        self.ask = Asker(api)
        self.keep = bool(gathered.answers)
        self.snapshot = gathered.snapshot
        self.answers = list(gathered.answers)
        self.workers = Workers(WORKERS)

    def run(self, which: tuple[str, ...]) -> Gathered:
        self._around()
        proxies = proxy_pods.by_node(self.snapshot.pods.within(SYSTEM))
        nodes = chosen(Case(self.snapshot, self.target), which, proxies)
        self._look(list(self._places(nodes, proxies)))
        return Gathered(self.snapshot, tuple(self.answers))

    def _around(self) -> None:
        """What kube-proxy was told, and where it runs."""
        jobs = []
        if not self.snapshot.pods.covers(SYSTEM):
            jobs.append(self.workers.submit(self.ask.list, "pods", SYSTEM))
        for name in CONFIG_MAPS:
            if not self.snapshot.configmaps.knows(SYSTEM, name):
                jobs.append(self.workers.submit(self.ask.object, "configmaps", SYSTEM, name))
        for job in jobs:
            self._take(job.result())

    def _take(self, found: Found) -> None:
        try:
            self.snapshot = assemble(self.snapshot, found.answers)
            self.answers += found.answers if self.keep else ()
        except BadData as error:
            self._add_gaps([Gap(found.answers[0].path, error.detail)])
        self._add_gaps(found.gaps)

    def _add_gaps(self, gaps: Sequence[Gap]) -> None:
        new = (gap for gap in dict.fromkeys(gaps) if gap not in self.snapshot.gaps)
        self.snapshot = structs.replace(self.snapshot, gaps=(*self.snapshot.gaps, *new))

    def _places(self, nodes: Sequence[str], proxies: dict[str, Pod]) -> Iterator[_Place]:
        """Where to look. Where no node has a kube-proxy pod, another program does its work, or it is no pod."""
        found = dict(proxies)
        missing = [node for node in nodes if node not in found]
        unread = False
        for node, answers, pod in proxy_pods.elsewhere(self.ask, missing):
            self._add_gaps(answers.gaps)
            unread = unread or bool(answers.gaps)
            if pod is not None:
                found[node] = pod
        for node in nodes:
            pod = found.get(node)
            container = proxy_pods.container_of(pod) if pod else None
            if pod is not None and container is not None:
                yield _Place(node, pod, container)
        self._tell_lacking([node for node in missing if node not in found], bool(found), unread)

    def _tell_lacking(self, nodes: Sequence[str], others: bool, unread: bool) -> None:
        """Nodes without a kube-proxy pod."""
        if not nodes:
            return
        if unread and not self.snapshot.pods.covers(SYSTEM):
            self._add_gaps([Gap(f"nodes/{node}", "where its kube-proxy runs was not read") for node in nodes])
        elif others:
            why = "no kube-proxy pod runs there to read it through"
            self._add_gaps([Gap(f"nodes/{node}", why) for node in nodes])
        else:
            more = f" and {len(nodes) - 3} more" if len(nodes) > 3 else ""
            self.announce(
                f"no kube-proxy pod runs on {', '.join(nodes[:3])}{more}: it is no pod (k3s), or something else does "
                "its work (Cilium, Calico's eBPF, Antrea, OVN-Kubernetes); no rules were read"
            )

    def _look(self, places: Sequence[_Place]) -> None:
        """Rules and ports of all nodes side by side."""
        submit = self.workers.submit
        jobs: dict[str, list[Future[Read]]] = {}
        for place in places:
            args = (self.api, place.node, place.pod, place.container, self.limit)
            jobs[place.node] = [submit(node_reading.commands, *args), submit(node_pages.pages, *args)]
        logs = {self._log_name(place): submit(partial(self._log, place)) for place in places}
        gaps: list[Gap] = []
        rules = dict(self.snapshot.node_rules)
        for node, pair in jobs.items():
            parts = [job.result() for job in pair]
            files = {name: body for part in parts for name, body in part.files.items()}
            gaps += [gap for part in parts for gap in part.gaps]
            if any(body.strip() for body in files.values()):
                rules[node] = node_rules.read(node, files)
        said = {place: text for place, job in logs.items() if (text := job.result())}
        self.snapshot = structs.replace(
            self.snapshot,
            node_rules=dict(sorted(rules.items())),
            logs={**said, **self.snapshot.logs},
        )
        self._add_gaps(list(_folded(gaps)))

    def _log_name(self, place: _Place) -> tuple[str, str, str]:
        return place.pod.namespace, place.pod.name, place.container

    def _log(self, place: _Place) -> str:
        """The last words of a kube-proxy. That they can't be had is no gap: they only illustrate."""
        said = self.ask.log(*self._log_name(place), LOG_TAIL)
        return said if isinstance(said, str) else ""


def _folded(gaps: Sequence[Gap]) -> Iterator[Gap]:
    """A permission that lacks on one node lacks on all: it is told once."""
    told: set[str] = set()
    for gap in gaps:
        if gap.permission is None or gap.permission not in told:
            yield gap
        told.add(gap.permission or "")


# ------------------------------------------------------------------------------------------------------- which of them


def chosen(case: Case, which: tuple[str, ...], proxies: dict[str, Pod]) -> list[str]:
    """The names of the nodes that are read."""
    known = {node.name: node for node in case.snapshot.nodes.items if _runs_linux(node)}
    names = sorted(known) or sorted(proxies)
    if which == ALL:
        return names
    if which != AUTO:
        return list(which)
    if case.service is None:
        return []
    others = sorted(names, key=lambda name: not _ails(known.get(name), proxies.get(name)))
    endpoints = [name for name in _of_endpoints(case) if name in names]
    wanted = (*_of_client(case), *endpoints[:OF_ENDPOINTS], *others)
    return list(islice(dict.fromkeys(wanted), MOST))


def _of_client(case: Case) -> tuple[str, ...]:
    client, pod = case.target.client, client_pod(case)
    if client is not None and client.kind == "Node":
        return (client.name,)
    return (pod.spec.node_name,) if pod and pod.spec.node_name else ()


def _of_endpoints(case: Case) -> Iterator[str]:
    for one in case.slices:
        yield from dict.fromkeys(entry.node_name for entry in each(one.endpoints) if entry.node_name)


def _runs_linux(node: Node) -> bool:
    return node.labels.get("kubernetes.io/os", "linux") == "linux"


def _ails(node: Node | None, pod: Pod | None) -> bool:
    """Nodes that answer, and whose kube-proxy is not ready, tell the most."""
    ready = node.condition("Ready") if node else None
    return pod is not None and not pod.ready and (ready is None or ready.status == "True")
