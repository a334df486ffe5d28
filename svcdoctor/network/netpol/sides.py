"""The two ends of a question as policies see them: labels, namespace, address, node."""

from collections.abc import Iterable, Mapping
from enum import Enum, auto

from msgspec import Struct

from ...model.pod import Pod
from .addresses import Address, address, addresses
from .cluster import Cluster
from .question import AnyPod, AtAddress, AtNode, AtPod, End, Question


class Kind(Enum):
    """What stands at an end."""

    POD = auto()
    NODE = auto()
    OUTSIDE = auto()


class Side(Struct, frozen=True):
    """One end. ``namespace_complete`` is False when the namespace may have labels that were not read."""

    kind: Kind
    address: Address | None = None
    namespace: str = ""
    labels: Mapping[str, str] = {}
    namespace_labels: Mapping[str, str] = {}
    namespace_complete: bool = True
    pod: Pod | None = None
    node: str = ""  # that it is, or that it runs on
    node_labels: Mapping[str, str] | None = None  # of a node or a pod on its network; None if not known
    perhaps_node: bool = False  # an address outside, and the nodes were not read

    @property
    def host_network(self) -> bool:
        return self.pod is not None and self.pod.spec.host_network

    @property
    def like_node(self) -> bool:
        """A node, or a pod that has its address."""
        return self.kind is Kind.NODE or self.host_network

    @property
    def words(self) -> str:
        """What it is, for the reader."""
        where = str(self.address or "no address")
        return f"node {self.node} ({where})" if self.kind is Kind.NODE else where


def sides(cluster: Cluster, question: Question) -> tuple[Side, Side]:
    """Source and destination, both by addresses of one family if they have such."""
    destination = _side(cluster, question.destination, None)
    source = _side(cluster, question.source, destination.address)
    if isinstance(question.destination, AtPod | AtNode) and not question.destination.ip:
        destination = _side(cluster, question.destination, source.address)
    return source, destination


def same_pod(a: Side, b: Side) -> bool:
    """Both ends are one pod."""
    return a.pod is not None and b.pod is not None and a.pod.metadata == b.pod.metadata


def _side(cluster: Cluster, end: End, other: Address | None) -> Side:
    match end:
        case AtPod(pod, ip):
            return _pod(cluster, pod, _pick((ip,) if ip else pod.addresses, other))
        case AnyPod(namespace, labels):
            around, complete = cluster.namespace_labels(namespace)
            return Side(Kind.POD, None, namespace, labels, around, complete)
        case AtNode(name, ip):
            host = cluster.hosts.get(name)
            return _node(cluster, name, _pick((ip,) if ip else host.addresses if host else (), other))
        case AtAddress(ip):
            return _address(cluster, address(ip))


def _address(cluster: Cluster, ip: Address | None) -> Side:
    if ip is None:
        return Side(Kind.OUTSIDE)
    if pod := cluster.pod_at(ip):
        return _pod(cluster, pod, ip)
    if name := cluster.host_at(ip):
        return _node(cluster, name, ip)
    return Side(Kind.OUTSIDE, ip, perhaps_node=not cluster.hosts_complete)


def _pod(cluster: Cluster, pod: Pod, ip: Address | None) -> Side:
    around, complete = cluster.namespace_labels(pod.namespace)
    node = pod.spec.node_name
    labels = _node_labels(cluster, node) if pod.spec.host_network else None
    return Side(Kind.POD, ip, pod.namespace, pod.labels, around, complete, pod, node, labels)


def _node(cluster: Cluster, name: str, ip: Address | None) -> Side:
    return Side(Kind.NODE, ip, node=name, node_labels=_node_labels(cluster, name))


def _node_labels(cluster: Cluster, name: str) -> Mapping[str, str] | None:
    host = cluster.hosts.get(name)
    return host.labels if host else None


def _pick(ips: Iterable[str], other: Address | None) -> Address | None:
    """The first address of the family of ``other``, else the first."""
    found = addresses(ips)
    if other is not None:
        found.sort(key=lambda ip: ip.version != other.version)
    return found[0] if found else None
