"""Rules that are not what the API asks for: whose fault that is depends on the node's kube-proxy."""

from collections.abc import Iterator, Sequence

from ...model.case import Case
from ...model.diagnosis import Confidence, Effect, Evidence, Finding, Fix, Rule, RuledOut, Severity
from ...model.service import Service
from ...network.compare import OF_PROXY, Difference, Kind
from ..step import find
from ..words import ago, count, kubectl, quote, subject
from .configuration import NAMESPACE
from .leftovers import leftovers
from .liveness import NAME, State
from .nodes import Seen, last_change
from .rules import PROXY_DOWN, PROXY_STALE, PROXY_SYNC_ERROR, RULE_MISSING
from .telling import effect, is_dead, on_nodes, severity, told

OF_ABSENCE = frozenset({Kind.NO_FRONTEND, Kind.DANGLING, Kind.NO_MASQUERADE})


def drifted(node: Seen) -> tuple[Difference, ...]:
    """What kube-proxy's own rules do otherwise than they must."""
    return tuple(difference for difference in node.differences if difference.kind in OF_PROXY)


def is_young(case: Case, service: Service, node: Seen) -> bool:
    """Whether the Service changed so lately that the node's kube-proxy may be about to write it."""
    changed = last_change(case, service)
    return changed is not None and case.now - changed <= node.grace


def name(node: Seen) -> Rule | None:
    """What the node has; None where its rules are right, and its kube-proxy is not known to be ill."""
    found = drifted(node)
    by_state = {State.DOWN: PROXY_DOWN, State.FAILING: PROXY_SYNC_ERROR, State.SILENT: PROXY_STALE if found else None}
    if node.liveness.state in by_state:
        return by_state[node.liveness.state]
    if not found or any(leftovers(node)):
        return None
    return RULE_MISSING if any(difference.kind in OF_ABSENCE for difference in found) else PROXY_STALE


def findings(case: Case, service: Service, nodes: Sequence[Seen]) -> Iterator[Finding]:
    """One for each name."""
    settled = [node for node in nodes if not (drifted(node) and is_young(case, service, node))]
    for rule in (PROXY_DOWN, PROXY_SYNC_ERROR, PROXY_STALE, RULE_MISSING):
        mine = [node for node in settled if name(node) is rule]
        if mine:
            yield _finding(case, service, rule, mine, [node for node in nodes if node not in mine])


def _finding(case: Case, service: Service, rule: Rule, mine: list[Seen], others: list[Seen]) -> Finding:
    ill = [node for node in mine if drifted(node)]
    first = (ill or mine)[0]
    unsure = first.liveness.state is State.UNKNOWN
    return find(
        rule,
        subject(service),
        f"{_what(rule, mine)}{_so(rule, service, ill)}",
        tuple(_evidence(case, mine, others)),
        _fix(rule, first),
        effect=effect(case, ill, others) if ill else Effect.NONE,
        severity=severity(case, ill) if ill else Severity.WARNING,
        confidence=Confidence.LIKELY if unsure else Confidence.CERTAIN,
        ruled_out=tuple(_ruled_out(rule, first)),
    )


def _what(rule: Rule, mine: Sequence[Seen]) -> str:
    where = on_nodes(mine)
    if rule is PROXY_DOWN:
        return f"no kube-proxy runs on {where}"
    if rule is PROXY_SYNC_ERROR:
        return f"kube-proxy on {where} does not get its rules into the kernel"
    if rule is RULE_MISSING:
        return f"{where} has no rule" if len(mine) == 1 else f"{where} have no rule"
    return f"the rules on {where} are stale"


