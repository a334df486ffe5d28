"""Sockets: both transports on one port, sizes, several questions, and bytes that are no questions."""

import asyncio
import struct

import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import pytest
from dns.message import Message
from hypothesis import example, given
from hypothesis import strategies as st

from svcdoctor.lab.dns import Serving, wire

from .sockets import COUNT, MANY, WEB, cluster, connected, datagrams, framed, talking, unframed
from .world import Json, Objects, answers, ask, name_server, over, put, serving

# --------------------------------------------------------------------------------------------------------------- sizes


@pytest.mark.parametrize(("payload", "size"), [(None, 512), (100, 512), (900, 900), (1232, 1232), (4096, 1232)])
def test_an_answer_that_does_not_fit_is_cut_and_says_so(payload: int | None, size: int) -> None:
    async def scenario(served: Serving) -> bytes:
        socket, client = await datagrams(served)
        query = dns.message.make_query(MANY, "SRV", payload=payload) if payload else dns.message.make_query(MANY, "SRV")
        socket.sendto(query.to_wire())
        raw = await asyncio.wait_for(client.came.get(), 5)
        socket.close()
        return raw

    raw = serving(name_server(cluster()), scenario)
    cut = dns.message.from_wire(raw)
    assert cut.flags & dns.flags.TC
    assert size - 100 < len(raw) <= size
    assert 0 < sum(map(len, cut.answer)) < COUNT
    assert cut.edns == (-1 if payload is None else 0)


def test_tcp_has_room_for_all() -> None:
    whole = ask(name_server(cluster()), MANY, "SRV", "tcp")
    assert not whole.flags & dns.flags.TC
    assert sum(map(len, whole.answer)) == sum(map(len, whole.additional)) == COUNT
    assert len(ask(name_server(cluster()), MANY, payload=1232).answer[0]) == COUNT


def test_additional_records_that_do_not_fit_are_missed_too() -> None:
    message = put(name_server(cluster()), MANY, "SRV")
    without = put(name_server(cluster()), MANY, "SRV")
    without.additional = []
    cut = dns.message.from_wire(wire.render(message, len(wire.render(without)) + 10))
    assert cut.flags & dns.flags.TC
    assert sum(map(len, cut.answer)) == COUNT


@given(st.integers(512, 6000), st.sampled_from(["A", "SRV"]), st.booleans())
def test_what_is_rendered_fits_and_can_be_read(size: int, rdtype: str, edns: bool) -> None:
    query = dns.message.make_query(MANY, rdtype, use_edns=edns)
    message = name_server(cluster()).answer(query, "tcp")
    assert message is not None
    raw = wire.render(message, size)
    assert len(raw) <= size
    read = dns.message.from_wire(raw)
    whole = {(rrset.name, item) for rrset in message.answer for item in rrset}
    assert {(rrset.name, item) for rrset in read.answer for item in rrset} <= whole
    assert bool(read.flags & dns.flags.TC) == (len(wire.render(message)) > size)


# ----------------------------------------------------------------------------------------------------------- questions


def test_several_questions_on_one_connection_even_byte_by_byte() -> None:
    queries = [dns.message.make_query(name, "A") for name in (WEB, "missing." + WEB, "example.com")]

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"".join(map(framed, queries[:2])))
        for byte in framed(queries[2]):
            writer.write(bytes([byte]))
            await writer.drain()
        got = [await unframed(reader) for _ in queries]
        assert [message.id for message in got] == [query.id for query in queries]
        assert [dns.rcode.to_text(message.rcode()) for message in got] == ["NOERROR", "NXDOMAIN", "NOERROR"]

    serving(name_server(cluster()), lambda served: connected(served, talk))


def test_a_client_that_goes_in_mid_question_leaves_the_server_well() -> None:
    async def scenario(served: Serving) -> Message:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(framed(dns.message.make_query(WEB, "A"))[:9])
            await writer.drain()

        await connected(served, talk)
        return await over("tcp", served, dns.message.make_query(WEB, "A"))

    assert answers(serving(name_server(cluster()), scenario))[0] == "NOERROR"


