"""What goes in and out of a connection to an API server, as values."""

import ssl
from collections.abc import Mapping

from msgspec import Struct


class Call(Struct, frozen=True):
    """One request, answered or not: ``status`` 0 without an answer, ``ms`` its time, ``size`` the bytes on the wire."""

    method: str
    path: str
    query: str
    status: int
    ms: float
    size: int


class Reply(Struct, frozen=True):
    """What a server said."""

    status: int
    body: bytes
    headers: Mapping[str, str]


class Door(Struct, frozen=True):
    """All that another kind of connection to the same server needs: its place, our name, and both sides' proofs."""

    url: str  # wss:// or ws://
    headers: tuple[tuple[str, str], ...]
    tls: ssl.SSLContext
    server_name: str  # that the certificate must be for, where it is not the host of the URL
    proxy: str


class Silence(Exception):
    """No answer to one GET: ``why`` in a few words. The next one may well be answered."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why
