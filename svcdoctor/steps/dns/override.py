"""Whether the Corefile lets the Service's own record answer its name."""

from collections.abc import Iterator

from ...model.diagnosis import Confidence, Effect, Evidence, Finding, Fix, Rule, RuledOut, Severity
from ..step import find
from ..words import kubectl, some, source, subject
from . import names
from .answer import Expected, Kind
from .view import View

COREFILE_OVERRIDE = Rule(
    "SVC408",
    "corefile-override",
    Severity.ERROR,
    "dns",
    "The Corefile lets something else than the Service's own record answer its name.",
    "A template, rewrite or hosts stanza, a further server block, or an option that hides objects takes the name.",
    "Remove the stanza, or narrow it so that it leaves the cluster's names alone.",
)
RULES = (COREFILE_OVERRIDE,)


def check(view: View) -> Iterator[Finding]:
    """The specification's answer beside the one that the Corefile leads to."""
    wanted, answered = view.specified, view.answered
    said = answered.expected
    if view.parsed is None or view.servers.config_map is None or wanted.kind in (Kind.UNKNOWN, Kind.NXDOMAIN):
        return
    if view.served_zones and not names.longest(view.served_zones, view.fqdn):
        return  # zone-mismatch
    how = _difference(wanted, said)
    seen = view.seen(view.fqdn, view.type)
    if not how or (seen is not None and not _difference(wanted, seen)):
        return
    doubts = answered.doubts
    owner = answered.owner
    changes = answered.route.changes
    evidence = [Evidence("The specification", f"{view.name} {view.type}: {wanted.why}")]
    evidence += [Evidence(source(view.servers.config_map, "Corefile"), change) for change in changes]
    who = str(owner) if owner else "no plugin of it"
    evidence.append(Evidence(source(view.servers.config_map, "Corefile"), f"{who}: {said.why}"))
    evidence += [Evidence("In doubt", doubt) for doubt in doubts]
    evidence += _witness(view)
    yield find(
        COREFILE_OVERRIDE,
        subject(view.service),
        f"the Corefile answers {view.name} otherwise: {how}",
        evidence,
        Fix(
            f"Remove or narrow what takes the name{_line(view)}. CoreDNS reads the ConfigMap again within a minute.",
            kubectl(view.servers.config_map.namespace, "edit", "configmap", view.servers.config_map.name),
        ),
        effect=Effect.OUTAGE,
        confidence=_confidence(view, said, bool(doubts)),
        ruled_out=[RuledOut("zone-mismatch", f"the kubernetes plugin serves {view.zone}")] if view.served_zones else [],
    )


def _line(view: View) -> str:
    owner = view.answered.owner
    lines = [change.split()[1] for change in view.answered.route.changes]
    lines += [str(owner.directive.line)] if owner and (owner.plugin != "kubernetes" or not lines) else []
    return f" in line {' and '.join(lines)}" if lines else ""


def _confidence(view: View, said: Expected, doubtful: bool) -> Confidence:
    if view.seen(view.fqdn, view.type) is not None or not doubtful:
        return Confidence.LIKELY if said.kind is Kind.ELSEWHERE and _unproven(view, said) else Confidence.CERTAIN
    return Confidence.POSSIBLE


def _unproven(view: View, said: Expected) -> bool:
    """Somebody else is asked, who may know the name, too."""
    owner = view.answered.owner
    return owner is None or owner.plugin not in ("template", "hosts")


def _witness(view: View) -> list[Evidence]:
    seen = view.seen(view.fqdn, view.type)
    return [Evidence("What was answered", _words(seen))] if seen else []


def _difference(wanted: Expected, said: Expected) -> str:
    """In words; "" where the Corefile leads to what is specified, or where that can't be said."""
    if said.kind is Kind.UNKNOWN:
        return ""
    if wanted.kind is Kind.ELSEWHERE:  # an ExternalName: its CNAME must be there
        missing = {record.key for record in wanted.records} - {record.key for record in said.records}
        return f"{_words(said)} instead of {_words(wanted)}" if missing else ""
    if said.kind is wanted.kind and {r.key for r in said.records} == {r.key for r in wanted.records}:
        return ""
    return f"{_words(said)} instead of {_words(wanted)}"


def _words(said: Expected) -> str:
    """``10.96.0.10``, ``NXDOMAIN``, ``what forward . 10.0.0.1 says``."""
    if said.kind is Kind.ELSEWHERE and not said.records:
        return f"what {said.owner} says"
    return some(record.data for record in said.records) or said.kind.upper()
