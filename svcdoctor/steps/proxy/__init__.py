"""6xx: Do every node's rules lead to the endpoints?

The rules of each node that was read are followed packet by packet, and held against what the API asks for. A node is
named only by what was read of it.
"""

from collections.abc import Iterator, Sequence

from ...model.case import Case
from ...model.diagnosis import Finding, Severity
from ...model.service import Service
from ...model.snapshot import Gap
from ...network.desired import fronts
from ..step import Answer, Step
from ..words import some
from . import around, drift, flows, holes, kernel, leftovers, settings
from .nodes import Seen, client_node, seen
from .rules import RULES, STEP_NAME

UNREAD = "no node's rules were read"
OF_KUBELETS = ("/kubelet-configz.json", "/resolv.conf")


def ask(case: Case) -> Answer:
    """On every node whose rules were read. Where nobody tried there is nothing to say, and nothing to be unsure of."""
    service = case.service
    if case.unread is not None:
        return Answer("the Service could not be read", gaps=(case.unread,))
    if service is None:
        return Answer("there is no Service to have rules", skipped=True)
    if case.external_name or case.headless:
        return Answer("no address of its own, so no rules: its name leads to the pods themselves", skipped=True)
    if not any(rules.has_rules for rules in case.snapshot.node_rules.values()):
        failed = tuple(gap for gap in case.snapshot.gaps if _of_rules(gap))
        return Answer(UNREAD, gaps=failed) if failed else Answer(UNREAD, skipped=True)
    if not any(fronts(service, v6) for v6 in (False, True)):
        return Answer("kube-proxy makes no rules for it", skipped=True)
    if not case.slices_known:
        return Answer(
            "which endpoints it has was not read", gaps=(case.snapshot.gap("endpointslices", service.namespace),)
        )
    nodes = seen(case, service)
    known = [node for node in nodes if node.mode is not None]
    if not known:
        return Answer(f"no kube-proxy has written rules on {some(node.name for node in nodes)}", skipped=True)
    found = tuple(_findings(case, service, known))
    return Answer(_reason(case, found, known), found, tuple(_gaps(case, known)))


def _findings(case: Case, service: Service, nodes: Sequence[Seen]) -> Iterator[Finding]:
    yield from drift.findings(case, service, nodes)
    yield from leftovers.findings(case, service, nodes)
    yield from holes.findings(case, service, nodes)
    yield from around.findings(case, service, nodes)
    yield from kernel.findings(case, service, nodes)
    yield from flows.udp_findings(case, service, nodes)
    yield from flows.dead_flow_findings(case, service, nodes)
    yield from settings.reuse_findings(case, service, nodes)
    yield from settings.cidr_findings(case, service, nodes)


def _of_rules(gap: Gap) -> bool:
    """Whether a node's rules, or what shows them, could not be read; its kubelet is the DNS step's business."""
    return gap.what.startswith("nodes/") and not gap.what.endswith(OF_KUBELETS)


def _gaps(case: Case, nodes: Sequence[Seen]) -> Iterator[Gap]:
    """Nodes that could not be read, the client's own if nobody tried, and what could not be followed."""
    unread = {gap.what: gap for gap in case.snapshot.gaps if _of_rules(gap)}
    for node in nodes:
        unread.pop(f"nodes/{node.name}", None)
    yield from (gap for what, gap in unread.items() if what.count("/") == 1)
    home = client_node(case)
    if home and home not in {node.name for node in nodes} and f"nodes/{home}" not in unread:
        yield Gap(f"nodes/{home}", "the rules of the client's node were not read")
    for node in nodes:
        for why in node.unknown[:1]:
            yield Gap(f"nodes/{node.name}: rules", why)


def _reason(case: Case, found: Sequence[Finding], nodes: Sequence[Seen]) -> str:
    ranked = sorted(found, key=lambda finding: finding.severity.rank)
    if ranked and ranked[0].severity is not Severity.ADVICE:
        return ranked[0].summary
    return drift.agreement(case, nodes)


STEP = Step(STEP_NAME, "Do every node's rules lead to the endpoints?", RULES, ask)
