"""Observed answers, sorted into the probes whose pattern tells a cause."""

from collections.abc import Iterable, Sequence

from ...model.name_service import addresses, plain
from ...model.observation import DnsAnswer
from .answer import Kind
from .names import absolute, within
from .patterns import Outcome, Probes
from .view import View, is_name, records_of

WORST = (
    Outcome.SKIPPED,
    Outcome.OK,
    Outcome.NODATA,
    Outcome.WRONG,
    Outcome.NXDOMAIN,
    Outcome.TRUNCATED,
    Outcome.SERVFAIL,
    Outcome.REFUSED,
    Outcome.REFUSED_PORT,
    Outcome.TIMEOUT,
)
"""From best to worst; what was asked several times counts as its worst."""
ERRORS = {"refused": Outcome.REFUSED_PORT, "connection refused": Outcome.REFUSED_PORT}
RCODES = {"SERVFAIL": Outcome.SERVFAIL, "REFUSED": Outcome.REFUSED, "NXDOMAIN": Outcome.NXDOMAIN}
LIBC = "LIBC"


def outcome(view: View, answer: DnsAnswer) -> Outcome:
    """What one answer means, beside what the cluster's objects demand."""
    if not answer.answered:
        return ERRORS.get(answer.error, Outcome.TIMEOUT)
    if answer.truncated and answer.transport == "UDP":
        return Outcome.TRUNCATED
    if not within(view.zone, absolute(answer.name)) and answer.transport != LIBC:
        return RCODES.get(answer.rcode, Outcome.OK if answer.answers else Outcome.NODATA)
    if answer.transport == LIBC:
        return _resolved(view, answer)
    wanted = view.authority.expect(answer.name, answer.type)
    if wanted.kind in (Kind.UNKNOWN, Kind.ELSEWHERE):
        return RCODES.get(answer.rcode, Outcome.OK)
    if not wanted.differs(answer.rcode, tuple(records_of(answer))):
        return Outcome.OK
    return RCODES.get(answer.rcode, Outcome.WRONG if answer.answers else Outcome.NODATA)


def _resolved(view: View, answer: DnsAnswer) -> Outcome:
    """The client's own resolver: it gives addresses, of whichever name of its walk."""
    if answer.rcode != "NOERROR" or not answer.answers:
        return RCODES.get(answer.rcode, Outcome.NODATA)
    given = {plain(record.data) for record in answer.answers}
    right = {record.data for record in view.specified.records if record.type in ("A", "AAAA")}
    return Outcome.OK if not right or given & right else Outcome.WRONG


def of_client(view: View) -> tuple[DnsAnswer, ...]:
    """The answers that the client got, or all where no client was named; those of the log are nobody's."""
    asked = view.case.target.client
    if asked is None:
        return view.snapshot.dns_answers
    own = f"{asked.namespace}/{asked.name}" if asked.kind == "Pod" else f"node/{asked.name}"
    return tuple(answer for answer in view.snapshot.dns_answers if answer.from_ == own)


def direct(view: View) -> tuple[DnsAnswer, ...]:
    """The answers that the name servers' pods gave at their own addresses, whoever asked."""
    pods = {plain(ip) for pod in view.servers.pods for ip in pod.addresses}
    return tuple(a for a in view.snapshot.dns_answers if a.path or plain(a.server) in pods)


def at_address(view: View) -> tuple[DnsAnswer, ...]:
    """The client's answers from the address that it is told to ask."""
    service = view.servers.service
    told = {*view.servers.told, *(addresses(service) if service else ())}
    told |= {plain(server) for server in (view.conf.asked if view.conf else ())}
    return tuple(a for a in of_client(view) if not a.path and plain(a.server) in told)


def probes(view: View) -> Probes:
    """The seven probes for the Service's name, as far as somebody made them."""
    mine = at_address(view)
    named = [answer for answer in mine if _asks(view, answer)]
    outside = [answer for answer in mine if not within(view.zone, absolute(answer.name))]
    version = [a for a in mine if a.type == "TXT" and a.name.lower().startswith("dns-version.")]
    udp, tcp = (_worst(view, [a for a in named if a.transport == way]) for way in ("UDP", "TCP"))
    if udp is Outcome.TRUNCATED and (tcp is Outcome.SKIPPED or tcp.answered):
        udp = tcp  # the rest was fetched, or nobody tried to
    return Probes(
        udp=udp,
        tcp=tcp,
        direct=_per_server(view),
        version=_worst(view, version),
        external=_worst(view, outside),
        short=_worst(view, [a for a in of_client(view) if a.transport == LIBC]),
        a_ms=_slowest(a for a in named if a.type == "A"),
        aaaa_ms=_slowest(a for a in named if a.type == "AAAA"),
    )


def _asks(view: View, answer: DnsAnswer) -> bool:
    return is_name(answer.name, view.fqdn) and answer.type in ("A", "AAAA")


def _worst(view: View, answers: Sequence[DnsAnswer]) -> Outcome:
    found = [outcome(view, answer) for answer in answers]
    return max(found, key=WORST.index, default=Outcome.SKIPPED)


def _per_server(view: View) -> tuple[Outcome, ...]:
    by_server: dict[str, list[DnsAnswer]] = {}
    for answer in direct(view):
        if _asks(view, answer):
            by_server.setdefault(answer.path or answer.server, []).append(answer)
    return tuple(_worst(view, answers) for answers in by_server.values())


def _slowest(answers: Iterable[DnsAnswer]) -> float | None:
    return max((answer.ms for answer in answers if answer.answered), default=None)
