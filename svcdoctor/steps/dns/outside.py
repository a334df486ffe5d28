"""Names outside of the cluster: the target of an ExternalName, the upstreams, the questions that a search list adds."""

from collections.abc import Iterator

from ...model.diagnosis import Confidence, Effect, Evidence, Finding, Fix, Rule, RuledOut, Severity
from ..step import find
from ..words import count, kubectl, kubectl_patch, patch, quote, some, source, subject
from . import outcomes
from .answer import Expected, Kind
from .names import absolute, family, labels, within
from .patterns import Outcome
from .telling import evidence, told_by
from .view import View, is_name

UPSTREAM_DEAD = Rule(
    "SVC419",
    "upstream-dead",
    Severity.WARNING,
    "dns",
    "Names of the cluster resolve, names outside of it do not: the upstreams of the name servers don't answer.",
    "forward names servers that are gone, or that a firewall keeps away; the node's resolv.conf is out of date.",
    "Correct the upstreams in the Corefile's forward, or in the node's resolv.conf that it names.",
)
EXTERNALNAME_DANGLING = Rule(
    "SVC420",
    "externalname-dangling",
    Severity.ERROR,
    "dns",
    "The ExternalName's alias is answered, but the name that it points at has no address.",
    "externalName is misspelt, is gone, or is a short name: it is taken as a whole name, no search list is applied.",
    "Set externalName to a whole name that resolves.",
)
NDOTS_LATENCY = Rule(
    "SVC421",
    "ndots-latency",
    Severity.WARNING,
    "dns",
    "Look-ups of names outside of the cluster cost several questions each, all but the last for nothing.",
    "With ndots:5 a name of fewer than five dots is first tried in every search domain, for A and for AAAA.",
    "End such names with a dot, or set ndots to 2 or 1 in the pod's dnsConfig.",
)
RULES = (UPSTREAM_DEAD, EXTERNALNAME_DANGLING, NDOTS_LATENCY)

MANY_TIMEOUTS = 3
"""Lines of a log's tail from which on a silent upstream is news."""
MANY_SEARCHES = 10
"""Questions for names outside, searched for inside, from which on that is."""
NOWHERE = (".invalid.", ".test.", ".example.")
"""Domains that never resolve in the world's DNS (RFC 6761)."""


def check(view: View) -> Iterator[Finding]:
    """The target of an ExternalName; then the upstreams, as far as this Service or its clients need them."""
    state = target_state(view)
    if state is not None and state.kind in (Kind.NXDOMAIN, Kind.NODATA, Kind.SERVFAIL):
        dead = state.kind is Kind.SERVFAIL and _upstream_signs(view)
        yield _upstream(view, dead, Severity.ERROR) if dead else _dangling(view, state)
        return
    signs = _upstream_signs(view)
    if signs:
        yield _upstream(view, signs, Severity.WARNING)
    yield from _ndots(view)


# ------------------------------------------------------------------------------------------------ externalname-dangling


def target_state(view: View) -> Expected | None:
    """What the target of the ExternalName gives; None where it is none, or where nobody knows."""
    given = view.service.spec.external_name
    if not view.case.external_name or not labels(given) or family(given):
        return None
    target = absolute(given)
    answers = [view.ask(target, kind) for kind in ("A", "AAAA")]
    settled = [expected for expected in answers if expected.kind not in (Kind.ELSEWHERE, Kind.UNKNOWN)]
    positive = next((expected for expected in settled if expected.kind is Kind.ANSWER), None)
    if positive is not None:
        return positive
    return _seen_alias(view) or (settled[0] if settled else _never(view, target))


def _never(view: View, target: str) -> Expected | None:
    """Names that resolve nowhere, whoever is asked."""
    if _meant(view, target):
        why = "the short name of a Service, but no search list is applied to an alias"
        return Expected(Kind.NXDOMAIN, why)
    if len(labels(target)) == 1:
        return Expected(
            Kind.NXDOMAIN, "a single label is a top-level domain, for no search list is applied to an alias"
        )
    reserved = target.lower().endswith(NOWHERE[0])
    return Expected(Kind.NXDOMAIN, "the domain .invalid never resolves (RFC 6761)") if reserved else None


def _seen_alias(view: View) -> Expected | None:
    """The answers to the Service's own name: an alias alone, or an alias with addresses."""
    seen = [a for a in view.snapshot.dns_answers if is_name(a.name, view.fqdn) and a.type in ("A", "AAAA") and a.rcode]
    if not seen:
        return None
    if any(record.type in ("A", "AAAA") for answer in seen for record in answer.answers):
        return Expected(Kind.ANSWER, "observed: the alias, with addresses", exact=False)
    rcode = seen[-1].rcode
    if rcode == "SERVFAIL":
        return Expected(Kind.SERVFAIL, "observed: SERVFAIL")
    kind = Kind.NXDOMAIN if rcode == "NXDOMAIN" else Kind.NODATA
    return Expected(kind, "observed: the alias, without any address")


