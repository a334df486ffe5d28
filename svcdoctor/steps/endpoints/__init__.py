"""2xx: Do pods stand behind it? If not, why; never just that."""

from collections.abc import Iterator, Sequence

from ...model.case import Case
from ...model.diagnosis import Finding
from ...model.service import Service
from ...model.snapshot import Gap
from ..step import Answer, Step
from ..words import count, labels
from . import groups, lag, leftovers, named_ports, numeric_ports, pods, selector, slices, spread, switch


def ask(case: Case) -> Answer:
    """The selector held against pods and workloads, the pods against the slices, the slices against the ports."""
    service = case.service
    if case.unread is not None:
        return Answer("the Service could not be read, so nobody knows what should stand behind it", gaps=(case.unread,))
    if service is None:
        return Answer("there is no Service to look behind", skipped=True)
    if case.external_name:
        return Answer("an ExternalName has no endpoints", skipped=True)
    if case.selector:
        return _selected(case, service)
    return _unselected(case, service)


def _unselected(case: Case, service: Service) -> Answer:
    """Nobody but a person or a foreign controller writes these slices."""
    findings = tuple(slices.check(case, service))
    if findings or any(endpoint.ready for endpoint in case.endpoints):
        found = (*findings, *spread.check(case, service))
        return Answer(_first(found) or f"no selector; {_standing(case)} in {count(len(case.slices), 'slice')}", found)
    gap = case.need("endpointslices")
    if gap and not case.endpoints:
        return Answer("its slices could not be read", findings, (gap,))
    found = (slices.why_no_slice(case, service), *findings)
    return Answer(_first(found), found)


def _selected(case: Case, service: Service) -> Answer:
    gaps = tuple(_blind(case))
    if not case.pods_known:
        if case.usable:
            return Answer(f"{_standing(case)}; the pods behind them could not be read", gaps=gaps)
        return Answer("the pods could not be read, so nothing can be said of the selector", gaps=gaps)
    findings = tuple(_findings(case, service))
    if findings:
        return Answer(_first(findings) or _standing(case), findings, (*gaps, *_unseen(case, findings)))
    if not case.slices_known:
        return Answer(f"{count(len(case.backends), 'pod')} match; the slices could not be read", gaps=gaps)
    return Answer(_standing(case), gaps=gaps)


def _findings(case: Case, service: Service) -> Iterator[Finding]:
    if not any(pod.ready for pod in case.backends):
        switched = switch.switched_to_nobody(case, service)
        if switched is not None and not case.backends:
            yield switched
            return
    if not case.matched:
        yield pods.why_no_pods(case, service) or selector.why_no_match(case, service)
        return
    if not case.backends:
        yield pods.why_no_pods(case, service) or pods.only_terminal(case, service)
        return
    live = [pod for pod in case.backends if not pod.terminating]
    by_workload = groups.by_workload(case, live)
    yield from pods.unscheduled(case, service)
    yield from named_ports.check(service, live, by_workload)
    yield from numeric_ports.check(service, by_workload)
    yield from slices.check(case, service)
    if case.slices_known:
        yield from lag.check(case, service)
        yield from spread.check(case, service)


def _blind(case: Case) -> Iterator[Gap]:
    """What the answer would have needed and could not have."""
    if not case.pods_known:
        yield case.snapshot.gap("pods", case.target.namespace)
    if not case.slices_known:
        yield case.snapshot.gap("endpointslices", case.target.namespace)
    if case.pods_known and not case.matched:
        for kind in ("pods", *selector.WORKLOADS):
            if gap := case.need(kind):
                yield gap


def _unseen(case: Case, findings: Sequence[Finding]) -> Iterator[Gap]:
    """A selector without any match may mean pods of a namespace that nobody looked at."""
    unmatched = any(finding.rule is selector.SELECTOR_NO_MATCH for finding in findings)
    if unmatched and not selector.looked_elsewhere(case):
        yield case.snapshot.gap("pods")


def _first(findings: Sequence[Finding]) -> str:
    """The one-line reason of a step that found something, warnings before advice."""
    ranked = sorted(findings, key=lambda finding: finding.severity.rank)
    return ranked[0].summary if ranked and ranked[0].severity.rank < 2 else ""


def _standing(case: Case) -> str:
    ready = {endpoint.address for endpoint in case.usable}
    everyone = {endpoint.address for endpoint in case.endpoints}
    if not case.slices_known:
        return f"{count(len(case.backends), 'pod')} match {labels(case.selector)}"
    behind = "" if ready or not case.backends else f"{count(len(case.backends), 'pod')} behind it; "
    return f"{behind}{len(ready)} of {count(len(everyone), 'endpoint')} ready"


STEP = Step(
    "endpoints",
    "Do pods stand behind it?",
    (
        *selector.RULES,
        *groups.RULES,
        *pods.RULES,
        *named_ports.RULES,
        *numeric_ports.RULES,
        *slices.RULES,
        *leftovers.RULES,
        *lag.RULES,
        *spread.RULES,
    ),
    ask,
)
