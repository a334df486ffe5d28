"""Which questions to put to name servers about one Service, from which place; the answers become observations.

From where svcdoctor runs, if that is in the cluster; through a port-forward to each name server's pod (TCP; proves what
the server says, skips proxy, policies and UDP); and in the client's own container, by the tools that it has.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import takewhile

from msgspec import Struct, structs

from ..model.case import Case
from ..model.diagnosis import Target
from ..model.name_service import addresses
from ..model.observation import DnsAnswer
from ..model.pod import Pod
from ..model.snapshot import Gap, Snapshot
from ..steps.dns.names import absolute, within
from ..steps.dns.search import names as candidates
from ..steps.dns.view import DNS_PORT, View, is_name
from . import client_tools, debugging, resolver, websocket
from .api import WORKERS, Api, Silence
from .resolver import Question
from .websocket import CannotRun, Ran, Refused
from .workers import Workers

MOST_SERVERS = 3
MOST_CANDIDATES = 6
NO_SUCH_COMMAND = (126, 127)


class Ways(Struct, frozen=True):
    """From where to ask."""

    here: bool = False  # this process is in the cluster
    active: bool = False  # port-forward and exec, which create connections into pods
    image: str = ""  # of a debugging container, where the client's own has no tools; empty: none is added


class Observed(Struct, frozen=True):
    """What came of it."""

    answers: tuple[DnsAnswer, ...] = ()
    files: dict[tuple[str, str], str] = {}  # resolv.conf by pod
    gaps: tuple[Gap, ...] = ()

    def added(self, other: "Observed") -> "Observed":
        return Observed((*self.answers, *other.answers), {**self.files, **other.files}, (*self.gaps, *other.gaps))


def ask_names(
    api: Api, snapshot: Snapshot, target: Target, ways: Ways, announce: Callable[[str], None] = lambda text: None
) -> Snapshot:
    """``snapshot`` with what the name servers say of the Service. ``announce`` is told before a container is added.

    Raises CouldNotLook where the API server can't be reached any more, and nothing else.
    """
    case = Case(snapshot, target)
    if case.service is None:
        return snapshot
    view = View(case, case.service)
    observed = Observed()
    for found in _side_by_side(_jobs(api, view, ways, announce)):
        observed = observed.added(found)
    return structs.replace(
        snapshot,
        dns_answers=(*snapshot.dns_answers, *observed.answers),
        resolv_confs={**snapshot.resolv_confs, **observed.files},
        gaps=(*snapshot.gaps, *dict.fromkeys(observed.gaps)),
    )


def _side_by_side(jobs: Iterable[Callable[[], Observed]]) -> Iterator[Observed]:
    workers = Workers(WORKERS)
    for future in [workers.submit(job) for job in jobs]:
        yield future.result()


def _jobs(api: Api, view: View, ways: Ways, announce: Callable[[str], None]) -> Iterator[Callable[[], Observed]]:
    service = view.servers.service
    pods = [pod for pod in view.servers.pods if pod.addresses and not pod.terminating][:MOST_SERVERS]
    questions = tuple(questions_of(view))
    if ways.here and service is not None:
        for address in addresses(service)[:1]:
            yield partial(_here, questions, address)
        for pod in pods:
            yield partial(_here, questions[:1], pod.addresses[0], view.server_port or DNS_PORT)
    if ways.active:
        for pod in pods:
            yield partial(_forwarded, api, view, pod, questions)
        client = view.client
        if client is not None:
            yield partial(in_client, api, view, client, ways.image, announce)


def questions_of(view: View) -> Iterator[Question]:
    """The Service's name, the proof that the server is the cluster's, and where an alias leads."""
    yield Question(view.fqdn, view.type)
    yield Question(view.fqdn, "AAAA" if view.type == "A" else "A")
    yield Question(f"dns-version.{view.zone}.", "TXT")
    if view.case.external_name:
        yield Question(absolute(view.service.spec.external_name), "A")


# ----------------------------------------------------------------------------------------------- from here, and forward


def _here(questions: Iterable[Question], server: str, port: int = DNS_PORT) -> Observed:
    """One after the other: A and AAAA are timed apart."""
    answers: list[DnsAnswer] = []
    for number, question in enumerate(questions):
        answers += resolver.over_udp(question, server, port)
        if number == 0:
            answers.append(resolver.over_tcp(question, server, port))
    return Observed(tuple(answers))


def _forwarded(api: Api, view: View, pod: Pod, questions: Iterable[Question]) -> Observed:
    """One connection for each question: CoreDNS may close one after an answer."""
    port = view.server_port or DNS_PORT
    path = f"port-forward {pod.namespace}/{pod.name}"
    answers: list[DnsAnswer] = []
    for question in questions:
        try:
            with websocket.Forward(api, pod.namespace, pod.name, port) as stream:
                answer = resolver.over_stream(question, stream, pod.addresses[0], port)
        except Refused as refused:
            return Observed(tuple(answers), gaps=(_gap(pod, "portforward", refused),))
        answers.append(structs.replace(answer, path=path))
    return Observed(tuple(answers))


def _gap(pod: Pod, subresource: str, refused: Refused) -> Gap:
    permission = f"create pods/{subresource} in namespace {pod.namespace}" if refused.status == 403 else None
    return Gap(f"api/v1/namespaces/{pod.namespace}/pods/{pod.name}/{subresource}", refused.why, permission)


# ------------------------------------------------------------------------------------------------------- in the client


class _Tools:
    """The commands of one container."""

    def __init__(self, api: Api, pod: Pod, container: str) -> None:
        self.api = api
        self.pod = pod
        self.container = container
        self.name = f"{pod.namespace}/{pod.name}"

    def run(self, *argv: str) -> Ran | None:
        """What the command printed; None where the container has no such command. Raises Refused, Silence."""
        try:
            ran = websocket.run(self.api, self.pod.namespace, self.pod.name, self.container, argv)
        except CannotRun:
            return None
        return None if ran.code in NO_SUCH_COMMAND else ran

    def look_up(self, name: str, type: str) -> tuple[DnsAnswer, ...]:
        """One absolute name, by the best tool that there is."""
        ran = self.run("dig", "+tries=1", name, type)
        found = client_tools.dig(self.name, name, type, "UDP", ran.stdout, ran.ms) if ran else None
        if found is not None:
            return (found,)
        ran = self.run("nslookup", name)
        return client_tools.nslookup(self.name, name, ran.stdout + ran.stderr, ran.ms) if ran else ()


def in_client(api: Api, view: View, pod: Pod, image: str, announce: Callable[[str], None]) -> Observed:
    """The client's file, its own resolver, and the names that it would ask for."""
    container = pod.spec.containers[0].name if pod.spec.containers else ""
    tools = _Tools(api, pod, container)
    try:
        observed = _asked(tools, view, pod)
        if observed.answers or not image:
            return observed
        announce(
            f"{pod.namespace}/{pod.name} has no tools: adding a debugging container of {image}, which can't be removed "
            f"and ends by itself after {debugging.LIFE // 60} minutes"
        )
        added = debugging.add_container(api, pod, image)
        return observed.added(_asked(_Tools(api, pod, added), view, pod))
    except Refused as refused:
        return Observed(gaps=(_gap(pod, "exec", refused),))
    except Silence as silence:
        return Observed(gaps=(Gap(f"exec in {pod.namespace}/{pod.name}", silence.why),))


def _asked(tools: _Tools, view: View, pod: Pod) -> Observed:
    file = tools.run("cat", "/etc/resolv.conf")
    files = {(pod.namespace, pod.name): file.stdout} if file and file.code == 0 and file.stdout else {}
    answers: list[DnsAnswer] = []
    resolved = tools.run("getent", "hosts", view.short)
    if resolved is not None:
        answers.append(client_tools.getent(tools.name, view.short, resolved.stdout, resolved.code, resolved.ms))
    for name in _names(view):
        answers += tools.look_up(name, view.type)
    gaps: tuple[Gap, ...] = ()
    if not answers:
        why = f"container {tools.container} has neither getent nor dig nor nslookup; --yes adds a debugging container"
        gaps = (Gap(f"look-ups in {tools.name}", why),)
    return Observed(tuple(answers), files, gaps)


def _names(view: View) -> Iterator[str]:
    """The Service's name, then what its search asks for outside of the cluster's zone before it."""
    yield view.fqdn
    if view.conf is not None:
        walk = [name for name, _ in candidates(view.short, view.conf)]
        before = takewhile(lambda name: not is_name(name, view.fqdn), walk)
        yield from [name for name in before if not within(view.zone, name)][:MOST_CANDIDATES]
