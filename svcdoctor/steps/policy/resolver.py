"""The name servers that a client asks, as packets: each needs UDP, and TCP for answers that are too long for it."""

from collections.abc import Iterator

from msgspec import Struct

from ...model.case import Case
from ...model.diagnosis import Target
from ...model.name_service import NameService, addresses, plain
from ...model.pod import Pod
from ...model.service import Service
from ...model.snapshot import Gap, Snapshot
from ...network.netpol import AtAddress, AtPod, End, Question, ThroughService
from .routes import Place, Purpose, Route, routes

DNS = 53
PROTOCOLS = ("UDP", "TCP")
KUBELET_FOLLOWS_NODE = ("Default", "None")


class Resolver(Struct, frozen=True):
    """Whom ``client`` asks for names."""

    service: Service | None = None  # that owns the name server's address
    routes: tuple[Route, ...] = ()
    gap: Gap | None = None  # what would have told

    @property
    def node_local(self) -> bool:
        return any(route.node_local for route in self.routes)


def resolver(snapshot: Snapshot, client: Pod, source: End) -> Resolver:
    """The first name server of ``client``; nothing where that is the node's own, which nobody can tell from here."""
    known = NameService(snapshot)
    server = nameserver(known, client)
    if server is None:
        return Resolver()
    if server and known.is_local(server):
        return Resolver(known.service, tuple(_node_local(known, client, source, server)))
    owner = known.owner(server) if server else known.service
    if owner is not None:
        return _through(snapshot, owner, source)
    if server and known.service is not None:
        return Resolver(None, tuple(_direct(server, source)))
    return Resolver(gap=_unread(snapshot))


def nameserver(known: NameService, client: Pod) -> str | None:
    """The address that the client's resolv.conf begins with; empty for the cluster's own, wherever that is."""
    real = known.snapshot.resolv_confs.get((client.namespace, client.name))
    if real is not None:
        return _first_nameserver(real)
    policy, config = client.spec.dns_policy, client.spec.dns_config
    if policy == "None" and config and config.nameservers:
        return plain(config.nameservers[0])
    if policy in KUBELET_FOLLOWS_NODE or (policy == "ClusterFirst" and client.spec.host_network):
        return None
    kubelet = known.kubelet(client.spec.node_name)
    return plain(kubelet.cluster_dns[0]) if kubelet and kubelet.cluster_dns else ""


def _first_nameserver(resolv_conf: str) -> str | None:
    for line in resolv_conf.splitlines():
        match line.split():
            case ["nameserver", server, *_]:
                return plain(server)
    return None


def serves_names(snapshot: Snapshot, service: Service) -> bool:
    """Whether ``service`` is the one that answers for the cluster's names."""
    found = NameService(snapshot).service
    return found is not None and (found.namespace, found.name) == (service.namespace, service.name)


def to_service(snapshot: Snapshot, source: End) -> tuple[Route, ...]:
    """The packets to the cluster's own name servers, past any cache of the node."""
    found = NameService(snapshot).service
    return _through(snapshot, found, source).routes if found else ()


def _through(snapshot: Snapshot, owner: Service, source: End) -> Resolver:
    case = Case(snapshot, Target(owner.namespace, owner.name))
    ports = tuple(port for port in owner.spec.ports if port.port == DNS and port.protocol in PROTOCOLS)
    if not case.slices_known and not case.pods_known:
        return Resolver(owner, gap=snapshot.gap("endpointslices", owner.namespace))
    return Resolver(owner, tuple(routes(case, owner, ports, source, Purpose.DNS)))


def _node_local(known: NameService, client: Pod, source: End, server: str) -> Iterator[Route]:
    """NodeLocal DNSCache: a pod on the network of the client's node, by an address that only that node has."""
    cache = next(iter(known.node_cache_pods(client.spec.node_name)), None) if client.spec.node_name else None
    through = known.service
    virtual = ThroughService(through.name, DNS, addresses(through)) if through else None
    place = Place(server, DNS, cache)
    for protocol in PROTOCOLS:
        end = AtPod(cache, server) if cache else AtAddress(server)
        yield Route(Purpose.DNS, place, Question(source, end, DNS, protocol, virtual), node_local=True)


def _direct(server: str, source: End) -> Iterator[Route]:
    place = Place(server, DNS, None)
    for protocol in PROTOCOLS:
        yield Route(Purpose.DNS, place, Question(source, AtAddress(server), DNS, protocol))


def _unread(snapshot: Snapshot) -> Gap:
    """The name servers' Service was not found: its namespace was not read."""
    return snapshot.gap("services", "kube-system")
