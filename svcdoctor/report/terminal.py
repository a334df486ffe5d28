"""For people: one screen that leads from the Service over the questions to the cause, its evidence and its fix.

Commands and patches stand at the left margin on lines of their own, whole, ready to be pasted. All else wraps on a
screen and keeps its lines in a pipe.
"""

from collections.abc import Iterable, Iterator, Sequence

from ..model.diagnosis import Confidence, Diagnosis, Effect, Finding, Fix, Severity, Status, Verdict
from ..model.snapshot import Gap
from .look import Ink, Look
from .safe import safe, safe_lines

GLYPHS = {Status.PASS: "✓", Status.WARN: "!", Status.FAIL: "✗", Status.UNKNOWN: "?", Status.SKIPPED: "-"}
ASCII_GLYPHS = {**GLYPHS, Status.PASS: "+", Status.FAIL: "x"}
SEVERITY_STATUS = {Severity.ERROR: Status.FAIL, Severity.WARNING: Status.WARN, Severity.ADVICE: Status.SKIPPED}
VERDICT_STATUS = {
    Verdict.HEALTHY: Status.PASS,
    Verdict.DEGRADED: Status.WARN,
    Verdict.BROKEN: Status.FAIL,
    Verdict.UNKNOWN: Status.UNKNOWN,
}
CONFIDENCE = {
    Confidence.CERTAIN: "certain",
    Confidence.LIKELY: "likely, not proven",
    Confidence.POSSIBLE: "possible; the fix says how to decide",
}
COLUMN = 40
"""The most columns of a screen that a list gives to its left side."""

STDIN = " -f -"
"""How a command ends that reads what it is to apply: the change goes into it."""


def render(diagnosis: Diagnosis, look: Look) -> str:
    """``diagnosis`` as a screen, or as a line if ``look`` is brief."""
    if look.brief:
        text = _brief(diagnosis)
    else:
        sections = ("\n".join(section) for section in _sections(diagnosis, look))
        text = "\n\n".join(section for section in sections if section)
    if look.ascii:
        text = text.encode("ascii", "backslashreplace").decode()
    return text + "\n"


def _brief(diagnosis: Diagnosis) -> str:
    root = _root(diagnosis)
    said = f"{root.name}: {root.summary}" if root else _verdict_sentence(diagnosis)
    return safe(f"{_asked(diagnosis)} {diagnosis.verdict}: {said}")


def _sections(diagnosis: Diagnosis, look: Look) -> Iterator[Iterable[str]]:
    root = _root(diagnosis)
    yield _header(diagnosis, look)
    yield _steps(diagnosis, root, look)
    yield _verdict(diagnosis, root, look)
    if root:
        yield _listed("Evidence", [(fact.source, fact.fact) for fact in root.evidence], look)
        yield _listed("Ruled out", [(other.name, other.by) for other in root.ruled_out], look)
        yield from _fix(root.fix, look)
    yield _others(diagnosis, root, look)
    if diagnosis.verdict is Verdict.HEALTHY:
        yield from _questions(diagnosis, look)
    yield _gaps(diagnosis, look)


def _asked(diagnosis: Diagnosis) -> str:
    target = diagnosis.target
    return f"{target.namespace}/{target.name}" + (f":{target.port}" if target.port else "")


def _root(diagnosis: Diagnosis) -> Finding | None:
    return next((finding for finding in diagnosis.findings if finding.name == diagnosis.root), None)


def _header(diagnosis: Diagnosis, look: Look) -> Iterator[str]:
    yield look.line(f"  {diagnosis.headline}".rstrip(), f"Service {_asked(diagnosis)}", Ink.HEADING, indent=0, hang=2)
    taken = diagnosis.taken_at.isoformat(" ", "seconds").replace("+00:00", " UTC")
    where = [f"context {diagnosis.context or '(none)'}", diagnosis.server, f"read {taken}"]
    if client := diagnosis.target.client:
        place = f"{client.namespace}/" if client.namespace else ""
        where.append(f"seen from {client.kind} {place}{client.name}")
    yield look.line(", ".join(part for part in where if part), indent=0, hang=2)


def _steps(diagnosis: Diagnosis, root: Finding | None, look: Look) -> Iterator[str]:
    """A row a step. What the cause says is not said twice."""
    width = max((len(outcome.step) for outcome in diagnosis.outcomes), default=0)
    for outcome in diagnosis.outcomes:
        told = outcome.reason if root is None or outcome.reason != root.summary else f"{root.name}, see below"
        yield _row(outcome.status, outcome.status, f"{outcome.step:<{width}}  ", told, look)


def _row(status: Status, word: str, name: str, text: str, look: Look) -> str:
    sign = f"{(ASCII_GLYPHS if look.ascii else GLYPHS)[status]} {word:<7}  "
    return look.line(name + text, sign, Ink[status.name], hang=len(sign) + len(name))


