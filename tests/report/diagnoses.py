"""Diagnoses made by hand: each shows one thing that a report must be able to say."""

from datetime import UTC, datetime

from msgspec import structs

from svcdoctor.model.diagnosis import (
    Confidence,
    Diagnosis,
    Effect,
    Evidence,
    Finding,
    Fix,
    Outcome,
    Rule,
    RuledOut,
    Severity,
    Status,
    Subject,
    Target,
    Verdict,
)
from svcdoctor.model.snapshot import Gap

QUESTIONS = {
    "service": "Is the Service itself well formed, and is it there?",
    "endpoints": "Do pods stand behind it?",
    "readiness": "Are those pods ready, and if not, why?",
}
WEB = Subject("Service", "shop", "web")

SELECTOR_TYPO = Rule(
    "SVC203",
    "selector-typo",
    Severity.ERROR,
    "endpoints",
    "The selector matches no pod, but differs by a slip of the hand from labels that pods carry.",
    "Selector and labels are written in two places, and one was mistyped.",
    "Write the same labels in both places.",
)
SINGLE_ENDPOINT = Rule(
    "SVC240",
    "single-endpoint",
    Severity.ADVICE,
    "endpoints",
    "One ready pod carries the whole Service.",
    "The workload has one replica.",
    "Run two or more.",
)
PROBE_FAILING = Rule(
    "SVC301",
    "probe-failing",
    Severity.WARNING,
    "readiness",
    "A pod's readiness probe fails.",
    "The application does not answer its probe.",
    "Mend the application.",
)


def outcome(step: str, status: Status, reason: str, *findings: Finding, gaps: tuple[Gap, ...] = ()) -> Outcome:
    return Outcome(step, QUESTIONS[step], status, reason, findings, gaps)


def diagnosis(verdict: Verdict, *outcomes: Outcome, root: str | None = None) -> Diagnosis:
    return Diagnosis(
        target=Target("shop", "web"),
        service_type="ClusterIP",
        headline="ClusterIP 10.96.7.7 fd00::7, http 80/TCP -> http",
        context="prod",
        server="https://[fd00::1]:6443",
        taken_at=datetime(2026, 11, 23, 1, 56, 13, tzinfo=UTC),
        verdict=verdict,
        root=root,
        outcomes=outcomes,
        findings=tuple(finding for each in outcomes for finding in each.findings),
    )


SERVICE_PASSES = outcome("service", Status.PASS, "well formed, 1 port")

TYPO = Finding(
    rule=SELECTOR_TYPO,
    summary="the selector asks for app=wbe, and no pod has it; 3 pods of Deployment web have app=web",
    evidence=(
        Evidence("Service shop/web: spec.selector", "app=wbe"),
        Evidence("Pod shop/web-7d9f8b6c5-2xk8p: metadata.labels", "app=web, pod-template-hash=7d9f8b6c5"),
    ),
    fix=Fix(
        "Correct the selector; the Service would then have 10.244.1.7, 10.244.2.9 and fd00:10::9.",
        """kubectl -n shop patch service web --type merge -p '{"spec":{"selector":{"app":"web","tier":"frontend"}}}'""",
        "spec:\n  selector:\n    app: web\n",
        (
            Fix(
                "Or relabel the workload's pods, if the selector is what was meant.",
                """kubectl -n shop patch deployment web --type merge -p '{"spec":{"template":{}}}'""",
            ),
        ),
    ),
    subject=WEB,
    severity=Severity.ERROR,
    effect=Effect.OUTAGE,
    ruled_out=(
        RuledOut("selector-other-ns", "no pod of another namespace has app=wbe"),
        RuledOut("scaled-to-zero", "Deployment web asks for 3 replicas and has them"),
    ),
)
UNREADY = Finding(
    rule=PROBE_FAILING,
    summary="Pod shop/web-2 is not ready: its readiness probe GET http://[fd00:10::9]:8080/healthz gets 503",
    evidence=(Evidence("Event Unhealthy of Pod shop/web-2, 12 s ago", "HTTP probe failed with statuscode: 503"),),
    fix=Fix("Ask the application why it says 503.", "kubectl -n shop logs web-2"),
    subject=Subject("Pod", "shop", "web-2"),
    severity=Severity.WARNING,
    effect=Effect.PARTIAL,
    confidence=Confidence.POSSIBLE,
)
ONLY_ONE = Finding(
    rule=SINGLE_ENDPOINT,
    summary="one pod is ready",
    evidence=(Evidence("EndpointSlice shop/web-x", "1 of 2 endpoints is ready"),),
    fix=Fix("Run two."),
    subject=WEB,
    severity=Severity.ADVICE,
    effect=Effect.NONE,
    consequence_of="probe-failing",
)

