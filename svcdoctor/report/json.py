"""JSON, version 1: a promise to other programs, so its types are its own. docs/diagnosis.schema.json says the same.

Only ASCII leaves here: everything else is escaped by JSON's own rules (RFC 8259 section 7), which keeps terminals safe
and strings exact.
"""

import json
from datetime import datetime
from typing import Literal

from msgspec import Struct, to_builtins

from ..model.diagnosis import Confidence, Diagnosis, Finding, Fix, Outcome, Severity, Status, Subject, Verdict
from ..model.snapshot import Gap
from .look import Look


class V1(Struct, frozen=True, rename="camel"):
    """A part of the document."""


class ServiceV1(V1, frozen=True):
    """The Service that was asked for; ``type`` is empty where it was not found or not read."""

    namespace: str
    name: str
    type: str


class PodClientV1(V1, frozen=True):
    """A pod's point of view."""

    namespace: str
    pod: str


class NodeClientV1(V1, frozen=True):
    """A node's point of view."""

    node: str


class GapV1(V1, frozen=True):
    """What could not be read: an API path, the reason, and the RBAC permission that was missing."""

    what: str
    why: str
    permission: str | None


class StepV1(V1, frozen=True):
    """One question and its answer."""

    name: str
    question: str
    status: Status
    reason: str
    gaps: tuple[GapV1, ...]


class EvidenceV1(V1, frozen=True):
    """A fact, and where it was read."""

    source: str
    fact: str


class RuledOutV1(V1, frozen=True):
    """A cause that it is not, and what says so."""

    name: str
    by: str


class AlternativeV1(V1, frozen=True):
    """Another way to fix it."""

    text: str
    command: str | None
    patch: str | None


class FixV1(AlternativeV1, frozen=True):
    """What to do."""

    alternatives: tuple[AlternativeV1, ...]


class SubjectV1(V1, frozen=True):
    """The object that a finding speaks of."""

    kind: str
    namespace: str
    name: str


class FindingV1(V1, frozen=True):
    """A failure mode seen on something."""

    code: str
    name: str
    severity: Severity
    step: str
    summary: str
    evidence: tuple[EvidenceV1, ...]
    confidence: Confidence
    ruled_out: tuple[RuledOutV1, ...]
    fix: FixV1
    subject: SubjectV1
    consequence_of: str | None


class DiagnosisV1(V1, frozen=True):
    """The document."""

    api_version: Literal["svcdoctor.io/v1"]
    kind: Literal["Diagnosis"]
    context: str
    server: str
    taken_at: datetime
    service: ServiceV1
    client: PodClientV1 | NodeClientV1 | None
    verdict: Verdict
    root: str | None
    steps: tuple[StepV1, ...]
    findings: tuple[FindingV1, ...]


def render(diagnosis: Diagnosis, look: Look) -> str:
    """``diagnosis`` as one indented document. It looks the same everywhere."""
    return json.dumps(to_builtins(document(diagnosis)), indent=2) + "\n"


def document(diagnosis: Diagnosis) -> DiagnosisV1:
    target = diagnosis.target
    return DiagnosisV1(
        api_version="svcdoctor.io/v1",
        kind="Diagnosis",
        context=diagnosis.context,
        server=diagnosis.server,
        taken_at=diagnosis.taken_at,
        service=ServiceV1(target.namespace, target.name, diagnosis.service_type),
        client=_client(target.client),
        verdict=diagnosis.verdict,
        root=diagnosis.root,
        steps=tuple(_step(outcome) for outcome in diagnosis.outcomes),
        findings=tuple(_finding(finding) for finding in diagnosis.findings),
    )


def _client(client: Subject | None) -> PodClientV1 | NodeClientV1 | None:
    if client is None:
        return None
    return NodeClientV1(client.name) if client.kind == "Node" else PodClientV1(client.namespace, client.name)


def _step(outcome: Outcome) -> StepV1:
    return StepV1(
        outcome.step, outcome.question, outcome.status, outcome.reason, tuple(_gap(gap) for gap in outcome.gaps)
    )


def _gap(gap: Gap) -> GapV1:
    return GapV1(gap.what, gap.why, gap.permission)


def _finding(finding: Finding) -> FindingV1:
    return FindingV1(
        code=finding.rule.code,
        name=finding.name,
        severity=finding.severity,
        step=finding.rule.step,
        summary=finding.summary,
        evidence=tuple(EvidenceV1(evidence.source, evidence.fact) for evidence in finding.evidence),
        confidence=finding.confidence,
        ruled_out=tuple(RuledOutV1(other.name, other.by) for other in finding.ruled_out),
        fix=_fix(finding.fix),
        subject=SubjectV1(finding.subject.kind, finding.subject.namespace, finding.subject.name),
        consequence_of=finding.consequence_of,
    )


def _fix(fix: Fix) -> FixV1:
    others = tuple(AlternativeV1(other.text, other.command, other.patch) for other in fix.alternatives)
    return FixV1(fix.text, fix.command, fix.patch, others)
