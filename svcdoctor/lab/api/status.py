"""What the API server says when it does not do what was asked: metav1.Status, word for word.

Source: apimachinery/pkg/api/errors and apiserver/pkg/endpoints/handlers; tests/lab/wire holds the recorded ones.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ..resources import Resource
from .validate_errors import FieldError, aggregate, go_json

Json = dict[str, Any]

MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"
NO_METHOD = "the server does not allow this method on the requested resource"
TOO_MANY = "Too many requests, please try again later."
UNKNOWN_BODY = "the body of the request was in an unknown format - accepted media types include: "


class Refusal(Exception):
    """An answer other than what was asked for. ``body`` is a Status, or plain text where the real server sends that."""

    def __init__(self, code: int, body: Json | str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(body if isinstance(body, str) else body["message"])
        self.code = code
        self.body = body
        self.headers = dict(headers or {})


def failure(code: int, reason: str, message: str, details: Json | None = None) -> Json:
    """A Status that says no; ``details`` are left out where the real server sends none."""
    body: Json = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message}
    body["reason"] = reason
    if details is not None:
        body["details"] = details
    return body | {"code": code}


def deleted(resource: Resource, name: str, uid: str) -> Json:
    """What a DELETE answers when nothing is left of the object to show."""
    details = _details(resource, name) | {"uid": uid}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}


def bad_request(message: str) -> Refusal:
    return _refusal(400, "BadRequest", message)


def unauthorized() -> Refusal:
    return _refusal(401, "Unauthorized", "Unauthorized")


def forbidden(
    user: str, verb: str, resource: Resource, namespace: str = "", name: str = "", subresource: str = "", why: str = ""
) -> Refusal:
    """RBAC's no. ``verb`` is the API's (list, watch, create ...); ``why`` what the authorizer adds."""
    part = f"{resource.plural}/{subresource}" if subresource else resource.plural
    place = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
    what = f'{resource.group_resource} "{name}"' if name else resource.group_resource
    asked = f'cannot {verb} resource "{part}" in API group "{resource.group}" {place}'
    message = f"{what} is forbidden: User {go_json(user)} {asked}" + (f": {why}" if why else "")
    return _refusal(403, "Forbidden", message, _details(resource, name), {"X-Content-Type-Options": "nosniff"})


def forbidden_path(user: str, verb: str, path: str) -> Refusal:
    """The same for what is no resource, as /metrics."""
    message = f"forbidden: User {go_json(user)} cannot {verb} path {go_json(path)}"
    return _refusal(403, "Forbidden", message, {}, {"X-Content-Type-Options": "nosniff"})


def denied(resource: Resource, name: str, why: str) -> Refusal:
    """An admission plugin's no, as for an object in a namespace that is being deleted."""
    message = f"{resource.group_resource} {go_json(name)} is forbidden: {why}"
    return _refusal(403, "Forbidden", message, _details(resource, name))


def not_found(resource: Resource, name: str) -> Refusal:
    message = f"{resource.group_resource} {go_json(name)} not found"
    return _refusal(404, "NotFound", message, _details(resource, name))


def no_such_path() -> Refusal:
    """An address that nothing serves: plain text, no Status."""
    headers = {"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"}
    return Refusal(404, "404 page not found\n", headers)


def method_not_allowed() -> Refusal:
    return _refusal(405, "MethodNotAllowed", NO_METHOD, {})


def not_acceptable(served: Sequence[str] = ("application/json", "application/yaml")) -> Refusal:
    return _refusal(406, "NotAcceptable", f"only the following media types are accepted: {', '.join(served)}")


def already_exists(resource: Resource, name: str) -> Refusal:
    message = f"{resource.group_resource} {go_json(name)} already exists"
    return _refusal(409, "AlreadyExists", message, _details(resource, name))


def conflict(resource: Resource, name: str, why: str = MODIFIED) -> Refusal:
    message = f"Operation cannot be fulfilled on {resource.group_resource} {go_json(name)}: {why}"
    return _refusal(409, "Conflict", message, _details(resource, name))


def expired(message: str = "The resourceVersion for the provided list is too old.") -> Refusal:
    """410: the revision asked for is forgotten."""
    return _refusal(410, "Expired", message)


def too_old(asked: int, oldest: int) -> Refusal:
    """410 as a watch says it, in an ERROR event; ``oldest`` is the first revision that is remembered."""
    return expired(f"too old resource version: {asked} ({oldest})")


def unsupported_media_type(accepted: Sequence[str] = ()) -> Refusal:
    """415: as the router says it; with ``accepted`` as a handler does that can't use the type here."""
    if accepted:
        return _refusal(415, "UnsupportedMediaType", UNKNOWN_BODY + ", ".join(accepted))
    return _refusal(415, "UnsupportedMediaType", "415: Unsupported Media Type", {})


def invalid(resource: Resource, name: str, errors: Sequence[FieldError]) -> Refusal:
    """422 with one cause per error."""
    return invalid_kind(resource.group, resource.kind, name, errors)


def invalid_kind(group: str, kind: str, name: str, errors: Sequence[FieldError]) -> Refusal:
    qualified = f"{kind}.{group}" if group else kind
    causes = [{"reason": error.reason, "message": error.message, "field": error.field} for error in errors]
    details = {"name": name, "group": group, "kind": kind, "causes": causes}
    message = f"{qualified} {go_json(name)} is invalid: {aggregate(errors)}"
    return _refusal(422, "Invalid", message, {key: value for key, value in details.items() if value})


def too_many_requests(seconds: int = 1, message: str = TOO_MANY) -> Refusal:
    """429 with Retry-After. Priority and fairness says it in plain text (message as it is), an eviction in a Status."""
    headers = {"Retry-After": str(seconds)}
    if message == TOO_MANY:
        return Refusal(429, TOO_MANY + "\n", headers | {"Content-Type": "text/plain; charset=utf-8"})
    return _refusal(429, "TooManyRequests", message, {"retryAfterSeconds": seconds}, headers)


def internal(message: str) -> Refusal:
    details = {"causes": [{"message": message}]}
    return _refusal(500, "InternalError", f"Internal error occurred: {message}", details)


def unavailable(message: str = "the server is currently unable to handle the request") -> Refusal:
    return _refusal(503, "ServiceUnavailable", message)


def timeout(message: str, seconds: int = 0) -> Refusal:
    """504. ``seconds`` after which to ask again, 0 for no such advice."""
    details = {"retryAfterSeconds": seconds} if seconds else {}
    headers = {"Retry-After": str(seconds)} if seconds else {}
    return _refusal(504, "Timeout", f"Timeout: {message}", details, headers)


def _details(resource: Resource, name: str) -> Json:
    details = {"name": name, "group": resource.group, "kind": resource.plural}
    return {key: value for key, value in details.items() if value}


def _refusal(
    code: int, reason: str, message: str, details: Json | None = None, headers: Mapping[str, str] | None = None
) -> Refusal:
    return Refusal(code, failure(code, reason, message, details), headers)
