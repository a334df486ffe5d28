"""What a node's kube-proxy says of itself, by port-forward: its metrics port is bound to the loopback."""

import http.client
import io
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..model.pod import Pod
from . import websocket
from .api import Api, Silence
from .node_look import MOST, Look, Read, until_refused

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

PORT_PATIENCE = 3.0
METRICS, HEALTH = 10249, 10256
PAGES = {
    "proxy-mode.txt": (METRICS, "/proxyMode"),
    "proxy-metrics.txt": (METRICS, "/metrics"),
    "proxy-configz.json": (METRICS, "/configz"),
    "proxy-healthz.json": (HEALTH, "/healthz"),
}
ANSWERS = {"proxy-healthz.json": (200, 503)}


def pages(api: Api, node: str, pod: Pod, container: str, limit: float) -> Read:
    """What kube-proxy says of itself, by port-forward."""
    return until_refused(Look(api, node, pod, container, limit), "portforward", _ports)


def _ports(look: Look) -> None:
    """A port that fell silent once is not asked again."""
    silent: dict[int, str] = {}
    for file, (port, path) in PAGES.items():
        if port in silent:
            look.gap(file, silent[port])
            continue
        try:
            status, body = _page(look, port, path)
        except Silence as silence:
            silent[port] = f"port {port}: {silence.why}"
            look.gap(file, silent[port])
            continue
        if status not in ANSWERS.get(file, (200,)):
            look.gap(file, f"port {port} answered {status}")
        elif len(body) > MOST:
            look.gap(file, f"port {port} says more than {MOST >> 20} MiB")
        else:
            look.files[file] = _own(body) if file == "proxy-metrics.txt" else body


def _own(metrics: bytes) -> bytes:
    """Those of kube-proxy: the Go runtime's and the client's would fill a snapshot."""
    return b"".join(line + b"\n" for line in metrics.splitlines() if b"kubeproxy_" in line)


def _page(look: Look, port: int, path: str) -> tuple[int, bytes]:
    """Raises Refused; Silence for no answer, and for what is no HTTP."""
    patience = min(look.left, PORT_PATIENCE)
    until = time.monotonic() + patience
    with websocket.Forward(look.api, look.pod.namespace, look.pod.name, port, patience) as stream:
        stream.write(f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n".encode())
        try:
            response = http.client.HTTPResponse(_Socket(stream, until))  # type: ignore[arg-type]
            response.begin()
            return response.status, response.read(MOST + 1)
        except (http.client.HTTPException, OSError, ValueError):
            raise Silence("no HTTP answer") from None


class _Socket(io.RawIOBase):
    """As much of a socket as HTTPResponse wants."""

    def __init__(self, stream: websocket.Forward, until: float) -> None:
        self._chunks = _chunks(stream, until)
        self._rest = b""

    def makefile(self, mode: str) -> io.BufferedReader:
        del mode
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        room = memoryview(buffer)
        data = self._rest or next(self._chunks, b"")
        taken, self._rest = data[: len(room)], data[len(room) :]
        room[: len(taken)] = taken
        return len(taken)


def _chunks(stream: websocket.Forward, until: float) -> Iterator[bytes]:
    while data := stream.read_some(until):
        yield data
