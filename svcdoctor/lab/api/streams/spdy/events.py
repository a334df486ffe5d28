"""What a peer did, as spdy.connection reports it."""

from msgspec import Struct

from .headers import Headers


class StreamOpened(Struct, frozen=True):
    """The peer opened a stream. It waits for ``reply`` or ``reset``. With ``fin`` it will send nothing."""

    stream: int
    headers: Headers
    fin: bool


class StreamReplied(Struct, frozen=True):
    """The peer accepted a stream that we opened."""

    stream: int
    headers: Headers


class DataReceived(Struct, frozen=True):
    """Bytes on a stream; with ``fin`` the last ones."""

    stream: int
    data: bytes
    fin: bool


class StreamReset(Struct, frozen=True):
    """A stream is over, in both directions."""

    stream: int
    status: int


class WindowOpened(Struct, frozen=True):
    """The peer makes room: a stream, or all of them (0), may be written to again."""

    stream: int


class WentAway(Struct, frozen=True):
    """The peer will open no more streams, and accept none."""

    status: int


Event = StreamOpened | StreamReplied | DataReceived | StreamReset | WindowOpened | WentAway
