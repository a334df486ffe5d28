"""Whose packets are followed on a node: one of each kind that rules may treat differently."""

from collections.abc import Collection, Iterator
from ipaddress import ip_address, ip_network

from msgspec import Struct

from ..desired import Client, Front, Frontend, Kind, Network, ProxyNode, bound, within
from ..packet import Origin, Route

STRANGERS = {
    False: ("198.18.77.1", "100.127.9.9", "192.88.98.7", "203.0.113.77"),
    True: ("2001:db8:77::1", "2001:db8:ffff::9", "3fff:77::1"),
}
"""Addresses that nobody has, of networks for benchmarks and documents."""


class Around(Struct, frozen=True):
    """What is known of the addresses around a node."""

    pods: tuple[str, ...] = ()  # of pods that run there, with a network of their own
    pod_networks: tuple[Network, ...] = ()  # the node's own part of the pods' network
    elsewhere: tuple[str, ...] = ()  # pods of other nodes
    routes: tuple[Route, ...] | None = None


def clients(node: ProxyNode, around: Around, front: Front, frontend: Frontend, taken: Collection[str]) -> list[Client]:
    """A pod of the node, one from elsewhere, the node itself and strangers, as far as they may use the frontend.

    ``taken`` are addresses of endpoints: a pod among them would meet itself.
    """
    if ip_address(frontend.address).is_loopback:
        return [Client(frontend.address, Origin.NODE)]
    found = [Client(own, Origin.NODE) for own in [_own(node, frontend)] if own]
    inner = next((pod for pod in around.pods if pod not in taken), "") or _spare(around.pod_networks, taken)
    if inner:
        found.append(Client(inner, Origin.POD, _device(inner, around)))
    found += [Client(pod, Origin.POD, _device(pod, around)) for pod in around.pods if pod in taken][:1]
    if frontend.kind is Kind.CLUSTER_IP:
        return found
    if frontend.kind is Kind.NODE_PORT:
        found += [Client(pod, Origin.OUTSIDE, _device(pod, around)) for pod in around.elsewhere if pod not in taken][:1]
    found += [Client(one, Origin.OUTSIDE, _device(one, around)) for one in _strangers(node, around, front)]
    return found


def _own(node: ProxyNode, frontend: Frontend) -> str:
    """What the node sends to an address that it has leaves from that address."""
    return frontend.address if bound(frontend, node) else node.primary


def _spare(cidrs: tuple[Network, ...], taken: Collection[str]) -> str:
    """An address that a pod of the node could have: the last ones of its network are the last to be given."""
    for network in cidrs:
        for back in range(3, min(network.num_addresses, 40)):
            address = str(network[-back])
            if address not in taken:
                return address
    return ""


def _strangers(node: ProxyNode, around: Around, front: Front) -> Iterator[str]:
    """One whom no source range lets in, and one of a range."""
    inside = [*around.pod_networks, *([node.detector.network] if node.detector and node.detector.network else [])]

    def strange(address: str, but: tuple[Network, ...] = ()) -> bool:
        return not any(within(address, network) for network in (*inside, *but)) and address not in node.addresses

    yield from [address for address in STRANGERS[node.v6] if strange(address, front.ranges)][:1]
    ends = (str(network[min(1, network.num_addresses - 1)]) for network in front.ranges)
    yield from [address for address in ends if strange(address)][:1]


def _device(address: str, around: Around) -> str | None:
    """The interface by which a packet from there comes in: the one that leads back."""
    best, device = -1, None
    for route in around.routes or ():
        network = ip_network(route.network)
        if network.prefixlen > best and within(address, network):
            best, device = network.prefixlen, route.device
    return device
