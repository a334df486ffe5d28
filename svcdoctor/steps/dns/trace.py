"""The whole way of one name, to be shown: who is asked, for which names in turn, what must come back and what did."""

from collections.abc import Callable, Iterator

from msgspec import Struct

from ...model.case import Case
from ...model.diagnosis import Finding
from ...model.name_service import addresses
from ...model.snapshot import Gap
from .answer import Expected, Kind
from .clients import asks_cluster
from .names import absolute
from .outcomes import direct, outcome
from .patterns import Outcome
from .search import Libc, walk
from .view import View, is_name

TYPES = ("A", "AAAA")


class Said(Struct, frozen=True):
    """One question: what must be answered, by whom, and what was."""

    name: str
    type: str
    expected: str  # "10.96.0.1", "NXDOMAIN"
    why: str
    owner: str  # the directive of the Corefile, "" where that was not read
    doubts: tuple[str, ...]
    seen: tuple[str, ...]  # in words, one per place that was asked
    differs: bool


class Tried(Struct, frozen=True):
    """One name of the search walk."""

    name: str
    suffix: str
    fate: str
    said: tuple[Said, ...]  # A, AAAA


class Trace(Struct, frozen=True):
    """All of it. ``told`` and ``real`` are resolv.conf files, computed and read; None where there is no client."""

    name: str
    short: str
    client: str
    servers: tuple[str, ...]
    told: str | None
    told_why: str
    open: tuple[str, ...]  # in words: what of the computed file is not known
    real: str | None
    differences: tuple[str, ...]
    libc: str
    queries: int
    walk: tuple[Tried, ...]
    notes: tuple[str, ...]
    records: tuple[Said, ...]
    findings: tuple[Finding, ...]
    gaps: tuple[Gap, ...]


def trace(case: Case, libc: Libc = Libc.GLIBC) -> Trace | None:
    """The way of the Service's name; None without the Service."""
    from . import ask

    if case.service is None:
        return None
    view = View(case, case.service)
    answer = ask(case)
    conf = view.conf
    foreign = conf is not None and not asks_cluster(view, conf)
    walked = walk(view.short, conf, _stranger(view) if foreign else view.ask, libc) if conf else None
    tried = walked.candidates if walked else ()
    return Trace(
        name=view.name,
        short=view.short,
        client=f"{view.client.namespace}/{view.client.name}" if view.client else "",
        servers=tuple(_servers(view)),
        told=view.told.conf.render() if view.told else None,
        told_why=view.told.why if view.told else "",
        open=view.told.unknown if view.told else (),
        real=view.real.render() if view.real else None,
        differences=view.told.differs(view.real) if view.told and view.real else (),
        libc=libc.value,
        queries=walked.queries if walked else 0,
        walk=tuple(
            Tried(c.name, c.suffix, c.fate.value, () if foreign else tuple(_said(view, c.name, k) for k in TYPES))
            for c in tried
        ),
        notes=(*walked.notes, *(_foreign(view) if foreign else ())) if walked else (),
        records=tuple(_records(view)),
        findings=answer.findings,
        gaps=answer.gaps,
    )


def _stranger(view: View) -> Callable[[str, str], Expected]:
    """What servers that are not the cluster's say is nobody's to know here, unless it was seen."""
    return lambda name, type: view.seen(name, type) or Expected(Kind.UNKNOWN, "none of the cluster's name servers")


def _foreign(view: View) -> tuple[str, ...]:
    asked = ", ".join(view.conf.asked) if view.conf else ""
    return (f"{asked}: none of the cluster's name servers; what it answers is not known here",)


def _servers(view: View) -> Iterator[str]:
    service, behind = view.servers.service, view.servers.case
    if service is None or behind is None:
        yield "not found"
        return
    found = "by the address that kubelets tell" if view.servers.certain else "by its usual name"
    yield f"Service {service.namespace}/{service.name} {' '.join(addresses(service)) or 'headless'}, {found}"
    ready = {endpoint.address for endpoint in behind.usable}
    for pod in view.servers.pods:
        state = "ready" if set(pod.addresses) & ready else "not ready"
        yield f"Pod {pod.namespace}/{pod.name} {' '.join(pod.addresses[:1])} on {pod.spec.node_name}, {state}"
    if view.servers.config_map is not None:
        yield f"Corefile in ConfigMap {view.servers.config_map.namespace}/{view.servers.config_map.name}"


def _records(view: View) -> Iterator[Said]:
    """The names that the specification gives this Service."""
    yield _said(view, view.fqdn, "A")
    yield _said(view, view.fqdn, "AAAA")
    for port in view.service.spec.ports:
        if port.name and not view.case.external_name:
            yield _said(view, f"_{port.name}._{port.protocol.lower()}.{view.fqdn}", "SRV")
    if view.case.external_name:
        target = absolute(view.service.spec.external_name)
        yield _said(view, target, "A")


def _said(view: View, name: str, type: str) -> Said:
    answered = view.authority.ask(name, type)
    expected = answered.expected
    return Said(
        name=name,
        type=type,
        expected=_words(expected),
        why=expected.why,
        owner=str(answered.owner) if answered.owner else "",
        doubts=answered.doubts,
        seen=tuple(_seen(view, name, type)),
        differs=any(
            outcome(view, answer) is not Outcome.OK
            for answer in view.snapshot.dns_answers
            if is_name(answer.name, name) and answer.type == type
        ),
    )


def _seen(view: View, name: str, type: str) -> Iterator[str]:
    pods = direct(view)
    for answer in view.snapshot.dns_answers:
        if is_name(answer.name, name) and answer.type == type:
            records = " ".join(record.data for record in answer.answers)
            said = answer.error or f"{answer.rcode} {records}".strip()
            place = answer.path if answer.path else f"{answer.server or 'own resolver'} {answer.transport}"
            yield (
                f"{said} from {place}" + (f" to {answer.from_}" if answer not in pods else "") + f", {answer.ms:.0f} ms"
            )


def _words(expected: Expected) -> str:
    if expected.records:
        return ", ".join(record.data for record in expected.records)
    if expected.kind is Kind.ELSEWHERE:
        return f"whatever {expected.owner or 'another server'} says"
    return "not known" if expected.kind is Kind.UNKNOWN else expected.kind.value.upper()
