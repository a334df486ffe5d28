"""What to ask an API server for one Service: no more than the answer needs, side by side.

Two rounds. The first asks for what every Service needs; the second for what the first left open: a Service that is not
there, a selector that matches nobody, a container that crashes.
"""

from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct, structs

from ..errors import BadData
from ..model.case import Case, selector_query
from ..model.decode import ListMeta, decode
from ..model.diagnosis import Target
from ..model.objects import RESOURCES
from ..model.pod import ContainerStatus, Pod
from ..model.service import SERVICE_NAME_LABEL
from ..model.snapshot import Answer, Gap, Snapshot, assemble
from .api import WORKERS, Api, Reply, Silence
from .workers import Workers

PAGE = 500
MANY = 2000
"""Pods left after the first page from which on a namespace is asked by selector instead."""
EVENT_PAGES = 4
STARTS_OVER = 3
"""How often a list may begin again because its continue token grew too old."""
ELSEWHERE = 10
"""Pods of other namespaces that are worth seeing."""
CRASHES = 3
UNREADY = 10
LOG_TAIL = {"previous": "true", "tailLines": "20", "limitBytes": "16384"}


class Gathered(Struct, frozen=True):
    """A snapshot, and the answers it was made of."""

    snapshot: Snapshot
    answers: tuple[Answer, ...]


class _Head(Struct, frozen=True):
    """The part of a list that paging needs."""

    metadata: ListMeta = ListMeta()


class _Found(Struct, frozen=True):
    """What one question brought: answers, or the gap they leave."""

    answers: tuple[Answer, ...] = ()
    gaps: tuple[Gap, ...] = ()
    left: int = 0  # items that were not read, as far as the server says


def gather(api: Api, target: Target, keep: bool = True) -> Gathered:
    """All that is read for ``target``. One read that fails leaves a gap, the others go on.

    Without ``keep`` the answers themselves are let go once they are decoded: only a snapshot needs them. Raises
    CouldNotLook where nothing can be read: no server, no trust, no credentials.
    """
    return _Gathering(api, target, keep).run()


