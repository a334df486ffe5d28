"""What real answers give away: where questions get lost, who answers wrong, and how long it takes."""

from collections.abc import Callable, Iterator

from ...model.diagnosis import Confidence, Effect, Evidence, Finding, Fix, Rule, RuledOut, Severity
from ...model.name_service import addresses
from ..step import find
from ..words import kubectl, some, subject
from . import outcomes, wrong_answers
from .patterns import MEANING, Cause, Outcome, Probes, cause
from .servers import DNS_DOWN
from .telling import asked, place, words
from .told import WRONG_NAMESERVER
from .view import View, is_name

DNS_VIP_DEAD = Rule(
    "SVC411",
    "dns-vip-dead",
    Severity.ERROR,
    "dns",
    "The name servers' pods answer, but their Service's address does not.",
    "kube-proxy's rules for it are missing on the client's node, or something drops the packet on the way there.",
    "Look at the proxy of the client's node: the other Services there fail alike.",
)
DNS_UNREACHABLE = Rule(
    "SVC412",
    "dns-unreachable",
    Severity.ERROR,
    "dns",
    "Questions get lost between the client and the name servers, which are well.",
    "A NetworkPolicy or a firewall lets DNS out over neither or only one of UDP and TCP, or the network between the "
    "nodes is broken.",
    "Allow UDP and TCP port 53 to the name servers; compare a client on another node.",
)
DNS_TCP_BLOCKED = Rule(
    "SVC413",
    "dns-tcp-blocked",
    Severity.ERROR,
    "dns",
    "Large answers fail: they come truncated over UDP, and TCP port 53 does not answer.",
    "The Service, a policy or a firewall has UDP only. Answers of more than 512 bytes, or 1232 with EDNS, need TCP.",
    "Open TCP port 53 everywhere that UDP port 53 is open.",
)
DNS_5S_RACE = Rule(
    "SVC414",
    "dns-5s-race",
    Severity.WARNING,
    "dns",
    "Look-ups take five seconds, or ten, now and then: a packet is lost and asked again.",
    "A and AAAA leave by one socket at once; two conntrack entries race, and the kernel drops one (k/k#56903).",
    "Run NodeLocal DNSCache, or set single-request-reopen or use-vc in the pod's dnsConfig.",
)
DNS_SLOW = Rule(
    "SVC415",
    "dns-slow",
    Severity.WARNING,
    "dns",
    "Names resolve, but slowly.",
    "The name servers lack CPU, an upstream is slow, or AAAA questions are answered late.",
    "See which name and type is slow, and give the name servers replicas or CPU.",
)
RULES = (DNS_VIP_DEAD, DNS_UNREACHABLE, DNS_TCP_BLOCKED, DNS_5S_RACE, DNS_SLOW)

SLOW_MS = 1000


def check(view: View) -> Iterator[Finding]:
    """The cause that the pattern of the probes tells, if anything was asked."""
    probes = outcomes.probes(view)
    told = CAUSES.get(cause(probes))
    found = told(view, probes) if told else None
    if found is not None:
        yield found
    else:
        yield from _slow(view, probes)


def _meaning(outcome: Outcome) -> Evidence:
    return Evidence(f"What {outcome} means", MEANING[outcome])


# ------------------------------------------------------------------------------------------------------ nobody answers


def _no_server(view: View, probes: Probes) -> Finding:
    return find(
        DNS_DOWN,
        subject(view.servers.service or view.service),
        "no name server answers: nobody listens at their Service's address, nor at their pods' own",
        [*asked(view), _meaning(probes.udp)],
        Fix("Look at the name servers' pods and logs.", _look(view)),
        effect=Effect.OUTAGE,
        ruled_out=[RuledOut("dns-vip-dead", "the pods' own addresses don't answer either")],
    )


def _look(view: View) -> str:
    namespace = view.servers.service.namespace if view.servers.service else "kube-system"
    return kubectl(namespace, "get", "pods,endpointslices", "-o", "wide")


def _vip_dead(view: View, probes: Probes) -> Finding:
    where = f" on {view.client.spec.node_name}" if view.client and view.client.spec.node_name else ""
    service = view.servers.service
    told = some(addresses(service)) if service else "the name servers' address"
    return find(
        DNS_VIP_DEAD,
        subject(service or view.service),
        f"the name servers' pods answer, but {told} does not{where}",
        [*asked(view), _meaning(probes.udp)],
        Fix("Look at kube-proxy of that node and its rules for the address.", _look(view)),
        effect=Effect.OUTAGE,
        ruled_out=[RuledOut("dns-down", f"{len(probes.direct)} of its pods answer"), _not_told_wrong(view)],
    )


def _not_told_wrong(view: View) -> RuledOut:
    return RuledOut(WRONG_NAMESERVER.name, "the address that was asked is the Service's own")


