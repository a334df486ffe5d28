"""What the evaluator answers: a status for each direction, and the policy and rule that it comes from."""

from enum import StrEnum

from msgspec import Struct


class Status(StrEnum):
    """May the packet pass?"""

    ALLOWED = "allowed"
    DENIED = "denied"
    UNDEFINED = "undefined"  # the specification leaves it to the implementation, or the data do not tell
    NOT_ENFORCED = "not-enforced"  # policies select the pod, but the common implementations do not apply them to it


WORST_FIRST = (Status.DENIED, Status.UNDEFINED, Status.NOT_ENFORCED, Status.ALLOWED)


class Direction(StrEnum):
    """As spec.policyTypes spells it; the value is also the field that holds the rules."""

    INGRESS = "ingress"
    EGRESS = "egress"

    @property
    def policy_type(self) -> str:
        return self.value.capitalize()

    @property
    def peers(self) -> str:
        """The rule's field that lists peers."""
        return "from" if self is Direction.INGRESS else "to"


class Basis(StrEnum):
    """What decided."""

    ADMIN = "admin"  # AdminNetworkPolicy, or ClusterNetworkPolicy of tier Admin
    NETWORK_POLICY = "network-policy"
    BASELINE = "baseline"  # BaselineAdminNetworkPolicy, or ClusterNetworkPolicy of tier Baseline
    DEFAULT = "default"  # no policy has an opinion: everything may pass
    OWN_NODE = "own-node"  # traffic between a pod and the node that it runs on is never blocked
    ITSELF = "itself"  # a pod cannot be cut off from itself
    NO_POD = "no-pod"  # policies govern pods only


class Lack(StrEnum):
    """What a rule lacks for the packet to match."""

    POD_LABELS = "pod-labels"
    NAMESPACE_LABELS = "namespace-labels"  # the namespace has the key, with another value
    NAMESPACE_UNLABELLED = "namespace-unlabelled"  # the namespace has no such key
    OTHER_NAMESPACE = "other-namespace"  # a podSelector alone looks into the policy's own namespace
    NOT_A_POD = "not-a-pod"  # selectors never match nodes or addresses outside
    HOST_NETWORK = "host-network"  # a pod that looks like its node
    OUTSIDE_CIDR = "outside-cidr"
    CIDR_OF_SERVICE = "cidr-of-service"  # the block holds the Service's address, and policies see the pod's
    EXCEPTED = "excepted"
    OTHER_FAMILY = "other-family"
    NODE = "node"
    DOMAIN = "domain"
    PROTOCOL = "protocol"
    PORT = "port"
    SERVICE_PORT = "service-port"  # the rule has the Service's port, and policies see the pod's
    NAMED_PORT_ABSENT = "named-port-absent"
    NAMED_PORT_PROTOCOL = "named-port-protocol"
    NAMED_PORT_NUMBER = "named-port-number"
    NAMED_PORT_NO_POD = "named-port-no-pod"  # the destination is no pod, so it has no names
    NAMESPACE_UNKNOWN = "namespace-unknown"  # its labels were not read
    ADDRESS_UNKNOWN = "address-unknown"
    NOT_UNDERSTOOD = "not-understood"


class Miss(Struct, frozen=True):
    """One thing that a rule lacks. A doubt is none of those: it may match."""

    lack: Lack
    wanted: str = ""  # what the rule says
    found: str | None = None  # what the packet has; None if nothing
    key: str = ""  # of a label
    doubt: bool = False

    def __str__(self) -> str:
        found = "none" if self.found is None else repr(self.found)
        about = f" {self.key}" if self.key else ""
        return f"{self.lack}{about}: wanted {self.wanted!r}, found {found}"


