"""get, list, create, update, patch, delete: the verbs that objects have."""

from collections.abc import Iterable
from typing import Any

from aiohttp import hdrs

from ..resources import Resource
from ..store import Store, Stored
from .answers import JSON, Answer, json_answer
from .calls import Call
from .deletion import DeleteOptions, Deletion, delete_options
from .list_options import ListOptions, list_options
from .presenting import presenter_of
from .reading import list_page
from .selection import selection_of
from .status import invalid_kind, not_found
from .validate_errors import not_supported
from .warnings import warning_headers
from .writing import Wish, Writer, Written

Json = dict[str, Any]


class Objects:
    """The verbs of objects, over the store."""

    def __init__(self, store: Store, writer: Writer, deletion: Deletion) -> None:
        self._store = store
        self._writer = writer
        self._deletion = deletion

    async def get(self, call: Call) -> Answer:
        """Raises Refusal: 400, 404, 406."""
        resource, found = self._found(call)
        presenter = presenter_of(call, resource, self._store.clock)
        return Answer(200, (presenter.one(found), b"\n"), _headers(resource))

    async def list(self, call: Call) -> Answer:
        """Raises Refusal: 400, 406, 410, 422, 504."""
        resource = resource_of(call)
        selection = selection_of(resource, namespace_of(call), call.info.name, call.query)
        presenter = presenter_of(call, resource, self._store.clock)
        page = list_page(self._store, resource, selection, list_options(call.query, watch=False))
        return Answer(200, presenter.many(page), _headers(resource))

    async def create(self, call: Call) -> Answer:
        """Raises Refusal: 400, 403, 404, 409, 415, 422."""
        wish = wish_of(call)
        return self._written(call, self._writer.create(wish, await call.json(wish.resource.kind)))

    async def update(self, call: Call) -> Answer:
        """PUT of an object or one of its parts. Raises Refusal: 400, 404, 409, 415, 422."""
        wish = wish_of(call)
        return self._written(call, self._writer.update(wish, await call.json(wish.resource.kind)))

    async def patch(self, call: Call) -> Answer:
        """Raises Refusal: 400, 404, 409, 413, 415, 422."""
        media_type = call.request.headers.get(hdrs.CONTENT_TYPE, "")
        return self._written(call, self._writer.patch(wish_of(call), media_type, await call.body()))

    async def delete(self, call: Call) -> Answer:
        """Raises Refusal: 400, 404, 409, 422."""
        options = delete_options(await call.options(), call.query)
        resource, found = self._found(call)
        deleted = self._deletion.delete(resource, found.load(), options, is_dry(call, options))
        waits = not deleted.gone and options.orphan_dependents is False
        return json_answer(deleted.body, 202 if waits else 200, _headers(resource))

    async def delete_collection(self, call: Call) -> Answer:
        """Deletes what a list would show, and shows it. Raises Refusal: 400, 422."""
        resource = resource_of(call)
        options = delete_options(await call.options(), call.query)
        selection = selection_of(resource, namespace_of(call), call.info.name, call.query)
        page = list_page(self._store, resource, selection, ListOptions())
        for stored in page.objects:
            self._deletion.delete(resource, stored.load(), options, is_dry(call, options))
        presenter = presenter_of(call, resource, self._store.clock)
        return Answer(200, presenter.many(page), _headers(resource))

    def _found(self, call: Call) -> tuple[Resource, Stored]:
        resource = resource_of(call)
        found = self._store.find(resource, namespace_of(call), call.info.name)
        if found is None:
            raise not_found(resource, call.info.name)
        return resource, found

    def _written(self, call: Call, written: Written) -> Answer:
        resource = resource_of(call)
        presenter = presenter_of(call, resource, self._store.clock)
        headers = _headers(resource, written.warnings)
        return Answer(201 if written.is_new else 200, (presenter.of(written.body), b"\n"), headers)


def resource_of(call: Call) -> Resource:
    """The kind that a call is about; routing has looked that there is one."""
    assert call.info.resource is not None
    return call.info.resource


def namespace_of(call: Call) -> str:
    """The namespace that its objects lie in: none for those of the whole cluster, namespaces included."""
    return call.info.namespace if resource_of(call).namespaced else ""


def wish_of(call: Call) -> Wish:
    """Where and how a write is to be. Raises Refusal (422)."""
    info = call.info
    strictness = call.query.get("fieldValidation") or "Warn"
    if strictness not in ("Ignore", "Warn", "Strict"):
        error = not_supported("fieldValidation", strictness, ("", "Ignore", "Strict", "Warn"))
        raise invalid_kind("meta.k8s.io", _options(call), "", [error])
    return Wish(resource_of(call), namespace_of(call), info.name, info.subresource, is_dry(call), strictness)


def is_dry(call: Call, options: DeleteOptions | None = None) -> bool:
    """Whether nothing is to be stored. Raises Refusal (422) for anything but ``All``."""
    asked = [*call.request.query.getall("dryRun", ()), *(options.dry_run if options is not None else ())]
    wrong = [one for one in asked if one not in ("All", "")]
    if wrong:
        raise invalid_kind("meta.k8s.io", _options(call), "", [not_supported("dryRun", asked, ("All",))])
    return "All" in asked


def _options(call: Call) -> str:
    """The kind that holds what a write's query says."""
    kinds = {"create": "CreateOptions", "patch": "PatchOptions", "update": "UpdateOptions"}
    return kinds.get(call.info.verb, "DeleteOptions")


def _headers(resource: Resource, said: Iterable[str] = ()) -> dict[str, str]:
    return {hdrs.CONTENT_TYPE: JSON, **warning_headers(resource, said)}
