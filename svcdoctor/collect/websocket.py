"""WebSockets of the API server: exec and port-forward, cut into channels by the first byte of each message.

websocket-client enters here and nowhere else, and none of its exceptions leaves. kubernetes.stream is not used: it
changes the shared client while it runs.
"""

import json
import struct
import time
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import websocket
from msgspec import Struct

from ..model.objects import RESOURCES
from .api import Api, Silence

EXEC_PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
FORWARD_PROTOCOLS = ("v4.channel.k8s.io",)
STDOUT, STDERR, STATUS = 1, 2, 3
MOST = 1 << 20
"""Bytes of a command's output that are kept."""

PATIENCE = 10.0


class Refused(Exception):
    """The server does not open the connection: ``why`` in a few words, ``status`` as HTTP has it."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why


class CannotRun(Exception):
    """The command could not be started: it is not there, or the container does not run."""


class Ran(Struct, frozen=True):
    """What a command printed, its exit code, and how long it took from its start to its end."""

    stdout: str
    stderr: str
    code: int
    ms: float
    cut: bool = False  # it had more to print than is kept, and its end was not waited for


class Channels:
    """An open WebSocket. Raises Refused while it opens, Silence afterwards."""

    def __init__(
        self,
        api: Api,
        path: str,
        query: Iterable[tuple[str, str]],
        protocols: Sequence[str],
        timeout: float = PATIENCE,
    ) -> None:
        asked = list(query)
        door = api.door(path, asked)
        start = time.monotonic()
        status = 0
        try:
            self._socket = websocket.create_connection(
                door.url,
                timeout=timeout,
                header=[f"{name}: {value}" for name, value in door.headers],
                subprotocols=list(protocols),
                sslopt={"context": door.tls, **({"server_hostname": door.server_name} if door.server_name else {})},
                suppress_origin=True,
                **_proxy(door.proxy),
            )
            status = 101
        except websocket.WebSocketBadStatusException as error:
            status = error.status_code
            raise Refused(status, _message(error.resp_body) or f"the server answered {status}") from None
        except (websocket.WebSocketException, OSError, ValueError) as error:
            raise Refused(0, _spoken(error)) from None
        finally:
            spoken = "&".join(f"{name}={value}" for name, value in asked)
            api.note(path, spoken, status, (time.monotonic() - start) * 1000)

    def send(self, channel: int, data: bytes) -> None:
        try:
            self._socket.send_binary(bytes([channel]) + data)
        except (websocket.WebSocketException, OSError) as error:
            raise Silence(_spoken(error)) from None

    def receive(self, until: float) -> tuple[int, bytes] | None:
        """The next (channel, data); None when the server has said goodbye. ``until`` is of the monotonic clock."""
        while True:
            left = until - time.monotonic()
            if left <= 0:
                raise Silence("timeout")
            try:
                self._socket.settimeout(left)
                opcode, data = self._socket.recv_data()
            except websocket.WebSocketConnectionClosedException:
                return None
            except (websocket.WebSocketException, OSError) as error:
                raise Silence(_spoken(error)) from None
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                return None
            if opcode in (websocket.ABNF.OPCODE_BINARY, websocket.ABNF.OPCODE_TEXT) and data:
                body = data if isinstance(data, bytes) else data.encode()
                return body[0], body[1:]

    def close(self) -> None:
        try:
            self._socket.close(timeout=1)
        except (websocket.WebSocketException, OSError):
            return

    def __enter__(self) -> "Channels":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def run(
    api: Api,
    namespace: str,
    pod: str,
    container: str,
    argv: Sequence[str],
    timeout: float = PATIENCE,
    most: int = MOST,
) -> Ran:
    """Runs a command in a container, without input, and leaves it once it has printed more than ``most`` bytes.

    Raises Refused, CannotRun, Silence.
    """
    path = RESOURCES["pods"].path(namespace, pod) + "/exec"
    query = [*(("command", word) for word in argv), ("stdout", "true"), ("stderr", "true")]
    query += [("container", container)] if container else []
    printed = {STDOUT: bytearray(), STDERR: bytearray(), STATUS: bytearray()}
    cut = False
    with Channels(api, path, query, EXEC_PROTOCOLS, timeout) as channels:
        start = time.monotonic()
        while not cut and (message := channels.receive(start + timeout)) is not None:
            channel, data = message
            if channel in printed:
                cut = len(printed[channel]) + len(data) > most
                printed[channel] += data[: most - len(printed[channel])]
            if channel == STATUS and data:
                break
        ms = (time.monotonic() - start) * 1000
    out, err, status = (printed[channel].decode(errors="replace") for channel in (STDOUT, STDERR, STATUS))
    return Ran(out, err, 0 if cut else _exit_code(status), ms, cut)


def _exit_code(text: str) -> int:
    """The code in the Status of the error channel. Raises CannotRun for a command that never ran."""
    try:
        status: dict[str, Any] = json.loads(text)
    except ValueError:
        raise CannotRun(text.strip() or "the connection ended before the command did") from None
    if status.get("status") == "Success":
        return 0
    causes = (status.get("details") or {}).get("causes") or []
    code = next((cause.get("message") for cause in causes if cause.get("reason") == "ExitCode"), None)
    if code is None or not str(code).isdecimal():
        raise CannotRun(str(status.get("message") or "no reason was given"))
    return int(code)


class Forward:
    """A connection to one TCP port of a pod. Raises Refused and Silence."""

    def __init__(self, api: Api, namespace: str, pod: str, port: int, timeout: float = PATIENCE) -> None:
        path = RESOURCES["pods"].path(namespace, pod) + "/portforward"
        self._channels = Channels(api, path, [("ports", str(port))], FORWARD_PROTOCOLS, timeout)
        self._pending = b""
        self._greeted: set[int] = set()

    def write(self, data: bytes) -> None:
        self._channels.send(0, data)

    def read(self, count: int, until: float) -> bytes:
        """Exactly ``count`` bytes. Raises Silence: "timeout", "refused" where nobody listens on the port."""
        while len(self._pending) < count:
            data = self._next(until)
            if data is None:
                raise Silence("the connection was closed")
            self._pending += data
        taken, self._pending = self._pending[:count], self._pending[count:]
        return taken

    def read_some(self, until: float) -> bytes:
        """What comes next; nothing once the other side has closed. Raises Silence as `read` does."""
        while not self._pending:
            data = self._next(until)
            if data is None:
                return b""
            self._pending = data
        taken, self._pending = self._pending, b""
        return taken

    def _next(self, until: float) -> bytes | None:
        """The data of one message, which may be none; None at the end."""
        message = self._channels.receive(until)
        if message is None:
            return None
        channel, data = message
        if channel not in self._greeted:  # the port's number comes first on each channel
            self._greeted.add(channel)
            data = data[struct.calcsize("<H") :]
        if channel == 1 and data:
            text = data.decode(errors="replace")
            raise Silence("refused" if "refused" in text else text)
        return data if channel == 0 else b""

    def __enter__(self) -> "Forward":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._channels.close()


def _message(body: bytes | str | None) -> str:
    """What a Status says."""
    try:
        said = json.loads(body or b"")
    except ValueError:
        return ""
    return str(said.get("message") or "") if isinstance(said, dict) else ""


def _proxy(url: str) -> dict[str, Any]:
    if not url:
        return {}
    parts = urlsplit(url)
    kind = {"socks5": "socks5h", "https": "http"}.get(parts.scheme, parts.scheme)
    login = (parts.username, parts.password or "") if parts.username else None
    return {
        "http_proxy_host": parts.hostname,
        "http_proxy_port": parts.port,
        "proxy_type": kind,
        **({"http_proxy_auth": login} if login else {}),
    }


def _spoken(error: Exception) -> str:
    if isinstance(error, websocket.WebSocketTimeoutException | TimeoutError):
        return "timeout"
    return "the connection broke" if isinstance(error, OSError) else str(error) or "the connection broke"
