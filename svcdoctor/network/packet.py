"""The packet that is followed, the node it meets, and what became of it."""

from enum import StrEnum
from fractions import Fraction

from msgspec import Struct


class Origin(StrEnum):
    """Where a packet enters the node's network stack."""

    POD = "pod"  # through the pod's interface: PREROUTING
    NODE = "node"  # from a process on the node: OUTPUT
    OUTSIDE = "outside"  # through the node's own interface: PREROUTING


class Packet(Struct, frozen=True):
    """The first packet of a connection. What is None is not known, and matches that ask for it are in doubt."""

    source: str  # an address
    destination: str  # an address of the same family
    port: int
    protocol: str = "tcp"  # tcp, udp or sctp
    origin: Origin = Origin.OUTSIDE
    source_port: int | None = None
    in_interface: str | None = None  # of packets that come from a pod or from outside
    mark: int = 0
    new_client: bool = False  # no affinity remembers the source, whatever the dump says


class Route(Struct, frozen=True):
    """One line of the main routing table."""

    network: str  # a CIDR; 0.0.0.0/0 and ::/0 are the default routes
    device: str


class Host(Struct, frozen=True):
    """What is known of the node besides its rules."""

    addresses: frozenset[str] | None = None  # all of its interfaces, None if not known; loopback need not be named
    routes: tuple[Route, ...] | None = None  # None if not known
    forwarding: bool = True  # net.ipv4.ip_forward, net.ipv6.conf.all.forwarding
    route_localnet: bool = True  # net.ipv4.conf.all.route_localnet


class Kind(StrEnum):
    """Where a packet ends, as far as this node decides it."""

    ENDPOINT = "endpoint"  # its destination was translated, and it is on its way there
    LOCAL = "local"  # handed to a process on the node, at the address it was sent to or redirected to
    ROUTED = "routed"  # leaves the node untranslated
    REJECT = "reject"  # refused, with an ICMP message or a TCP reset
    DROP = "drop"
    UNREACHABLE = "unreachable"  # the node has no route
    UNKNOWN = "unknown"  # a rule or a fact that decides could not be read


class Hop(Struct, frozen=True):
    """A rule that matched, or a decision that no rule takes: then ``rule`` is empty."""

    hook: str  # prerouting, input, forward, output or postrouting
    table: str  # "ip nat"; "routing" and "ipvs" are no tables
    chain: str
    rule: str  # its raw text
    effect: str  # what it did to the packet: "jump KUBE-SERVICES", "dnat 10.244.1.7:8080", "mark 0x4000"


class Outcome(Struct, frozen=True):
    """One end that the packet may find, with its share of all such packets."""

    kind: Kind
    share: Fraction
    address: str  # the destination at the end
    port: int
    source: str | None  # the address that the destination sees; None: that of the interface the packet leaves by
    why: str = ""  # of what is no success: "icmp-port-unreachable", "policy drop", what could not be read
    hops: tuple[Hop, ...] = ()
    translated: Hop | None = None  # that translated the source

    @property
    def masqueraded(self) -> bool:
        """Whether the destination sees another address than the client's."""
        return self.translated is not None

    @property
    def rule(self) -> Hop | None:
        """The last hop: the rule or decision that ended it."""
        return self.hops[-1] if self.hops else None


class Walk(Struct, frozen=True):
    """All ends of a packet. The shares add up to 1."""

    packet: Packet
    outcomes: tuple[Outcome, ...]  # endpoints first, in order of address and port
    notes: tuple[str, ...] = ()  # what the shares rest on: affinity, a hash of the client's address

    @property
    def backends(self) -> dict[tuple[str, int], Fraction]:
        """(address, port) of each endpoint -> its share."""
        found: dict[tuple[str, int], Fraction] = {}
        for outcome in self.outcomes:
            if outcome.kind is Kind.ENDPOINT:
                place = outcome.address, outcome.port
                found[place] = found.get(place, Fraction()) + outcome.share
        return found

    def share(self, kind: Kind) -> Fraction:
        """Of all packets, how many end so."""
        return sum((outcome.share for outcome in self.outcomes if outcome.kind is kind), Fraction())
