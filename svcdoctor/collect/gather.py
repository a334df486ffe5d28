"""What to ask an API server for one Service: no more than the answer needs, side by side.

The first round asks for what every Service needs, the second for what that left open: a Service that is not there, a
selector that matches nobody. `questions` then names what the answer still lacks, until it lacks nothing; `tails`, which
logs to read.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import Future

from msgspec import Struct, structs

from ..errors import BadData
from ..model.case import Case, selector_query
from ..model.diagnosis import Target
from ..model.pod import Pod
from ..model.service import SERVICE_NAME_LABEL
from ..model.snapshot import Answer, Gap, Snapshot, assemble
from . import tails
from .api import WORKERS, Api
from .asking import Asker, Found
from .questions import FOREIGN_POLICIES, Question, first_guess, further
from .workers import Workers

MANY = 2000
"""Pods left after the first page from which on a namespace is asked by selector instead."""
EVENT_PAGES = 4
ELSEWHERE = 10
"""Pods of other namespaces that are worth seeing."""
UNREADY = 10
ROUNDS = 6
"""How often what was learnt may lead to further questions."""


class Gathered(Struct, frozen=True):
    """A snapshot, and the answers it was made of."""

    snapshot: Snapshot
    answers: tuple[Answer, ...]


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
        self.ask = Asker(api)
        self.target = target
        self.keep = keep
        self.snapshot = Snapshot(taken_at=api.now(), context=api.context, server=api.server, namespace=target.namespace)
        self.answers: list[Answer] = []
        self.asked: set[Question] = set()

    def run(self) -> Gathered:
        workers = Workers(WORKERS)
        self._first_round(workers)
        self._further_rounds(workers, self._left_open())
        self._logs(workers, self._case())
        self._further_rounds(workers, [])
        self.snapshot = structs.replace(self.snapshot, taken_at=self.api.now())
        return Gathered(self.snapshot, tuple(self.answers))

    # ---------------------------------------------------------------------------------------------------------- rounds

    def _first_round(self, workers: Workers) -> None:
        home, name = self.target.namespace, self.target.name
        lists = ("deployments", "replicasets", "statefulsets", "daemonsets")
        pods = workers.submit(self.ask.list, "pods", home, crowd=MANY)
        questions = [
            workers.submit(self.ask.object, "services", home, name),
            workers.submit(self.ask.list, "endpointslices", home, {"labelSelector": f"{SERVICE_NAME_LABEL}={name}"}),
            workers.submit(self.ask.object, "endpoints", home, name),
            workers.submit(self.ask.list, "events", home, pages=EVENT_PAGES),
            *(workers.submit(self.ask.list, plural, home) for plural in lists),
            workers.submit(self.ask.list, "nodes", ""),
        ]
        client = self.target.client
        if client is not None and client.kind == "Pod" and client.namespace != home:
            questions.append(workers.submit(self.ask.object, "pods", client.namespace, client.name))
        questions += self._submit(workers, first_guess(self._case()))
        self._take(question.result() for question in questions)
        found = pods.result()
        if found.left:
            self._crowd()
        else:
            self._take([found])

    def _further_rounds(self, workers: Workers, left_open: list[Callable[[], Found]]) -> None:
        for _ in range(ROUNDS):
            jobs = [workers.submit(question) for question in left_open]
            jobs += self._submit(workers, further(self._case(), self.asked))
            if not jobs:
                return
            self._take(job.result() for job in jobs)
            left_open = []

    def _submit(self, workers: Workers, questions: Iterable[Question]) -> list[Future[Found]]:
        """The questions that were not put before."""
        new = [question for question in dict.fromkeys(questions) if question not in self.asked]
        self.asked.update(new)
        return [workers.submit(self._put, question) for question in new]

    def _put(self, question: Question) -> Found:
        if not question.plural:
            return self.ask.kubelet(question.name)
        if question.plural == FOREIGN_POLICIES:
            return self.ask.foreign_policies(question.namespace)
        if question.name:
            return self.ask.object(question.plural, question.namespace, question.name)
        return self.ask.list(question.plural, question.namespace, question.pairs, pages=question.pages)

    def _left_open(self) -> list[Callable[[], Found]]:
        """What the first round did not settle of the Service itself."""
        case = self._case()
        home = self.target.namespace
        ask: list[Callable[[], Found]] = []
        if case.service is None:
            if self.snapshot.services.knows(home, self.target.name):
                ask += self._missing_service()
        elif not case.external_name:
            if case.slices_known and (not case.selector or not case.slices):
                ask.append(lambda: self.ask.list("endpointslices", home))
            if case.selector and case.pods_known and not case.matched:
                query = {**_pairs(selector_query(case.selector)), "limit": str(ELSEWHERE)}
                ask.append(lambda: self.ask.list("pods", "", query, pages=1))
            if self.snapshot.events.items and not self.snapshot.events.covers(home):
                ask += self._events_of_unready(case)
        return ask

    def _missing_service(self) -> list[Callable[[], Found]]:
        home, name = self.target.namespace, self.target.name
        return [
            lambda: self.ask.list("services", home),
            lambda: self.ask.list("services", "", {"fieldSelector": f"metadata.name={name}"}),
            lambda: self.ask.object("namespaces", "", home),
        ]

    def _events_of_unready(self, case: Case) -> list[Callable[[], Found]]:
        """The events that were cut off, for the pods that they may explain."""
        unready = [pod for pod in case.backends if not pod.ready][:UNREADY]

        def of(pod: Pod) -> Callable[[], Found]:
            query = {"fieldSelector": f"involvedObject.name={pod.name}"}
            return lambda: self.ask.list("events", case.target.namespace, query)

        return [of(pod) for pod in unready]

    def _crowd(self) -> None:
        """A crowded namespace: the pods of the selector are enough, unless there are none. No selector needs none."""
        home, selector = self.target.namespace, self._case().selector
        if selector:
            self._take([self.ask.list("pods", home, _pairs(selector_query(selector)))])
            if not self._case().matched:
                self._take([self.ask.list("pods", home)])

    # ------------------------------------------------------------------------------------------------------------ logs

    def _logs(self, workers: Workers, case: Case) -> None:
        asked = {place: workers.submit(self.ask.log, *place, how) for place, how in tails.wanted(case).items()}
        found = {place: job.result() for place, job in asked.items()}
        logs = {place: said for place, said in found.items() if isinstance(said, str)}
        gaps = tuple(dict.fromkeys(said for said in found.values() if isinstance(said, Gap)))
        self.snapshot = structs.replace(self.snapshot, logs=logs, gaps=self.snapshot.gaps + gaps)

    # ----------------------------------------------------------------------------------------------------- bookkeeping

    def _take(self, found: Iterable[Found]) -> None:
        for one in found:
            gaps = one.gaps
            try:
                self.snapshot = assemble(self.snapshot, one.answers)
                self.answers += one.answers if self.keep else ()
            except BadData as error:  # one bad page, and nobody knows what the list lacks
                gaps = (*gaps, Gap(one.answers[0].path, error.detail))
            kubelets = {**self.snapshot.kubelets, **one.kubelets}
            self.snapshot = structs.replace(self.snapshot, kubelets=kubelets, gaps=self.snapshot.gaps + gaps)

    def _case(self) -> Case:
        return Case(self.snapshot, self.target)


def _pairs(query: str) -> dict[str, str]:
    key, _, value = query.partition("=")
    return {key: value}
