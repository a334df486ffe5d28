"""Verdicts in words: which rule, and what it lacks."""

from collections.abc import Iterable, Iterator

from msgspec import structs

from ...model.diagnosis import Evidence
from ...network.netpol import (
    AnyPod,
    AtAddress,
    AtNode,
    AtPod,
    Basis,
    Direction,
    End,
    Lack,
    Miss,
    Near,
    PolicyRef,
    RuleRef,
    Ruling,
    Status,
)
from ..words import labels

WAYS = {Direction.EGRESS: "out of the client", Direction.INGRESS: "into the pod"}

WORDS = {
    Lack.POD_LABELS: "wants pods with {wanted}, the pod has {found}",
    Lack.NAMESPACE_LABELS: "wants namespaces with {wanted}, the namespace has {found}",
    Lack.NAMESPACE_UNLABELLED: "wants namespaces with {wanted}, the namespace has no label {key}",
    Lack.OTHER_NAMESPACE: "a podSelector alone selects pods of its own namespace {wanted}, the pod is in {found}",
    Lack.NOT_A_POD: "selects pods, and {found} is none",
    Lack.HOST_NETWORK: "selects pods, and one on the host's network looks like its node",
    Lack.OUTSIDE_CIDR: "wants addresses in {wanted}, the packet has {found}",
    Lack.CIDR_OF_SERVICE: "wants addresses in {wanted}, where the Service's is; the packet goes to {found}",
    Lack.EXCEPTED: "wants addresses {wanted}, the packet has {found}",
    Lack.OTHER_FAMILY: "wants addresses in {wanted}, the packet has {found}",
    Lack.PROTOCOL: "is for {wanted}, the packet is {found}",
    Lack.PORT: "is for port {wanted}, the packet goes to port {found}",
    Lack.SERVICE_PORT: "is for port {wanted}, the Service's; the packet goes to the pod's port {found}",
    Lack.NAMED_PORT_ABSENT: "is for the port called {wanted}, and no container of the pod declares one",
    Lack.NAMED_PORT_PROTOCOL: "is for the port called {wanted}, the packet is {found}",
    Lack.NAMED_PORT_NUMBER: "is for the port called {wanted}, the packet goes to {found}",
    Lack.NAMED_PORT_NO_POD: "is for the port called {wanted}, and {found} is no pod",
    Lack.NAMESPACE_UNKNOWN: "wants namespaces with {key}, and the namespace's labels were not read",
    Lack.NOT_UNDERSTOOD: "is not understood",
}

NAMED_PORT = frozenset(
    {Lack.NAMED_PORT_ABSENT, Lack.NAMED_PORT_NUMBER, Lack.NAMED_PORT_PROTOCOL, Lack.NAMED_PORT_NO_POD}
)
OF_PORTS = NAMED_PORT | {Lack.PORT, Lack.SERVICE_PORT, Lack.PROTOCOL}
"""What the ports of a rule lack, not its peers."""

BASIS = {
    Basis.DEFAULT: "no policy isolates it",
    Basis.OWN_NODE: "traffic with the pod's own node is never blocked",
    Basis.ITSELF: "a pod can't be cut off from itself",
    Basis.NO_POD: "policies govern pods only",
}


def lacks(misses: Iterable[Miss]) -> str:
    """What a rule lacks for the packet."""
    return "; ".join(dict.fromkeys(map(_lack, misses)))


def place(near: Near) -> RuleRef:
    """The rule that came nearest, with the items of its lists that lack something."""
    of_ports = [miss.lack in OF_PORTS for miss in near.misses]
    ref = near.rule if any(of_ports) else structs.replace(near.rule, port=None)
    return ref if not all(of_ports) else structs.replace(ref, peer=None)


def _lack(miss: Miss) -> str:
    """A value of a label stands with its key, the words of a requirement too."""
    wanted, found = miss.wanted, miss.found or "none"
    if miss.key:
        by_value = miss.wanted.split(" ")[0] not in ("in", "not", "exists", "does")
        wanted = f"{miss.key}={miss.wanted}" if by_value else f"{miss.key} {miss.wanted}"
        found = f"{miss.key}={miss.found}" if miss.found is not None else f"no label {miss.key}"
    template = WORDS.get(miss.lack, "wants {wanted}, found {found}")
    return template.format(wanted=wanted, found=found, key=miss.key)


def decision(ruling: Ruling) -> str:
    """Why a direction is open or shut, in one line."""
    if ruling.rule is not None:
        action = f" {ruling.rule.action}" if ruling.rule.action else ""
        return f"{ruling.rule}{action}"
    if ruling.status is Status.ALLOWED:
        return BASIS.get(ruling.basis, ruling.basis.value)
    if ruling.status in (Status.UNDEFINED, Status.NOT_ENFORCED) and ruling.caveats:
        return "; ".join(ruling.caveats)
    if ruling.nearest is not None:
        return f"no rule matches; nearest is {place(ruling.nearest)}: {lacks(ruling.nearest.misses)}"
    return f"isolated by {policies(ruling.isolating)}, which has no rule for it"


def policies(refs: Iterable[PolicyRef], most: int = 3) -> str:
    """``NetworkPolicy shop/deny, shop/web and 2 more``."""
    named = [f"{ref.namespace}/{ref.name}" if ref.namespace else ref.name for ref in refs]
    rest = f" and {len(named) - most} more" if len(named) > most else ""
    return f"NetworkPolicy {', '.join(named[:most])}{rest}" if named else "no NetworkPolicy"


def end(who: End) -> str:
    """An end of a packet, for people."""
    match who:
        case AtPod(pod, _):
            return f"Pod {pod.namespace}/{pod.name}"
        case AnyPod(namespace, wanted):
            return f"any pod of namespace {namespace}" + (f" with {labels(wanted)}" if wanted else "")
        case AtNode(name, _):
            return f"Node {name}"
        case AtAddress(ip):
            return ip


def evidence(ruling: Ruling, direction: Direction) -> Iterator[Evidence]:
    """The deciding rule; of a denial by NetworkPolicies those that isolate, and the rule that came nearest."""
    if ruling.rule is not None:
        yield Evidence(f"{ruling.rule.policy}: {ruling.rule.path}", f"action {ruling.rule.action or 'allow'}")
        return
    for ref in ruling.isolating[:3]:
        near = ruling.nearest if ruling.nearest and ruling.nearest.rule.policy == ref else None
        if near is None:
            yield Evidence(f"{ref}: spec.podSelector", f"selects the pod for {direction.policy_type.lower()}")
    if ruling.nearest is not None:
        yield Evidence(str(place(ruling.nearest)), lacks(ruling.nearest.misses))
