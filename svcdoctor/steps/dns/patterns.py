"""Seven probes and what their outcomes mean: the table by which a pod's DNS trouble is told apart.

a  the name, absolute, at the nameserver's address over UDP        e  a name outside of the cluster
b  the same over TCP                                               f  the short name through the image's own resolver
c  the same at the DNS pods' own addresses                         g  A and AAAA timed apart
d  TXT dns-version of the zone
"""

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct


class Outcome(StrEnum):
    """What came back. None of them means another."""

    OK = "ok"  # the expected answer
    WRONG = "wrong"  # an answer, but not the expected one
    TIMEOUT = "timeout"
    REFUSED_PORT = "refused"  # ICMP port unreachable, or RST
    REFUSED = "REFUSED"
    SERVFAIL = "SERVFAIL"
    NXDOMAIN = "NXDOMAIN"
    NODATA = "NODATA"
    TRUNCATED = "truncated"  # TC was set, and the whole answer could not be had
    SKIPPED = "skipped"  # not asked

    @property
    def answered(self) -> bool:
        """Whether a server said anything."""
        return self not in (Outcome.TIMEOUT, Outcome.REFUSED_PORT, Outcome.SKIPPED)


MEANING: dict[Outcome, str] = {
    Outcome.OK: "the server answers as it must",
    Outcome.WRONG: "somebody answers, but not what the cluster's objects demand",
    Outcome.TIMEOUT: "a packet was lost: dropped by a policy or a firewall, or sent where nobody is",
    Outcome.REFUSED_PORT: "nobody listens there, or the proxy rejects a Service without endpoints",
    Outcome.REFUSED: "the server will not answer: an access list, max_concurrent, or no block for the zone",
    Outcome.SERVFAIL: "the server knows that it cannot know: its upstream is silent, or it has not read the API",
    Outcome.NXDOMAIN: "an authoritative no: look at which name was asked",
    Outcome.NODATA: "the name exists, without a record of this type",
    Outcome.TRUNCATED: "the answer did not fit, and the larger one could not be fetched",
    Outcome.SKIPPED: "not asked",
}


class Probes(Struct, frozen=True):
    """The outcomes, one per probe; times in milliseconds where they were taken."""

    udp: Outcome = Outcome.SKIPPED  # a
    tcp: Outcome = Outcome.SKIPPED  # b
    direct: tuple[Outcome, ...] = ()  # c, one per DNS pod
    version: Outcome = Outcome.SKIPPED  # d
    external: Outcome = Outcome.SKIPPED  # e
    short: Outcome = Outcome.SKIPPED  # f
    a_ms: float | None = None  # g
    aaaa_ms: float | None = None


class Cause(StrEnum):
    """Where the trouble lies."""

    NONE = "none"
    NO_SERVER = "no server"  # nobody listens at the address, and at none of the pods
    UDP_PATH = "udp path"  # TCP passes, UDP does not: a policy, or a firewall
    TCP_PATH = "tcp path"  # UDP passes, TCP does not
    VIRTUAL_IP = "virtual ip"  # the pods answer, their Service's address does not
    SOME_PODS = "some pods"  # some DNS pods answer, some do not
    PATH = "path"  # nothing answers: a policy, or the network between the nodes
    NOT_CLUSTER_DNS = "not cluster dns"  # somebody answers who does not know the zone
    WRONG_ANSWER = "wrong answer"
    SERVER = "server"  # the server answers with its own trouble
    UPSTREAM = "upstream"
    RESOLVER = "resolver"  # search list, ndots, or the image's libc
    SLOW_AAAA = "slow aaaa"
    RACE = "race"  # five seconds: a lost packet, asked again
    UNDECIDED = "undecided"  # not enough was asked


SILENT = (Outcome.TIMEOUT, Outcome.REFUSED_PORT)
RETRY_MS = 5000
"""glibc's time-out: a look-up that takes a multiple of it lost a packet."""

RETRY_SLACK_MS = 400
SLOW_MS = 1000


def cause(probes: Probes) -> Cause:
    """The first row of the table that fits, from the server outwards to the client."""
    pods = [outcome for outcome in probes.direct if outcome is not Outcome.SKIPPED]
    if probes.udp in SILENT:
        return _silent(probes, pods)
    if probes.udp is Outcome.TRUNCATED or (probes.udp.answered and probes.tcp in SILENT):
        return Cause.TCP_PATH
    if any(outcome in SILENT for outcome in pods) and any(outcome.answered for outcome in pods):
        return Cause.SOME_PODS
    if probes.udp in (Outcome.SERVFAIL, Outcome.REFUSED):
        return Cause.SERVER
    if probes.udp in (Outcome.NXDOMAIN, Outcome.WRONG, Outcome.NODATA):
        foreign = probes.version.answered and probes.version is not Outcome.OK
        return Cause.NOT_CLUSTER_DNS if foreign else Cause.WRONG_ANSWER
    if probes.udp is Outcome.SKIPPED:
        return Cause.UNDECIDED
    return _answered(probes)


def _silent(probes: Probes, pods: Sequence[Outcome]) -> Cause:
    if probes.tcp.answered:
        return Cause.UDP_PATH
    if any(outcome.answered for outcome in pods):
        return Cause.VIRTUAL_IP if all(outcome.answered for outcome in pods) else Cause.SOME_PODS
    if not pods or probes.tcp is Outcome.SKIPPED:
        return Cause.UNDECIDED
    refused = all(outcome is Outcome.REFUSED_PORT for outcome in (probes.udp, *pods))
    return Cause.NO_SERVER if refused else Cause.PATH


def _answered(probes: Probes) -> Cause:
    """The name resolves where it is asked for in full."""
    if probes.short not in (Outcome.OK, Outcome.SKIPPED):
        return Cause.RESOLVER
    if probes.external in (Outcome.SERVFAIL, Outcome.TIMEOUT, Outcome.REFUSED):
        return Cause.UPSTREAM
    times = [time for time in (probes.a_ms, probes.aaaa_ms) if time is not None]
    if any(_retried(time) for time in times):
        alone = probes.a_ms is not None and not _retried(probes.a_ms)
        return Cause.SLOW_AAAA if alone else Cause.RACE
    if probes.a_ms is not None and probes.aaaa_ms is not None and probes.aaaa_ms - probes.a_ms > SLOW_MS:
        return Cause.SLOW_AAAA
    return Cause.NONE


def _retried(milliseconds: float) -> bool:
    """Whether a look-up took one or more whole time-outs: 5.0 s, 10.0 s."""
    rounds = round(milliseconds / RETRY_MS)
    return rounds >= 1 and abs(milliseconds - rounds * RETRY_MS) <= RETRY_SLACK_MS