def _lost(view: View, probes: Probes) -> Finding:
    """Packets get lost. Where the client is under a policy, that question comes first, and is the next step's."""
    governed = view.client is not None and any(view.snapshot.networkpolicies.within(view.client.namespace))
    only = {Cause.UDP_PATH: "UDP is lost, TCP passes"}.get(cause(probes), "neither UDP nor TCP gets there")
    silent = all(outcome in (Outcome.TIMEOUT, Outcome.REFUSED_PORT) for outcome in probes.direct) and any(
        answer.path for answer in outcomes.direct(view)
    )
    if silent:
        return _no_server(view, probes)
    return find(
        DNS_UNREACHABLE,
        subject(view.client) if view.client else subject(view.service),
        f"questions get lost between the client and the name servers: {only}",
        [*asked(view), _meaning(probes.udp)],
        Fix(
            "Allow UDP and TCP 53 from the client to the name servers, or mend the way between their nodes.",
            _look(view),
        ),
        effect=Effect.OUTAGE,
        severity=Severity.WARNING if governed else Severity.ERROR,
        confidence=Confidence.POSSIBLE if governed else Confidence.LIKELY,
        ruled_out=[_not_told_wrong(view)],
    )


def _some_pods(view: View, probes: Probes) -> Finding:
    silent = sum(outcome in (Outcome.TIMEOUT, Outcome.REFUSED_PORT) for outcome in probes.direct)
    return find(
        DNS_DOWN,
        subject(view.servers.service or view.service),
        f"{silent} of {len(probes.direct)} name servers don't answer: as many questions wait for a time-out",
        asked(view),
        Fix("Look at the name servers' pods, and at the nodes of those that are silent.", _look(view)),
        effect=Effect.PARTIAL,
        severity=Severity.WARNING,
        ruled_out=[RuledOut("dns-vip-dead", "at their own addresses some are silent, too")],
    )


def _tcp(view: View, probes: Probes) -> Finding:
    hurt = probes.udp is Outcome.TRUNCATED
    return find(
        DNS_TCP_BLOCKED,
        subject(view.servers.service or view.service),
        "answers come truncated over UDP, and TCP port 53 does not give the rest"
        if hurt
        else "TCP port 53 does not answer: answers that are too large for UDP can't be had",
        [*asked(view), _meaning(probes.tcp if probes.tcp is not Outcome.SKIPPED else probes.udp)],
        Fix("Open TCP 53 to the name servers: in policies, in firewalls, and as a port of their Service.", _look(view)),
        effect=Effect.OUTAGE if hurt else Effect.PARTIAL,
        severity=Severity.ERROR if hurt else Severity.WARNING,
        ruled_out=[RuledOut("dns-down", "UDP is answered")],
    )


# ---------------------------------------------------------------------------------------------------------------- time


def _race(view: View, probes: Probes) -> Finding:
    return find(
        DNS_5S_RACE,
        subject(view.client) if view.client else subject(view.service),
        f"a look-up took {_longest(probes) / 1000:.1f} s, which is a resolver's time-out: a packet was lost and asked "
        "again",
        asked(view),
        Fix(
            "Run NodeLocal DNSCache, or let the pod's resolver ask one after the other.",
            patch="dnsConfig:\n  options:\n  - name: single-request-reopen\n",
        ),
        effect=Effect.NONE,
        confidence=Confidence.LIKELY,
        ruled_out=[RuledOut("dns-slow", "other answers came at once, and the delay is a multiple of five seconds")],
    )


def _longest(probes: Probes) -> float:
    return max(probes.a_ms or 0.0, probes.aaaa_ms or 0.0)


def _slow_aaaa(view: View, probes: Probes) -> Finding:
    return _slowness(view, f"AAAA takes {(probes.aaaa_ms or 0) / 1000:.1f} s, A {(probes.a_ms or 0) / 1000:.1f} s")


def _slow(view: View, probes: Probes) -> Iterator[Finding]:
    """Answers that take long, and the name servers' own log where it tells of such."""
    answers = [answer for answer in (*outcomes.at_address(view), *outcomes.direct(view)) if answer.answered]
    answers += [query for query in view.queries if is_name(query.name, view.fqdn)]
    slowest = max(answers, key=lambda answer: answer.ms, default=None)
    if slowest is not None and slowest.ms > SLOW_MS:
        yield _slowness(view, f"{slowest.name.rstrip('.')} {slowest.type} takes {slowest.ms / 1000:.1f} s")


def _slowness(view: View, how: str) -> Finding:
    slowest = sorted((*view.snapshot.dns_answers, *view.queries), key=lambda answer: -answer.ms)[:3]
    return find(
        DNS_SLOW,
        subject(view.servers.service or view.service),
        f"names resolve slowly: {how}",
        [Evidence(place(answer), words(answer)) for answer in slowest],
        Fix("Look at the name servers' CPU and replicas, and at how long their upstreams take.", _look(view)),
        effect=Effect.NONE,
        confidence=Confidence.LIKELY,
        ruled_out=[RuledOut("dns-5s-race", "the delay is no multiple of a resolver's time-out")],
    )


Judge = Callable[[View, Probes], Finding | None]

CAUSES: dict[Cause, Judge] = {
    Cause.NO_SERVER: _no_server,
    Cause.VIRTUAL_IP: _vip_dead,
    Cause.UDP_PATH: _lost,
    Cause.PATH: _lost,
    Cause.TCP_PATH: _tcp,
    Cause.SOME_PODS: _some_pods,
    Cause.RACE: _race,
    Cause.SLOW_AAAA: _slow_aaaa,
    Cause.SERVER: wrong_answers.trouble,
    Cause.NOT_CLUSTER_DNS: wrong_answers.stranger,
    Cause.WRONG_ANSWER: wrong_answers.wrong,
    Cause.RESOLVER: wrong_answers.resolver,
}
