"""3xx: Are those pods ready, and if not, why?"""

from collections.abc import Iterator, Sequence

from ...model.case import Case
from ...model.diagnosis import Effect, Evidence, Finding, Severity
from ...model.pod import Pod
from ...model.service import Service
from ...model.snapshot import Gap
from ..step import Answer, Step, find
from ..words import count, some, subject
from . import binding, conditions, containers, probes, published
from .trouble import Trouble, failing_containers


def ask(case: Case) -> Answer:
    """Each pod's trouble, those of one kind put together, then how the Service treats readiness."""
    service = case.service
    if service is None or case.external_name or not case.selector:
        return Answer(_why_skipped(case), skipped=True)
    if not case.pods_known:
        return Answer("the pods could not be read", gaps=(case.snapshot.gap("pods", case.target.namespace),))
    if not case.backends:
        return Answer("no pod to ask", skipped=True)
    live = [pod for pod in case.backends if not pod.terminating]
    troubles = [(pod, trouble) for pod in live if (trouble := trouble_of(case, pod))]
    found = (
        *published.check(case, service),
        *binding.check(case, service),
        *_together(service, live, troubles),
    )
    findings = tuple(_ranked(found))
    gaps = tuple(dict.fromkeys(trouble.gap for _, trouble in troubles if trouble.gap))
    ready = sum(pod.ready for pod in live)
    return Answer(f"{ready} of {count(len(live), 'pod')} ready" + _first(findings), findings, gaps)


def _why_skipped(case: Case) -> str:
    if case.service is None:
        return "there is no Service to look behind"
    return "an ExternalName has no pods" if case.external_name else "no selector: its endpoints are not pods it could ask"


def trouble_of(case: Case, pod: Pod) -> Trouble | None:
    """Why ``pod`` is not ready (or, being Ready, flaps); None for well ones and for those that were never placed."""
    if pod.ready:
        return probes.flapping(case, pod)
    node = conditions.node_trouble(case, pod)
    if node is not None:
        return node
    for failing in failing_containers(pod):
        found = containers.trouble(case, pod, failing) or probes.trouble(case, pod, failing)
        if found is not None:
            return found
    return conditions.gate_trouble(case, pod) or conditions.silent_trouble(case, pod)


def _together(service: Service, live: Sequence[Pod], troubles: Sequence[tuple[Pod, Trouble]]) -> Iterator[Finding]:
    """One finding for all pods with the same cause. While others serve, it is a warning; young starters are no news."""
    published_anyway = service.spec.publish_not_ready_addresses
    groups: dict[tuple[str, str], list[tuple[Pod, Trouble]]] = {}
    for pod, trouble in troubles:
        groups.setdefault((trouble.rule.name, trouble.cause), []).append((pod, trouble))
    serving = any(pod.ready for pod in live)
    for members in groups.values():
        pod, trouble = members[0]
        if serving and trouble.rule is probes.STARTUP_PENDING:
            continue
        pods = [member for member, _ in members]
        state = "not ready" if not pod.ready else "ready but flapping"
        evidence = list(trouble.evidence)
        if len(pods) > 1:
            evidence.append(Evidence("The same holds for", some(p.name for p in pods[1:])))
        partial = serving or published_anyway
        yield find(
            trouble.rule,
            subject(pod),
            f"{count(len(pods), 'pod')} of {len(live)} {state}: {trouble.cause}",
            evidence,
            trouble.fix,
            effect=Effect.NONE if pod.ready else Effect.PARTIAL if partial else Effect.OUTAGE,
            severity=Severity.WARNING if partial else Severity.ERROR,
            confidence=trouble.confidence,
            ruled_out=trouble.ruled_out,
        )


def _ranked(findings: Sequence[Finding]) -> Iterator[Finding]:
    """What spoke louder first; a loopback bind explains a refused probe, which then is its consequence."""
    yield from sorted(findings, key=lambda finding: finding.severity.rank)


def _first(findings: Sequence[Finding]) -> str:
    loud = [finding for finding in findings if finding.severity is not Severity.ADVICE]
    return f": {loud[0].name}" if loud else ""


def _gaps(troubles: Sequence[Trouble]) -> tuple[Gap, ...]:
    return tuple(dict.fromkeys(trouble.gap for trouble in troubles if trouble.gap))


STEP = Step(
    "readiness",
    "Are those pods ready, and if not, why?",
    (*probes.RULES, *conditions.RULES, *published.RULES, *containers.RULES, *binding.RULES),
    ask,
)
