"""One API server: GETs with our name on them, retried where that helps, refused where that is the answer.

kubernetes and urllib3 enter here and nowhere else, and none of their exceptions leaves. They serve TLS, proxies and the
connection pool; what the answers say is decoded elsewhere.
"""

import os
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib import import_module
from typing import Any
from urllib.parse import quote

import urllib3
from kubernetes.client import ApiClient, ApiException, Configuration

from .. import __version__
from ..errors import CouldNotLook
from . import credentials, kubeconfig
from .failures import hopeless, spoken
from .kubeconfig import Access, Options
from .retries import pause, retry_after
from .timeouts import Timeouts, parse_timeout
from .tls import tls_context
from .values import Call, Door, Reply, Silence

__all__ = ["WORKERS", "Api", "Call", "Door", "Reply", "Silence", "connect"]

WORKERS = 8
"""Calls that go side by side; the connection pool holds as many."""
CHUNK = 1 << 18
TRIES = 4
RETRY_STATUS = frozenset({429, 500, 502, 503, 504})
BODY_HEADERS = frozenset({"Accept", "Accept-Encoding"})
PASSED_ON = re.compile(r"api/v1/(?:nodes|namespaces/[^/]+/(?:pods|services))/[^/]+/proxy/")
"""Paths that a node, a pod or a Service answers, in its own words."""