class _Gathering:
    """One run; holds what has been found so far."""

    def __init__(self, api: Api, target: Target, keep: bool) -> None:
        self.api = api
        self.target = target
        self.keep = keep
        self.snapshot = Snapshot(taken_at=api.now(), context=api.context, server=api.server, namespace=target.namespace)
        self.answers: list[Answer] = []

    def run(self) -> Gathered:
        workers = Workers(WORKERS)
        self._first_round(workers)
        self._second_round(workers)
        self._logs(workers, self._case())
        self.snapshot = structs.replace(self.snapshot, taken_at=self.api.now())
        return Gathered(self.snapshot, tuple(self.answers))

    # ---------------------------------------------------------------------------------------------------------- rounds

    def _first_round(self, workers: Workers) -> None:
        home, name = self.target.namespace, self.target.name
        lists = ("deployments", "replicasets", "statefulsets", "daemonsets")
        pods = workers.submit(self._list, "pods", home, crowd=MANY)
        questions = [
            workers.submit(self._object, "services", home, name),
            workers.submit(self._list, "endpointslices", home, {"labelSelector": f"{SERVICE_NAME_LABEL}={name}"}),
            workers.submit(self._object, "endpoints", home, name),
            workers.submit(self._list, "events", home, pages=EVENT_PAGES),
            *(workers.submit(self._list, plural, home) for plural in lists),
            workers.submit(self._list, "nodes", ""),
        ]
        client = self.target.client
        if client is not None and client.kind == "Pod" and client.namespace != home:
            questions.append(workers.submit(self._object, "pods", client.namespace, client.name))
        self._take(question.result() for question in questions)
        found = pods.result()
        if found.left:
            self._crowd()
        else:
            self._take([found])

    def _second_round(self, workers: Workers) -> None:
        case = self._case()
        home = self.target.namespace
        ask: list[Callable[[], _Found]] = []
        if case.service is None:
            if self.snapshot.services.knows(home, self.target.name):
                ask += self._missing_service()
        elif not case.external_name:
            if case.slices_known and (not case.selector or not case.slices):
                ask.append(lambda: self._list("endpointslices", home))
            if case.selector and case.pods_known and not case.matched:
                query = {**_pairs(selector_query(case.selector)), "limit": str(ELSEWHERE)}
                ask.append(lambda: self._list("pods", "", query, pages=1))
            if self.snapshot.events.items and not self.snapshot.events.covers(home):
                ask += self._events_of_unready(case)
        self._take(future.result() for future in [workers.submit(question) for question in ask])

    def _missing_service(self) -> list[Callable[[], _Found]]:
        home, name = self.target.namespace, self.target.name
        return [
            lambda: self._list("services", home),
            lambda: self._list("services", "", {"fieldSelector": f"metadata.name={name}"}),
            lambda: self._object("namespaces", "", home),
        ]

    def _events_of_unready(self, case: Case) -> list[Callable[[], _Found]]:
        """The events that were cut off, for the pods that they may explain."""
        unready = [pod for pod in case.backends if not pod.ready][:UNREADY]

        def of(pod: Pod) -> Callable[[], _Found]:
            query = {"fieldSelector": f"involvedObject.name={pod.name}"}
            return lambda: self._list("events", case.target.namespace, query)

        return [of(pod) for pod in unready]

    def _crowd(self) -> None:
        """A crowded namespace: the pods of the selector are enough, unless there are none. No selector needs none."""
        home, selector = self.target.namespace, self._case().selector
        if selector:
            self._take([self._list("pods", home, _pairs(selector_query(selector)))])
            if not self._case().matched:
                self._take([self._list("pods", home)])

    # ----------------------------------------------------------------------------------------------------- questions

    def _object(self, plural: str, namespace: str, name: str) -> _Found:
        resource = RESOURCES[plural]
        path = resource.path(namespace, name)
        try:
            reply = self.api.get(path)
        except Silence as silence:
            return _Found(gaps=(Gap(path, silence.why),))
        if reply.status not in (200, 404):
            return _Found(gaps=(_refusal(reply, path, resource.permission("get", namespace)),))
        return _Found((Answer(path, reply.body),))

    def _list(
        self,
        plural: str,
        namespace: str,
        query: Mapping[str, str] | None = None,
        pages: int | None = None,
        crowd: int | None = None,
    ) -> _Found:
        """A list in pages: at most ``pages`` of them, only the first if more than ``crowd`` items are left after it.

        It starts over when its token grows too old (410).
        """
        for _ in range(STARTS_OVER):
            found = self._list_once(plural, namespace, query or {}, pages, crowd)
            if found is not None:
                return found
        path = RESOURCES[plural].path(namespace)
        return _Found(gaps=(Gap(path, "the list changed faster than it could be read"),))

    def _list_once(
        self, plural: str, namespace: str, query: Mapping[str, str], pages: int | None, crowd: int | None
    ) -> _Found | None:
        resource = RESOURCES[plural]
        path = resource.path(namespace)
        spoken = "&".join(f"{key}={value}" for key, value in query.items())
        bodies: list[bytes] = []
        token, left = "", 0
        while not bodies or (token and (pages is None or len(bodies) < pages)):
            asked = {"limit": str(PAGE), **query, **({"continue": token} if token else {})}
            try:
                reply = self.api.get(path, asked)
            except Silence as silence:
                return _Found(_answers(path, spoken, bodies, False), (Gap(path, silence.why),))
            if reply.status == 410 and token:
                return None
            if reply.status != 200:
                gap = _refusal(reply, path, resource.permission("list", namespace))
                return _Found(_answers(path, spoken, bodies, False), (gap,))
            bodies.append(reply.body)
            try:
                head = decode(reply.body, _Head, path).metadata
            except BadData as error:
                return _Found(_answers(path, spoken, bodies[:-1], False), (Gap(path, error.detail),))
            token = head.continue_
            left = (head.remaining_item_count or 1) if token else 0
            if crowd is not None and left > crowd:
                break
        whole = not token or "limit" in query
        gaps = () if whole or plural != "events" else (Gap(path, f"only the first {len(bodies) * PAGE} were read"),)
        return _Found(_answers(path, spoken, bodies, whole), gaps, left)

    def _logs(self, workers: Workers, case: Case) -> None:
        """The last words of the first few containers that crash."""
        crashed = [
            (pod, status.name)
            for pod in case.backends
            for status in (*pod.status.init_container_statuses, *pod.status.container_statuses)
            if _crashes(status)
        ][:CRASHES]
        asked = [(pod, name, workers.submit(self._log, pod, name)) for pod, name in crashed]
        found = {(pod.namespace, pod.name, name): job.result() for pod, name, job in asked}
        logs = {place: said for place, said in found.items() if isinstance(said, str)}
        gaps = tuple(dict.fromkeys(said for said in found.values() if isinstance(said, Gap)))
        self.snapshot = structs.replace(self.snapshot, logs=logs, gaps=self.snapshot.gaps + gaps)

    def _log(self, pod: Pod, container: str) -> str | Gap | None:
        """The tail of a container's last run, or why it can't be had; None where there was no earlier run."""
        path = RESOURCES["pods"].path(pod.namespace, pod.name) + "/log"
        try:
            reply = self.api.get(path, {"container": container, **LOG_TAIL})
        except Silence as silence:
            return Gap(path, silence.why)
        if reply.status == 200:
            return reply.body.decode(errors="replace")
        return _refusal(reply, path, f"get pods/log in namespace {pod.namespace}") if reply.status == 403 else None

    # ----------------------------------------------------------------------------------------------------- bookkeeping

    def _take(self, found: Iterable[_Found]) -> None:
        for one in found:
            gaps = one.gaps
            try:
                self.snapshot = assemble(self.snapshot, one.answers)
                self.answers += one.answers if self.keep else ()
            except BadData as error:  # one bad page, and nobody knows what the list lacks
                gaps = (*gaps, Gap(one.answers[0].path, error.detail))
            self.snapshot = structs.replace(self.snapshot, gaps=self.snapshot.gaps + gaps)

    def _case(self) -> Case:
        return Case(self.snapshot, self.target)


def _answers(path: str, query: str, bodies: list[bytes], complete: bool) -> tuple[Answer, ...]:
    return tuple(Answer(path, body, query, complete) for body in bodies)


def _pairs(query: str) -> dict[str, str]:
    key, _, value = query.partition("=")
    return {key: value}


def _crashes(status: ContainerStatus) -> bool:
    waiting, ended = status.state.waiting, status.state.terminated
    backing_off = waiting is not None and waiting.reason == "CrashLoopBackOff"
    return backing_off or (ended is not None and status.restart_count > 0)


def _refusal(reply: Reply, path: str, permission: str) -> Gap:
    if reply.status == 403:
        return Gap(path, "403 Forbidden", permission)
    if reply.status == 404:
        return Gap(path, "404 Not Found: this server does not serve it")
    return Gap(path, f"the server answered {reply.status}")
