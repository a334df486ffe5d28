"""What the schema of policy.networking.k8s.io refuses in a cluster-wide policy (CRDs of bundles v0.1.7 and v0.2.0)."""

import re
from collections.abc import Iterator
from itertools import chain

from ...model.policy import (
    AdminNetworkPolicyPort,
    BaselineAdminNetworkPolicy,
    ClusterNetworkPolicy,
    ClusterNetworkPolicyProtocol,
    ClusterPeer,
    ClusterPolicy,
)
from .addresses import network
from .ports import ALL
from .problems import HIGHEST_PORT, Problem
from .rules import ClusterPort, ClusterRule, cluster_port, ports_of, selection
from .verdict import Direction

DOMAIN = re.compile(r"(\*\.)?([a-zA-Z0-9]([-a-zA-Z0-9_]*[a-zA-Z0-9])?\.)+[a-zA-Z0-9]([-a-zA-Z0-9_]*[a-zA-Z0-9])?\.?")
MOST, MOST_V1ALPHA1 = 25, 100
"""Of rules in a direction, and of peers or ports in a rule."""


def cluster_problems(policy: ClusterPolicy) -> tuple[Problem, ...]:
    """All that the API server refuses in a new policy."""
    return tuple(chain(_spec(policy), *(_direction(policy, direction) for direction in Direction)))


def _spec(policy: ClusterPolicy) -> Iterator[Problem]:
    if isinstance(policy, ClusterNetworkPolicy) and policy.spec.tier not in ("Admin", "Baseline"):
        yield Problem("spec.tier", f"{policy.spec.tier!r} is neither Admin nor Baseline")
    if isinstance(policy, BaselineAdminNetworkPolicy):
        if policy.name != "default":
            yield Problem("metadata.name", "must be default: there is one in a cluster")
    elif not 0 <= policy.spec.priority <= 1000:
        yield Problem("spec.priority", "must be between 0 and 1000")
    if selection(policy.spec.subject) is None:
        yield Problem("spec.subject", "must have exactly one of namespaces and pods")


def _direction(policy: ClusterPolicy, direction: Direction) -> Iterator[Problem]:
    rules = (policy.spec.ingress if direction is Direction.INGRESS else policy.spec.egress) or ()
    most = MOST if isinstance(policy, ClusterNetworkPolicy) else MOST_V1ALPHA1
    if len(rules) > most:
        yield Problem(f"spec.{direction}", f"must not have more than {most} items")
    for index, rule in enumerate(rules):
        path = f"spec.{direction}[{index}]"
        if rule is None:
            yield Problem(path, "must have an action and peers")
            continue
        if rule.action not in _actions(policy):
            yield Problem(f"{path}.action", f"{rule.action!r} is none of {', '.join(_actions(policy))}")
        yield from _peers(rule, direction, path, most)
        yield from _ports(rule, path, most)


def _actions(policy: ClusterPolicy) -> tuple[str, ...]:
    if isinstance(policy, ClusterNetworkPolicy):
        return "Accept", "Deny", "Pass"
    return ("Allow", "Deny") if isinstance(policy, BaselineAdminNetworkPolicy) else ("Allow", "Deny", "Pass")


def _peers(rule: ClusterRule, direction: Direction, path: str, most: int) -> Iterator[Problem]:
    peers = rule.peers or ()
    if not 1 <= len(peers) <= most:
        yield Problem(f"{path}.{direction.peers}", f"must have 1 to {most} items")
    for index, peer in enumerate(peers):
        yield from _peer(peer or ClusterPeer(), rule, direction, f"{path}.{direction.peers}[{index}]")


def _peer(peer: ClusterPeer, rule: ClusterRule, direction: Direction, path: str) -> Iterator[Problem]:
    beyond = [field for field in (peer.nodes, peer.networks, peer.domain_names) if field is not None]
    chosen = len(beyond) + (peer.namespaces is not None) + (peer.pods is not None)
    if chosen != 1:
        yield Problem(path, "must have exactly one field set")
    elif not beyond and selection(peer) is None:
        yield Problem(path, "is of a form that v0.1.1 had")
    if beyond and direction is Direction.INGRESS:
        yield Problem(path, "nodes, networks and domainNames are peers of egress rules only")
    if beyond and any(map(_named, ports_of(rule)[1])):
        yield Problem(path, "cannot be set with named ports: only pods have those")
    for text in peer.networks or ():
        if network(text) is None:
            yield Problem(f"{path}.networks", f"{text!r} is not a CIDR")
    for text in peer.domain_names or ():
        if rule.action not in ("Accept", "Allow"):
            yield Problem(f"{path}.domainNames", "are for rules that accept only")
        if not DOMAIN.fullmatch(text):
            yield Problem(f"{path}.domainNames", f"{text!r} is not a domain name")


def _named(port: ClusterPort | None) -> bool:
    if isinstance(port, ClusterNetworkPolicyProtocol):
        return port.destination_named_port is not None
    return isinstance(port, AdminNetworkPolicyPort) and port.named_port is not None


def _ports(rule: ClusterRule, path: str, most: int) -> Iterator[Problem]:
    field, ports = ports_of(rule)
    if len(ports) > most:
        yield Problem(f"{path}.{field}", f"must not have more than {most} items")
    for index, written in enumerate(ports):
        port = cluster_port(written)
        if not port.understood:
            yield Problem(f"{path}.{field}[{index}]", "must have exactly one field set")
        elif not port.name and (port.low, port.high) != ALL and not 1 <= port.low <= port.high <= HIGHEST_PORT:
            yield Problem(f"{path}.{field}[{index}]", "must be ports between 1 and 65535, the lower one first")
