"""The peers of a rule, compiled. Each says what an end lacks to be one of them: nothing if it is."""

from collections.abc import Mapping
from typing import TypeAlias

from msgspec import Struct

from .addresses import Network, address, network
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
        """Both selectors are there and just one of them holds: as two items of the list, one would match."""
        if self.namespaces is None or self.pods is None:
            return False
        return bool(self.namespace_misses(side)) != bool(self.pod_misses(side))


class Block(Struct, frozen=True):
    """Addresses by CIDRs: one with exceptions (ipBlock), or several (networks)."""

    cidrs: tuple[str, ...]
    excepted: tuple[str, ...] = ()

    def misses(self, side: Side, question: Question) -> tuple[Miss, ...]:
        if side.address is None:
            return (NO_ADDRESS,)
        networks = [network(cidr) for cidr in self.cidrs]
        if not any(net is not None and side.address in net for net in networks):
            return (self._outside(side, question, networks),)
        holes = [(text, network(text)) for text in self.excepted]
        if hole := next((text for text, net in holes if net is not None and side.address in net), None):
            return (Miss(Lack.EXCEPTED, f"not in {hole}", str(side.address)),)
        unclear = next((text for text, net in holes if net is None), None)
        return () if unclear is None else (Miss(Lack.NOT_UNDERSTOOD, unclear, str(side.address), doubt=True),)

    def _outside(self, side: Side, question: Question, networks: list[Network | None]) -> Miss:
        wanted, found = ", ".join(self.cidrs), str(side.address)
        if None in networks:
            return Miss(Lack.NOT_UNDERSTOOD, wanted, found, doubt=True)
        if _holds_service(networks, question):
            return Miss(Lack.CIDR_OF_SERVICE, wanted, found)
        families = {net.version for net in networks if net}
        assert side.address is not None
        return Miss(Lack.OUTSIDE_CIDR if side.address.version in families else Lack.OTHER_FAMILY, wanted, found)


def _holds_service(networks: list[Network | None], question: Question) -> bool:
    virtual = [address(text) for text in (question.service.addresses if question.service else ())]
    return any(ip is not None and net is not None and ip in net for ip in virtual for net in networks)


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
