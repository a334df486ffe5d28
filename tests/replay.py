"""A small API server that replays a snapshot over HTTP(S), in the real one's words, and misbehaves on demand."""

import gzip
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from svcdoctor.model.objects import RESOURCES, Resource
from svcdoctor.model.snapshot import locate

Json = dict[str, Any]
Misdeed = Callable[["Handler"], bool]
"""Answers a request in its own way and says True, or leaves it alone."""

KINDS = {resource.plural: resource for resource in RESOURCES.values()}
DATE = 1_795_400_000.0


def status(code: int, reason: str, message: str) -> Json:
    """A Status as the API server writes it."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": code,
    }


class Replay:
    """The server's state: what it holds, whom it trusts, what it was asked."""

    def __init__(self, folder: Path | None = None) -> None:
        self.lists: dict[str, list[Json]] = {plural: [] for plural in RESOURCES}
        self.logs: dict[str, str] = {}
        self.configz: dict[str, Json] = {}  # by node
        self.token: str | None = None
        self.misdeeds: list[Misdeed] = []
        self.requests: list[tuple[str, str]] = []  # (path, decoded query)
        self.headers: list[Mapping[str, str]] = []
        self.url = ""
        if folder is not None:
            self._load(folder / "api")
            files = folder.glob("nodes/*/kubelet-configz.json")
            self.configz = {file.parent.name: json.loads(file.read_text()) for file in files}

    def _load(self, root: Path) -> None:
        for file in sorted(root.rglob("*.json")):
            place = locate(str(file.relative_to(root)).removesuffix(".json"))
            if place is not None:
                said = json.loads(file.read_text())
                self.lists[place[0].plural] += [said] if place[2] else said.get("items") or []

    def answer(self, path: str, query: Mapping[str, str]) -> tuple[int, Json | str]:
        if path.endswith("/log"):
            text = self.logs.get(path.rsplit("/", 2)[1])
            missing = status(400, "BadRequest", "previous terminated container not found")
            return (200, text) if text is not None else (400, missing)
        if path.endswith("/proxy/configz"):
            told = self.configz.get(path.split("/")[3])
            return (200, told) if told else (404, status(404, "NotFound", "node not found"))
        place = locate(path)
        if place is None:
            return 404, status(404, "NotFound", "the server could not find the requested resource")
        resource, namespace, name = place
        if name:
            found = [o for o in self._within(resource, namespace) if o["metadata"]["name"] == name]
            if found:
                return 200, {"kind": resource.kind, "apiVersion": _api_version(resource), **found[0]}
            return 404, status(404, "NotFound", f'{resource.plural} "{name}" not found')
        return 200, self._page(resource, self._selected(resource, namespace, query), query)

    def _within(self, resource: Resource, namespace: str) -> list[Json]:
        items = self.lists[resource.plural]
        return [o for o in items if not namespace or o["metadata"].get("namespace", "") == namespace]

    def _selected(self, resource: Resource, namespace: str, query: Mapping[str, str]) -> list[Json]:
        items = self._within(resource, namespace)
        for pair in filter(None, query.get("labelSelector", "").split(",")):
            key, _, value = pair.partition("=")
            items = [o for o in items if (o["metadata"].get("labels") or {}).get(key) == value]
        for pair in filter(None, query.get("fieldSelector", "").split(",")):
            field, _, value = pair.partition("=")
            outer, inner = field.split(".")
            items = [o for o in items if o[outer].get(inner) == value]
        return items

    def _page(self, resource: Resource, items: list[Json], query: Mapping[str, str]) -> Json:
        start = int(query.get("continue") or 0)
        end = start + int(query.get("limit") or len(items) or 1)
        meta: Json = {"resourceVersion": "505"}
        if end < len(items):
            meta["continue"] = str(end)
            if not {"labelSelector", "fieldSelector"} & set(query):  # the real one can't count through a selector
                meta["remainingItemCount"] = len(items) - end
        kind, version = f"{resource.kind}List", _api_version(resource)
        return {"kind": kind, "apiVersion": version, "metadata": meta, "items": items[start:end]}


def _api_version(resource: Resource) -> str:
    return f"{resource.group}/{resource.version}" if resource.group else resource.version


