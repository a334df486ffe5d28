"""What a process does once it runs, as a value: where it listens, what it answers, what it logs, when it ends.

Times are seconds since its start (its age). Nothing here ticks: whoever wants to know asks about one age, and
`next_change` says until when the answer holds.
"""

import ipaddress
from collections.abc import Callable, Mapping
from datetime import datetime

from msgspec import Struct

ANY = "::"
"""Bound to every address of both families, as most servers are."""


class Socket(Struct, frozen=True):
    """One listening socket. ``speaks``: http, https, grpc, or tcp and udp for bytes that are given back."""

    port: int
    protocol: str = "TCP"
    address: str = ANY
    speaks: str = "http"

    def accepts(self, address: str) -> bool:
        """Whether what is sent to ``address`` of its network namespace arrives here."""
        bound, asked = ipaddress.ip_address(self.address), ipaddress.ip_address(address)
        if bound.is_unspecified:
            return bound.version == 6 or asked.version == 4
        return bound == asked

    def clashes(self, other: "Socket") -> bool:
        """Whether bind(2) of both in one network namespace fails with EADDRINUSE."""
        if (self.port, self.protocol) != (other.port, other.protocol):
            return False
        return self.accepts(other.address) or other.accepts(self.address)


class Answer(Struct, frozen=True):
    """An HTTP response, ``after`` seconds."""

    status: int = 200
    body: str = ""
    after: float = 0.0
    location: str = ""
    content_type: str = "text/plain; charset=utf-8"


class End(Struct, frozen=True):
    """A process that ends by itself. ``reason`` only where the runtime knows one (OOMKilled)."""

    after: float
    code: int = 0
    reason: str = ""


class Line(Struct, frozen=True):
    """One line of the log. ``source`` is the place in the code of a program that logs with klog."""

    after: float
    text: str
    source: str = ""

    def said(self, moment: datetime) -> str:
        """The line as it was written at ``moment``."""
        return f"I{moment:%m%d %H:%M:%S.%f}       1 {self.source}] {self.text}" if self.source else self.text


class Program(Struct, frozen=True):
    """One process. A path that ``answers`` lacks gets ``otherwise``; ``dynamic`` is asked first and may pass (None)."""

    sockets: tuple[Socket, ...] = ()
    answers: Mapping[str, Answer] = {}
    otherwise: Answer = Answer(404, "404 page not found\n")
    dynamic: Callable[[str, float], Answer | None] | None = None
    serving: str = "SERVING"  # what the gRPC health service says
    starts_after: float = 0.0  # when it begins to listen
    sick_after: float | None = None  # when every one of `sick` begins to answer `sickness`
    sick: tuple[str, ...] = ()
    sickness: Answer = Answer(503)
    slow_for: float = 0.0  # answers take `slowness` for so long ...
    slow_every: float = 0.0  # ... in each period of this length
    slowness: float = 0.0
    files: Mapping[str, tuple[float, bytes]] = {}  # path -> when it appears, what it holds
    lines: tuple[Line, ...] = ()
    end: End | None = None
    stops_after: float | None = 0.0  # seconds from SIGTERM to its end; None: it takes no notice
    stop_code: int = 0
    cannot_start: str = ""  # the container runtime's words; then it never runs

    def listens(self, age: float) -> bool:
        return age >= self.starts_after

    def socket(self, address: str, port: int, protocol: str = "TCP") -> Socket | None:
        """What takes a connection to ``address`` (of the pod, or its loopback) and ``port``."""
        found = (one for one in self.sockets if (one.port, one.protocol) == (port, protocol) and one.accepts(address))
        return next(found, None)

    def answer(self, path: str, age: float) -> Answer:
        """What a GET of ``path`` (without its query) gets at ``age``."""
        given = self.dynamic(path, age) if self.dynamic else None
        given = given or self.answers.get(path, self.otherwise)
        if self.sick_after is not None and age >= self.sick_after and path in self.sick:
            given = self.sickness
        late = given.after + (self.slowness if self._slow(age) else 0.0)
        return Answer(given.status, given.body, late, given.location, given.content_type)

    def file(self, path: str, age: float) -> bytes | None:
        since, content = self.files.get(path, (0.0, b""))
        return content if path in self.files and age >= since else None

    def next_change(self, age: float) -> float | None:
        """The next age at which it may listen or answer otherwise than now; None where it never will."""
        moments = [self.starts_after, *(since for since, _ in self.files.values())]
        moments += [self.sick_after] if self.sick_after is not None else []
        if self.slow_every:
            into = age % self.slow_every
            moments.append(age - into + (self.slow_for if into < self.slow_for else self.slow_every))
        return min((moment for moment in moments if moment > age), default=None)

    def _slow(self, age: float) -> bool:
        return bool(self.slow_every) and age % self.slow_every < self.slow_for


def crashed(*lines: str, code: int = 1) -> Program:
    """A process that says why it can't go on, and ends."""
    return Program(lines=tuple(Line(0.0, text) for text in lines), end=End(0.0, code))