def test_a_client_that_asks_much_before_it_reads() -> None:
    """More than the sockets' buffers hold: the server waits for the client, then answers all."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(framed(dns.message.make_query(MANY, "SRV")) * 50)
        for _ in range(50):
            assert len((await unframed(reader)).answer[0]) == COUNT

    serving(name_server(cluster()), talking(talk))


def test_classes_versions_and_types_that_are_not_served() -> None:
    server = name_server(cluster())
    assert answers(ask(server, WEB, rdclass="CH"))[0] == "REFUSED"
    assert answers(ask(server, WEB, use_edns=1))[0] == "BADVERS"
    assert answers(ask(server, WEB, "ANY")) == ("NOERROR", [])
    assert answers(ask(server, WEB, "HINFO")) == ("NOERROR", [])
    assert ask(server, WEB, want_dnssec=True).ednsflags & dns.flags.DO


def header(flags: int, *counts: int) -> bytes:
    return struct.pack("!HHHHHH", 77, flags, *counts)


UPDATE = int(dns.opcode.UPDATE) << 11
ODD = [
    (b"", None),
    (b"GET / HTTP/1.1"[:11], None),
    (header(0x8000, 1, 0, 0, 0), None),
    (header(0, 0, 0, 0, 0), "FORMERR"),
    (header(0, 2, 0, 0, 0), "FORMERR"),
    (header(0, 1, 0, 0, 0), "FORMERR"),
    (header(0, 1, 2, 0, 0), "FORMERR"),
    (header(0, 1, 0, 0, 0) + b"\xc0\x0c\x00\x01\x00\x01", "FORMERR"),
    (header(0, 1, 0, 0, 0) + b"\x40" * 70, "FORMERR"),
    (header(UPDATE, 1, 0, 0, 0), "NOTIMP"),
    (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "NOTIMP"),
]


@pytest.mark.parametrize(("raw", "rcode"), ODD)
def test_bytes_that_are_no_question(raw: bytes, rcode: str | None) -> None:
    """Silence where there is no whole question header, else the error that CoreDNS gives; the next one is answered."""

    async def scenario(served: Serving) -> list[bytes]:
        socket, client = await datagrams(served)
        socket.sendto(raw)
        socket.sendto(dns.message.make_query(WEB, "A").to_wire())
        got = [await asyncio.wait_for(client.came.get(), 5) for _ in range(1 if rcode is None else 2)]
        socket.close()
        return got

    *errors, last = serving(name_server(cluster()), scenario)
    assert [dns.rcode.to_text(dns.rcode.Rcode(one[3] & 15)) for one in errors] == ([] if rcode is None else [rcode])
    assert [one[:2] for one in errors] == [raw[:2]] * len(errors)
    assert answers(dns.message.from_wire(last)) == ("NOERROR", [f"{WEB} A 10.96.0.20"])


QUERY = dns.message.make_query(WEB, "SRV", id=7, payload=1232).to_wire()


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    raw = bytearray(QUERY)
    for at, value in draw(st.lists(st.tuples(st.integers(0, len(QUERY) - 1), st.integers(0, 255)), max_size=6)):
        raw[at] = value
    return bytes(raw[: draw(st.integers(0, len(QUERY)))])


SERVING = Serving(name_server(cluster()))


@given(st.binary(max_size=80) | mutated())
@example(QUERY)
def test_no_bytes_break_it(raw: bytes) -> None:
    """Whatever comes back is a DNS message that answers to the same id, or it is nothing."""
    for transport in ("udp", "tcp"):
        sent: list[bytes] = []
        SERVING.respond(raw, transport, sent.append)
        for one in sent:
            assert one[:2] == raw[:2]
            assert one[2] & 0x80
            assert dns.message.from_wire(one).id == int.from_bytes(raw[:2])


@given(st.lists(st.binary(max_size=40) | mutated(), max_size=8))
def test_no_stream_of_bytes_breaks_it(chunks: list[bytes]) -> None:
    async def scenario(served: Serving) -> Message:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            for chunk in chunks:
                writer.write(chunk)

        await connected(served, talk)
        return await over("tcp", served, dns.message.make_query(WEB, "A"))

    assert answers(serving(name_server(cluster()), scenario))[0] == "NOERROR"


class Torn(Objects):
    """A View that breaks, as one does over an object that lacks what the API promises."""

    def service(self, namespace: str, name: str) -> Json | None:
        raise KeyError("spec")


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_question_that_breaks_the_server_is_a_failure_of_that_question(transport: str) -> None:
    async def scenario(served: Serving) -> list[str]:
        names = (WEB, "example.com")
        got = [await over(transport, served, dns.message.make_query(name, "A")) for name in names]
        return [dns.rcode.to_text(message.rcode()) for message in got]

    assert serving(name_server(Torn(namespaces={"shop": {}})), scenario) == ["SERVFAIL", "NOERROR"]
