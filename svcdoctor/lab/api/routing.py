"""From what a request asks for to what answers it."""

from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from ..store import Store
from .access import Access
from .allocate import Ranges
from .allocation import Allocation
from .answers import Answer
from .calls import Call
from .deletion import Deletion
from .handlers_objects import Objects
from .handlers_parts import Parts
from .handlers_paths import Paths
from .handlers_pods import Pods
from .handlers_proxy import Proxy
from .handlers_reviews import Reviews
from .handlers_watch import Watches
from .kubelets import Kubelets
from .open_streams import OpenStreams
from .paths import RequestInfo
from .status import method_not_allowed, no_such_path
from .writing import Writer

Handler = Callable[[Call], Awaitable[Answer | web.StreamResponse]]
STREAMED = ("create", "get")
PROXIED = ("create", "delete", "get", "patch", "update")
NAMED = ("get", "update", "patch", "delete")
"""Verbs of one object."""
REVIEWS = ("authentication.k8s.io", "authorization.k8s.io")


class Routes:
    """Which handler serves what."""

    def __init__(
        self,
        store: Store,
        access: Access,
        kubelets: Kubelets,
        ranges: Ranges,
        streams: OpenStreams,
        address: str,
    ) -> None:
        deletion = Deletion(store)
        writer = Writer(store, Allocation(store, ranges), deletion)
        objects = Objects(store, writer, deletion)
        self._paths = Paths(address)
        self._reviews = Reviews(access, store.clock)
        self._verbs: Mapping[str, Handler] = {
            "get": objects.get,
            "list": objects.list,
            "watch": Watches(store, streams).watch,
            "create": objects.create,
            "update": objects.update,
            "patch": objects.patch,
            "delete": objects.delete,
            "deletecollection": objects.delete_collection,
        }
        self._parts = _parts(objects, Parts(store, writer, deletion), Pods(store, access, kubelets, streams))
        self._parts.update({("proxy", verb): Proxy(store, kubelets).pass_on for verb in PROXIED})

    def handler(self, info: RequestInfo) -> Handler:
        """Raises Refusal: 404 for what is not served, 405 for a verb that it does not have."""
        if not info.plural:
            return self._paths.answer
        resource = info.resource
        if resource is None:
            raise no_such_path()
        if info.subresource:
            return self._part(info)
        if info.verb not in resource.verbs or (info.verb in NAMED and not info.name):
            raise method_not_allowed()
        if info.verb == "create" and info.name:
            raise method_not_allowed()
        return self._reviews.create if resource.group in REVIEWS else self._verbs[info.verb]

    def _part(self, info: RequestInfo) -> Handler:
        known = info.resource.subresource(info.subresource) if info.resource is not None else None
        if known is None:
            raise no_such_path()
        handler = self._parts.get((info.subresource, info.verb))
        if info.verb not in known.verbs or handler is None:
            raise method_not_allowed()
        return handler


def _parts(objects: Objects, parts: Parts, pods: Pods) -> dict[tuple[str, str], Handler]:
    """By (subresource, verb)."""
    own: dict[tuple[str, str], Handler] = {
        ("scale", "get"): parts.get_scale,
        ("scale", "update"): parts.update_scale,
        ("scale", "patch"): parts.patch_scale,
        ("binding", "create"): parts.bind,
        ("eviction", "create"): parts.evict,
        ("finalize", "update"): objects.update,
        ("log", "get"): pods.log,
    }
    for name in ("status", "ephemeralcontainers", "resize"):
        own |= {(name, "get"): objects.get, (name, "update"): objects.update, (name, "patch"): objects.patch}
    for name, handler in (("exec", pods.exec), ("attach", pods.attach), ("portforward", pods.portforward)):
        own |= {(name, verb): handler for verb in STREAMED}
    return own
