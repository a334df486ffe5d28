"""Just enough of an API server for kubectl to exec and port-forward into the one pod there is.

def test_something():
    run(something)          # starts it, awaits something(bench), looks that nothing is left running

async def something(bench): ...
"""

import asyncio
import logging
import os
import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiohttp import web

from svcdoctor.lab.api.streams import ExecOptions, Process, exec_, exec_options, port_forward, refused

from . import processes

POD = "/api/v1/namespaces/default/pods/x"
SANDBOX = "cda20f88c711e3ad17eac11bff750b76d674d47d58e12ac3e8170c870e2be24c"
REFUSED = (
    'failed to execute portforward in network namespace "/var/run/netns/cni-c1b24c67": failed to connect to '
    f'localhost:{{0}} inside namespace "{SANDBOX}", IPv4: dial tcp4 127.0.0.1:{{0}}: connect: connection refused '
    "IPv6 dial tcp6 [::1]:{0}: connect: connection refused "
)
PATIENCE = 20.0
"""Seconds for one test."""


class Bench:
    """A running server."""

    def __init__(self, start: Callable[[Sequence[str]], Process]) -> None:
        self._start = start
        self._runner = web.AppRunner(_app(self), access_log=None, shutdown_timeout=0.05)
        self.asked: list[ExecOptions] = []
        self.upgrades: list[str] = []
        self.ports: dict[int, int] = {}
        """Where the pod's ports are on loopback."""
        self.address = ("", 0)
        self.ended = asyncio.Event()
        """Set whenever an exec or port-forward has ended."""

    @property
    def url(self) -> str:
        return "http://{}:{}".format(*self.address)

    async def listen(self, tls: ssl.SSLContext | None) -> None:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=tls).start()
        self.address = self._runner.addresses[0]

    async def stop(self) -> None:
        """Stops the server, whatever it is doing."""
        await self._runner.cleanup()

    async def exec(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(exec_options(request.query))
        self.upgrades.append(_upgrade(request))
        try:
            return await exec_(request, self._start, self.asked[-1])
        finally:
            self.ended.set()

    async def port_forward(self, request: web.Request) -> web.StreamResponse:
        self.upgrades.append(_upgrade(request))
        try:
            return await port_forward(request, self._connect, SANDBOX)
        finally:
            self.ended.set()

    async def _connect(self, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if port not in self.ports:
            raise refused(port, SANDBOX, "/var/run/netns/cni-c1b24c67")
        return await asyncio.open_connection("127.0.0.1", self.ports[port])

    async def kubectl(self, *arguments: str, stdin: bytes = b"", **environment: str) -> tuple[int, str, str]:
        """Runs kubectl to its end: exit code, stdout, stderr."""
        process = await self.start_kubectl(*arguments, **environment)
        out, err = await process.communicate(stdin)
        assert process.returncode is not None
        return process.returncode, out.decode(), err.decode()

    async def start_kubectl(self, *arguments: str, **environment: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            "kubectl",
            f"--server={self.url}",
            "--cache-dir=/dev/null/none",
            *arguments,
            env={"PATH": os.environ["PATH"], "KUBECONFIG": os.devnull, "HOME": "/nonexistent", **environment},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )


def run(
    test: Callable[[Bench], Awaitable[None]],
    start: Callable[[Sequence[str]], Process] = processes.start,
    tls: ssl.SSLContext | None = None,
) -> None:
    """Runs a test against a server of its own. Neither a task nor a connection may be left after it."""

    async def whole() -> None:
        bench = Bench(start)
        await bench.listen(tls)
        try:
            async with asyncio.timeout(PATIENCE):
                await test(bench)
                await _all_over()
        finally:
            await bench.stop()

    errors = _Errors()
    logging.getLogger().addHandler(errors)
    try:
        asyncio.run(whole())
    finally:
        logging.getLogger().removeHandler(errors)
    assert errors.texts == []


class _Errors(logging.Handler):
    """What aiohttp and asyncio complain of, which nobody would see otherwise."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(self.format(record))


def _upgrade(request: web.Request) -> str:
    """What the client asked for, e.g. ``websocket v5.channel.k8s.io``."""
    names = ("Upgrade", "Sec-WebSocket-Protocol", "X-Stream-Protocol-Version")
    return " ".join(value for name in names for value in request.headers.getall(name, []))


async def _all_over() -> None:
    """Waits until each connection and all that served it has ended; a leak is a TimeoutError."""
    while len(asyncio.all_tasks()) > 1:
        await asyncio.sleep(0.01)


def _app(bench: Bench) -> web.Application:
    app = web.Application()
    for path, answer in _ANSWERS.items():
        app.router.add_get(path, _answer(answer))
    app.router.add_route("*", f"{POD}/exec", bench.exec)
    app.router.add_route("*", f"{POD}/portforward", bench.port_forward)
    return app


def _answer(value: Any) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handler(request: web.Request) -> web.Response:
        return web.json_response(value)

    return handler


_ANSWERS: dict[str, Any] = {
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
    "/api/v1": {
        "kind": "APIResourceList",
        "groupVersion": "v1",
        "resources": [{"name": "pods", "singularName": "pod", "namespaced": True, "kind": "Pod", "verbs": ["get"]}],
    },
    POD: {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {"name": "x", "namespace": "default"},
        "spec": {"containers": [{"name": "main", "image": "toolbox"}]},
        "status": {"phase": "Running"},
    },
}
