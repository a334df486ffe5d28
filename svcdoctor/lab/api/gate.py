"""The gate that every request passes: who asks, as whom, and may they."""

from aiohttp import hdrs, web

from ..resources import Resource
from .access import Access, Attributes, User, impersonated
from .paths import RequestInfo
from .status import forbidden, forbidden_path, unauthorized

GROUP = "Impersonate-Group"


class Gate:
    """Authentication, impersonation, authorization."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def identify(self, request: web.Request) -> User:
        """The user that the request is to be judged as. Raises Refusal: 401, 403."""
        user = self._access.known(request.headers.get(hdrs.AUTHORIZATION))
        if user is None:
            raise unauthorized()
        groups = request.headers.getall(GROUP, [])
        wanted = impersonated(request.headers, groups)
        if wanted is None:
            return user
        self._may_be(user, "users", wanted.name)
        for group in groups:
            self._may_be(user, "groups", group)
        return wanted

    def authorize(self, user: User, info: RequestInfo) -> None:
        """Raises Refusal (403)."""
        wanted = attributes_of(info)
        if self._access.allows(user, wanted):
            return
        if wanted.path:
            raise forbidden_path(user.name, wanted.verb, wanted.path)
        resource = info.resource or Resource(info.group, info.version, info.plural, info.plural)
        raise forbidden(user.name, info.verb, resource, info.namespace, info.name, info.subresource)

    def _may_be(self, user: User, plural: str, name: str) -> None:
        if not self._access.allows(user, Attributes("impersonate", resource=plural, name=name)):
            raise forbidden(user.name, "impersonate", Resource("", "v1", plural, plural), "", name)


def attributes_of(info: RequestInfo) -> Attributes:
    """What a request wants, as an authorizer is asked."""
    if not info.plural:
        return Attributes(info.verb, path=info.path)
    return Attributes(info.verb, info.group, info.plural, info.subresource, info.namespace, info.name)
