"""The peers of a rule, compiled. Each says what an end lacks to be one of them: nothing if it is."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from msgspec import Struct

from .addresses import Address, Network, addresses, network
from .question import Question
from .selectors import NAMESPACES, NODES, PODS, UNREAD_NAMESPACES, Selector, misses
from .sides import Kind, Side
from .verdict import Lack, Miss

NOT_UNDERSTOOD = Miss(Lack.NOT_UNDERSTOOD, wanted="a peer of a kind that is known", doubt=True)
NO_ADDRESS = Miss(Lack.ADDRESS_UNKNOWN, doubt=True)


class Selection(Struct, frozen=True):
    """Pods by selectors. Without ``namespaces``, those of the policy's own namespace ``home``.

    ``cluster_wide``: policy.networking.k8s.io says that pods on the host's network are never selected; NetworkPolicy
    leaves it open.
    """

    namespaces: Selector | None
    pods: Selector | None
    home: str = ""
    cluster_wide: bool = False

    def misses(self, side: Side, question: Question) -> tuple[Miss, ...]:
        if side.kind is not Kind.POD:
            unknown = side.kind is Kind.OUTSIDE and side.address is None
            return (NO_ADDRESS if unknown else Miss(Lack.NOT_A_POD, "a pod", side.words),)
        found = self.namespace_misses(side) + self.pod_misses(side)
        if side.host_network:
            found += (Miss(Lack.HOST_NETWORK, "a pod with an address of its own", doubt=not self.cluster_wide),)
        return found

    def namespace_misses(self, side: Side) -> tuple[Miss, ...]:
        if self.namespaces is not None:
            scope = NAMESPACES if side.namespace_complete else UNREAD_NAMESPACES
            return misses(self.namespaces, side.namespace_labels, scope)
        return () if side.namespace == self.home else (Miss(Lack.OTHER_NAMESPACE, self.home, side.namespace),)

    def pod_misses(self, side: Side) -> tuple[Miss, ...]:
        return () if self.pods is None else misses(self.pods, side.labels, PODS)

    def one_of_two(self, side: Side) -> bool:
        """Both selectors are there, and as two items of a NetworkPolicy's list one of them would match."""
        if self.namespaces is None or self.pods is None or self.cluster_wide:
            return False
        if self.pod_misses(side):
            return not self.namespace_misses(side)
        return side.namespace == self.home and bool(self.namespace_misses(side))


class Block(Struct, frozen=True):
    """Addresses by CIDRs: one with exceptions (ipBlock), or several (networks). None stands for what is no CIDR."""

    words: str
    networks: tuple[Network | None, ...]
    holes: tuple[tuple[str, Network | None], ...]

    @classmethod
    def of(cls, cidrs: Sequence[str], excepted: Iterable[str] = ()) -> "Block":
        return cls(", ".join(cidrs), tuple(map(network, cidrs)), tuple((text, network(text)) for text in excepted))

    def misses(self, side: Side, question: Question) -> tuple[Miss, ...]:
        if side.address is None:
            return (NO_ADDRESS,)
        if not any(net is not None and side.address in net for net in self.networks):
            return (self._outside(side.address, question),)
        hole = next((text for text, net in self.holes if net is not None and side.address in net), None)
        if hole is not None:
            return (Miss(Lack.EXCEPTED, f"not in {hole}", str(side.address)),)
        unclear = next((text for text, net in self.holes if net is None), None)
        return () if unclear is None else (Miss(Lack.NOT_UNDERSTOOD, unclear, str(side.address), doubt=True),)

    def _outside(self, found: Address, question: Question) -> Miss:
        if None in self.networks:
            return Miss(Lack.NOT_UNDERSTOOD, self.words, str(found), doubt=True)
        if question.service and any(map(self._holds, addresses(question.service.addresses))):
            return Miss(Lack.CIDR_OF_SERVICE, self.words, str(found))
        same_family = any(net is not None and net.version == found.version for net in self.networks)
        return Miss(Lack.OUTSIDE_CIDR if same_family else Lack.OTHER_FAMILY, self.words, str(found))

    def _holds(self, ip: Address) -> bool:
        return any(net is not None and ip in net for net in self.networks)


class Nodes(Struct, frozen=True):
    """Nodes by labels, as destinations: whatever has one of their addresses."""

    selector: Selector

    def misses(self, side: Side, question: Question) -> tuple[Miss, ...]:
        if side.like_node:
            labels: Mapping[str, str] | None = side.node_labels
            if labels is None:
                return (Miss(Lack.NODE, "labels of the node, which were not read", side.node, doubt=True),)
            return misses(self.selector, labels, NODES)
        if side.kind is Kind.OUTSIDE and side.address is None:
            return (NO_ADDRESS,)
        return (Miss(Lack.NODE, "a node", side.words, doubt=side.perhaps_node),)


class Domains(Struct, frozen=True):
    """Names of the world outside: which addresses they have is known to the implementation alone."""

    names: tuple[str, ...]

    def misses(self, side: Side, question: Question) -> tuple[Miss, ...]:
        return (Miss(Lack.DOMAIN, ", ".join(self.names), side.words, doubt=side.kind is not Kind.POD),)


class Unknown(Struct, frozen=True):
    """A peer without any field set: invalid, or of a newer API."""

    def misses(self, side: Side, question: Question) -> tuple[Miss, ...]:
        return (NOT_UNDERSTOOD,)


Peer: TypeAlias = Selection | Block | Nodes | Domains | Unknown