class PolicyRef(Struct, frozen=True):
    """A policy by kind and name; cluster-wide kinds have no namespace."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


class RuleRef(Struct, frozen=True):
    """A rule of a policy, and the items of its lists that matched or came nearest (None: the list is empty)."""

    policy: PolicyRef
    direction: Direction
    index: int
    peer: int | None = None
    port: int | None = None
    ports_field: str = "ports"  # protocols in ClusterNetworkPolicy
    action: str = ""  # of cluster-wide kinds: Accept, Allow, Deny or Pass
    name: str = ""  # of cluster-wide kinds

    @property
    def path(self) -> str:
        """``spec.ingress[0].from[1].ports[0]``: where to look, both lists being the rule's."""
        peer = f".{self.direction.peers}[{self.peer}]" if self.peer is not None else ""
        port = f".{self.ports_field}[{self.port}]" if self.port is not None else ""
        return f"spec.{self.direction}[{self.index}]{peer}{port}"

    def __str__(self) -> str:
        return f"{self.policy}: {self.path}"


class Near(Struct, frozen=True):
    """A rule that did not match, and what it lacks."""

    rule: RuleRef
    misses: tuple[Miss, ...]
    as_two_items: bool = False  # namespaceSelector and podSelector stand in one item; as two, one would match

    @property
    def doubtful(self) -> bool:
        return all(miss.doubt for miss in self.misses)


class Caveat(StrEnum):
    """Why an answer is not as firm as it looks."""

    HOST_NETWORK_SUBJECT = "most implementations do not apply NetworkPolicies to pods on the host's network"
    HOST_NETWORK_PEER = "whether selectors match a pod on the host's network depends on the implementation"
    HAIRPIN = "a pod that reaches itself through its Service is judged differently by implementations"
    IP_BLOCK_ON_POD = "not every implementation matches an ipBlock against the addresses of pods (Cilium does not)"
    IP_BLOCK_ON_NODE = "not every implementation matches an ipBlock against the addresses of nodes"
    EQUAL_PRIORITY = "policies of one tier and one priority disagree: which of them wins is undefined"
    OTHER_PROTOCOL = "NetworkPolicy is defined for TCP, UDP and SCTP only"
    NAMED_PORT_NO_POD = "a named port has no meaning for a destination that is not a pod"
    NAMESPACE_UNKNOWN = "the labels of a namespace were not read"
    ADDRESS_UNKNOWN = "an end of the connection has no address yet"
    NODE_UNKNOWN = "the nodes, or the labels of one, were not read"
    DOMAIN = "which addresses a domain name stands for is known to the implementation alone"
    NOT_UNDERSTOOD = "a policy has a part that is not valid, or of a newer API"
    TERMINATED = "the pod has run to its end, and its address may belong to another by now"


class Ruling(Struct, frozen=True):
    """One direction: the egress of the source, or the ingress of the destination."""

    status: Status
    basis: Basis
    rule: RuleRef | None = None  # that decided; None when the lack of one did
    isolating: tuple[PolicyRef, ...] = ()  # NetworkPolicies that select the pod in this direction
    nearest: Near | None = None  # of a denial by NetworkPolicies or an undefined answer
    contenders: tuple[RuleRef, ...] = ()  # of an undefined answer: the rules that may decide, in order
    caveats: tuple[Caveat, ...] = ()

    @property
    def passes(self) -> bool:
        return self.status in (Status.ALLOWED, Status.NOT_ENFORCED)


class Verdict(Struct, frozen=True):
    """Both directions. A packet passes if the egress of its source and the ingress of its destination let it."""

    egress: Ruling
    ingress: Ruling

    @property
    def status(self) -> Status:
        return min(self.egress.status, self.ingress.status, key=WORST_FIRST.index)

    @property
    def passes(self) -> bool:
        return self.egress.passes and self.ingress.passes

    @property
    def rulings(self) -> tuple[tuple[Direction, Ruling], ...]:
        return (Direction.EGRESS, self.egress), (Direction.INGRESS, self.ingress)

    @property
    def caveats(self) -> tuple[Caveat, ...]:
        return tuple(dict.fromkeys(self.egress.caveats + self.ingress.caveats))
