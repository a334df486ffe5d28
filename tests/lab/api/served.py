"""The API server alone, in a thread of its own, with kubelets that are made up."""

import asyncio
import base64
import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import trustme
import urllib3
from aiohttp import web

from svcdoctor.lab.api.access import Access, Grant, Rule, User
from svcdoctor.lab.api.allocate import Ranges
from svcdoctor.lab.api.control import Controls
from svcdoctor.lab.api.server import ApiServer
from svcdoctor.lab.api.status import bad_request
from svcdoctor.lab.api.streams.process import CannotStart, Process
from svcdoctor.lab.clock import Clock
from svcdoctor.lab.resources import Resource, of_kind
from svcdoctor.lab.store import Store, Stored

Json = dict[str, Any]
T = TypeVar("T")

NOW = datetime(2026, 11, 23, 2, 19, 22, tzinfo=UTC)
ADMIN, JANE, PEER = "admin-token", "jane-token", "peer-token"
ADMINISTRATOR = User("kubernetes-admin", ("system:masters",))
READ_PODS = Rule(("get", "list", "watch"), ("",), ("pods",))


class Command:
    """A process that is a function of its arguments and input."""

    def __init__(self, argv: Sequence[str]) -> None:
        self.argv = argv

    async def run(self, stdin: Any, stdout: Any, stderr: Any, resize: Any) -> int:
        match self.argv:
            case ["echo", *words]:
                await stdout.write(" ".join(words).encode() + b"\n")
            case ["cat"]:
                while data := await stdin.read(1024):
                    await stdout.write(data)
            case ["exit", code]:
                await stderr.write(b"bye\n")
                return int(code)
        return 0


