"""What a probe finds, derived from what listens in the pod, in the words of the kubelet and of Go's net/http.

Source: pkg/kubelet/prober and pkg/probe/{http,tcp,grpc,exec} of Kubernetes 1.36.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from msgspec import Struct

from ..images import Answer, Socket
from ..images.effects import NotFound, World
from ..images.shell import interpret, outcome
from .backoff import go_duration
from .instance import Instance

Json = dict[str, Any]

EXEC_FAILED = (
    "rpc error: code = Unknown desc = failed to exec in container: failed to start exec: OCI runtime exec failed: "
    "exec failed: unable to start container process: exec: "
)


class Outcome(Struct, frozen=True):
    """One probe: whether it succeeded, and what was said if not. An ``error`` counts for nothing (but is told)."""

    ok: bool
    message: str = ""
    took: float = 0.0
    error: bool = False


class Surroundings(Struct, frozen=True):
    """Where a probe finds itself: the container's run, the pod's address, and who listens in its network."""

    container: Json
    instance: Instance
    address: str
    neighbours: Callable[[], Iterable[Instance]]
    now: datetime

    def listener(self, address: str, port: int) -> tuple[Instance, Socket] | None:
        for one in self.neighbours():
            found = one.program.socket(address, port)
            if found is not None and one.runs(self.now) and one.program.listens(one.age(self.now)):
                return one, found
        return None


def check(probe: Json, around: Surroundings) -> Outcome:
    """Runs one probe now."""
    timeout = float(probe.get("timeoutSeconds", 1))
    if "exec" in probe:
        return _exec(probe["exec"].get("command") or (), around, timeout)
    kind = next(name for name in ("httpGet", "tcpSocket", "grpc") if name in probe)
    try:
        port = _port(probe[kind]["port"], around.container)
    except ValueError as error:
        return Outcome(False, str(error), error=True)
    address = probe[kind].get("host") or around.address
    if kind == "httpGet":
        return _http(probe["httpGet"], address, port, around, timeout)
    return (_tcp if kind == "tcpSocket" else _grpc)(address, port, around, timeout)


def _port(given: int | str, container: Json) -> int:
    """By name where it is one of the container's. Raises ValueError in the kubelet's words."""
    if isinstance(given, int):
        return given
    for port in container.get("ports") or ():
        if port.get("name") == given:
            return int(port["containerPort"])
    if given.isdigit():
        return int(given)
    raise ValueError(f'strconv.Atoi: parsing "{given}": invalid syntax')


def _place(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _http(get: Json, address: str, port: int, around: Surroundings, timeout: float) -> Outcome:
    scheme, path = get.get("scheme", "HTTP").lower(), get.get("path") or "/"
    path = path if path.startswith("/") else f"/{path}"
    url = f'Get "{scheme}://{_place(address, port)}{path}"'
    found = around.listener(address, port)
    if found is None:
        return Outcome(False, f"{url}: dial tcp {_place(address, port)}: connect: connection refused")
    instance, socket = found
    if wrong := _misunderstood(scheme, socket):
        return Outcome(False, f"{url}: {wrong}")
    if scheme == "http" and socket.speaks == "https":
        answer = Answer(400)
    else:
        answer = instance.program.answer(path.partition("?")[0], instance.age(around.now))
    if answer.after >= timeout:
        late = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
        return Outcome(False, f"{url}: {late}", timeout)
    if not 200 <= answer.status < 400:
        return Outcome(False, f"HTTP probe failed with statuscode: {answer.status}", answer.after)
    return Outcome(True, took=answer.after)


def _misunderstood(scheme: str, socket: Socket) -> str:
    """What Go's HTTP client says of a server that speaks something else."""
    if scheme == "https" and socket.speaks == "http":
        return "http: server gave HTTP response to HTTPS client"
    if scheme == "https" and socket.speaks != "https":
        return "tls: first record does not look like a TLS handshake"
    if scheme == "http" and socket.speaks in ("tcp", "udp"):
        return 'net/http: HTTP/1.x transport connection broken: malformed HTTP version "GET"'
    if scheme == "http" and socket.speaks == "grpc":
        return 'net/http: HTTP/1.x transport connection broken: malformed HTTP response "\\x00\\x00\\x06\\x04"'
    return ""


def _tcp(address: str, port: int, around: Surroundings, timeout: float) -> Outcome:
    if around.listener(address, port) is None:
        return Outcome(False, f"dial tcp {_place(address, port)}: connect: connection refused")
    return Outcome(True)


def _grpc(address: str, port: int, around: Surroundings, timeout: float) -> Outcome:
    found = around.listener(address, port)
    if found is None or found[1].speaks != "grpc":
        where, limit = _place(address, port), go_duration(timeout)
        message = f'timeout: failed to connect service "{where}" within {limit}: context deadline exceeded'
        return Outcome(False, message, timeout)
    if found[0].program.serving != "SERVING":
        return Outcome(False, f'service unhealthy (responded with "{found[0].program.serving}")')
    return Outcome(True)


def _exec(command: Iterable[str], around: Surroundings, timeout: float) -> Outcome:
    argv, one = tuple(command), around.instance
    age = one.age(around.now)
    world = World(one.launch.env, one.launch.hostname, lambda path: one.program.file(path, age))
    try:
        ran = outcome(interpret(argv, world))
    except NotFound as missing:
        return Outcome(False, f'{EXEC_FAILED}"{missing}": executable file not found in $PATH', error=True)
    took = ran.end.after if ran.end else timeout
    if took >= timeout and (took > 0 or ran.end is None):
        return Outcome(False, f'command timed out: "{" ".join(argv)}" timed out after {go_duration(timeout)}', timeout)
    said = "".join(f"{line.text}\n" for line in ran.lines)
    return Outcome(bool(ran.end and ran.end.code == 0), said, took)
