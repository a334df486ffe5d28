"""Servers that answer, but not what the cluster's objects demand."""

from datetime import timedelta

from ...model.diagnosis import Confidence, Effect, Evidence, Finding, Fix, Rule, RuledOut, Severity
from ...model.service import TRIGGER_TIME_ANNOTATION
from ..step import find
from ..words import ago, kubectl, some, source, subject
from . import outcomes
from .answer import Kind
from .caching import denial_seconds
from .override import COREFILE_OVERRIDE
from .patterns import MEANING, Outcome, Probes
from .servers import DNS_DOWN
from .telling import evidence
from .told import WRONG_NAMESERVER
from .view import View, is_name

NEGATIVE_CACHE = Rule(
    "SVC416",
    "negative-cache",
    Severity.WARNING,
    "dns",
    "A server still says that the name does not exist, though the Service has been made meanwhile.",
    "It was asked for before it was there, and a no is kept for as long as the zone's SOA and the cache plugin say.",
    "Wait, or lower the denial time of the Corefile's cache plugin.",
)
CLIENT_DNS_CACHE = Rule(
    "SVC417",
    "client-dns-cache",
    Severity.WARNING,
    "dns",
    "The client goes by an older answer than the one that the name servers give.",
    "A cache between them (in the JVM, nscd, a sidecar, a node's cache) keeps an address beyond its time.",
    "Restart the client, or make its cache obey the record's time to live.",
)
HEADLESS_SET_DRIFT = Rule(
    "SVC418",
    "headless-set-drift",
    Severity.ERROR,
    "dns",
    "The addresses that a headless name gives are not the Service's ready addresses.",
    "The name servers see an older state: their watch hangs, or they may not read EndpointSlices.",
    "Restart the name servers; if it comes back, look at their log and rights.",
)
RULES = (NEGATIVE_CACHE, CLIENT_DNS_CACHE, HEADLESS_SET_DRIFT)

SETTLING = timedelta(seconds=60)
"""How long ago endpoints must have changed for a difference to be more than a record's time to live."""


def _seen(view: View) -> list[Evidence]:
    wanted = (a for a in view.snapshot.dns_answers if is_name(a.name, view.fqdn) or a.transport == outcomes.LIBC)
    return [*evidence(view, wanted), Evidence("The specification", f"{view.name} {view.type}: {view.specified.why}")]


def _restart(view: View) -> str:
    service = view.servers.service
    return kubectl(service.namespace if service else "kube-system", "rollout", "restart", "deployment/coredns")


# ------------------------------------------------------------------------------------------------- the servers' trouble


def trouble(view: View, probes: Probes) -> Finding | None:
    """SERVFAIL or REFUSED for a name of the cluster; that of an alias may come from where it leads."""
    if view.case.external_name:
        return None
    refused = probes.udp is Outcome.REFUSED
    rule = COREFILE_OVERRIDE if refused else DNS_DOWN
    return find(
        rule,
        subject(view.service if refused else view.servers.service or view.service),
        f"the name servers say {probes.udp} to {view.name}: "
        + (
            "an access list or a server block of the Corefile shuts it out" if refused else "they have not read the API"
        ),
        [*_seen(view), Evidence(f"What {probes.udp} means", MEANING[probes.udp])],
        Fix(
            "Look at the name servers' log and readiness; they need the API server to know any object.", _restart(view)
        ),
        effect=Effect.OUTAGE,
        confidence=Confidence.LIKELY,
        ruled_out=[RuledOut("dns-vip-dead", "the name servers' address answers")],
    )


def stranger(view: View, probes: Probes) -> Finding:
    """Somebody answers who does not know the zone at all."""
    return find(
        WRONG_NAMESERVER,
        subject(view.client) if view.client else subject(view.service),
        f"who answers the client does not know {view.zone}: it is none of the cluster's name servers",
        [*_seen(view), *evidence(view, (a for a in view.snapshot.dns_answers if a.type == "TXT"))],
        Fix("Set clusterDNS of the kubelets to the address of the name servers' Service, and make the pods anew."),
        effect=Effect.OUTAGE,
        confidence=Confidence.LIKELY,
        ruled_out=[RuledOut("svc-missing", "the Service exists")],
    )


# -------------------------------------------------------------------------------------------------------- wrong answers


def wrong(view: View, probes: Probes) -> Finding | None:
    """NXDOMAIN, NODATA or other records than the objects demand."""
    if view.specified.kind not in (Kind.ANSWER, Kind.NXDOMAIN):
        return None
    right_at_pods = bool(probes.direct) and all(outcome is Outcome.OK for outcome in probes.direct)
    denied = probes.udp in (Outcome.NXDOMAIN, Outcome.NODATA)
    if denied and (right_at_pods or _young(view)):
        return negative_cache(view, True)
    if right_at_pods:
        return _old_answer(view)
    if view.case.headless:
        return _drift(view)
    return _override(view, probes)


