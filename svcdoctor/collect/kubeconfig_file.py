"""One kubeconfig file, and several as one (client-go's clientcmd/api/v1)."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Struct, field, structs

from ..errors import BadData, CouldNotLook

SEE = "see kubectl config view"


class Entry(Struct, frozen=True, rename="kebab"):
    """A part of a kubeconfig (client-go's clientcmd/api/v1). ``folder`` is where its relative paths start."""

    folder: str = ""

    def bytes_of(self, data: str, path: str, what: str) -> bytes | None:
        """What base64 ``data`` or else the file at ``path`` holds; None where neither is set."""
        if data:
            try:
                return base64.b64decode(data, validate=True)
            except (binascii.Error, ValueError):
                raise BadData("kubeconfig", f"{what}-data is not base64", f"{SEE} --raw") from None
        if not path:
            return None
        try:
            return (Path(self.folder) / path).read_bytes()
        except (OSError, ValueError) as error:
            raise CouldNotLook(f"cannot read {what} {path}: {_why(error)}", "check the kubeconfig") from None


class Cluster(Entry, frozen=True):
    """clientcmd/api/v1 Cluster."""

    server: str = ""
    certificate_authority: str = ""
    certificate_authority_data: str = ""
    insecure_skip_tls_verify: bool = False
    tls_server_name: str = ""
    proxy_url: str = ""
    disable_compression: bool = False
    extensions: tuple[dict[str, Any], ...] | None = None

    @property
    def authority(self) -> bytes | None:
        """The CA as PEM, None for the machine's own authorities."""
        return self.bytes_of(self.certificate_authority_data, self.certificate_authority, "certificate-authority")


class EnvironmentVariable(Struct, frozen=True):
    """clientcmd/api/v1 ExecEnvVar."""

    name: str
    value: str = ""


class Exec(Struct, frozen=True, rename="camel"):
    """clientcmd/api/v1 ExecConfig."""

    api_version: str = ""
    command: str = ""
    args: tuple[str, ...] | None = None
    env: tuple[EnvironmentVariable, ...] | None = None
    install_hint: str = ""
    provide_cluster_info: bool = False
    interactive_mode: str = "IfAvailable"


class AuthProvider(Struct, frozen=True):
    """clientcmd/api/v1 AuthProviderConfig."""

    name: str = ""
    config: dict[str, str] | None = None


class User(Entry, frozen=True):
    """clientcmd/api/v1 AuthInfo."""

    client_certificate: str = ""
    client_certificate_data: str = ""
    client_key: str = ""
    client_key_data: str = ""
    token: str = ""
    token_file: str = field(default="", name="tokenFile")
    username: str = ""
    password: str = ""
    as_user: str = field(default="", name="as")
    as_uid: str = ""
    as_groups: tuple[str, ...] | None = None
    as_user_extra: dict[str, tuple[str, ...]] | None = None
    exec: Exec | None = None
    auth_provider: AuthProvider | None = None

    def __repr__(self) -> str:  # never its secrets
        return "User(...)"


class Context(Entry, frozen=True):
    """clientcmd/api/v1 Context."""

    cluster: str = ""
    user: str = ""
    namespace: str = ""


class Config(Struct, frozen=True):
    """The merged files."""

    clusters: dict[str, Cluster] = {}
    users: dict[str, User] = {}
    contexts: dict[str, Context] = {}
    current_context: str = ""


def exists(path: Path) -> bool:
    """Whether there is such a file. Raises CouldNotLook where that can't be told."""
    try:
        return path.exists()
    except (OSError, ValueError) as error:
        raise CouldNotLook(f"cannot read kubeconfig {path}: {_why(error)}") from None


def read(path: Path) -> Config | None:
    """One file; None if it is empty. Raises BadData, CouldNotLook."""
    import yaml

    try:
        text = path.read_bytes()
    except OSError as error:
        raise CouldNotLook(f"cannot read kubeconfig {path}: {_why(error)}") from None
    try:
        document = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError):
        raise BadData(str(path), "is no YAML", f"check the kubeconfig: {SEE}") from None
    if document is None:
        return None
    try:
        current = msgspec.convert(document, _Document).current_context
        return Config(
            _entries(path, document, "clusters", "cluster", Cluster),
            _entries(path, document, "users", "user", User),
            _entries(path, document, "contexts", "context", Context),
            current or "",
        )
    except (msgspec.ValidationError, RecursionError) as error:
        raise BadData(str(path), f"is no kubeconfig ({error})", f"check it: {SEE}") from None


class _Document(Struct, frozen=True, rename="kebab"):
    current_context: str | None = ""


E = TypeVar("E", bound=Entry)


def _entries(path: Path, document: Mapping[str, Any], kind: str, inner: str, type: type[E]) -> dict[str, E]:
    found: dict[str, E] = {}
    for named in msgspec.convert(document.get(kind) or [], list[dict[str, Any]]):
        name = msgspec.convert(named.get("name"), str)
        if name in found:
            raise BadData(str(path), f"has two {kind} called {name}", "rename one of them")
        fields = msgspec.convert(named.get(inner) or {}, dict[str, Any])
        values = {key: value for key, value in fields.items() if value is not None}
        found[name] = structs.replace(msgspec.convert(values, type), folder=str(path.parent.absolute()))
    return found


def merge(configs: Sequence[Config]) -> Config:
    """The first file that sets a value wins, for named entries and for the current context alike."""
    backwards = list(reversed(configs))
    return Config(
        {name: entry for config in backwards for name, entry in config.clusters.items()},
        {name: entry for config in backwards for name, entry in config.users.items()},
        {name: entry for config in backwards for name, entry in config.contexts.items()},
        next((config.current_context for config in configs if config.current_context), ""),
    )


def _why(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
