"""kubeconfig as kubectl reads it (client-go's clientcmd), merged by ourselves.

The kubernetes package lets the last file of a KUBECONFIG list win, where kubectl lets the first: it would talk to
another cluster. So files are merged here, and every report says which context and server it spoke to.
"""

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from ..errors import BadData, CouldNotLook, UsageError
from ..steps.near import nearest

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where a pod finds its token, its namespace and the cluster's CA."""

PATH_FIELDS = {
    "clusters": ("cluster", ("certificate-authority",)),
    "users": ("user", ("client-certificate", "client-key", "tokenFile")),
}
"""The fields that hold a path; a relative one starts at the folder of the file that says it."""


class Options(Struct, frozen=True):
    """What the command line says of the cluster; None where it says nothing."""

    kubeconfig: Path | None = None
    context: str | None = None
    cluster: str | None = None
    user: str | None = None
    namespace: str | None = None
    as_user: str | None = None
    as_groups: tuple[str, ...] = ()
    request_timeout: str | None = None


class Tls(Struct, frozen=True):
    """How the server proves itself. ``ca`` is PEM, None for the machine's own authorities."""

    ca: bytes | None = None
    insecure: bool = False
    server_name: str | None = None


class Access(Struct, frozen=True):
    """Everything that a connection needs. ``user`` is the kubeconfig's user entry as it stands (secrets in it)."""

    context: str
    server: str
    namespace: str
    tls: Tls
    user: Mapping[str, Any]
    cluster: Mapping[str, Any]
    proxy: str | None = None
    compress: bool = True
    impersonate: tuple[tuple[str, str], ...] = ()  # HTTP headers

    def __repr__(self) -> str:
        return f"Access(context={self.context!r}, server={self.server!r})"


def load(options: Options, environ: Mapping[str, str], service_account: Path = SERVICE_ACCOUNT) -> Access:
    """The cluster, user and namespace that ``options`` and ``environ`` (KUBECONFIG, HOME, KUBERNETES_SERVICE_*) mean.

    Raises UsageError for a context, cluster or user that does not exist, BadData for a file that is no kubeconfig,
    CouldNotLook where no cluster is configured at all.
    """
    paths = _paths(options, environ)
    config = _merge([_read(path) for path in paths if _counts(path, options)])
    if not any(config[key] for key in ("contexts", "clusters", "users")):
        if options.kubeconfig is None and environ.get("KUBERNETES_SERVICE_HOST"):
            return _in_cluster(options, environ, service_account)
        looked = ", ".join(map(str, paths)) or "KUBECONFIG"
        raise CouldNotLook(
            f"no cluster is configured: nothing in {looked}",
            "name a kubeconfig with --kubeconfig, or read a saved snapshot with --snapshot",
        )
    return _access(options, config)


# --------------------------------------------------------------------------------------------------------------- files


def _paths(options: Options, environ: Mapping[str, str]) -> list[Path]:
    if options.kubeconfig is not None:
        return [options.kubeconfig]
    listed = [Path(name) for name in environ.get("KUBECONFIG", "").split(":") if name]
    return listed or [Path(environ.get("HOME", "/")) / ".kube" / "config"]


def _counts(path: Path, options: Options) -> bool:
    """A file that is not there is skipped, unless it was named by --kubeconfig."""
    try:
        there = path.exists()
    except OSError as error:
        raise CouldNotLook(f"cannot read kubeconfig {path}: {error.strerror}") from None
    if not there and options.kubeconfig is not None:
        raise CouldNotLook(f"kubeconfig {path} does not exist", "check the path given with --kubeconfig")
    return there


def _read(path: Path) -> Mapping[str, Any]:
    """One file, its relative paths made absolute. An empty file is an empty config."""
    import yaml

    try:
        text = path.read_bytes()
    except OSError as error:
        raise CouldNotLook(f"cannot read kubeconfig {path}: {error.strerror}") from None
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        config = yaml.load(text, loader)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError):
        raise BadData(str(path), "is no YAML", "check the kubeconfig: kubectl config view") from None
    if config is None:
        return {}
    if not isinstance(config, dict):
        raise BadData(str(path), "is no kubeconfig", "check the kubeconfig: kubectl config view")
    return {**config, **{kind: list(_entries(path, config, kind)) for kind in ("clusters", "users", "contexts")}}


def _entries(path: Path, config: Mapping[str, Any], kind: str) -> Iterator[Mapping[str, Any]]:
    for entry in config.get(kind) or ():
        if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
            raise BadData(str(path), f"has something in {kind} that is no named entry")
        inner, fields = PATH_FIELDS.get(kind, ("context", ()))
        values = entry.get(inner) or {}
        if not isinstance(values, dict):
            raise BadData(str(path), f"has an entry {entry['name']!r} in {kind} that holds no fields")
        absolute = {field: str(path.parent / values[field]) for field in fields if values.get(field)}
        yield {"name": entry["name"], "values": {**values, **absolute}, "folder": str(path.parent.absolute())}


