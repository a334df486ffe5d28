"""One side of a SPDY/3.1 connection, without I/O: bytes in, events out; calls in, bytes to send out.

Flow control as kubectl knows it: spdystream, which all of Kubernetes uses, neither counts windows nor opens them. So a
peer is taken to count only once it says so by SETTINGS or WINDOW_UPDATE, and nothing is held against one that sends
more than its window: whoever reads from the connection stops reading when a stream's reader is slow.
"""

from collections.abc import Callable

from msgspec import Struct

from . import frames
from .errors import SpdyError
from .events import DataReceived, Event, StreamOpened, StreamReplied, StreamReset, WentAway, WindowOpened
from .frames import Frame, FrameReader
from .headers import HeaderPacker, Headers, HeaderUnpacker

DEFAULT_WINDOW = 1 << 16
LARGEST_WINDOW = (1 << 31) - 1
MOST_STREAMS = 1000
"""Open streams of one peer; kubectl has two for each forwarded connection."""


class _Stream(Struct):
    window: int
    ours_ended: bool = False
    theirs_ended: bool = False


class Connection:
    """The state of one side. ``receive`` raises SpdyError for a peer that can't be understood any more."""

    def __init__(self, client: bool = False) -> None:
        self._next_stream = self._next_ping = 1 if client else 2
        self._last_opened = 0
        self._streams: dict[int, _Stream] = {}
        self._reader = FrameReader()
        self._packer = HeaderPacker()
        self._unpacker = HeaderUnpacker()
        self._to_send = bytearray()
        self._initial_window = DEFAULT_WINDOW
        self._counts_windows = False
        self._leaving = False
        self._handlers: dict[int, Callable[[Frame], list[Event]]] = {
            0: self._on_data,
            frames.SYN_STREAM: self._on_syn_stream,
            frames.SYN_REPLY: self._on_syn_reply,
            frames.RST_STREAM: self._on_rst_stream,
            frames.SETTINGS: self._on_settings,
            frames.PING: self._on_ping,
            frames.GOAWAY: self._on_goaway,
            frames.HEADERS: self._on_headers,
            frames.WINDOW_UPDATE: self._on_window_update,
        }

    # ---------------------------------------------------------------------------------------------------------- sending

    def take(self) -> bytes:
        """What is to be sent now, in this order."""
        data = bytes(self._to_send)
        self._to_send.clear()
        return data

    def open(self, headers: Headers) -> int:
        """Opens a stream; its id."""
        stream, self._next_stream = self._next_stream, self._next_stream + 2
        self._streams[stream] = _Stream(self._initial_window)
        self._send(frames.SYN_STREAM, frames.words(stream, 0) + b"\0\0" + self._packer.pack(headers))
        return stream

    def reply(self, stream: int) -> None:
        """Accepts a stream that the peer opened."""
        self._send(frames.SYN_REPLY, frames.words(stream) + self._packer.pack({}))

    def allowance(self, stream: int) -> int:
        """How many bytes may be sent on a stream now. None on one that is over."""
        state = self._streams.get(stream)
        if state is None or state.ours_ended:
            return 0
        return max(0, state.window) if self._counts_windows else LARGEST_WINDOW

    def is_writable(self, stream: int) -> bool:
        """Whether a stream can be written to, now or once its window opens."""
        state = self._streams.get(stream)
        return state is not None and not state.ours_ended

    def send(self, stream: int, data: bytes, fin: bool = False) -> None:
        """Bytes on a stream, within its allowance; with ``fin`` the last ones. Nothing on one that is over."""
        state = self._streams.get(stream)
        if state is None or state.ours_ended:
            return
        state.window -= len(data)
        state.ours_ended = fin
        self._to_send += frames.data(stream, data, fin)
        self._forget_if_over(stream)

    def consumed(self, stream: int, count: int) -> None:
        """Tells the peer that ``count`` bytes have been read, so that as many more may come."""
        state = self._streams.get(stream)
        if count and state is not None and not state.theirs_ended:
            self._send(frames.WINDOW_UPDATE, frames.words(stream, count))

    def reset(self, stream: int, status: int = frames.CANCEL) -> None:
        """Ends a stream in both directions. Nothing for one that is over."""
        if self._streams.pop(stream, None) is not None:
            self._send(frames.RST_STREAM, frames.words(stream, status))

    def discard(self, stream: int) -> None:
        """Forgets a stream, saying nothing."""
        self._streams.pop(stream, None)

    def ping(self) -> None:
        """Asks for an answer."""
        self._send(frames.PING, frames.words(self._next_ping))
        self._next_ping = (self._next_ping + 2) & frames.ID_MASK

    def go_away(self, status: int = frames.GOAWAY_OK) -> None:
        """Says that no more streams will be accepted. Once."""
        if not self._leaving:
            self._leaving = True
            self._send(frames.GOAWAY, frames.words(self._last_opened, status))

    # -------------------------------------------------------------------------------------------------------- receiving

    def receive(self, data: bytes) -> list[Event]:
        """What the peer did. Frames of types that SPDY does not know are passed over, as it says."""
        self._reader.feed(data)
        events: list[Event] = []
        for frame in self._reader.frames():
            handler = self._handlers.get(frame.type)
            events += handler(frame) if handler else []
        return events

    def _on_data(self, frame: Frame) -> list[Event]:
        state = self._streams.get(frame.stream)
        if state is None:  # one that is over: the peer could not know yet
            if frame.stream > max(self._last_opened, self._next_stream):
                self._send(frames.RST_STREAM, frames.words(frame.stream, frames.INVALID_STREAM))
            return []
        if state.theirs_ended:
            self.reset(frame.stream, frames.STREAM_ALREADY_CLOSED)
            return [StreamReset(frame.stream, frames.STREAM_ALREADY_CLOSED)]
        self._end_theirs(frame.stream, frame.fin)
        return [DataReceived(frame.stream, frame.payload, frame.fin)]

    def _on_syn_stream(self, frame: Frame) -> list[Event]:
        if len(frame.payload) < 10:
            raise SpdyError("SYN_STREAM: cut off")
        stream = int.from_bytes(frame.payload[:4], "big") & frames.ID_MASK
        headers = self._unpacker.unpack(frame.payload[10:])
        if stream % 2 == self._next_stream % 2 or stream <= self._last_opened:
            raise SpdyError(f"SYN_STREAM: stream {stream} after {self._last_opened}")
        self._last_opened = stream
        if self._leaving or len(self._streams) >= MOST_STREAMS:
            self._send(frames.RST_STREAM, frames.words(stream, frames.REFUSED_STREAM))
            return []
        one_way = bool(frame.flags & frames.UNIDIRECTIONAL)
        self._streams[stream] = _Stream(self._initial_window, ours_ended=one_way, theirs_ended=frame.fin)
        return [StreamOpened(stream, headers, frame.fin)]

    def _on_syn_reply(self, frame: Frame) -> list[Event]:
        stream, headers = self._stream_and_headers(frame)
        if stream not in self._streams:
            return []
        self._end_theirs(stream, frame.fin)
        return [StreamReplied(stream, headers), *([DataReceived(stream, b"", True)] if frame.fin else [])]

    def _on_headers(self, frame: Frame) -> list[Event]:
        stream, _ = self._stream_and_headers(frame)  # read only because the next block can't be read without it
        if not frame.fin or stream not in self._streams or self._streams[stream].theirs_ended:
            return []
        self._end_theirs(stream, True)
        return [DataReceived(stream, b"", True)]

    def _on_rst_stream(self, frame: Frame) -> list[Event]:
        stream, status = frames.read_words(frame.payload, 2)
        state = self._streams.pop(stream & frames.ID_MASK, None)
        return [] if state is None else [StreamReset(stream & frames.ID_MASK, status)]

    def _on_settings(self, frame: Frame) -> list[Event]:
        count = int.from_bytes(frame.payload[:4], "big")
        pairs = frames.read_words(frame.payload[4:], 2 * count)
        for identifier, value in zip(pairs[::2], pairs[1::2], strict=True):
            if identifier & 0xFF_FFFF == frames.INITIAL_WINDOW_SIZE and value <= LARGEST_WINDOW:
                self._change_initial_window(value)
        return [WindowOpened(0)]

    def _on_window_update(self, frame: Frame) -> list[Event]:
        stream, delta = (word & frames.ID_MASK for word in frames.read_words(frame.payload, 2))
        self._counts_windows = True
        state = self._streams.get(stream)
        if state is None:
            return []
        state.window += delta
        if state.window > LARGEST_WINDOW:
            self.reset(stream, frames.FLOW_CONTROL_ERROR)
            return [StreamReset(stream, frames.FLOW_CONTROL_ERROR)]
        return [WindowOpened(stream)]

    def _on_ping(self, frame: Frame) -> list[Event]:
        (number,) = frames.read_words(frame.payload, 1)
        if number % 2 != self._next_ping % 2:
            self._send(frames.PING, frame.payload)
        return []

    def _on_goaway(self, frame: Frame) -> list[Event]:
        _, status = frames.read_words(frame.payload, 2)
        return [WentAway(status)]

    # ---------------------------------------------------------------------------------------------------------- helpers

    def _send(self, type_: int, payload: bytes) -> None:
        self._to_send += frames.control(type_, payload)

    def _stream_and_headers(self, frame: Frame) -> tuple[int, dict[str, str]]:
        if len(frame.payload) < 4:
            raise SpdyError("SYN_REPLY or HEADERS: cut off")
        return int.from_bytes(frame.payload[:4], "big") & frames.ID_MASK, self._unpacker.unpack(frame.payload[4:])

    def _change_initial_window(self, value: int) -> None:
        for state in self._streams.values():
            state.window += value - self._initial_window
        self._initial_window = value
        self._counts_windows = True

    def _end_theirs(self, stream: int, fin: bool) -> None:
        if fin:
            self._streams[stream].theirs_ended = True
            self._forget_if_over(stream)

    def _forget_if_over(self, stream: int) -> None:
        state = self._streams[stream]
        if state.ours_ended and state.theirs_ended:
            del self._streams[stream]
