"""What a request asks for, read from method, path and query: the RequestInfo of apiserver's requestinfo.go."""

import re
from collections.abc import Mapping
from functools import cached_property

from msgspec import Struct

from ..resources import Resource, find_resource

VERBS = {"POST": "create", "GET": "get", "HEAD": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})  # Go's strconv.ParseBool
NAME_ALONE = re.compile(r"(?:^|,)metadata\.name==?([^,!=]+)(?=,|$)")
"""A field selector that pins one name makes that name count for authorization."""


class RequestInfo(Struct, frozen=True, dict=True):
    """One request's meaning. Without ``plural`` it is for a path that holds no objects (discovery, health)."""

    verb: str
    path: str
    group: str = ""
    version: str = ""
    namespace: str = ""
    plural: str = ""
    name: str = ""
    subresource: str = ""
    rest: str = ""  # what follows the subresource: the path behind a proxy

    @cached_property
    def resource(self) -> Resource | None:
        """The kind that is asked for; None where it is not served."""
        return find_resource(self.group, self.version, self.plural) if self.plural else None


def is_true(text: str | None) -> bool:
    """A boolean query parameter; a bare ``watch=`` counts as true, as in the API machinery's conversion."""
    return text is not None and (text in TRUE or text == "")


def request_info(method: str, path: str, query: Mapping[str, str]) -> RequestInfo:
    """Never fails: what fits no pattern is a path that holds no objects."""
    parts = path.strip("/").split("/")
    verb = VERBS.get(method, method.lower())
    if parts[0] == "api" and len(parts) >= 3:
        group, version, rest = "", parts[1], parts[2:]
    elif parts[0] == "apis" and len(parts) >= 4:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return RequestInfo(method.lower(), path)
    if rest[0] == "watch" and len(rest) > 1:
        verb, rest = "watch", rest[1:]
    namespace, rest = _namespace(rest)
    plural, name, subresource = (*rest[:3], "", "")[:3]
    if not name:
        verb, name = _of_many(verb, query)
    return RequestInfo(verb, path, group, version, namespace, plural, name, subresource, "/".join(rest[3:]))


def _namespace(rest: list[str]) -> tuple[str, list[str]]:
    """A namespace's own subresources are the namespace's; all else under it is in it."""
    if rest[0] != "namespaces" or len(rest) < 2:
        return "", rest
    inside = len(rest) > 2 and rest[2] not in ("status", "finalize")
    return rest[1], rest[2:] if inside else rest


def _of_many(verb: str, query: Mapping[str, str]) -> tuple[str, str]:
    if verb == "get":
        verb = "watch" if "watch" in query and is_true(query["watch"]) else "list"
    elif verb == "delete":
        verb = "deletecollection"
    if verb == "create":
        return verb, ""
    pinned = NAME_ALONE.search(query.get("fieldSelector", ""))
    return verb, pinned[1] if pinned else ""