def _merge(configs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The first file that sets a value wins, for named entries and for current-context alike."""
    merged: dict[str, Any] = {"clusters": {}, "users": {}, "contexts": {}, "current-context": ""}
    for config in configs:
        for kind in ("clusters", "users", "contexts"):
            for entry in config.get(kind, ()):
                merged[kind].setdefault(entry["name"], {**entry["values"], "folder": entry["folder"]})
        merged["current-context"] = merged["current-context"] or config.get("current-context") or ""
    return merged


# -------------------------------------------------------------------------------------------------------------- choice


def _access(options: Options, config: Mapping[str, Any]) -> Access:
    name = options.context or config["current-context"]
    if not name and not options.cluster:
        known = ", ".join(sorted(config["contexts"])) or "none"
        raise UsageError("the kubeconfig has no current context", f"choose one with --context; there are: {known}")
    context = _named(config, "contexts", "context", name) if name else {}
    cluster = _named(config, "clusters", "cluster", options.cluster or context.get("cluster") or "")
    user_name = options.user or context.get("user") or ""
    user = _named(config, "users", "user", user_name) if user_name else {}
    server = str(cluster.get("server") or "")
    if not server.startswith(("https://", "http://")):
        raise CouldNotLook(f"context {name} has no usable server: {server or 'none'}", "see kubectl config view")
    return Access(
        context=name or options.cluster or "",
        server=server.rstrip("/"),
        namespace=options.namespace or context.get("namespace") or "default",
        tls=_tls(cluster),
        user=user,
        cluster=cluster,
        proxy=cluster.get("proxy-url") or None,
        compress=not cluster.get("disable-compression"),
        impersonate=tuple(_impersonation(options, user)),
    )


def _named(config: Mapping[str, Any], kind: str, word: str, name: str) -> Mapping[str, Any]:
    found = config[kind].get(name)
    if found is None:
        near = nearest(name, config[kind])
        known = ", ".join(sorted(config[kind])) or "none"
        advice = f"did you mean {' or '.join(near)}?" if near else f"there are: {known}"
        raise CouldNotLook(f"the kubeconfig has no {word} called {name or 'nothing'}", advice)
    entry: Mapping[str, Any] = found
    return entry


def _tls(cluster: Mapping[str, Any]) -> Tls:
    return Tls(
        ca=data_or_file(cluster, "certificate-authority"),
        insecure=bool(cluster.get("insecure-skip-tls-verify")),
        server_name=cluster.get("tls-server-name") or None,
    )


def data_or_file(entry: Mapping[str, Any], field: str) -> bytes | None:
    """The bytes of ``FIELD-data`` (base64) or of the file ``FIELD``; None where neither is set. Data wins."""
    data = entry.get(f"{field}-data")
    if data:
        try:
            return base64.b64decode(data, validate=True)
        except (binascii.Error, ValueError, TypeError):
            raise BadData("kubeconfig", f"{field}-data is not base64", "see kubectl config view --raw") from None
    path = entry.get(field)
    if not path:
        return None
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise CouldNotLook(f"cannot read {field} {path}: {error.strerror}", "check the kubeconfig") from None


def _impersonation(options: Options, user: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Impersonate-* headers; --as replaces what the kubeconfig says."""
    said: Mapping[str, Any] = {"as": options.as_user} if options.as_user else user
    name, uid, extra = said.get("as"), said.get("as-uid"), said.get("as-user-extra") or {}
    groups = options.as_groups or said.get("as-groups") or ()
    if not name:
        if groups or uid or extra:
            raise UsageError("a group can't be impersonated without a user", "say --as USER too")
        return
    yield "Impersonate-User", str(name)
    for group in groups:
        yield "Impersonate-Group", str(group)
    if uid:
        yield "Impersonate-Uid", str(uid)
    for key, values in extra.items():
        for value in values:
            yield f"Impersonate-Extra-{key}", str(value)


def _in_cluster(options: Options, environ: Mapping[str, str], folder: Path) -> Access:
    """The service account of the pod that svcdoctor runs in."""
    token, authority = folder / "token", folder / "ca.crt"
    if not token.exists():
        raise CouldNotLook(
            "no kubeconfig, and this pod has no service account token", "set automountServiceAccountToken: true"
        )
    host, port = environ["KUBERNETES_SERVICE_HOST"], environ.get("KUBERNETES_SERVICE_PORT", "443")
    try:
        namespace = (folder / "namespace").read_text().strip()
    except OSError:
        namespace = ""
    user = {"tokenFile": str(token)}
    return Access(
        context="in-cluster",
        server=f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}",
        namespace=options.namespace or namespace or "default",
        tls=Tls(ca=authority.read_bytes() if authority.exists() else None),
        user=user,
        cluster={},
        impersonate=tuple(_impersonation(options, user)),
    )
