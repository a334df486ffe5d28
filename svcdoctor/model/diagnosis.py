"""What svcdoctor says: rules, the findings that they lead to, and the diagnosis that orders them."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from .snapshot import Gap


class Severity(StrEnum):
    """How loud a finding speaks."""

    ERROR = "error"  # traffic of the Service fails now
    WARNING = "warning"  # capacity is lost now, or traffic will fail under ordinary events
    ADVICE = "advice"  # worth knowing

    @property
    def rank(self) -> int:
        """0 is the loudest."""
        return list(Severity).index(self)


class Effect(StrEnum):
    """How much of the Service a finding takes away now: it decides between broken and degraded."""

    OUTAGE = "outage"
    PARTIAL = "partial"
    NONE = "none"


class Confidence(StrEnum):
    """How sure a finding is of its cause."""

    CERTAIN = "certain"  # the data leave no other reading
    LIKELY = "likely"  # another reading exists, and speaks against something that was read
    POSSIBLE = "possible"  # undecided: the fix names the check that would decide


class Status(StrEnum):
    """What a step answers. A step that could not look is never a pass."""

    PASS = "pass"
    WARN = "warn"
    FAIL = "fail"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"


class Rule(Struct, frozen=True):
    """A failure mode: what it means, why it happens, how to fix it. ``code`` and ``name`` are never reused."""

    code: str  # SVC203
    name: str  # selector-typo
    severity: Severity  # the usual one; a finding may speak lower or louder
    step: str
    meaning: str
    why: str
    fix: str


class Evidence(Struct, frozen=True):
    """One fact, and where it was read."""

    source: str  # "Service shop/web" or "Pod shop/web-1: status.conditions[Ready]"
    fact: str


class RuledOut(Struct, frozen=True):
    """A neighbouring cause that it is not, and what says so."""

    name: str
    by: str


class Fix(Struct, frozen=True):
    """What to do: in words, as a command to paste, as a patch to apply. ``alternatives`` are other ways, best first."""

    text: str
    command: str | None = None
    patch: str | None = None
    alternatives: tuple["Fix", ...] = ()


class Subject(Struct, frozen=True):
    """The object that a finding speaks of."""

    kind: str
    namespace: str
    name: str


class Finding(Struct, frozen=True):
    """A Rule seen on something."""

    rule: Rule
    summary: str  # one sentence, names the things
    evidence: tuple[Evidence, ...]
    fix: Fix
    subject: Subject
    severity: Severity
    effect: Effect
    confidence: Confidence = Confidence.CERTAIN
    ruled_out: tuple[RuledOut, ...] = ()
    consequence_of: str | None = None  # the name of the finding that explains this one

    @property
    def name(self) -> str:
        return self.rule.name


class Outcome(Struct, frozen=True):
    """What one step answered, in one line (``reason``), with its findings and with what it could not look at."""

    step: str
    question: str
    status: Status
    reason: str
    findings: tuple[Finding, ...] = ()
    gaps: tuple[Gap, ...] = ()


class Verdict(StrEnum):
    """The answer in one word."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    BROKEN = "broken"
    UNKNOWN = "unknown"


class Target(Struct, frozen=True):
    """What was asked for: a Service, perhaps one of its ports, perhaps from a client's point of view."""

    namespace: str
    name: str
    port: str | None = None  # a number or a name, as the user wrote it
    client: Subject | None = None  # a Pod or a Node


class Diagnosis(Struct, frozen=True):
    """The whole answer. Findings are ordered: the root first, then by weight and step."""

    target: Target
    service_type: str  # "" where the Service was not found or not read
    headline: str  # the Service in a line: addresses and ports
    context: str
    server: str
    taken_at: datetime
    verdict: Verdict
    root: str | None
    outcomes: tuple[Outcome, ...]
    findings: tuple[Finding, ...]