class Handler(BaseHTTPRequestHandler):
    """One request; ``server.replay`` holds the state."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    @property
    def replay(self) -> Replay:
        return self.server.replay  # type: ignore[attr-defined, no-any-return]

    @property
    def place(self) -> str:
        return unquote(urlsplit(self.path).path).lstrip("/")

    @property
    def query(self) -> dict[str, str]:
        return {key: values[-1] for key, values in parse_qs(urlsplit(self.path).query).items()}

    def do_GET(self) -> None:
        replay = self.replay
        replay.requests.append((self.place, unquote(urlsplit(self.path).query)))
        replay.headers.append(dict(self.headers.items()))
        if any(misdeed(self) for misdeed in list(replay.misdeeds)):
            return
        if replay.token is not None and self.headers.get("Authorization") != f"Bearer {replay.token}":
            self.send(401, status(401, "Unauthorized", "Unauthorized"))
            return
        self.send(*replay.answer(self.place, self.query))

    def send(self, code: int, body: Json | str | bytes, **headers: str) -> None:
        """A whole answer, gzipped where that was asked for."""
        data = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
        sent = {"Content-Type": "text/plain" if isinstance(body, str) else "application/json"}
        if "gzip" in self.headers.get("Accept-Encoding", "") and len(data) > 256:
            data = gzip.compress(data, 1)
            sent["Content-Encoding"] = "gzip"
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        self.send_response_only(code)
        for name, value in {"Date": formatdate(DATE, usegmt=True), **sent, "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # they are waited for, or they would let go of their sockets when nobody looks
    request_queue_size = 64

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.accepted: list[Any] = []
        self.ended = threading.Event()

    def get_request(self) -> Any:
        connection, address = super().get_request()
        self.accepted.append(connection)
        return connection, address

    def server_close(self) -> None:
        """Ends what clients left open, and what still dawdles."""
        self.ended.set()
        for connection in self.accepted:
            with suppress(OSError):  # it has ended already
                connection.shutdown(socket.SHUT_RDWR)
        super().server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are part of the tests."""


@contextmanager
def serving(replay: Replay, tls: ssl.SSLContext | None = None) -> Iterator[Replay]:
    """``replay`` behind a port of its own on loopback."""
    server = _Server(("127.0.0.1", 0), Handler)
    server.replay = replay  # type: ignore[attr-defined]
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    replay.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield replay
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


# ------------------------------------------------------------------------------------------------------------- misdeeds


def on(path: str, act: Callable[[Handler], None], times: int | None = None) -> Misdeed:
    """``act`` on requests for ``path`` (all, where it is empty), the first ``times`` of them."""
    left = [times]

    def misdeed(handler: Handler) -> bool:
        if (path and handler.place != path) or left[0] == 0:
            return False
        if left[0] is not None:
            left[0] -= 1
        act(handler)
        return True

    return misdeed


def when(matches: Callable[[Handler], bool], act: Callable[[Handler], None]) -> Misdeed:
    """``act`` on the requests that ``matches`` picks."""

    def misdeed(handler: Handler) -> bool:
        if not matches(handler):
            return False
        act(handler)
        return True

    return misdeed


def forbid(handler: Handler) -> None:
    """403, as RBAC says it."""
    handler.send(403, status(403, "Forbidden", f'{handler.place} is forbidden: User "jane" cannot list it'))


def throttle(seconds: str, code: int = 429) -> Callable[[Handler], None]:
    """Too many requests, with a Retry-After."""
    return lambda handler: handler.send(code, status(code, "TooManyRequests", "slow down"), Retry_After=seconds)


def expire(handler: Handler) -> None:
    """410: the continue token is too old."""
    handler.send(410, status(410, "Expired", "The provided continue parameter is too old"))


def hang_up(handler: Handler) -> None:
    """No answer at all."""
    handler.close_connection = True
    handler.connection.close()


def cut_short(handler: Handler) -> None:
    """Half an answer under the length of a whole one."""
    handler.send_response_only(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"kind":"PodList","items":[')
    handler.wfile.flush()
    handler.close_connection = True


def garbage(body: bytes, kind: str = "application/json") -> Callable[[Handler], None]:
    """Something that is no API object."""
    return lambda handler: handler.send(200, body, Content_Type=kind)


def redirect(handler: Handler) -> None:
    """To a login page."""
    handler.send(302, "", Location="https://login.example/")


def dawdle(seconds: float) -> Callable[[Handler], None]:
    """Silence first."""

    def act(handler: Handler) -> None:
        if handler.server.ended.wait(seconds):  # type: ignore[attr-defined]
            return
        handler.send(*handler.replay.answer(handler.place, handler.query))

    return act
