"""What the API server fills in: a policy from a file has none of it (pkg/apis/networking/v1/defaults.go)."""

from typing import TypeVar

from msgspec import structs

from ...model.policy import NetworkPolicy, NetworkPolicyEgressRule, NetworkPolicyIngressRule, NetworkPolicyPort
from .verdict import Direction

R = TypeVar("R", NetworkPolicyIngressRule, NetworkPolicyEgressRule)


def policy_types(policy: NetworkPolicy) -> tuple[str, ...]:
    """Ingress always, Egress only with a rule for it: ``egress: []`` alone isolates nothing."""
    if policy.spec.policy_types:
        return policy.spec.policy_types
    return ("Ingress", "Egress") if policy.spec.egress else ("Ingress",)


def isolates(policy: NetworkPolicy, direction: Direction) -> bool:
    """Whether the pods that ``policy`` selects may do in this direction only what some rule allows."""
    return direction.policy_type in policy_types(policy)


def rules(
    policy: NetworkPolicy, direction: Direction
) -> tuple[NetworkPolicyIngressRule | NetworkPolicyEgressRule, ...]:
    """The rules of one direction; an item that is ``null`` is an empty rule, which allows everything."""
    if direction is Direction.INGRESS:
        return tuple(rule or NetworkPolicyIngressRule() for rule in policy.spec.ingress or ())
    return tuple(rule or NetworkPolicyEgressRule() for rule in policy.spec.egress or ())


def defaulted(policy: NetworkPolicy) -> NetworkPolicy:
    """``policy`` as the API server would store it."""
    spec = structs.replace(
        policy.spec,
        policy_types=policy_types(policy),
        ingress=tuple(_with_protocols(r or NetworkPolicyIngressRule()) for r in policy.spec.ingress or ()) or None,
        egress=tuple(_with_protocols(r or NetworkPolicyEgressRule()) for r in policy.spec.egress or ()) or None,
    )
    return structs.replace(policy, spec=spec)


def _with_protocols(rule: R) -> R:
    ports = tuple(structs.replace(port or NetworkPolicyPort(), protocol=_protocol(port)) for port in rule.ports or ())
    return structs.replace(rule, ports=ports or None)


def _protocol(port: NetworkPolicyPort | None) -> str:
    return port.protocol if port and port.protocol else "TCP"