def _dangling(view: View, state: Expected) -> Finding:
    service, target = view.service, view.service.spec.external_name
    answers = [a for a in view.snapshot.dns_answers if is_name(a.name, view.fqdn) or is_name(a.name, target)]
    meant = _meant(view, target)
    change = {"spec": {"externalName": meant or "TARGET"}}
    return find(
        EXTERNALNAME_DANGLING,
        subject(service),
        f"{view.name} is an alias of {target.rstrip('.')}, which has no address",
        [
            Evidence(source(service, "spec.externalName"), target),
            Evidence(f"DNS: {absolute(target)}", state.why),
            *evidence(view, answers),
        ],
        Fix(
            f"Set externalName to {meant}."
            if meant
            else "Set externalName to a name that resolves, written out whole.",
            kubectl_patch(service.namespace, "Service", service.name, change) if meant else None,
            patch(change) if meant else None,
        ),
        effect=Effect.OUTAGE,
        confidence=Confidence.CERTAIN if answers or within(view.zone, absolute(target)) else Confidence.LIKELY,
        ruled_out=[
            RuledOut("externalname-ip", f"{target} is a name"),
            RuledOut("upstream-dead", "the name servers don't complain of their upstreams"),
        ],
    )


def _meant(view: View, target: str) -> str:
    """The Service whose short name was written down, as its whole name."""
    name, *rest = labels(target)
    if not rest or (len(rest) > 1 and rest[1:] != ["svc"]):
        return ""
    found = view.snapshot.services.get(rest[0], name)
    return f"{name}.{rest[0]}.svc.{view.zone}" if found else ""


# -------------------------------------------------------------------------------------------------------- upstream-dead


def _upstream_signs(view: View) -> list[Evidence]:
    """What says that upstreams are silent: answers, or enough lines of a log."""
    answers = [
        answer
        for answer in view.snapshot.dns_answers
        if not within(view.zone, absolute(answer.name))
        and outcomes.outcome(view, answer) in (Outcome.SERVFAIL, Outcome.TIMEOUT)
    ]
    said = view.sign("upstream-timeout")
    lines = [told_by(view, *said)] if said and said[1].times >= MANY_TIMEOUTS else []
    foreign = [answer for answer in answers if answer.rcode == "SERVFAIL"]
    return [*evidence(view, foreign), *lines] if foreign or lines else []


def _upstream(view: View, signs: list[Evidence], severity: Severity) -> Finding:
    hurt = severity is Severity.ERROR
    found = view.servers.config_map
    forwards = _forwards(view)
    asked = any(answer.rcode == "SERVFAIL" for answer in view.snapshot.dns_answers)
    return find(
        UPSTREAM_DEAD,
        subject(view.service if hurt or found is None else found),
        "the name servers' upstreams don't answer: "
        + (
            "the ExternalName's target can't be resolved"
            if hurt
            else "names outside of the cluster fail, its own do not"
        ),
        [*signs, *([quote("Corefile: forward", some(forwards))] if forwards else [])],
        Fix(
            "Correct the upstreams of forward, or the node's resolv.conf that it names.",
            kubectl(found.namespace, "edit", "configmap", found.name) if found else None,
        ),
        effect=Effect.OUTAGE if hurt else Effect.NONE,
        severity=severity,
        confidence=Confidence.CERTAIN if asked else Confidence.LIKELY,
        ruled_out=[RuledOut("dns-down", "names of the cluster are answered")],
    )


def _forwards(view: View) -> list[str]:
    blocks = view.parsed.blocks if view.parsed else ()
    return [f"line {d.line}: {d}" for block in blocks for d in block.plugin("forward")]


# -------------------------------------------------------------------------------------------------------- ndots-latency


def _ndots(view: View) -> Iterator[Finding]:
    """Names outside that were asked for inside before, again and again."""
    asked = [*view.queries, *view.snapshot.dns_answers]
    names = {absolute(query.name).lower() for query in asked}
    outside = sorted(name for name in names if not within(view.zone, name) and len(labels(name)) > 1)
    inside = [
        (query, meant)
        for query in asked
        if query.rcode == "NXDOMAIN" and within(view.zone, absolute(query.name))
        if (meant := next((name for name in outside if query.name.lower().startswith(name)), ""))
    ]
    if len(inside) < MANY_SEARCHES or len(inside) * 3 < len(asked):
        return
    sought = sorted({name.rstrip(".") for _, name in inside})
    yield find(
        NDOTS_LATENCY,
        subject(view.client) if view.client else subject(view.servers.service or view.service),
        f"{len(inside)} of {count(len(asked), 'question')} looked for {some(sought)} within the cluster, in vain",
        [
            Evidence("Questions to the name servers", some((f"{q.name} {q.type}: {q.rcode}" for q, _ in inside), 4)),
            *([Evidence("Client: resolv.conf", f"ndots:{view.conf.ndots}")] if view.conf else []),
        ],
        Fix(
            "End names outside with a dot, or lower ndots for the pods that ask for them.",
            patch='dnsConfig:\n  options:\n  - name: ndots\n    value: "2"\n',
        ),
        effect=Effect.NONE,
        confidence=Confidence.LIKELY,
        ruled_out=[RuledOut("upstream-dead", "the names are asked for as they are in the end")],
    )
