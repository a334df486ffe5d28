"""4xx: Does the name lead to the Service?

What must be true is computed: `expected` (the answers that the specification demands), `resolv_conf` and `kubelet`
(what a pod's resolver is told), `search` (which names it asks), `corefile` and `owner` (who answers them). `view` holds
that beside what was read and observed. The findings: `servers` and what ails them, `told` and `override` (settings
that don't fit), `clients`, `asked` and `wrong_answers` (real answers), `outside`, `records`, `variables`.
"""

from collections.abc import Callable, Iterator, Sequence

from ...model.case import Case
from ...model.diagnosis import Finding, Severity
from ...model.snapshot import Gap
from ..step import Answer, Step
from ..words import some
from . import (
    asked,
    clients,
    node_cache,
    outside,
    override,
    records,
    server_logs,
    servers,
    told,
    variables,
    wrong_answers,
)
from .answer import Kind
from .view import View

CHECKS: tuple[Callable[[View], Iterator[Finding]], ...] = (
    servers.check,
    node_cache.check,
    told.check,
    clients.check,
    override.check,
    asked.check,
    outside.check,
    records.check,
    variables.check,
)
"""From the servers outwards to the client. An error ends the walk: what comes after would only follow from it."""


def ask(case: Case) -> Answer:
    """The name of the Service, as the client sees it if there is one."""
    service, client = case.service, case.target.client
    if case.unread is not None:
        return Answer("the Service could not be read, so nobody knows what its name should give", gaps=(case.unread,))
    if service is None:
        return Answer("there is no Service to name", skipped=True)
    if client is not None and client.kind == "Node":
        return Answer("a node asks its own name servers, not the cluster's", skipped=True)
    view = View(case, service)
    findings = tuple(_findings(view))
    gaps = () if any(finding.severity is Severity.ERROR for finding in findings) else tuple(dict.fromkeys(_blind(view)))
    return Answer(_reason(view, findings, gaps), findings, gaps)


def _findings(view: View) -> Iterator[Finding]:
    seen: set[str] = set()
    for check in CHECKS:
        found = [finding for finding in check(view) if finding.name not in seen]
        seen.update(finding.name for finding in found)
        yield from found
        if any(finding.severity is Severity.ERROR for finding in found):
            return


def _blind(view: View) -> Iterator[Gap]:
    yield from servers.blind(view)
    yield from clients.blind(view)
    yield from records.blind(view)


def _reason(view: View, findings: Sequence[Finding], gaps: Sequence[Gap]) -> str:
    """In a line: the loudest finding, else what could not be looked at, else what the name leads to."""
    loud = sorted((f for f in findings if f.severity is not Severity.ADVICE), key=lambda f: f.severity.rank)
    if loud:
        return loud[0].summary
    if gaps:
        return f"could not look at {gaps[0].what}"
    name, said = view.fqdn.rstrip("."), view.specified
    if said.kind is Kind.ANSWER:
        return f"{name} gives {some(record.data for record in said.records)}"
    if said.kind is Kind.ELSEWHERE:
        asked = "" if outside.target_state(view) else "; whether that resolves was not asked"
        return f"{name} is an alias of {said.target.rstrip('.')}{asked}"
    return f"{name} gives {said.kind.upper()}: {said.why}"


STEP = Step(
    "dns",
    "Does the name lead to the Service?",
    (
        *servers.RULES,
        *server_logs.RULES,
        *node_cache.RULES,
        *told.RULES,
        *override.RULES,
        *clients.RULES,
        *asked.RULES,
        *wrong_answers.RULES,
        *outside.RULES,
        *records.RULES,
        *variables.RULES,
    ),
    ask,
)
