"""What the API server would refuse in a policy (pkg/apis/networking/validation): for policies from files.

Evaluation does not ask here: it reads what can be read, and says of the rest that it is not understood.
"""

from collections.abc import Iterator
from itertools import chain

from ...model.policy import IPBlock, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort, Policy
from . import defaults
from .addresses import canonical, network, within
from .cluster_validation import cluster_problems
from .names import port_name, subdomain
from .ports import PROTOCOLS
from .problems import HIGHEST_PORT, Problem, selector_problems
from .verdict import Direction


def problems(policy: Policy, *, strict_cidrs: bool = True) -> tuple[Problem, ...]:
    """All that the API server refuses in a new policy.

    ``strict_cidrs`` as the feature gate StrictIPCIDRValidation, which is on since 1.36.
    """
    if not isinstance(policy, NetworkPolicy):
        return cluster_problems(policy)
    return tuple(
        chain(
            _metadata(policy),
            selector_problems(policy.spec.pod_selector, "spec.podSelector"),
            _policy_types(policy),
            *(_rules(policy, direction, strict_cidrs) for direction in Direction),
        )
    )


def _metadata(policy: NetworkPolicy) -> Iterator[Problem]:
    if not subdomain(policy.name):
        yield Problem("metadata.name", "must be a lowercase RFC 1123 subdomain")


def _policy_types(policy: NetworkPolicy) -> Iterator[Problem]:
    types = policy.spec.policy_types or ()
    if len(types) > 2:
        yield Problem("spec.policyTypes", "must not have more than two items")
    for index, name in enumerate(types):
        if name not in ("Ingress", "Egress"):
            yield Problem(f"spec.policyTypes[{index}]", f"{name!r} is neither Ingress nor Egress")


def _rules(policy: NetworkPolicy, direction: Direction, strict: bool) -> Iterator[Problem]:
    for index, rule in enumerate(defaults.rules(policy, direction)):
        path = f"spec.{direction}[{index}]"
        for place, port in enumerate(rule.ports or ()):
            yield from _port(port or NetworkPolicyPort(), f"{path}.ports[{place}]")
        for place, peer in enumerate(rule.peers or ()):
            yield from _peer(peer or NetworkPolicyPeer(), f"{path}.{direction.peers}[{place}]", strict)


def _port(port: NetworkPolicyPort, path: str) -> Iterator[Problem]:
    if port.protocol is not None and port.protocol not in PROTOCOLS:
        yield Problem(f"{path}.protocol", f"{port.protocol!r} is none of {', '.join(PROTOCOLS)}")
    if isinstance(port.port, int) and not 1 <= port.port <= HIGHEST_PORT:
        yield Problem(f"{path}.port", "must be between 1 and 65535")
    if isinstance(port.port, str) and not port_name(port.port):
        yield Problem(f"{path}.port", "must be a port name: at most 15 of a-z, 0-9 and -, with a letter")
    if port.end_port is None:
        return
    if not isinstance(port.port, int):
        yield Problem(f"{path}.endPort", "needs a numeric port")
    elif port.end_port < port.port:
        yield Problem(f"{path}.endPort", "must be greater than or equal to port")
    elif port.end_port > HIGHEST_PORT:
        yield Problem(f"{path}.endPort", "must be between 1 and 65535")


def _peer(peer: NetworkPolicyPeer, path: str, strict: bool) -> Iterator[Problem]:
    selectors = (("podSelector", peer.pod_selector), ("namespaceSelector", peer.namespace_selector))
    chosen = [(name, selector) for name, selector in selectors if selector is not None]
    for name, selector in chosen:
        yield from selector_problems(selector, f"{path}.{name}")
    if peer.ip_block is not None:
        yield from _ip_block(peer.ip_block, f"{path}.ipBlock", strict)
        if chosen:
            yield Problem(path, "may not specify both ipBlock and another peer")
    elif not chosen:
        yield Problem(path, "must specify a peer")


def _ip_block(block: IPBlock, path: str, strict: bool) -> Iterator[Problem]:
    yield from _cidr(block.cidr, f"{path}.cidr", strict)
    outer = network(block.cidr)
    for index, text in enumerate(block.except_ or ()):
        where = f"{path}.except[{index}]"
        yield from _cidr(text, where, strict)
        inner = network(text)
        if inner and outer and not within(inner, outer):
            yield Problem(where, "must be a strict subset of cidr")


def _cidr(text: str, path: str, strict: bool) -> Iterator[Problem]:
    if network(text) is None:
        yield Problem(path, f"{text!r} is not a CIDR, such as 10.9.8.0/24 or 2001:db8::/64")
    elif strict and not canonical(text):
        yield Problem(path, f"{text!r} must be in canonical form: no leading zeros, no bits beyond the prefix")
