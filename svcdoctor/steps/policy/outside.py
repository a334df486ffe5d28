"""Clients from outside of the cluster: what an ipBlock admits by their own address comes with a node's."""

from collections.abc import Iterator

from ...model.diagnosis import Effect, Evidence, Finding, Fix, Severity
from ...model.policy import NetworkPolicy
from ...network.netpol import AtNode, AtPod, Direction, RuleRef, Status, evaluate
from ...network.netpol.addresses import addresses, network
from ...network.netpol.defaults import rules
from ...network.netpol.rules import reference
from ..step import find
from ..words import count, kubectl_patch, patch, source, subject
from .routes import Route, ports_asked, routes
from .rules import NP_SNAT_SOURCE
from .sureness import Sureness
from .world import World


def masqueraded(world: World, sureness: Sureness) -> Iterator[Finding]:
    """Endpoints that let outside clients in, but not the nodes behind which they come."""
    service = world.service
    open_outside = service.spec.type in ("NodePort", "LoadBalancer") or bool(service.spec.external_ips)
    if not open_outside or service.spec.external_traffic_policy == "Local":
        return
    hosts = world.compiled.cluster.hosts
    for route in routes(world.case, service, ports_asked(world.case, service), AtNode("")):
        end = route.question.destination
        if not isinstance(end, AtPod) or not end.pod.spec.node_name:
            continue
        other = next((name for name in hosts if name != end.pod.spec.node_name), None)
        block = next(_meant_for_outside(world, end), None)
        if other is not None and block is not None and _shut(world, route, other):
            yield _finding(world, route, other, block, sureness)
            return


def _shut(world: World, route: Route, node: str) -> bool:
    question = route.question
    asked = type(question)(AtNode(node), question.destination, question.port, question.protocol, question.service)
    return evaluate(world.compiled, asked).ingress.status is Status.DENIED


def _meant_for_outside(world: World, end: AtPod) -> Iterator[tuple[RuleRef, str]]:
    """Blocks that hold no address of a node or a pod: whoever wrote them means addresses outside."""
    cluster = world.compiled.cluster
    within = addresses(
        [ip for host in cluster.hosts.values() for ip in host.addresses]
        + [ip for pod in cluster.pods for ip in pod.addresses]
    )
    for policy in world.compiled.selects(end.pod.namespace, end.pod.labels, Direction.INGRESS).surely:
        for ref, cidr in _blocks(policy):
            block = network(cidr)
            if block is not None and not any(address in block for address in within):
                yield ref, cidr


def _blocks(policy: NetworkPolicy) -> Iterator[tuple[RuleRef, str]]:
    for index, rule in enumerate(rules(policy, Direction.INGRESS)):
        for place, peer in enumerate(rule.peers or ()):
            if peer is not None and peer.ip_block is not None:
                yield RuleRef(reference(policy), Direction.INGRESS, index, place), peer.ip_block.cidr


def _finding(world: World, route: Route, node: str, block: tuple[RuleRef, str], sureness: Sureness) -> Finding:
    service, (ref, cidr) = world.service, block
    host = world.compiled.cluster.hosts[node]
    body = {"spec": {"externalTrafficPolicy": "Local"}}
    return find(
        NP_SNAT_SOURCE,
        subject(service),
        f"{ref.policy} lets in {cidr}, but what enters the cluster on another node comes to {route.to} with that "
        "node's address",
        [
            Evidence(f"{ref.policy}: {ref.path}.ipBlock", cidr),
            Evidence(source(service, "spec.externalTrafficPolicy"), service.spec.external_traffic_policy),
            Evidence(f"Node {node}: status.addresses", ", ".join(host.addresses) or "none"),
        ],
        Fix(
            "Keep the client's address. Then only nodes with an endpoint take traffic from outside "
            f"({count(len(world.compiled.cluster.hosts), 'node')} in all).",
            kubectl_patch(service.namespace, "Service", service.name, body),
            patch(body),
        ),
        effect=Effect.NONE if sureness.without_effect else Effect.PARTIAL,
        severity=Severity.WARNING,
        confidence=sureness.of((), doubts=1),
    )
