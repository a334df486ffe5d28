"""SPDY without I/O: bytes in, events out."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcdoctor.lab.api.streams.spdy import frames
from svcdoctor.lab.api.streams.spdy.connection import DEFAULT_WINDOW, LARGEST_WINDOW, MOST_STREAMS, Connection
from svcdoctor.lab.api.streams.spdy.errors import SpdyError
from svcdoctor.lab.api.streams.spdy.events import (
    DataReceived,
    StreamOpened,
    StreamReplied,
    StreamReset,
    WentAway,
    WindowOpened,
)
from svcdoctor.lab.api.streams.spdy.frames import control, data, words

KUBECTL = bytes.fromhex(
    "80030001000000290000000100000000000078f9e3c6a7c26260606004a7b392a2d4c45c6851c29a0a0a6800000000ffff"
    "800300010000001900000003000000000000c22ac5565c92925f5a02000000ffff"
    "800300010000001500000005000000000000c229975a5404000000ffff"
)
"""What kubectl 1.32 sends first for ``kubectl exec x -- true``."""


def _pair() -> tuple[Connection, Connection]:
    return Connection(client=True), Connection()


def _opened(server: Connection) -> int:
    """A stream that a client opened and the server accepted."""
    client = Connection(client=True)
    stream = client.open({"streamtype": "data"})
    server.receive(client.take())
    server.reply(stream)
    server.take()
    return stream


def test_what_kubectl_opens():
    assert Connection().receive(KUBECTL) == [
        StreamOpened(1, {"streamtype": "error"}, False),
        StreamOpened(3, {"streamtype": "stdout"}, False),
        StreamOpened(5, {"streamtype": "stderr"}, False),
    ]


def test_the_bytes_of_an_answer():
    server = Connection()
    server.receive(KUBECTL)
    server.take()
    server.send(3, b"out\n")
    server.send(3, b"", fin=True)
    server.reset(5)
    server.go_away()
    assert server.take() == bytes.fromhex(
        "0000000300000004" + b"out\n".hex() + "0000000301000000" + "80030003000000080000000500000005"
        "80030007000000080000000500000000"
    )


def test_a_stream_from_end_to_end():
    client, server = _pair()
    stream = client.open({"streamtype": "data", "port": "80"})
    assert server.receive(client.take()) == [StreamOpened(stream, {"streamtype": "data", "port": "80"}, False)]
    server.reply(stream)
    server.send(stream, b"to the client")
    assert client.receive(server.take()) == [StreamReplied(stream, {}), DataReceived(stream, b"to the client", False)]
    client.send(stream, b"to the server", fin=True)
    assert server.receive(client.take()) == [DataReceived(stream, b"to the server", True)]
    assert server.is_writable(stream)
    server.send(stream, b"", fin=True)
    assert client.receive(server.take()) == [DataReceived(stream, b"", True)]
    assert not server.is_writable(stream)
    server.send(stream, b"too late")
    assert server.take() == b""


chunks = st.lists(st.tuples(st.booleans(), st.integers(0, 2), st.binary(max_size=300)), max_size=20)


@given(chunks, st.randoms(use_true_random=False))
def test_all_data_arrives_in_order_however_it_is_cut(sent, cut):
    """Three streams, both directions; the bytes arrive in pieces of any size."""
    client, server = _pair()
    streams = [client.open({"n": str(number)}) for number in range(3)]
    server.receive(client.take())
    for stream in streams:
        server.reply(stream)
    for from_client, number, payload in sent:
        (client if from_client else server).send(streams[number], payload)
    for sender, receiver, from_client in ((client, server, True), (server, client, False)):
        events = [event for piece in _pieces(sender.take(), cut) for event in receiver.receive(piece)]
        got = [(event.stream, event.data) for event in events if isinstance(event, DataReceived)]
        assert got == [(streams[number], payload) for side, number, payload in sent if side is from_client]


def _pieces(whole: bytes, cut: random.Random) -> list[bytes]:
    pieces = []
    while whole:
        size = cut.randint(1, 40)
        pieces.append(whole[:size])
        whole = whole[size:]
    return pieces


# ------------------------------------------------------------------------------------------------------ what is refused


@given(st.binary(max_size=300))
def test_garbage_is_one_error(garbage):
    _survives(garbage)


@given(st.integers(0, 12), st.integers(0, 255), st.binary(max_size=60))
def test_any_control_frame_is_understood_or_one_error(type_, flags, payload):
    _survives(KUBECTL + control(type_, payload, flags))


@given(st.integers(0, len(KUBECTL) - 1), st.integers(0, 255))
def test_a_flipped_byte_is_understood_or_one_error(at, value):
    _survives(KUBECTL[:at] + bytes([value]) + KUBECTL[at + 1 :])


def _survives(sent: bytes) -> None:
    """Nothing but SpdyError comes of it, and what we say to it are whole frames."""
    connection = Connection()
    try:
        for event in connection.receive(sent):
            if isinstance(event, StreamOpened):
                connection.reply(event.stream)
                connection.send(event.stream, b"x", fin=True)
    except SpdyError:
        connection.go_away(frames.GOAWAY_PROTOCOL_ERROR)
    reader = frames.FrameReader()
    reader.feed(connection.take() + b"\x00\x00\x00\x01\x00\x00\x00\x03end")
    assert [frame.payload for frame in reader.frames()][-1] == b"end"


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (control(frames.SYN_STREAM, b"short"), "SYN_STREAM: cut off"),
        (control(frames.SYN_REPLY, b"s"), "SYN_REPLY or HEADERS: cut off"),
        (control(frames.PING, b"short"), "a control frame of 5 bytes instead of 4"),
        (control(frames.SETTINGS, words(1 << 30)), "a control frame of 0 bytes instead of 8589934592"),
        (b"\x80\x02\x00\x06\x00\x00\x00\x04\x00\x00\x00\x01", "SPDY version 2"),
        (b"\x00\x00\x00\x01\x00\xff\xff\xff", "a frame of 16777215 bytes"),
        (KUBECTL + KUBECTL[:49], "header block: "),
    ],
)
def test_what_can_not_be_understood(sent, why):
    with pytest.raises(SpdyError, match=why):
        Connection().receive(sent)


@pytest.mark.parametrize("opened", [2, 0, 1], ids=["ours", "none", "again"])
def test_a_stream_of_a_wrong_number(opened):
    client, server = _pair()
    client.open({})
    server.receive(client.take())
    client._next_stream = opened
    client.open({})
    with pytest.raises(SpdyError, match=f"SYN_STREAM: stream {opened} after 1"):
        server.receive(client.take())


def test_frames_of_unknown_types_are_passed_over():
    assert Connection().receive(control(10, b"whatever") + KUBECTL[:49]) == [
        StreamOpened(1, {"streamtype": "error"}, False)
    ]


def test_more_streams_than_allowed_are_refused():
    client, server = _pair()
    for _ in range(MOST_STREAMS + 1):
        last = client.open({})
    assert len(server.receive(client.take())) == MOST_STREAMS
    assert client.receive(server.take()) == [StreamReset(last, frames.REFUSED_STREAM)]


def test_no_stream_is_accepted_after_going_away():
    client, server = _pair()
    server.go_away()
    server.go_away()
    stream = client.open({})
    assert server.receive(client.take()) == []
    assert client.receive(server.take()) == [WentAway(frames.GOAWAY_OK), StreamReset(stream, frames.REFUSED_STREAM)]


def test_data_after_the_end_of_a_stream():
    server = Connection()
    stream = _opened(server)
    server.receive(data(stream, b"", fin=True))
    assert server.receive(data(stream, b"more", fin=False)) == [StreamReset(stream, frames.STREAM_ALREADY_CLOSED)]
    assert server.take() == control(frames.RST_STREAM, words(stream, frames.STREAM_ALREADY_CLOSED))


def test_data_on_a_stream_that_is_over_is_dropped():
    server = Connection()
    stream = _opened(server)
    server.reset(stream)
    server.take()
    assert server.receive(data(stream, b"more", fin=False)) == []
    assert server.take() == b""


def test_data_on_a_stream_that_never_was():
    server = Connection()
    assert server.receive(data(99, b"", fin=False)) == []
    assert server.take() == control(frames.RST_STREAM, words(99, frames.INVALID_STREAM))


# --------------------------------------------------------------------------------------------------- pings and windows


def test_a_ping_is_answered_and_an_answer_is_not():
    client, server = _pair()
    client.ping()
    asked = client.take()
    assert server.receive(asked) == []
    assert server.take() == asked
    assert client.receive(asked) == []
    assert client.take() == b""


def test_a_peer_that_counts_no_windows_has_no_window():
    server = Connection()
    stream = _opened(server)
    server.send(stream, b"x" * 10 * DEFAULT_WINDOW)
    assert server.allowance(stream) == LARGEST_WINDOW


def test_a_window_is_honoured_once_the_peer_speaks_of_one():
    server = Connection()
    stream = _opened(server)
    server.send(stream, b"x" * DEFAULT_WINDOW)
    assert server.receive(control(frames.WINDOW_UPDATE, words(stream, 10))) == [WindowOpened(stream)]
    assert server.allowance(stream) == 10
    server.send(stream, b"x" * 10)
    assert server.allowance(stream) == 0


def test_a_changed_initial_window_changes_all_windows():
    server = Connection()
    stream = _opened(server)
    setting = words(1, frames.INITIAL_WINDOW_SIZE, 100)
    assert server.receive(control(frames.SETTINGS, setting)) == [WindowOpened(0)]
    server.send(stream, b"x" * 30)
    assert server.allowance(stream) == 70
    server.receive(control(frames.SETTINGS, words(1, frames.INITIAL_WINDOW_SIZE, 20)))
    assert server.allowance(stream) == 0


def test_a_window_that_overflows_resets_its_stream():
    server = Connection()
    stream = _opened(server)
    update = control(frames.WINDOW_UPDATE, words(stream, LARGEST_WINDOW))
    assert server.receive(update) == [StreamReset(stream, frames.FLOW_CONTROL_ERROR)]


def test_what_has_been_read_is_granted_again():
    server = Connection()
    stream = _opened(server)
    server.consumed(stream, 500)
    assert server.take() == control(frames.WINDOW_UPDATE, words(stream, 500))
