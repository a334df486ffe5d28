"""kubeconfig as kubectl reads it (client-go's clientcmd), merged by ourselves.

The kubernetes package lets the last file of a KUBECONFIG list win, where kubectl lets the first: it would talk to
another cluster. So files are merged here, and every report says which context and server it spoke to.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from msgspec import Struct, structs

from ..errors import CouldNotLook, UsageError
from .kubeconfig_file import SEE, Cluster, Config, Context, Entry, User, exists, merge, read

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where a pod finds its token, its namespace and the cluster's CA."""
PROXY_SCHEMES = ("http", "https", "socks5", "socks5h")


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


class Access(Struct, frozen=True):
    """Everything that a connection needs."""

    context: str
    server: str
    namespace: str
    cluster: Cluster
    user: User
    impersonate: tuple[tuple[str, str], ...] = ()  # HTTP headers
    warnings: tuple[str, ...] = ()


def in_cluster(environ: Mapping[str, str], service_account: Path = SERVICE_ACCOUNT) -> bool:
    """Whether this process runs in a pod, as Kubernetes's own clients tell it."""
    return bool(environ.get("KUBERNETES_SERVICE_HOST")) and exists(service_account / "token")


def load(options: Options, environ: Mapping[str, str], service_account: Path = SERVICE_ACCOUNT) -> Access:
    """The cluster, user and namespace that ``options`` and ``environ`` (KUBECONFIG, HOME, KUBERNETES_SERVICE_*) mean.

    Raises UsageError for options that contradict, BadData for a file that is no kubeconfig, CouldNotLook for a context,
    cluster or user that does not exist, or where no cluster is configured at all.
    """
    paths = [path for path in _paths(options, environ) if exists(path)]
    if options.kubeconfig is not None and not paths:
        raise CouldNotLook(f"kubeconfig {options.kubeconfig} does not exist", "check the path given with --kubeconfig")
    files = [read(path) for path in paths]
    config = merge([found for found in files if found is not None])
    warnings = tuple(f"{path} is empty" for path, found in zip(paths, files, strict=True) if found is None)
    if config.contexts or config.clusters or config.users:
        return structs.replace(_access(options, config), warnings=warnings)
    if options.kubeconfig is None and environ.get("KUBERNETES_SERVICE_HOST"):
        return _in_cluster(options, environ, service_account)
    looked = ", ".join(map(str, _paths(options, environ))) or "KUBECONFIG, which names no file"
    raise CouldNotLook(
        f"no cluster is configured: nothing in {looked}",
        "name a kubeconfig with --kubeconfig, or read a saved snapshot with --snapshot",
    )


def _paths(options: Options, environ: Mapping[str, str]) -> list[Path]:
    if options.kubeconfig is not None:
        return [options.kubeconfig]
    if environ.get("KUBECONFIG"):
        return [Path(name) for name in environ["KUBECONFIG"].split(":") if name]
    return [Path(environ.get("HOME", "/")) / ".kube" / "config"]


# -------------------------------------------------------------------------------------------------------------- choice


def _access(options: Options, config: Config) -> Access:
    name = options.context or config.current_context
    if not name and not options.cluster:
        known = ", ".join(sorted(config.contexts)) or "none"
        raise UsageError("the kubeconfig has no current context", f"choose one with --context; there are: {known}")
    context = _named(config.contexts, "context", name) if name else Context()
    cluster = _named(config.clusters, "cluster", options.cluster or context.cluster)
    user = options.user or context.user
    entry = _named(config.users, "user", user) if user else User()
    return Access(
        context=name or options.cluster or "",
        server=_server(cluster),
        namespace=options.namespace or context.namespace or "default",
        cluster=cluster,
        user=entry,
        impersonate=tuple(_impersonation(options, entry)),
    )


E = TypeVar("E", bound=Entry)


def _named(known: Mapping[str, E], word: str, name: str) -> E:
    if name in known:
        return known[name]
    from ..steps.near import nearest

    near = nearest(name, known)
    there = ", ".join(sorted(known)) or "none"
    advice = f"did you mean {' or '.join(near)}?" if near else f"there are: {there}"
    raise CouldNotLook(f"the kubeconfig has no {word} called {name or 'nothing'}", advice)


def _server(cluster: Cluster) -> str:
    """The server's URL; without a scheme it is https where the cluster speaks of TLS, else http, as in kubectl."""
    server = cluster.server
    if server and "://" not in server:
        trusted = cluster.certificate_authority or cluster.certificate_authority_data
        server = ("https://" if trusted or cluster.insecure_skip_tls_verify else "http://") + server
    _check_url(server, "server", ("http", "https"))
    if cluster.proxy_url:
        _check_url(cluster.proxy_url, "proxy-url", PROXY_SCHEMES)
    return server.rstrip("/")


def _check_url(url: str, what: str, schemes: Sequence[str]) -> None:
    try:
        parts = urlsplit(url)
        good = parts.scheme in schemes and bool(parts.hostname) and ".." not in str(parts.hostname)
        good = good and (parts.port is None or 0 < parts.port < 65536)
    except ValueError:
        good = False
    if not good:
        raise CouldNotLook(f"the cluster has no usable {what}: {url or 'none'}", SEE)


def _impersonation(options: Options, user: User) -> Iterator[tuple[str, str]]:
    """Impersonate-* headers; --as and --as-group each replace what the kubeconfig says, as in kubectl."""
    name = options.as_user or user.as_user
    groups = options.as_groups or user.as_groups or ()
    headers = [("Impersonate-Group", group) for group in groups]
    if user.as_uid:
        headers.append(("Impersonate-Uid", user.as_uid))
    for key, values in (user.as_user_extra or {}).items():
        headers += [(f"Impersonate-Extra-{key}", value) for value in values]
    if not name and headers:
        raise UsageError("a group can't be impersonated without a user", "say --as USER too")
    for header, value in [("Impersonate-User", name), *headers] if name else ():
        if not (header + value).isprintable():
            raise UsageError(f"{value!r} can't be impersonated", "it holds a control character")
        yield header, value


def _in_cluster(options: Options, environ: Mapping[str, str], folder: Path) -> Access:
    """The service account of the pod that svcdoctor runs in."""
    for flag, value in (("context", options.context), ("cluster", options.cluster), ("user", options.user)):
        if value:
            raise CouldNotLook(f"there is no kubeconfig, so no {flag} called {value}", "leave it out inside a cluster")
    token, authority = folder / "token", folder / "ca.crt"
    if not token.exists():
        raise CouldNotLook(
            "no kubeconfig, and this pod has no service account token", "set automountServiceAccountToken: true"
        )
    host, port = environ["KUBERNETES_SERVICE_HOST"], environ.get("KUBERNETES_SERVICE_PORT", "443")
    try:
        namespace = (folder / "namespace").read_text().strip()
    except (OSError, UnicodeDecodeError):
        namespace = ""
    user = User(token_file=str(token))
    return Access(
        context="in-cluster",
        server=f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}",
        namespace=options.namespace or namespace or "default",
        cluster=Cluster(certificate_authority=str(authority) if authority.exists() else ""),
        user=user,
        impersonate=tuple(_impersonation(options, user)),
    )
