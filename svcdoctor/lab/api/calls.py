"""One request on its way through the server, and how its body and its wishes are read."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec
import yaml
from aiohttp import hdrs, web
from msgspec import Struct

from .access import MASTERS, User
from .go_json import complaint
from .misbehave import Misbehaviour
from .paths import RequestInfo
from .protobuf import MEDIA_TYPE, NotProtobuf, decode_protobuf
from .status import Refusal, bad_request, failure, not_acceptable, unsupported_media_type

Json = dict[str, Any]
Form = Literal["", "Table", "PartialObjectMetadata"]
"""The shape that an answer's objects are wanted in; empty for their own."""

LONGEST = 3 * 1024 * 1024
"""Bytes that a request's body may have."""
BODIES = ("application/json", "application/yaml", MEDIA_TYPE)


class Call(Struct, frozen=True, kw_only=True):
    """A request that was read, authenticated, and not refused so far."""

    request: web.Request
    info: RequestInfo
    user: User
    misbehaviours: tuple[Misbehaviour, ...] = ()

    @property
    def query(self) -> Mapping[str, str]:
        return self.request.query

    @property
    def flow(self) -> str:
        """The priority level that serves it."""
        return "exempt" if MASTERS in self.user.groups else "global-default"

    def misbehaviour(self, *deeds: str) -> Misbehaviour | None:
        """The first of these deeds that it meets."""
        return next((one for one in self.misbehaviours if one.deed in deeds), None)

    async def body(self) -> bytes:
        """Raises Refusal (413)."""
        try:
            return await self.request.read()
        except web.HTTPRequestEntityTooLarge:
            message = f"Request entity too large: limit is {LONGEST}"
            raise Refusal(413, failure(413, "RequestEntityTooLarge", message)) from None

    async def json(self, kind: str) -> Json:
        """The object in the body, which should be of ``kind``. Raises Refusal: 400, 413, 415."""
        content_type = self.request.headers.get(hdrs.CONTENT_TYPE, BODIES[0]).partition(";")[0].strip()
        if content_type not in BODIES:
            raise unsupported_media_type(BODIES)
        body = await self.body()
        if content_type == MEDIA_TYPE:
            return _protobuf(body, kind)
        return _yaml(body) if "yaml" in content_type else _json(body, kind)

    async def options(self) -> Json:
        """DeleteOptions, which may be missing."""
        return await self.json("DeleteOptions") if await self.body() else {}


def _json(body: bytes, kind: str) -> Json:
    """Raises Refusal (400)."""
    try:
        found = msgspec.json.decode(body)
        why = "json: cannot unmarshal into Go value of type struct"
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found, why = None, complaint(body)
    if isinstance(found, dict):
        return found
    unknown = f"couldn't get version/kind; json parse error: {why}"
    raise bad_request(f"the object provided is unrecognized (must be of type {kind}): {unknown}")


class _Loader(yaml.SafeLoader):
    """YAML as JSON has it: what looks like a date is a string."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in known if not tag.endswith(":timestamp")]
    for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _protobuf(body: bytes, kind: str) -> Json:
    """Raises Refusal (400)."""
    try:
        return decode_protobuf(body)
    except NotProtobuf as error:
        raise bad_request(f"the object provided is unrecognized (must be of type {kind}): {error}") from None


def _yaml(body: bytes) -> Json:
    """Raises Refusal (400)."""
    try:
        found = yaml.load(body, _Loader)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError):
        found = None
    if not isinstance(found, dict):
        raise bad_request("error converting YAML to JSON: yaml: the document is no object")
    return found


class Clause(Struct, frozen=True):
    """One media type of an Accept header."""

    media_type: str
    parameters: Mapping[str, str]


def accepted(header: str) -> list[Clause]:
    """The media types of an Accept header, in order; anything where there is none."""
    return [_clause(part) for part in (header or "*/*").split(",")]


def _clause(part: str) -> Clause:
    media_type, *parameters = (piece.strip() for piece in part.split(";"))
    pairs = (parameter.partition("=") for parameter in parameters)
    return Clause(media_type.lower(), {name.strip(): value.strip() for name, _, value in pairs})


def wanted_form(clauses: Iterable[Clause]) -> Form:
    """The first form that this server can give. Raises Refusal (406)."""
    for clause in clauses:
        if clause.media_type not in ("application/json", "application/*", "*/*"):
            continue
        form = clause.parameters.get("as", "").removesuffix("List")
        if not form:
            return ""
        if clause.parameters.get("g") == "meta.k8s.io" and clause.parameters.get("v") in ("v1", "v1beta1"):
            if form == "Table":
                return "Table"
            if form == "PartialObjectMetadata":
                return "PartialObjectMetadata"
    raise not_acceptable()
