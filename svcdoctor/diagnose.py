"""Case -> Diagnosis: ask the steps in order, name one cause. The whole engine."""

from collections.abc import Collection, Iterable

from .model.case import Case
from .model.diagnosis import Confidence, Diagnosis, Effect, Finding, Outcome, Severity, Status, Verdict
from .steps import STEPS, Step
from .steps.step import Answer


def diagnose(case: Case, only: Collection[str] = (), skip: Collection[str] = ()) -> Diagnosis:
    """Everything the steps say of ``case``. ``only`` and ``skip`` hold names of steps."""
    outcomes = tuple(_outcome(step, case, only, skip) for step in STEPS)
    findings = tuple(sorted((f for outcome in outcomes for f in outcome.findings), key=_weight))
    service = case.service
    return Diagnosis(
        target=case.target,
        service_type=service.spec.type if service else "",
        headline=headline(case),
        context=case.snapshot.context,
        server=case.snapshot.server,
        taken_at=case.snapshot.taken_at,
        verdict=_verdict(findings, outcomes),
        root=_root(findings),
        outcomes=outcomes,
        findings=findings,
    )


def headline(case: Case) -> str:
    """The Service's type, addresses and ports, e.g. ``NodePort 10.96.7.7, http 80/TCP -> http``."""
    if case.service is None:
        return ""
    spec = case.service.spec
    if case.external_name:
        return f"ExternalName {spec.external_name}"
    addresses = "headless" if case.headless else " ".join(spec.cluster_ips or (spec.cluster_ip,))
    ports = (f"{port.name} {port.port}/{port.protocol} -> {port.target}".lstrip() for port in spec.ports)
    return ", ".join((f"{spec.type} {addresses}".rstrip(), *ports))


def _outcome(step: Step, case: Case, only: Collection[str], skip: Collection[str]) -> Outcome:
    if step.name in skip or (only and step.name not in only):
        return Outcome(step.name, step.question, Status.SKIPPED, "left out as asked")
    answer = step.ask(case)
    return Outcome(step.name, step.question, _status(answer), answer.reason, answer.findings, answer.gaps)


def _status(answer: Answer) -> Status:
    severities = {finding.severity for finding in answer.findings}
    if Severity.ERROR in severities:
        return Status.FAIL
    if answer.skipped:
        return Status.SKIPPED
    if answer.gaps:
        return Status.UNKNOWN
    return Status.WARN if Severity.WARNING in severities else Status.PASS


def _weight(finding: Finding) -> tuple[int, bool, int, int]:
    """Causes before their consequences; then by severity, effect, confidence and the order of the steps."""
    return (
        finding.severity.rank,
        finding.consequence_of is not None,
        list(Effect).index(finding.effect),
        list(Confidence).index(finding.confidence),
    )


def _root(findings: Iterable[Finding]) -> str | None:
    """The first cause. Advice is never one: it speaks of what may break, not of what is broken."""
    for finding in findings:
        if finding.severity is not Severity.ADVICE and finding.consequence_of is None:
            return finding.name
    return None


def _verdict(findings: Iterable[Finding], outcomes: Iterable[Outcome]) -> Verdict:
    effects = {finding.effect for finding in findings}
    if Effect.OUTAGE in effects:
        return Verdict.BROKEN
    if Effect.PARTIAL in effects:
        return Verdict.DEGRADED
    return Verdict.UNKNOWN if any(outcome.status is Status.UNKNOWN for outcome in outcomes) else Verdict.HEALTHY
