"""Reviews: objects that are only asked, never kept (authorization.k8s.io, authentication.k8s.io)."""

from typing import Any

import msgspec

from ..clock import Clock, stamp
from .access import Access, Attributes, User
from .answers import Answer, json_answer
from .calls import Call
from .openapi_decode import decode

Json = dict[str, Any]


class Reviews:
    """Answers who may do what."""

    def __init__(self, access: Access, clock: Clock) -> None:
        self._access = access
        self._clock = clock

    async def create(self, call: Call) -> Answer:
        """Raises Refusal (400) for a body that is none of its kind."""
        resource = call.info.resource
        assert resource is not None
        given = decode(resource, await call.json(resource.kind)).value
        spec = given.get("spec") or {}
        match resource.kind:
            case "SelfSubjectReview":
                meta: Json = {"creationTimestamp": stamp(self._clock.now)}
                return self._answer(given, meta, None, {"userInfo": _user_info(call.user)})
            case "SelfSubjectRulesReview":
                return self._answer(given, {}, {}, self._rules(call.user, spec.get("namespace", "")))
            case "SelfSubjectAccessReview":
                user = call.user
            case _:
                user = User(spec.get("user", ""), tuple(spec.get("groups") or ()), spec.get("uid", ""))
        return self._answer(given, given["metadata"], spec, self._access_status(user, spec))

    def _answer(self, given: Json, meta: Json, spec: Json | None, status: Json) -> Answer:
        head = {"kind": given["kind"], "apiVersion": given["apiVersion"], "metadata": meta}
        body = head if spec is None else {**head, "spec": spec}
        return json_answer({**body, "status": status}, 201)

    def _access_status(self, user: User, spec: Json) -> Json:
        return {"allowed": self._access.allows(user, wanted_of(spec))}

    def _rules(self, user: User, namespace: str) -> Json:
        """RBAC grants and never denies, so what the lab denies can only be told as an incompleteness."""
        rules = [msgspec.to_builtins(rule) for rule in self._access.rules(user, namespace)]
        status: Json = {
            "resourceRules": [rule for rule in rules if "nonResourceURLs" not in rule],
            "nonResourceRules": [rule for rule in rules if "nonResourceURLs" in rule],
            "incomplete": bool(self._access.denials),
        }
        if self._access.denials:
            status["evaluationError"] = "the lab denies some of this"
        return status


def wanted_of(spec: Json) -> Attributes:
    """What an access review asks about."""
    if (paths := spec.get("nonResourceAttributes")) is not None:
        return Attributes(paths.get("verb", ""), path=paths.get("path", ""))
    given = spec.get("resourceAttributes") or {}
    return Attributes(
        given.get("verb", ""),
        given.get("group", ""),
        given.get("resource", ""),
        given.get("subresource", ""),
        given.get("namespace", ""),
        given.get("name", ""),
    )


def _user_info(user: User) -> Json:
    info: Json = {"username": user.name, "groups": list(user.groups)}
    return info | ({"uid": user.uid} if user.uid else {})
