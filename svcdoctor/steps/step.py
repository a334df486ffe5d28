"""What a step is: a question, the rules that it may find broken, and a pure function that answers it."""

from collections.abc import Callable, Sequence

from msgspec import Struct

from ..model.case import Case
from ..model.diagnosis import Confidence, Effect, Evidence, Finding, Fix, Rule, RuledOut, Severity, Subject
from ..model.snapshot import Gap


class Answer(Struct, frozen=True):
    """What a step says of a Case, ``reason`` in one line. Findings and gaps decide the status, unless skipped."""

    reason: str
    findings: tuple[Finding, ...] = ()
    gaps: tuple[Gap, ...] = ()  # only what the answer would have needed
    skipped: bool = False


class Step(Struct, frozen=True):
    """One question of the documented flow."""

    name: str
    question: str
    rules: tuple[Rule, ...]
    ask: Callable[[Case], Answer]


def find(
    rule: Rule,
    subject: Subject,
    summary: str,
    evidence: Sequence[Evidence],
    fix: Fix,
    *,
    effect: Effect,
    severity: Severity | None = None,
    confidence: Confidence = Confidence.CERTAIN,
    ruled_out: Sequence[RuledOut] = (),
    consequence_of: str | None = None,
) -> Finding:
    """A Finding of ``rule``, of the rule's usual severity unless another is given."""
    return Finding(
        rule,
        summary,
        tuple(evidence),
        fix,
        subject,
        severity or rule.severity,
        effect,
        confidence,
        tuple(ruled_out),
        consequence_of,
    )
