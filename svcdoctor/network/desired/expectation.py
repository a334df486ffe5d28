"""What must become of a packet to a frontend: where it may go, and whether the endpoint sees the client's address."""

from collections.abc import Iterable
from enum import StrEnum
from fractions import Fraction

from msgspec import Struct, structs

from ...model.service import EndpointSlice
from ..packet import Origin
from .endpoints import Backend, backends
from .frontends import Front, Frontend, Kind, is_local
from .node import Mode, ProxyNode, within
from .topology import Choice, choose


class Client(Struct, frozen=True):
    """Who sends."""

    address: str
    origin: Origin
    interface: str | None = None  # by which the packet comes in

    def is_local(self, node: ProxyNode, vips: Iterable[str]) -> bool:
        """Whether its address is one of the node's."""
        return self.origin is Origin.NODE or self.address in node.addresses or self.address in vips


class End(StrEnum):
    """Where the packet must end."""

    ENDPOINT = "endpoint"
    REJECT = "reject"
    DROP = "drop"
    LOCAL = "local"  # answered by kube-proxy itself
    PASS = "pass"  # no rule of kube-proxy's is for it


class Expectation(Struct, frozen=True):
    """For one frontend and one client. Every endpoint gets the same share."""

    end: End
    endpoints: tuple[Backend, ...] = ()
    masquerade: bool = False
    hairpin: frozenset[tuple[str, int]] = frozenset()  # endpoints that must see another address in any case
    why: str = ""  # no endpoint gets it
    other_policy: frozenset[tuple[str, int]] = frozenset()  # where it would go by the policy that it does not have

    @property
    def shares(self) -> dict[tuple[str, int], Fraction]:
        return {one.place: Fraction(1, len(self.endpoints)) for one in self.endpoints}

    def masquerades(self, place: tuple[str, int]) -> bool:
        return self.masquerade or place in self.hairpin


NO_ENDPOINTS = "no endpoints"
NO_LOCAL = "no local endpoints"
NOT_IN_RANGES = "not in loadBalancerSourceRanges"


def expect(
    front: Front, slices: Iterable[EndpointSlice], node: ProxyNode, frontend: Frontend, client: Client
) -> Expectation:
    """``slices`` are those of the Service."""
    known = backends(slices, front.port, node.v6)
    choice = choose(known, node.name, node.zone, uses_cluster=front.uses_cluster, uses_local=front.uses_local)
    if frontend.kind is Kind.HEALTH_CHECK:
        return Expectation(End.LOCAL)
    if node.mode is Mode.IPVS:
        return _by_ipvs(front, choice, node, frontend, client)
    if _refused(front, node, frontend, client) and (choice.any or node.mode is Mode.NFTABLES):
        return Expectation(End.DROP, why=NOT_IN_RANGES)
    if not choice.any:
        return Expectation(End.PASS if _unguarded(node, frontend, client) else End.REJECT, why=NO_ENDPOINTS)
    if frontend.kind is not Kind.CLUSTER_IP:
        return _external(front, choice, node, client)
    masquerade = _masquerades_cluster_ip(node, client)
    if not front.internal_local:
        return _to(choice.cluster, masquerade, client)
    return _to_local(choice, masquerade, client)


def _unguarded(node: ProxyNode, frontend: Frontend, client: Client) -> bool:
    """iptables mode refuses external addresses on the way in and through only: KUBE-EXTERNAL-SERVICES is no part of
    OUTPUT."""
    external = frontend.kind in (Kind.EXTERNAL_IP, Kind.LOAD_BALANCER) and frontend.address not in node.addresses
    return node.mode is Mode.IPTABLES and external and client.origin is Origin.NODE


def _external(front: Front, choice: Choice, node: ProxyNode, client: Client) -> Expectation:
    """Of policy Local, pods and the node itself are sent on as by Cluster: they are inside already."""
    if not front.external_local:
        return _to(choice.cluster, True, client)
    if node.detector is not None and node.detector.is_pod(client.address, client.interface):
        return _to(choice.cluster, False, client)
    if client.is_local(node, ()):
        return _to(choice.cluster, True, client)
    return _to_local(choice, False, client)


def _to_local(choice: Choice, masquerade: bool, client: Client) -> Expectation:
    found = _to(choice.local, masquerade, client)
    return structs.replace(found, other_policy=frozenset(one.place for one in choice.cluster))


def _to(chosen: tuple[Backend, ...], masquerade: bool, client: Client) -> Expectation:
    if not chosen:
        return Expectation(End.DROP, why=NO_LOCAL)
    hairpin = frozenset(one.place for one in chosen if one.address == client.address)
    return Expectation(End.ENDPOINT, chosen, masquerade, hairpin)


def _masquerades_cluster_ip(node: ProxyNode, client: Client) -> bool:
    if node.masquerade_all:
        return True
    return node.detector is not None and not node.detector.is_pod(client.address, client.interface)


def _refused(front: Front, node: ProxyNode, frontend: Frontend, client: Client) -> bool:
    """Source ranges are for the load balancer's addresses only. Those may call themselves where the node itself may."""
    if frontend.kind is not Kind.LOAD_BALANCER or not front.ranges:
        return False
    allowed = any(within(client.address, network) for network in front.ranges)
    own = client.address in front.vips and any(within(node.primary, network) for network in front.ranges)
    return not allowed and not own


# ---------------------------------------------------------------------------------------------------------------- ipvs


def _by_ipvs(front: Front, choice: Choice, node: ProxyNode, frontend: Frontend, client: Client) -> Expectation:
    """Virtual servers know no policy: without an endpoint here, they send to any (pkg/proxy/ipvs/proxier.go)."""
    if client.origin is not Origin.NODE and _refused(front, node, frontend, client):
        return Expectation(End.DROP, why=NOT_IN_RANGES)
    local = is_local(frontend, front)
    chosen = (choice.local if local else ()) or choice.cluster
    if not chosen:
        return Expectation(End.REJECT, why=NO_ENDPOINTS)
    if client.origin is Origin.NODE and _kept_in(front, node, frontend, client):
        return Expectation(End.DROP, why=NOT_IN_RANGES)
    masquerade = _masquerades_by_ipvs(front, node, client) if frontend.kind is Kind.CLUSTER_IP else not local
    here = frozenset(one.place for one in chosen if one.address == client.address and one.node == node.name)
    return Expectation(End.ENDPOINT, chosen, masquerade, here)


def _kept_in(front: Front, node: ProxyNode, frontend: Frontend, client: Client) -> bool:
    """KUBE-IPVS-OUT-FILTER: the node's own packets leave from the address itself, which tells nothing of the node."""
    if frontend.kind is not Kind.LOAD_BALANCER or not front.ranges or client.address != frontend.address:
        return False
    return not any(within(node.primary, network) for network in front.ranges)


def _masquerades_by_ipvs(front: Front, node: ProxyNode, client: Client) -> bool:
    if node.detector is None and not node.masquerade_all:
        return client.address == front.cluster_ip  # the node's own packets leave from the address itself
    return _masquerades_cluster_ip(node, client)
