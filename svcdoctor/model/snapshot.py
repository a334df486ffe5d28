"""A Snapshot: what was read of a cluster at one moment, what could not be read, and nothing else."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Generic, TypeVar

from msgspec import Struct, structs

from ..errors import BadData
from .decode import Kind, ObjectList, decode
from .meta import Object
from .objects import (
    RESOURCES,
    DaemonSet,
    Deployment,
    Endpoints,
    EndpointSlice,
    Event,
    Namespace,
    Node,
    Pod,
    ReplicaSet,
    Resource,
    Service,
    StatefulSet,
)

O = TypeVar("O", bound=Object)  # noqa: E741

CLUSTER = ""
"""The scope of a list over all namespaces, or of objects that have none."""


class Gap(Struct, frozen=True):
    """Something that could not be read.

    ``what`` is a raw API path or a place in the snapshot's layout; ``permission`` the RBAC rule that was missing, if that
    was the reason.
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
    logs: Mapping[tuple[str, str, str], str] = {}  # (namespace, pod, container) -> the tail of its last run
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

    def add(self, answer: Answer, resource: Resource, namespace: str, name: str) -> None:
        said = decode(answer.body, Kind, answer.path)
        if said.kind == "Status":
            if said.code == 404 and name:
                self.absent.add((namespace, name))
            return
        if name:
            self._keep([decode(answer.body, resource.type, answer.path)])
            return
        if not said.kind.endswith("List"):
            raise BadData(answer.path, f"a list was expected, but its kind is {said.kind or 'missing'!r}")
        page = decode(answer.body, ObjectList[resource.type], answer.path)  # type: ignore[name-defined]
        self._keep(page.items or ())
        if answer.query:
            self.selected.add((namespace, answer.query))
        elif answer.complete:
            self.scopes.add(namespace)

    def _keep(self, objects: Iterable[Object]) -> None:
        for item in objects:
            self.items[item.namespace, item.name] = item

    def reading(self) -> Reading[Any]:
        return Reading(
            tuple(self.items.values()), frozenset(self.scopes), frozenset(self.selected), frozenset(self.absent)
        )


def assemble(snapshot: Snapshot, answers: Iterable[Answer]) -> Snapshot:
    """``snapshot`` with what ``answers`` say added; later answers win. Answers of unknown paths are passed over.

    Raises BadData, which names the path of the first answer that can't be decoded.
    """
    piles: dict[str, _Pile] = {}
    for answer in answers:
        place = locate(answer.path)
        if place is not None:
            resource, namespace, name = place
            piles.setdefault(resource.plural, _Pile()).add(answer, resource, namespace, name)
    return structs.replace(snapshot, **{plural: pile.reading() for plural, pile in piles.items()})