def _young(view: View) -> bool:
    seconds = max(denial_seconds(view), 30) * 2
    made = view.service.metadata.creation_timestamp
    return made is not None and view.case.age(made) < timedelta(seconds=seconds)


def negative_cache(view: View, seen: bool) -> Finding:
    """Seen, or only possible because the Service is that young."""
    made = view.service.metadata.creation_timestamp
    age = ago(view.case.age(made))
    seconds = denial_seconds(view)
    until = f"; a no is kept for up to {seconds} s" if seconds else ""
    return find(
        NEGATIVE_CACHE,
        subject(view.service),
        f"{view.name} {'is' if seen else 'may be'} denied still, though the Service was made {age} ago{until}",
        [
            Evidence(source(view.service, "metadata.creationTimestamp"), f"{made}, {age} ago"),
            *(
                [Evidence("Corefile: cache, and the zone's ttl", f"a no is kept for up to {seconds} s")]
                if seconds
                else []
            ),
            *(_seen(view) if seen else []),
        ],
        Fix("Wait for that time, and ask again. Look up no name before its Service is there."),
        effect=Effect.PARTIAL if seen else Effect.NONE,
        confidence=Confidence.LIKELY if seen else Confidence.POSSIBLE,
        ruled_out=[RuledOut("svc-missing", f"the Service exists since {age}")],
    )


def _old_answer(view: View) -> Finding:
    client = view.client
    return find(
        CLIENT_DNS_CACHE,
        subject(client) if client else subject(view.service),
        "the client is given other addresses than the name servers give themselves: a cache in between is behind",
        _seen(view),
        Fix(
            "Restart the client, and make its cache obey the time to live.",
            kubectl(client.namespace, "delete", "pod", client.name) if client else None,
        ),
        effect=Effect.PARTIAL,
        confidence=Confidence.LIKELY,
        ruled_out=[RuledOut("corefile-override", "the name servers answer as they must")],
    )


def _drift(view: View) -> Finding:
    right = {record.data for record in view.specified.records}
    given = {
        record.data
        for answer in view.snapshot.dns_answers
        if is_name(answer.name, view.fqdn)
        for record in answer.answers
        if record.type in ("A", "AAAA")
    }
    recent = _changed_lately(view)
    missing, extra = sorted(right - given), sorted(given - right)
    how = [f"lack {some(missing)}"] * bool(missing) + [f"have {some(extra)}, which nobody ready has"] * bool(extra)
    return find(
        HEADLESS_SET_DRIFT,
        subject(view.service),
        f"the answers for {view.name} {' and '.join(how) or 'differ from the ready addresses'}",
        [*_seen(view), Evidence("EndpointSlices: ready addresses", some(sorted(right), 6) or "none")],
        Fix("Restart the name servers, and see whether they may list EndpointSlices.", _restart(view)),
        effect=Effect.PARTIAL if right & given else Effect.OUTAGE,
        severity=Severity.WARNING if recent else Severity.ERROR,
        confidence=Confidence.POSSIBLE if recent else Confidence.LIKELY,
        ruled_out=[
            RuledOut("coredns-rbac", "no log tells of missing rights"),
            *([] if recent else [RuledOut("negative-cache", "the endpoints have not changed for more than a minute")]),
        ],
    )


def _changed_lately(view: View) -> bool:
    stamps = (s.metadata.annotations.get(TRIGGER_TIME_ANNOTATION, "") for s in view.case.slices)
    newest = max(stamps, default="")
    return bool(newest) and newest[:19] > (view.case.now - SETTLING).strftime("%Y-%m-%dT%H:%M:%S")


def _override(view: View, probes: Probes) -> Finding:
    seen = view.seen(view.fqdn, view.type)
    given = some(record.data for record in seen.records) if seen and seen.records else str(probes.udp)
    return find(
        COREFILE_OVERRIDE,
        subject(view.service),
        f"the name servers say {given} to {view.name}, which is not the Service's record",
        _seen(view),
        Fix(
            "Look for what answers in its place: the Corefile, what it imports, and a cache in front of it.",
            _restart(view),
        ),
        effect=Effect.OUTAGE,
        confidence=Confidence.POSSIBLE,
        ruled_out=[RuledOut("svc-missing", "the Service exists"), RuledOut("dns-down", "the name servers answer")],
    )


def resolver(view: View, probes: Probes) -> Finding | None:
    """The name servers answer rightly; the client's own resolver does not."""
    return _old_answer(view) if probes.short is Outcome.WRONG else None