class MadeUpKubelets:
    """Pods that log, run a few commands, and say hello on port 8080."""

    def __init__(self) -> None:
        self.logs: dict[str, list[tuple[datetime, str]]] = {}

    def log(self, pod: Json, container: str, previous: bool) -> list[tuple[datetime, str]]:
        name = pod["metadata"]["name"]
        if previous:
            raise bad_request(f'previous terminated container "{container}" in pod "{name}" not found')
        return self.logs.get(name, [])

    def start(self, pod: Json, container: str, argv: Sequence[str], tty: bool) -> Process:
        if argv[0] not in ("echo", "cat", "exit"):
            raise CannotStart(f'exec: "{argv[0]}": executable file not found in $PATH')
        return Command(argv)

    async def connect(self, pod: Json, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if port != 8080:
            raise ConnectionRefusedError(111, "connection refused")
        server = await asyncio.start_server(_answer, "127.0.0.1", 0)
        async with server:
            return await asyncio.open_connection(*server.sockets[0].getsockname())

    def http(self, target: Json, port: int, path: str, headers: Mapping[str, str]) -> tuple[int, str, bytes]:
        if port not in (8080, 10250, 10256):
            raise ConnectionRefusedError(111, "connection refused")
        return 200, "text/plain", f"{target['metadata']['name']}:{port}{path}".encode()

    def configz(self, node: str) -> Json:
        return {"kubeletconfig": {"clusterDomain": "cluster.local"}}


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.0 200 OK\r\n\r\nhello\n")
    writer.close()
    await writer.wait_closed()


class Served:
    """A server that runs. The store belongs to its thread: touch it through `call`."""

    def __init__(self, folder: Path, controls: Controls) -> None:
        self.store = Store(Clock(NOW))
        self.kubelets = MadeUpKubelets()
        tokens = {ADMIN: ADMINISTRATOR, JANE: User("jane"), PEER: User("peer")}
        self.access = Access(tokens, [Grant("peer", READ_PODS, "shop")])
        self.server = ApiServer(
            self.store, self.access, self.kubelets, Ranges(("10.96.0.0/12",)), controls, "172.30.0.1:16443"
        )
        self.folder = folder
        self.loop = asyncio.new_event_loop()
        self.url = ""
        self.authority = folder / "ca.pem"

    @property
    def kubeconfig(self) -> Path:
        return self.folder / "kubeconfig"

    def call(self, work: Callable[[], T]) -> T:
        async def there() -> T:
            return work()

        return asyncio.run_coroutine_threadsafe(there(), self.loop).result(10)

    def put(self, *objects: Json) -> None:
        """Stores objects as they are."""
        for made in objects:
            resource = of_kind(made["apiVersion"], made["kind"])
            assert resource
            self.call(partial(self.store.put, resource, made))

    def recall(self, resource: Resource, objects: Sequence[Json]) -> None:
        """Stores recorded objects under their own uids and revisions."""
        head = {"apiVersion": resource.api_version, "kind": resource.kind}
        versions = [_version({**head, **one}) for one in objects]
        self.call(lambda: self.store.load(resource, versions))

    def at(self, revision: int) -> None:
        """The store's revision from now on."""
        self.store.revision = revision

    def ask(
        self, method: str, path: str, body: Any = None, token: str | None = ADMIN, timeout: float = 10, **headers: str
    ) -> "Reply":
        """One request of its own connection."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            given["Authorization"] = f"Bearer {token}"
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            given.setdefault("Content-Type", "application/json")
        with urllib3.PoolManager(ca_certs=str(self.authority), retries=False) as pool:
            response = pool.request(method, self.url + path, body=body, headers=given, timeout=timeout)
            return Reply(response.status, dict(response.headers), response.data)

    @contextmanager
    def stream(self, path: str, token: str = ADMIN, timeout: float = 10) -> Iterator["Lines"]:
        """A watch, line by line."""
        with urllib3.PoolManager(ca_certs=str(self.authority), retries=False) as pool:
            headers = {"Authorization": f"Bearer {token}"}
            response = pool.request("GET", self.url + path, headers=headers, timeout=timeout, preload_content=False)
            try:
                yield Lines(response)
            finally:
                response.close()


class Reply:
    """What came back."""

    def __init__(self, code: int, headers: dict[str, str], body: bytes) -> None:
        self.code = code
        self.headers = {name.lower(): value for name, value in headers.items()}
        self.body = body

    def json(self) -> Any:
        return json.loads(self.body)


class Lines:
    """The events of a watch."""

    def __init__(self, response: urllib3.BaseHTTPResponse) -> None:
        self.response = response
        self._pieces = self._read()

    def next(self) -> Json:
        event: Json = next(self._pieces)
        return event

    def rest(self) -> list[Json]:
        return list(self._pieces)

    def _read(self) -> Iterator[Json]:
        held = b""
        for piece in self.response.read_chunked():
            held += piece
            while b"\n" in held:
                line, _, held = held.partition(b"\n")
                yield json.loads(line)


def _version(made: Json) -> Stored:
    meta = made["metadata"]
    owner = next((ref["uid"] for ref in meta.get("ownerReferences") or () if ref.get("controller")), "")
    return Stored(
        meta.get("namespace", ""),
        meta["name"],
        meta["uid"],
        int(meta["resourceVersion"]),
        meta.get("labels") or {},
        owner,
        json.dumps(made, separators=(",", ":")).encode(),
    )


@contextmanager
def serve(folder: Path, controls: Controls | None = None) -> Iterator[Served]:
    """A server on a free port, until the end of the block."""
    served = Served(folder, controls or {})
    authority = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    authority.cert_pem.write_to_path(str(served.authority))
    ready, end = threading.Event(), asyncio.Event()

    async def run() -> None:
        runner = web.AppRunner(served.server.app(), handler_cancellation=True, shutdown_timeout=1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        served.url = f"https://127.0.0.1:{runner.addresses[0][1]}"
        _write_kubeconfig(served, authority.cert_pem.bytes())
        ready.set()
        await end.wait()
        await runner.cleanup()

    thread = threading.Thread(target=lambda: served.loop.run_until_complete(run()))
    thread.start()
    ready.wait(10)
    try:
        yield served
    finally:
        served.loop.call_soon_threadsafe(end.set)
        thread.join(10)
        served.loop.close()


def _write_kubeconfig(served: Served, authority: bytes) -> None:
    cluster = {"server": served.url, "certificate-authority-data": base64.b64encode(authority).decode()}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "lab",
        "clusters": [{"name": "lab", "cluster": cluster}],
        "users": [{"name": "lab", "user": {"token": ADMIN}}],
        "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "lab", "namespace": "shop"}}],
    }
    served.kubeconfig.write_text(json.dumps(config))


def namespace(name: str, **meta: Any) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, **meta},
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    }
