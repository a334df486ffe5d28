"""What scenarios assert: the one cause, and that nothing else is called an error."""

from svcdoctor.model.diagnosis import Diagnosis, Finding, Outcome, Severity, Verdict


def names(diagnosis: Diagnosis, severity: Severity) -> list[str]:
    return [finding.name for finding in diagnosis.findings if finding.severity is severity]


def explain(diagnosis: Diagnosis) -> str:
    said = [f"{f.severity} {f.name} [{f.effect}, {f.confidence}]: {f.summary}" for f in diagnosis.findings]
    return "\n".join([f"{diagnosis.verdict}, root {diagnosis.root}", *said, *(o.reason for o in diagnosis.outcomes)])


def of_step(diagnosis: Diagnosis, step: str) -> Outcome:
    return next(outcome for outcome in diagnosis.outcomes if outcome.step == step)


def blamed(diagnosis: Diagnosis, root: str, verdict: Verdict = Verdict.BROKEN) -> Finding:
    """``root`` is the cause, and no other finding is an error. Returns its finding."""
    assert diagnosis.root == root, explain(diagnosis)
    assert set(names(diagnosis, Severity.ERROR)) <= {root}, explain(diagnosis)
    assert diagnosis.verdict is verdict, explain(diagnosis)
    return next(finding for finding in diagnosis.findings if finding.name == root)


def well(diagnosis: Diagnosis) -> None:
    """No error, no warning, and nothing that could not be looked at."""
    loud = names(diagnosis, Severity.ERROR) + names(diagnosis, Severity.WARNING)
    assert not loud, explain(diagnosis)
    assert diagnosis.verdict is Verdict.HEALTHY, explain(diagnosis)
    assert diagnosis.root is None
