"""A lab that runs: its thread, its certificates, its kubeconfig. All of it is gone when it ends."""

import asyncio
import base64
import contextlib
import gc
import json
import os
import secrets
import socket
import ssl
import tempfile
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import trustme
from aiohttp import web

from ..errors import CouldNotLook, UsageError
from .base import Shape
from .clock import real_now
from .cluster import Cluster
from .faults import HEALTHY
from .faults.fault import Fault
from .names import CONTEXT, FOLDER

T = TypeVar("T")

HOST = "127.0.0.1"
PATIENCE = 0.3
"""Seconds that open connections get when the lab ends."""
LONGEST_END = 5.0


class Lab:
    """A running lab, as `start` makes it."""

    def __init__(self, cluster: Cluster, folder: Path, listener: socket.socket, speed: float) -> None:
        self.cluster = cluster
        self.folder = folder
        self.url = f"https://{HOST}:{listener.getsockname()[1]}"
        self._listener = listener
        self._speed = speed
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._end: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="svcdoctor-lab", daemon=True)

    @property
    def kubeconfig(self) -> Path:
        return self.folder / "kubeconfig"

    @property
    def dns_port(self) -> int:
        """Where the name server listens on loopback, with UDP and TCP."""
        return self.cluster.insides.dns_port

    def begin(self) -> None:
        """Serves; returns when it does."""
        authority = trustme.CA()
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(HOST, "localhost").configure_cert(tls)
        self._tls = tls
        self._write_kubeconfig(authority.cert_pem.bytes())
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            raise self._failure

    def call(self, work: Callable[[Cluster], T]) -> T:
        """Does ``work`` in the lab's thread, where alone its cluster may be touched."""

        async def there() -> T:
            return work(self.cluster)

        return self.wait(there())

    def wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """What ``coroutine`` gives, run in the lab's thread."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def end(self) -> None:
        """Ends its thread."""
        if self._thread.is_alive() and self._end is not None:
            self._loop.call_soon_threadsafe(self._end.set)
            self._thread.join(LONGEST_END)

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        except BaseException as error:
            self._failure = error
        finally:
            self._ready.set()
            self._loop.close()

    async def _serve(self) -> None:
        self._end = asyncio.Event()
        async with contextlib.AsyncExitStack() as stack:
            await self.cluster.open(stack)
            runner = web.AppRunner(self.cluster.app(), handler_cancellation=True, shutdown_timeout=PATIENCE)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.SockSite(runner, self._listener, ssl_context=self._tls).start()
            clock = asyncio.create_task(self.cluster.clock.follow(self._speed))
            self._ready.set()
            await self._end.wait()
            clock.cancel()
            await asyncio.gather(clock, return_exceptions=True)

    def _write_kubeconfig(self, authority: bytes) -> None:
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": CONTEXT,
            "clusters": [
                {
                    "name": CONTEXT,
                    "cluster": {
                        "server": self.url,
                        "certificate-authority-data": base64.b64encode(authority).decode(),
                    },
                }
            ],
            "users": [{"name": CONTEXT, "user": {"token": self.cluster.token}}],
            "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": CONTEXT, "namespace": "default"}}],
        }
        self.kubeconfig.write_text(json.dumps(config, indent=1) + "\n")  # JSON is YAML, and the folder is private
        (self.folder / "pid").write_text(f"{os.getpid()}\n")


@contextmanager
def start(shape: Shape, fault: Fault = HEALTHY, port: int = 0, speed: float = 1.0) -> Iterator[Lab]:
    """A lab that serves, an hour old in its own time and ill with ``fault``; it ends with the block.

    Raises UsageError where the port is not to be had, CouldNotLook where the temporary folder is not.
    """
    with _listen(port) as listener:
        cluster = Cluster(shape, real_now(), secrets.token_urlsafe(24))
        cluster.boot(fault)
        gc.freeze()  # what a large cluster holds would be looked through again and again
        with _folder() as folder:
            lab = Lab(cluster, folder, listener, speed)
            try:
                lab.begin()
                yield lab
            finally:
                lab.end()


@contextmanager
def _folder() -> Iterator[Path]:
    """A temporary folder, which none but its owner can read."""
    try:
        folder = tempfile.TemporaryDirectory(prefix=FOLDER, ignore_cleanup_errors=True)
    except OSError as error:
        raise CouldNotLook(
            f"cannot write to the temporary folder: {error.strerror}", "set TMPDIR to a folder that can be written to"
        ) from None
    with folder as name:
        yield Path(name)


def _listen(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except (OSError, OverflowError) as error:
        listener.close()
        why = error.strerror if isinstance(error, OSError) else "no such port"
        raise UsageError(f"cannot listen on {HOST}:{port}: {why}", "leave out --port to take a free one") from None
    return listener