HEALTHY = diagnosis(
    Verdict.HEALTHY,
    SERVICE_PASSES,
    outcome("endpoints", Status.PASS, "3 pods, 3 endpoints"),
    outcome("readiness", Status.SKIPPED, "left out as asked"),
)
BROKEN = diagnosis(
    Verdict.BROKEN,
    SERVICE_PASSES,
    outcome("endpoints", Status.FAIL, TYPO.summary, TYPO),
    outcome("readiness", Status.SKIPPED, "no pods to look at"),
    root="selector-typo",
)
DEGRADED = diagnosis(
    Verdict.DEGRADED,
    SERVICE_PASSES,
    outcome("readiness", Status.WARN, "1 of 2 pods is not ready", UNREADY),
    outcome("endpoints", Status.PASS, "2 pods", ONLY_ONE),
    root="probe-failing",
)
PODS_FORBIDDEN = Gap("api/v1/namespaces/shop/pods", "403 Forbidden", "list pods in namespace shop")
EVENTS_LATE = Gap("api/v1/namespaces/shop/events", "timed out after 30 s")
UNKNOWN = diagnosis(
    Verdict.UNKNOWN,
    SERVICE_PASSES,
    outcome("endpoints", Status.UNKNOWN, "its pods could not be read", gaps=(PODS_FORBIDDEN,)),
    outcome("readiness", Status.UNKNOWN, "its pods could not be read", gaps=(PODS_FORBIDDEN, EVENTS_LATE)),
)
BAD = "[red]\x1b[31m\x1b]0;owned\x07\r\n\t\x00\x9b2J\u202eevil\u2066\u200b\U000e0041[/red] [fd00::1]:8080"
"""Rich markup, escape sequences, C0 and C1 controls, bidi overrides, zero width, tag characters."""
HOSTILE = diagnosis(
    Verdict.BROKEN,
    outcome(
        "endpoints",
        Status.FAIL,
        BAD,
        Finding(
            rule=SELECTOR_TYPO,
            summary=BAD,
            evidence=(Evidence(BAD, BAD),),
            fix=Fix(BAD, BAD, BAD, (Fix(BAD, BAD, BAD),)),
            subject=Subject(BAD, BAD, BAD),
            severity=Severity.ERROR,
            effect=Effect.OUTAGE,
            ruled_out=(RuledOut(BAD, BAD),),
        ),
        Finding(
            rule=PROBE_FAILING,
            summary=BAD,
            evidence=(),
            fix=Fix(BAD),
            subject=WEB,
            severity=Severity.WARNING,
            effect=Effect.PARTIAL,
            consequence_of="selector-typo",
        ),
        gaps=(Gap(BAD, BAD, BAD),),
    ),
    root="selector-typo",
)
HOSTILE = structs.replace(
    HOSTILE, target=Target("shop", "web", BAD, Subject("Pod", BAD, BAD)), headline=BAD, context=BAD, server=BAD
)

ALL = {
    "healthy": HEALTHY,
    "broken": BROKEN,
    "degraded": DEGRADED,
    "unknown": UNKNOWN,
    "hostile": HOSTILE,
}
