"""SPDY/3.1 frames as bytes (SPDY protocol, draft 3.1, section 2.2).

control  1 | version:15 | type:16 | flags:8 | length:24 | ...
data     0 | stream:31            | flags:8 | length:24 | ...
"""

import struct
from collections.abc import Iterator

from msgspec import Struct

from .errors import SpdyError

VERSION = 3
SYN_STREAM, SYN_REPLY, RST_STREAM, SETTINGS, PING, GOAWAY, HEADERS, WINDOW_UPDATE = 1, 2, 3, 4, 6, 7, 8, 9
FIN, UNIDIRECTIONAL = 0x01, 0x02
ID_MASK = 0x7FFF_FFFF

PROTOCOL_ERROR, INVALID_STREAM, REFUSED_STREAM, CANCEL = 1, 2, 3, 5
FLOW_CONTROL_ERROR, STREAM_ALREADY_CLOSED = 7, 9
"""Why a stream is reset."""
GOAWAY_OK, GOAWAY_PROTOCOL_ERROR = 0, 1
"""Why a connection ends."""
INITIAL_WINDOW_SIZE = 7
"""The one setting that means something here."""

LONGEST = 1 << 20
"""Bytes of one frame. Go's io.Copy writes 32 KiB at once."""


class Frame(Struct, frozen=True):
    """One frame. ``type`` is 0 for data, and only data has its ``stream`` outside of the payload."""

    type: int
    stream: int
    flags: int
    payload: bytes

    @property
    def fin(self) -> bool:
        return bool(self.flags & FIN)


class FrameReader:
    """Cuts bytes, however they arrive, into frames."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> None:
        """More bytes. What is held is at most one unfinished frame once ``frames`` has run out."""
        self._held += data

    def frames(self) -> Iterator[Frame]:
        """The frames that are whole by now. Raises SpdyError."""
        while len(self._held) >= 8:
            word, length = struct.unpack_from(">II", self._held)
            flags, length = length >> 24, length & 0xFF_FFFF
            if length > LONGEST:
                raise SpdyError(f"a frame of {length} bytes")
            if len(self._held) < 8 + length:
                return
            payload = bytes(self._held[8 : 8 + length])
            del self._held[: 8 + length]
            yield _frame(word, flags, payload)


def _frame(word: int, flags: int, payload: bytes) -> Frame:
    if not word >> 31:
        return Frame(0, word, flags, payload)
    if (word >> 16) & 0x7FFF != VERSION:
        raise SpdyError(f"SPDY version {(word >> 16) & 0x7FFF}")
    return Frame(word & 0xFFFF, 0, flags, payload)


def control(type_: int, payload: bytes, flags: int = 0) -> bytes:
    """A control frame."""
    return struct.pack(">II", 1 << 31 | VERSION << 16 | type_, flags << 24 | len(payload)) + payload


def data(stream: int, payload: bytes, fin: bool) -> bytes:
    """A data frame."""
    return struct.pack(">II", stream, (FIN if fin else 0) << 24 | len(payload)) + payload


def words(*values: int) -> bytes:
    """Big-endian 32-bit words, the payload of most control frames."""
    return struct.pack(f">{len(values)}I", *values)


def read_words(payload: bytes, count: int) -> tuple[int, ...]:
    """Raises SpdyError if it is not exactly so many."""
    if len(payload) != 4 * count:
        raise SpdyError(f"a control frame of {len(payload)} bytes instead of {4 * count}")
    return struct.unpack(f">{count}I", payload)
