"""A Snapshot: what was read of a cluster at one moment, what could not be read, and nothing else."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Generic, TypeVar

from msgspec import Struct, structs

from ..errors import BadData
from .cluster import KubeletConfiguration
from .decode import Kind, ObjectList, decode
from .foreign import ForeignPolicy, read_policies
from .meta import Object
from .node_rules import NodeRules
from .objects import (
    RESOURCES,
    AdminNetworkPolicy,
    BaselineAdminNetworkPolicy,
    ClusterNetworkPolicy,
    ClusterRole,
    ConfigMap,
    DaemonSet,
    Deployment,
    Endpoints,
    EndpointSlice,
    Event,
    Namespace,
    NetworkPolicy,
    Node,
    Pod,
    ReplicaSet,
    Resource,
    Service,
    StatefulSet,
)
from .observation import DnsAnswer

O = TypeVar("O", bound=Object)  # noqa: E741

LIMIT = "limit="
"""In the query of a list that was meant to hold a few objects only, however many there are."""

CLUSTER = ""
"""The scope of a list over all namespaces, or of objects that have none."""


class Gap(Struct, frozen=True):
    """Something that could not be read.

    ``what`` is a raw API path or a place in the snapshot's layout; ``permission`` the RBAC rule that was missing, if
    that was the reason.
    """

    what: str
    why: str
    permission: str | None = None


class Reading(Struct, Generic[O], frozen=True):
    """The objects of one kind that were read, and how far the reading went: "none" and "not looked" differ."""

    items: tuple[O, ...] = ()
    scopes: frozenset[str] = frozenset()  # the namespaces listed whole; CLUSTER stands for all
    selected: frozenset[tuple[str, str]] = frozenset()  # (scope, query) of lists that a selector or a limit narrowed
    absent: frozenset[tuple[str, str]] = frozenset()  # (namespace, name) that the API said do not exist

    def covers(self, namespace: str = CLUSTER) -> bool:
        """Whether every object of that kind in ``namespace`` (or in the whole cluster) was read."""
        return CLUSTER in self.scopes or (namespace != CLUSTER and namespace in self.scopes)

    def within(self, namespace: str) -> tuple[O, ...]:
        return tuple(item for item in self.items if item.namespace == namespace)

    def get(self, namespace: str, name: str) -> O | None:
        return next((item for item in self.items if item.name == name and item.namespace == namespace), None)

    def knows(self, namespace: str, name: str) -> bool:
        """Whether it is known if the object exists."""
        return self.covers(namespace) or (namespace, name) in self.absent or self.get(namespace, name) is not None


class Snapshot(Struct, frozen=True):
    """One frozen value: objects, observations and gaps. ``taken_at`` is the only "now" there is."""

    taken_at: datetime
    context: str = ""
    server: str = ""
    namespace: str = "default"
    services: Reading[Service] = Reading()
    endpointslices: Reading[EndpointSlice] = Reading()
    endpoints: Reading[Endpoints] = Reading()
    pods: Reading[Pod] = Reading()
    events: Reading[Event] = Reading()
    nodes: Reading[Node] = Reading()
    namespaces: Reading[Namespace] = Reading()
    deployments: Reading[Deployment] = Reading()
    replicasets: Reading[ReplicaSet] = Reading()
    statefulsets: Reading[StatefulSet] = Reading()
    daemonsets: Reading[DaemonSet] = Reading()
    configmaps: Reading[ConfigMap] = Reading()
    clusterroles: Reading[ClusterRole] = Reading()
    networkpolicies: Reading[NetworkPolicy] = Reading()
    clusternetworkpolicies: Reading[ClusterNetworkPolicy] = Reading()
    adminnetworkpolicies: Reading[AdminNetworkPolicy] = Reading()
    baselineadminnetworkpolicies: Reading[BaselineAdminNetworkPolicy] = Reading()
    foreign_policies: tuple[ForeignPolicy, ...] = ()  # of the network plugin's own kinds, as far as they were read
    logs: Mapping[tuple[str, str, str], str] = {}  # (namespace, pod, container) -> the tail of its last run
    kubelets: Mapping[str, KubeletConfiguration] = {}  # by node
    node_files: Mapping[str, str] = {}  # node -> its own resolv.conf
    resolv_confs: Mapping[tuple[str, str], str] = {}  # (namespace, pod) -> the file as it is in the pod
    dns_answers: tuple[DnsAnswer, ...] = ()
    node_rules: Mapping[str, NodeRules] = {}  # node -> what it shows of its rules, its kernel and its kube-proxy
    gaps: tuple[Gap, ...] = ()

    def gap(self, resource: str, namespace: str = CLUSTER) -> Gap:
        """Why the list of ``resource`` (a plural) in ``namespace`` is not there."""
        kind = RESOURCES[resource]
        wanted = {kind.path(namespace), kind.path()}
        found = next((gap for gap in self.gaps if gap.what in wanted), None)
        return found or Gap(kind.path(namespace), "not in the snapshot")


class Answer(Struct, frozen=True):
    """What the API server said to one GET: the raw material of a Snapshot, live or from a file.

    ``path`` is the raw API path without its leading slash, ``query`` the selector or limit that narrowed a list. A list
    that was read in pages is one Answer per page.
    """

    path: str
    body: bytes
    query: str = ""
    complete: bool = True  # False on the pages of a list that was not read to its end
    file: str = ""  # where it stands, if not on a live server: errors name it

    @property
    def source(self) -> str:
        return self.file or self.path


def locate(path: str) -> tuple[Resource, str, str] | None:
    """The resource, namespace and object name that a raw API path speaks of; None for paths that are not read."""
    parts = path.split("/")
    rest = parts[2:] if parts[0] == "api" else parts[3:]
    namespace = ""
    if len(rest) > 2 and rest[0] == "namespaces":
        namespace, rest = rest[1], rest[2:]
    if not 1 <= len(rest) <= 2:
        return None
    name = rest[1] if len(rest) == 2 else ""
    resource = RESOURCES.get(rest[0])
    if resource is None or resource.path(namespace, name) != path:
        return None
    return resource, namespace, name


class _Pile(Struct):
    """A Reading while it grows."""

    items: dict[tuple[str, str], Object] = {}
    scopes: set[str] = set()
    selected: set[tuple[str, str]] = set()
    absent: set[tuple[str, str]] = set()
    refused: list[Gap] = []

    @classmethod
    def of(cls, reading: Reading[Any]) -> "_Pile":
        items = {(item.namespace, item.name): item for item in reading.items}
        return cls(items, set(reading.scopes), set(reading.selected), set(reading.absent))

    def add(self, answer: Answer, resource: Resource, namespace: str, name: str) -> None:
        said = decode(answer.body, Kind, answer.source)
        if said.kind == "Status":
            if said.code == 404 and name:
                self.absent.add((namespace, name))
            elif said.code == 404 and resource.optional:
                self.scopes.add(namespace)
            else:
                permission = resource.permission("get" if name else "list", namespace) if said.code == 403 else None
                self.refused.append(Gap(answer.path, said.message or said.reason or "refused", permission))
        elif name:
            self._add_object(answer, said, resource, namespace, name)
        else:
            self._add_list(answer, said, resource, namespace)

    def _add_object(self, answer: Answer, said: Kind, resource: Resource, namespace: str, name: str) -> None:
        _expect(answer, said.kind, resource.kind)
        item = decode(answer.body, resource.type, answer.source)
        if (item.namespace, item.name) != (namespace, name):
            found = f"{item.namespace}/{item.name}"
            raise BadData(answer.source, f"its object is {found!r}, not {f'{namespace}/{name}'!r}")
        self._keep([item])

    def _add_list(self, answer: Answer, said: Kind, resource: Resource, namespace: str) -> None:
        if said.kind == "List":  # kubectl's own, which may mix kinds
            for item in decode(answer.body, ObjectList[Kind], answer.source).items or ():
                _expect(answer, item.kind, resource.kind)
        else:
            _expect(answer, said.kind, f"{resource.kind}List")
        page = decode(answer.body, ObjectList[resource.type], answer.source)  # type: ignore[name-defined]
        self._keep(page.items or ())
        to_its_end = answer.complete and (not page.metadata.continue_ or LIMIT in answer.query)
        if to_its_end and answer.query:
            self.selected.add((namespace, answer.query))
        elif to_its_end:
            self.scopes.add(namespace)

    def _keep(self, objects: Iterable[Object]) -> None:
        for item in objects:
            self.items[item.namespace, item.name] = item

    def reading(self) -> Reading[Any]:
        items = (self.items[key] for key in sorted(self.items))
        return Reading(tuple(items), frozenset(self.scopes), frozenset(self.selected), frozenset(self.absent))


def _expect(answer: Answer, kind: str, wanted: str) -> None:
    if kind != wanted:
        found = f"a {kind}" if kind else "something without kind"
        raise BadData(answer.source, f"a {wanted} is expected here, not {found}")


def assemble(snapshot: Snapshot, answers: Iterable[Answer]) -> Snapshot:
    """``snapshot`` with what ``answers`` say added, ordered by namespace and name; later answers win.

    Answers of unknown paths are passed over, refusals become gaps.

    Raises BadData, which names the first answer that can't be decoded.
    """
    piles: dict[str, _Pile] = {}
    foreign = {policy.key: policy for policy in snapshot.foreign_policies}
    for answer in answers:
        place = locate(answer.path)
        if place is None:
            foreign |= {policy.key: policy for policy in read_policies(answer.path, answer.body, answer.source)}
            continue
        resource, namespace, name = place
        if resource.plural not in piles:
            piles[resource.plural] = _Pile.of(getattr(snapshot, resource.plural))
        piles[resource.plural].add(answer, resource, namespace, name)
    known = {gap.what for gap in snapshot.gaps}
    gaps = tuple(gap for pile in piles.values() for gap in pile.refused if gap.what not in known)
    readings = {plural: pile.reading() for plural, pile in piles.items()}
    return structs.replace(snapshot, gaps=snapshot.gaps + gaps, foreign_policies=tuple(foreign.values()), **readings)
