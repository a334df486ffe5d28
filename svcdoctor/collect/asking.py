"""Single questions to an API server, each with its answers or with the gap that it leaves."""

from collections.abc import Mapping
from http import HTTPStatus

import msgspec
from msgspec import Struct

from ..errors import BadData
from ..model.cluster import KubeletConfiguration, KubeletConfigz
from ..model.decode import ListMeta, decode
from ..model.foreign import read_policies
from ..model.objects import RESOURCES, Resource
from ..model.snapshot import Answer, Gap
from .api import Api, Reply, Silence
from .groups import Groups

PAGE = 500
STARTS_OVER = 3
"""How often a list may begin again because its continue token grew too old."""


class Found(Struct, frozen=True):
    """What one question brought: answers, or the gap they leave."""

    answers: tuple[Answer, ...] = ()
    gaps: tuple[Gap, ...] = ()
    left: int = 0  # items that were not read, as far as the server says
    kubelets: Mapping[str, KubeletConfiguration] = {}  # by node


class _Head(Struct, frozen=True):
    """The part of a list that paging needs."""

    metadata: ListMeta = ListMeta()


class Asker:
    """Questions to ``api``. All raise CouldNotLook where no answer can be expected any more."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.groups = Groups(api)

    def object(self, plural: str, namespace: str, name: str) -> Found:
        """One object, or the server's 404."""
        resource = RESOURCES[plural]
        path = resource.path(namespace, name)
        try:
            reply = self.api.get(path)
        except Silence as silence:
            return Found(gaps=(Gap(path, silence.why),))
        if reply.status not in (HTTPStatus.OK, HTTPStatus.NOT_FOUND):
            return Found(gaps=(_refusal(reply, path, resource.permission("get", namespace)),))
        return Found((Answer(path, reply.body),))

    def list(
        self,
        plural: str,
        namespace: str,
        query: Mapping[str, str] | None = None,
        pages: int | None = None,
        crowd: int | None = None,
    ) -> Found:
        """A list in pages: at most ``pages`` of them, only the first if more than ``crowd`` items are left after it.

        It starts over when its token grows too old (410).
        """
        resource = RESOURCES[plural]
        if resource.optional and self.groups.lacks(resource.group):
            return Found((Answer(resource.path(namespace), _not_served(resource)),))
        for _ in range(STARTS_OVER):
            found = self._list_once(plural, namespace, query or {}, pages, crowd)
            if found is not None:
                return found
        path = RESOURCES[plural].path(namespace)
        return Found(gaps=(Gap(path, "the list changed faster than it could be read"),))

    def _list_once(
        self, plural: str, namespace: str, query: Mapping[str, str], pages: int | None, crowd: int | None
    ) -> Found | None:
        resource = RESOURCES[plural]
        path = resource.path(namespace)
        spoken = "&".join(f"{key}={value}" for key, value in query.items())
        bodies: list[bytes] = []
        token, left = "", 0
        while not bodies or (token and (pages is None or len(bodies) < pages)):
            asked = {"limit": str(PAGE), **query, **({"continue": token} if token else {})}
            try:
                reply = self.api.get(path, asked)
            except Silence as silence:
                return Found(_answers(path, spoken, bodies, False), (Gap(path, silence.why),))
            if reply.status == HTTPStatus.GONE and token:
                return None
            if reply.status == HTTPStatus.NOT_FOUND and resource.optional:
                return Found((Answer(path, _not_served(resource), spoken),))
            if reply.status != HTTPStatus.OK:
                gap = _refusal(reply, path, resource.permission("list", namespace))
                return Found(_answers(path, spoken, bodies, False), (gap,))
            bodies.append(reply.body)
            try:
                head = decode(reply.body, _Head, path).metadata
            except BadData as error:
                return Found(_answers(path, spoken, bodies[:-1], False), (Gap(path, error.detail),))
            token = head.continue_
            left = (head.remaining_item_count or 1) if token else 0
            if crowd is not None and left > crowd:
                break
        whole = not token or "limit" in query
        gaps = () if whole or plural != "events" else (Gap(path, f"only the first {len(bodies) * PAGE} were read"),)
        return Found(_answers(path, spoken, bodies, whole), gaps, left)

    def foreign_policies(self, namespace: str) -> Found:
        """The policies of other kinds in ``namespace``, or (empty) the cluster-wide ones. None is missed that fails."""
        answers = []
        for path in self.groups.policies(namespace):
            try:
                reply = self.api.get(path, {"limit": str(PAGE)})
                read_policies(path, reply.body, path)
            except (Silence, BadData):
                continue
            if reply.status == HTTPStatus.OK:
                answers.append(Answer(path, reply.body))
        return Found(tuple(answers))

    def log(self, namespace: str, pod: str, container: str, options: Mapping[str, str]) -> str | Gap | None:
        """A tail of a container's log, or why it can't be had; None where there is none, such as of no earlier run."""
        path = RESOURCES["pods"].path(namespace, pod) + "/log"
        try:
            reply = self.api.get(path, {"container": container, **options})
        except Silence as silence:
            return Gap(path, silence.why)
        if reply.status == HTTPStatus.OK:
            return reply.body.decode(errors="replace")
        forbidden = reply.status == HTTPStatus.FORBIDDEN
        return _refusal(reply, path, f"get pods/log in namespace {namespace}") if forbidden else None

    def kubelet(self, node: str) -> Found:
        """What the kubelet of ``node`` says at /configz. No gap where it says nothing, or where we may not ask.

        Nobody is told to grant that: nodes/proxy lets its owner run commands in every pod of the node.
        """
        path = f"{RESOURCES['nodes'].path(name=node)}/proxy/configz"
        try:
            reply = self.api.get(path)
            if reply.status == HTTPStatus.OK:
                return Found(kubelets={node: decode(reply.body, KubeletConfigz, path).kubeletconfig})
        except (Silence, BadData):
            pass
        return Found()


def _not_served(resource: Resource) -> bytes:
    """The server's 404 for a kind that it does not know, which may have come as plain text, as a Status."""
    message = f"the server does not serve {resource.plural}.{resource.group}"
    return msgspec.json.encode(
        {
            "kind": "Status",
            "apiVersion": "v1",
            "status": "Failure",
            "reason": "NotFound",
            "code": 404,
            "message": message,
        }
    )


def _answers(path: str, query: str, bodies: list[bytes], complete: bool) -> tuple[Answer, ...]:
    return tuple(Answer(path, body, query, complete) for body in bodies)


def _refusal(reply: Reply, path: str, permission: str) -> Gap:
    if reply.status == HTTPStatus.FORBIDDEN:
        return Gap(path, "403 Forbidden", permission)
    if reply.status == HTTPStatus.NOT_FOUND:
        return Gap(path, "404 Not Found: this server does not serve it")
    return Gap(path, f"the server answered {reply.status}")