def _so(rule: Rule, service: Service, ill: Sequence[Seen]) -> str:
    if not ill:
        return "; its rules for this Service are still right"
    found = drifted(ill[0])
    lost = [difference.frontend for difference in found if difference.kind in (Kind.NO_FRONTEND, Kind.DANGLING)]
    if lost:
        return f": {lost[0]} of Service {service.namespace}/{service.name} leads nowhere there"
    if any(difference.kind is Kind.NO_MASQUERADE for difference in found):
        return " that masquerades: answers to packets that need another source do not come back"
    gone = {d.place for d in found if d.kind in (Kind.EXTRA_ENDPOINT, Kind.WRONG_PORT)}
    missing = {d.place for d in found if d.kind is Kind.MISSING_ENDPOINT}
    if gone:
        whose = "they" if rule is PROXY_STALE else "its rules"
        parts = [f"{whose} lead to {count(len(gone), 'address', 'addresses')} that no endpoint has"]
        parts += ["and to none of the present ones" if is_dead(found) else ""]
        return f": {' '.join(filter(None, parts))}"
    return f": {count(len(missing), 'endpoint')} missing" if missing else f": {found[0].kind} at {found[0].frontend}"


def _evidence(case: Case, mine: Sequence[Seen], others: Sequence[Seen]) -> Iterator[Evidence]:
    yield Evidence("Nodes", agreement(case, [*mine, *others]))
    for node in mine[:3]:
        yield from node.liveness.evidence
        yield from told(node, drifted(node))
    yield from _elsewhere(mine[0], others)


def _elsewhere(node: Seen, others: Sequence[Seen]) -> Iterator[Evidence]:
    """The rule that the node lacks, as another one has it."""
    lost = next((d.frontend for d in drifted(node) if d.kind is Kind.NO_FRONTEND), None)
    if lost is None:
        return
    start = f" -A KUBE-SERVICES -d {lost.address}/"
    for other in others:
        text = other.rules.texts.get("ip6tables-save.txt" if ":" in lost.address else "iptables-save.txt", "")
        for line in text.splitlines() if not drifted(other) else ():
            if start in f" {line}" and f"--dport {lost.port} -j KUBE-" in line:
                yield quote(f"Node {other.name}, for comparison", line)
                return


def agreement(case: Case, nodes: Sequence[Seen]) -> str:
    """``37 of 40 nodes agree with the API, 3 differ (a, b, c), last synced 41 min ago``."""
    by_name = sorted(nodes, key=lambda node: node.name)
    differ = [node for node in by_name if drifted(node)]
    dark = [node for node in by_name if node.unknown and node not in differ]
    said = f"{len(nodes) - len(differ) - len(dark)} of {count(len(nodes), 'node')} agree with the API"
    if differ:
        ages = [case.age(node.liveness.synced) for node in differ if node.liveness.synced]
        since = f", last synced {ago(max(ages))} ago" if ages else ""
        said += f", {on_nodes(differ)} {'differs' if len(differ) == 1 else 'differ'}{since}"
    return said + (f"; of {on_nodes(dark)} not all is known" if dark else "")


def _fix(rule: Rule, node: Seen) -> Fix:
    pod = node.liveness.pod
    if rule is PROXY_DOWN and pod is None:
        return Fix(
            f"Let the DaemonSet kube-proxy place a pod on {node.name}: see its affinity and its tolerations.",
            kubectl(NAMESPACE, "get", "daemonset", NAME, "-o", "yaml"),
        )
    if rule in (PROXY_DOWN, PROXY_SYNC_ERROR):
        log = kubectl(NAMESPACE, "logs", pod.name if pod else f"ds/{NAME}", "--tail=50")
        return Fix("Read in its log what it fails at, and mend that.", log)
    if pod is None:
        return Fix(f"Restart kube-proxy on {node.name}: it writes all rules anew.")
    return Fix(
        "Restart the node's kube-proxy: it writes all rules anew.", kubectl(NAMESPACE, "delete", "pod", pod.name)
    )


def _ruled_out(rule: Rule, node: Seen) -> Iterator[RuledOut]:
    if rule is RULE_MISSING and node.liveness.state is State.FINE:
        yield RuledOut(PROXY_STALE.name, f"kube-proxy on {node.name} answers, and its last sync went well")
    if rule is PROXY_STALE and node.liveness.pod is not None:
        pod = node.liveness.pod
        yield RuledOut(PROXY_DOWN.name, f"Pod {pod.namespace}/{pod.name} is there")
