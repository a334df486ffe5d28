"""Who asks, and may they: tokens, impersonation, grants, and denials that can be set while the lab runs."""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

import msgspec
from msgspec import Struct

ANONYMOUS = "system:anonymous"
UNAUTHENTICATED = "system:unauthenticated"
AUTHENTICATED = "system:authenticated"
MASTERS = "system:masters"


class User(Struct, frozen=True):
    """Somebody who asks, as authentication sees them."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""


class Attributes(Struct, frozen=True):
    """What somebody wants to do: to a resource, or to a ``path`` that holds no objects."""

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""

    @property
    def combined(self) -> str:
        """As RBAC rules name it: ``pods``, ``pods/log``."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


class Rule(Struct, frozen=True, rename="camel", omit_defaults=True):
    """An RBAC PolicyRule: of resources, or of paths."""

    verbs: tuple[str, ...]
    api_groups: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    resource_names: tuple[str, ...] = ()
    non_resource_urls: tuple[str, ...] = msgspec.field(default=(), name="nonResourceURLs")

    def covers(self, wanted: Attributes) -> bool:
        if not _any(self.verbs, wanted.verb):
            return False
        if wanted.path:
            return any(_path_matches(pattern, wanted.path) for pattern in self.non_resource_urls)
        named = not self.resource_names or wanted.name in self.resource_names
        return named and _any(self.api_groups, wanted.group) and self._names(wanted)

    def _names(self, wanted: Attributes) -> bool:
        kinds = (wanted.combined, f"*/{wanted.subresource}") if wanted.subresource else (wanted.combined,)
        return "*" in self.resources or any(kind in self.resources for kind in kinds)


class Grant(Struct, frozen=True):
    """A rule given to a user or a group, in one namespace or in all."""

    subject: str  # the name of a user or of a group
    rule: Rule
    namespace: str = "*"


class Denial(Struct, frozen=True, forbid_unknown_fields=True):
    """What nobody may do while it is set, not even the administrator. Every field is a shell pattern.

    RBAC itself only grants; this is how the lab takes one permission away.
    """

    verb: str = "*"
    resource: str = "*"  # as RBAC names it: pods, pods/log
    namespace: str = "*"  # empty: only what is asked for at the cluster scope
    name: str = "*"
    group: str = "*"
    user: str = "*"

    def covers(self, user: User, wanted: Attributes) -> bool:
        pairs = (
            (self.verb, wanted.verb),
            (self.resource, wanted.combined),
            (self.namespace, wanted.namespace),
            (self.name, wanted.name),
            (self.group, wanted.group),
            (self.user, user.name),
        )
        return not wanted.path and all(fnmatchcase(value, pattern) for pattern, value in pairs)


def _resources(group: str, *names: str) -> Rule:
    return Rule(("create",), (group,), names)


def _urls(*urls: str) -> Rule:
    return Rule(("get",), non_resource_urls=urls)


PUBLIC = _urls("/healthz", "/livez", "/readyz", "/version", "/version/")
DISCOVERY = ("/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz")
EVERYBODY = (  # the ClusterRoles that every cluster binds to system:authenticated
    _resources("authorization.k8s.io", "selfsubjectaccessreviews", "selfsubjectrulesreviews"),
    _resources("authentication.k8s.io", "selfsubjectreviews"),
    PUBLIC,
    _urls("/.well-known", "/.well-known/*"),
    _urls(*DISCOVERY, "/version", "/version/"),
)
ALL = (Rule(("*",), ("*",), ("*",)), Rule(("*",), non_resource_urls=("*",)))
BASE_GRANTS = (
    *(Grant(MASTERS, rule) for rule in ALL),
    *(Grant(AUTHENTICATED, rule) for rule in EVERYBODY),
    Grant(UNAUTHENTICATED, PUBLIC),
)


class Access:
    """Who is known by which token, and what they may do."""

    def __init__(self, tokens: Mapping[str, User], grants: Iterable[Grant] = ()) -> None:
        self._tokens = {token: _authenticated(user) for token, user in tokens.items()}
        self._grants = [*BASE_GRANTS, *grants]
        self.denials: tuple[Denial, ...] = ()

    def known(self, authorization: str | None) -> User | None:
        """The user behind an Authorization header; anonymous without one, None for a token that is not known."""
        if not authorization:
            return User(ANONYMOUS, (UNAUTHENTICATED,))
        scheme, _, token = authorization.partition(" ")
        return self._tokens.get(token.strip()) if scheme.lower() == "bearer" else None

    def add(self, token: str, user: User, *grants: Grant) -> None:
        """Makes somebody known."""
        self._tokens[token] = _authenticated(user)
        self._grants += grants

    def deny(self, denial: Denial) -> None:
        self.denials = (*self.denials, denial)

    def lift(self) -> None:
        """Takes all denials back."""
        self.denials = ()

    def allows(self, user: User, wanted: Attributes) -> bool:
        if any(denial.covers(user, wanted) for denial in self.denials):
            return False
        return any(rule.covers(wanted) for rule in self.rules(user, wanted.namespace))

    def rules(self, user: User, namespace: str) -> list[Rule]:
        """All that ``user`` was granted in ``namespace``."""
        subjects = {user.name, *user.groups}
        return [
            grant.rule
            for grant in self._grants
            if grant.subject in subjects and grant.namespace in ("*", namespace)
        ]  # fmt: skip


def impersonated(headers: Mapping[str, str], groups: Iterable[str]) -> User | None:
    """Whom the Impersonate- headers name; None without them."""
    name = headers.get("Impersonate-User")
    if not name:
        return None
    return _authenticated(User(name, tuple(groups), headers.get("Impersonate-Uid", "")))


def _authenticated(user: User) -> User:
    extra = UNAUTHENTICATED if user.name == ANONYMOUS else AUTHENTICATED
    return user if extra in user.groups else User(user.name, (*user.groups, extra), user.uid)


def _any(wanted: tuple[str, ...], value: str) -> bool:
    return "*" in wanted or value in wanted


def _path_matches(pattern: str, path: str) -> bool:
    return pattern in ("*", path) or (pattern.endswith("*") and path.startswith(pattern[:-1]))