def _verdict(diagnosis: Diagnosis, root: Finding | None, look: Look) -> Iterator[str]:
    ink = Ink[VERDICT_STATUS[diagnosis.verdict].name]
    yield look.line(f": {_verdict_sentence(diagnosis)}", diagnosis.verdict.upper(), ink, indent=0, hang=2)
    if root:
        label = "Cause:" if root.effect is not Effect.NONE else f"{root.severity.capitalize()}:"
        named = f" {root.name} ({root.rule.code}), {CONFIDENCE[root.confidence]}"
        yield ""
        yield look.line(named, label, Ink.HEADING, indent=0, hang=2)
        yield look.line(root.summary)


def _verdict_sentence(diagnosis: Diagnosis) -> str:
    match diagnosis.verdict:
        case Verdict.BROKEN:
            return "the Service does not answer."
        case Verdict.DEGRADED:
            return "the Service answers, but not with all that it should have."
    total = len(diagnosis.outcomes)
    unknown = [outcome.step for outcome in diagnosis.outcomes if outcome.status is Status.UNKNOWN]
    asked = sum(outcome.status is not Status.SKIPPED for outcome in diagnosis.outcomes)
    found = "nothing that stops the Service was found" if diagnosis.findings else "nothing wrong was found"
    if unknown:
        return f"{len(unknown)} of {total} questions could not be answered ({', '.join(unknown)}); otherwise {found}."
    return f"{found}; {asked} of {total} questions asked."


def _questions(diagnosis: Diagnosis, look: Look) -> Iterator[Iterable[str]]:
    """What good news rests on, and what it leaves open."""
    asked = [outcome for outcome in diagnosis.outcomes if outcome.status is not Status.SKIPPED]
    left_out = [outcome for outcome in diagnosis.outcomes if outcome.status is Status.SKIPPED]
    yield _listed("Asked", [(outcome.step, outcome.question) for outcome in asked], look)
    yield _listed("Not asked", [(outcome.step, outcome.question) for outcome in left_out], look)


def _listed(title: str, items: Sequence[tuple[str, str]], look: Look) -> Iterator[str]:
    """A title over two columns, or over nothing at all. On a screen a wide left side has a line of its own."""
    if not items:
        return
    yield look.paint(title, Ink.HEADING)
    widest = max(len(safe(left)) for left, _ in items)
    for left, right in items:
        if look.width is None or widest <= COLUMN:
            yield look.line(right, f"{safe(left):<{widest}}  ", hang=widest + 2)
        else:
            yield look.line("", left)
            yield look.line(right, indent=4)


def _fix(fix: Fix, look: Look) -> Iterator[Iterable[str]]:
    """One section a way: what to do in words, then what to paste."""
    yield (look.paint("Fix", Ink.HEADING), look.line(fix.text))
    yield from _pastable(fix, look)
    for other in fix.alternatives:
        yield (look.line(other.text),)
        yield from _pastable(other, look)


def _pastable(fix: Fix, look: Look) -> Iterator[Iterable[str]]:
    patch = safe_lines(fix.patch.rstrip("\n")) if fix.patch else ""
    if fix.command and patch and fix.command.endswith(STDIN):
        yield (f"{safe(fix.command)} <<'EOF'\n{patch}\nEOF",)
        return
    if fix.command:
        yield (safe(fix.command),)
    if fix.patch and fix.patch not in (fix.command or ""):  # a patch that the command holds is not said twice
        yield (look.line("The change itself:"),)
        yield (patch,)


def _others(diagnosis: Diagnosis, root: Finding | None, look: Look) -> Iterator[str]:
    others = [finding for finding in diagnosis.findings if finding is not root]
    if not others:
        return
    yield look.paint("Also found", Ink.HEADING)
    for finding in others:
        because = f" (follows from {finding.consequence_of})" if finding.consequence_of else ""
        status = SEVERITY_STATUS[finding.severity]
        yield _row(status, finding.severity, "", f"{finding.name}: {finding.summary}{because}", look)
    names = {finding.name for finding in others}
    yield look.line(f"More: svcdoctor explain {names.pop() if len(names) == 1 else 'NAME'}")


def _gaps(diagnosis: Diagnosis, look: Look) -> Iterator[str]:
    """What could not be read, each once, with the steps that missed it and the permission to grant."""
    missed: dict[Gap, list[str]] = {}
    for outcome in diagnosis.outcomes:
        for gap in outcome.gaps:
            missed.setdefault(gap, []).append(outcome.step)
    if missed:
        yield look.paint("Could not look", Ink.HEADING)
    for gap, steps in missed.items():
        yield look.line(f" {gap.what}: {gap.why}", f"{', '.join(dict.fromkeys(steps))}:", hang=2)
        if gap.permission:
            yield look.line(f"to grant: {gap.permission}", indent=4, hang=2)
