"""3xx: Are those pods ready, and if not, why?"""

from collections.abc import Iterator, Sequence

from ...model.case import Case
from ...model.diagnosis import Effect, Evidence, Finding, Severity
from ...model.pod import Pod
from ...model.service import Service
from ..placing import unplaced
from ..step import Answer, Step, find
from ..words import count, some, subject
from . import binding, conditions, containers, probes, published
from .trouble import Trouble, failing_containers

RUNNING = frozenset({*probes.RULES, conditions.READINESS_GATE})
"""Troubles of pods whose containers run: publishing them regardless may well lead to an answer."""


def ask(case: Case) -> Answer:
    """Each pod's trouble, those of one kind put together, then how the Service treats readiness."""
    service = case.service
    if case.unread is not None:
        return Answer("the Service could not be read, so its pods are not known", gaps=(case.unread,))
    if service is None or case.external_name or not case.selector:
        return Answer(_why_skipped(case), skipped=True)
    if not case.pods_known:
        return Answer("the pods could not be read", gaps=(case.snapshot.gap("pods", case.target.namespace),))
    if not case.backends:
        return Answer("no pod to ask", skipped=True)
    live = [pod for pod in case.backends if not pod.terminating]
    troubles = [(pod, trouble) for pod in live if (trouble := trouble_of(case, pod))]
    bound = tuple(binding.check(case, service))
    if bound:  # a port that is bound on loopback refuses the probe too: one cause, not two
        troubles = [(pod, trouble) for pod, trouble in troubles if trouble.rule is not probes.PROBE_FAILING]
    found = (*published.check(case, service), *bound, *_together(case, service, live, troubles))
    findings = tuple(sorted(found, key=lambda finding: finding.severity.rank))
    gaps = tuple(dict.fromkeys(trouble.gap for _, trouble in troubles if trouble.gap))
    ready = sum(pod.ready for pod in live)
    return Answer(f"{ready} of {count(len(live), 'pod')} ready" + _first(findings), findings, gaps)


def _why_skipped(case: Case) -> str:
    if case.service is None:
        return "there is no Service to look behind"
    return (
        "an ExternalName has no pods" if case.external_name else "no selector: its endpoints are not pods it could ask"
    )


def trouble_of(case: Case, pod: Pod) -> Trouble | None:
    """Why ``pod`` is not ready (or, being Ready, flaps); None for well ones and for those that were never placed."""
    if pod.ready:
        return probes.flapping(case, pod)
    if unplaced(case, pod):
        return None
    if not pod.spec.node_name:
        return conditions.unexplained(case, pod)
    node = conditions.node_trouble(case, pod)
    if node is not None:
        return node
    for failing in failing_containers(pod):
        found = (
            containers.trouble(case, pod, failing)
            or conditions.init_trouble(case, pod, failing)
            or probes.trouble(case, pod, failing)
        )
        if found is not None:
            return found
    gate_or_node = conditions.gate_trouble(case, pod) or conditions.silent_trouble(case, pod)
    return gate_or_node or conditions.unexplained(case, pod)


def _together(
    case: Case, service: Service, live: Sequence[Pod], troubles: Sequence[tuple[Pod, Trouble]]
) -> Iterator[Finding]:
    """One finding for all pods with the same cause. While others serve, it is a warning; young starters are no news.

    Where nobody else is ready, proxies fall back to pods that are leaving and still serve (KEP-1669).
    """
    groups: dict[tuple[str, str], list[tuple[Pod, Trouble]]] = {}
    for pod, trouble in troubles:
        groups.setdefault((trouble.rule.name, trouble.cause), []).append((pod, trouble))
    serving = any(pod.ready for pod in case.backends)
    for members in sorted(groups.values(), key=len, reverse=True):
        pod, trouble = members[0]
        if serving and trouble.rule is probes.STARTUP_PENDING:
            continue
        pods = [member for member, _ in members]
        state = "not ready" if not pod.ready else "ready but flapping"
        evidence = list(trouble.evidence)
        if len(pods) > 1:
            evidence.append(Evidence("The same holds for", some(p.name for p in pods[1:])))
        published_anyway = service.spec.publish_not_ready_addresses and trouble.rule in RUNNING
        lost = Effect.NONE if pod.ready or published_anyway else Effect.PARTIAL if serving else Effect.OUTAGE
        yield find(
            trouble.rule,
            subject(pod),
            f"{count(len(pods), 'pod')} of {len(live)} {state}: {trouble.cause}",
            evidence,
            trouble.fix,
            effect=lost,
            severity=Severity.ERROR if lost is Effect.OUTAGE else Severity.WARNING,
            confidence=trouble.confidence,
            ruled_out=trouble.ruled_out,
        )


def _first(findings: Sequence[Finding]) -> str:
    loud = [finding for finding in findings if finding.severity is not Severity.ADVICE]
    return f": {loud[0].name}" if loud else ""


STEP = Step(
    "readiness",
    "Are those pods ready, and if not, why?",
    (*probes.RULES, *conditions.RULES, *published.RULES, *containers.RULES, *binding.RULES),
    ask,
)