class Api:
    """A connection to the API server of ``access``. Safe to use from several threads."""

    def __init__(
        self,
        access: Access,
        timeouts: Timeouts,
        on_call: Callable[[Call], None] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.context = access.context
        self.server = access.server
        self.namespace = access.namespace
        self.warnings = access.warnings
        self.taken_at: datetime | None = None  # the server's clock, by its first answer
        self._access = access
        self._timeouts = timeouts
        self._on_call = on_call or (lambda call: None)
        self._sleep = sleep
        self._lock = threading.Lock()
        self._generation = 0
        self._closed = False
        self._refused: CouldNotLook | None = None
        self._connect()

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Reply:
        """What the server says to ``GET /path?query``: any status, after retries and one renewal of credentials.

        Raises Silence where this one call got no answer, CouldNotLook where none can be expected: the server can't be
        reached, its certificate is not trusted, it does not know us, or it is no API server.
        """
        asked = "&".join(f"{key}={value}" for key, value in (query or {}).items())
        url = f"{self.server}/{quote(path)}" + ("?" + _encoded(query) if query else "")
        generation = self._generation
        for attempt in range(1, TRIES + 1):
            reply = self._try(path, asked, url, last=attempt == TRIES)
            if reply is None:
                self._sleep(pause(attempt))
            elif reply.status == 401 and not PASSED_ON.match(path) and self._renewed(generation):
                generation = self._generation
            elif (
                reply.status in RETRY_STATUS
                and attempt < TRIES
                and (wait := retry_after(reply.status, reply.headers, attempt)) is not None
            ):
                self._sleep(wait)
            else:
                return self._checked(path, reply)
        return self._checked(path, reply or Reply(0, b"", {}))

    def patch(self, path: str, body: Mapping[str, Any], content_type: str) -> Reply:
        """What the server says to one PATCH, which is not repeated. Raises as `get` does."""
        url = f"{self.server}/{quote(path)}"
        reply = self._try(path, "", url, last=True, method="PATCH", body=body, content_type=content_type)
        return self._checked(path, reply or Reply(0, b"", {}))

    def door(self, path: str, query: Iterable[tuple[str, str]]) -> Door:
        """The way to ``path`` by a WebSocket."""
        asked = "&".join(f"{quote(name)}={quote(value, safe='')}" for name, value in query)
        scheme, _, rest = self.server.partition("://")
        return Door(
            f"{'ws' if scheme == 'http' else 'wss'}://{rest}/{quote(path)}?{asked}",
            tuple((name, value) for name, value in self._headers.items() if name not in BODY_HEADERS),
            self._client.rest_client.pool_manager.connection_pool_kw["ssl_context"],
            self._access.cluster.tls_server_name or "",
            self._access.cluster.proxy_url or "",
        )

    def note(self, path: str, query: str, status: int, ms: float) -> None:
        """A call that was made through a door."""
        self._on_call(Call("GET", f"/{path}", query, status, ms, 0))

    # --------------------------------------------------------------------------------------------------------- one try

    def _try(
        self,
        path: str,
        query: str,
        url: str,
        last: bool,
        method: str = "GET",
        body: Mapping[str, Any] | None = None,
        content_type: str = "",
    ) -> Reply | None:
        """One request; None where the connection broke and another try may help."""
        if self._closed:
            raise Silence("nobody waits for the answer any more")
        headers = self._headers.copy()
        if content_type:
            headers["Content-Type"] = content_type
        start = time.monotonic()
        status = size = 0
        try:
            response = self._client.rest_client.request(  # type: ignore[no-untyped-call]
                method, url, headers=headers, body=body, _request_timeout=self._timeouts.pair
            ).response
            status = response.status
            said = self._read(response, start)
            size = response.tell()
            self._note_time(response.headers.get("Date"))
            return Reply(status, said, {name.lower(): value for name, value in response.headers.items()})
        except (ApiException, urllib3.exceptions.HTTPError, OSError, ssl.SSLError) as error:
            if told := hopeless(error, self.server):
                raise told from None
            if last or isinstance(error, urllib3.exceptions.TimeoutError | TimeoutError):
                raise Silence(spoken(error, self._timeouts)) from None
            return None
        finally:
            self._on_call(Call(method, f"/{path}", query, status, (time.monotonic() - start) * 1000, size))
            if self._closed:  # in the meantime: what this call opened is let go too
                self._let_go()

    def _read(self, response: urllib3.BaseHTTPResponse, start: float) -> bytes:
        """The body, decompressed. A server that drips it for ever is cut off."""
        limit = self._timeouts.whole
        parts = []
        for part in response.stream(CHUNK, decode_content=True):
            parts.append(part)
            if limit is not None and time.monotonic() - start > limit:
                response.close()
                raise TimeoutError
        response.release_conn()
        return b"".join(parts)

    def _note_time(self, date: str | None) -> None:
        if self.taken_at is None and date:
            try:
                self.taken_at = parsedate_to_datetime(date).astimezone(UTC)
            except (ValueError, OverflowError):
                return

    def now(self) -> datetime:
        """The server's time when it first answered; our own where it did not say."""
        return self.taken_at or datetime.now(UTC)

    def _checked(self, path: str, reply: Reply) -> Reply:
        """``reply`` from something that is an API server and knows us, or from what it passed the question on to."""
        if PASSED_ON.match(path):
            return reply
        if reply.status == 401:
            raise CouldNotLook(
                f"the API server {self.server} does not accept the credentials of context {self.context}",
                "log in again (an expired token?), or choose another user with --user or --context",
            )
        kind = reply.headers.get("content-type", "")
        pointed = 300 <= reply.status < 400
        foreign = "json" not in kind and not path.endswith("/log") and reply.status not in RETRY_STATUS
        if pointed or (foreign and not _is_group_missing(path, reply)):
            where = reply.headers.get("location")
            raise CouldNotLook(
                f"{self.server} does not answer like a Kubernetes API server"
                + (f": it points to {where}" if where else f" ({reply.status} {kind or 'without a type'})"),
                "check the server in the kubeconfig; a proxy or a login page may stand in between",
            )
        return reply

    # -------------------------------------------------------------------------------------------------- the connection

    def _connect(self) -> None:
        held = credentials.obtain(self._access)
        self._client = ApiClient(_configuration(self._access))
        self._client.rest_client.pool_manager.connection_pool_kw["ssl_context"] = tls_context(
            self._access.cluster, held
        )
        headers = urllib3.HTTPHeaderDict()
        headers["User-Agent"] = f"svcdoctor/{__version__}"
        headers["Accept"] = "application/json"
        if not self._access.cluster.disable_compression:
            headers["Accept-Encoding"] = "gzip"
        if held.authorization:
            headers["Authorization"] = held.authorization
        for name, value in self._access.impersonate:
            headers.add(name, value)
        self._headers = headers

    def _renewed(self, generation: int) -> bool:
        """Whether a 401 led to other credentials than the ones it was said to. Several threads renew them once."""
        if not credentials.renewable(self._access) or generation > 0:
            return False
        with self._lock:
            if self._refused is not None:  # a plugin that failed once is not run for every waiting call
                raise self._refused
            if self._generation == generation:
                self._let_go()
                try:
                    self._connect()
                except CouldNotLook as error:
                    self._refused = error
                    raise
                self._generation += 1
        return True

    def close(self) -> None:
        """Lets go of all connections. Calls that other threads have under way open none any more."""
        self._closed = True
        self._let_go()

    def _let_go(self) -> None:
        """urllib3 only forgets its pools: whoever still holds one, an exception say, would hold its sockets open."""
        manager = self._client.rest_client.pool_manager
        for key in manager.pools.keys():  # noqa: SIM118 - it is no dict, and refuses to be iterated over
            if pool := manager.pools.get(key):
                pool.close()
        manager.clear()


def connect(options: Options, on_call: Callable[[Call], None] | None = None) -> Api:
    """The API server that ``options`` and the environment mean; nothing is asked of it yet.

    Raises UsageError, BadData and CouldNotLook as `kubeconfig.load` and `credentials.obtain` do.
    """
    timeouts = parse_timeout(options.request_timeout)
    return Api(kubeconfig.load(options, os.environ), timeouts, on_call)


# ------------------------------------------------------------------------------------------------------------ plumbing


def _is_group_missing(path: str, reply: Reply) -> bool:
    """An API server says in plain text that it does not serve a group at all."""
    return reply.status == 404 and path.startswith("apis/")


def _configuration(access: Access) -> Configuration:
    cluster = access.cluster
    configuration = Configuration(
        host=access.server,
        proxy=cluster.proxy_url or None,
        no_proxy="" if cluster.proxy_url else None,  # NO_PROXY speaks of HTTPS_PROXY, not of proxy-url
        connection_pool_maxsize=WORKERS,
    )
    configuration.verify_ssl = not cluster.insecure_skip_tls_verify
    configuration.tls_server_name = cluster.tls_server_name or None
    if cluster.insecure_skip_tls_verify:  # the kubeconfig says so; urllib3 need not say it again for every call
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    configuration.retries = False  # we retry ourselves, and follow no redirect
    if configuration.proxy and configuration.proxy.startswith("socks"):
        try:
            import_module("socks")
        except ImportError:
            raise CouldNotLook(
                "the cluster is behind a SOCKS proxy, which needs PySocks", "pip install 'svcdoctor[socks]'"
            ) from None
    return configuration


def _encoded(query: Mapping[str, str]) -> str:
    return "&".join(f"{quote(key)}={quote(value, safe='')}" for key, value in query.items())
