"""Questions over UDP, TCP and streams: against a real server, and against servers that are silent, cut short or lie."""

import shutil
import socket
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO

import dns.flags
import dns.message
import dns.rrset
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from svcdoctor.collect.resolver import Question, over_stream, over_tcp, over_udp
from svcdoctor.collect.values import Silence
from svcdoctor.model.observation import DnsAnswer, DnsRecord

WEB = "web.shop.svc.cluster.local."
PEERS = "peers.shop.svc.cluster.local."
UNBOUND = shutil.which("unbound") or shutil.which("unbound", path="/usr/sbin")
CONFIG = """\
server:
  verbosity: 1
  interface: 127.0.0.1@{port}
  do-daemonize: no
  use-syslog: no
  chroot: ""
  username: ""
  pidfile: ""
  directory: "{folder}"
  module-config: "iterator"
  do-not-query-localhost: no
  local-zone: "cluster.local." static
  local-data: "{web} 30 IN A 10.96.1.1"
  local-data: "alias.shop.svc.cluster.local. 30 IN CNAME db.example.com."
  local-data: '_http._tcp.{web} 30 IN SRV 0 100 80 {web}'
  local-data: 'dns-version.cluster.local. 30 IN TXT "1.1.0"'
{peers}
  local-zone: "refused.example." refuse
remote-control:
  control-enable: no
"""


@pytest.fixture(scope="module")
def unbound(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a real server with a cluster's zone written out; 90 addresses don't fit into a datagram."""
    if UNBOUND is None:
        pytest.skip("unbound is not installed: apt-get install unbound")
    folder = tmp_path_factory.mktemp("unbound")
    port = free_port()
    peers = "\n".join(f'  local-data: "{PEERS} 30 IN A 10.244.1.{n}"' for n in range(1, 91))
    (folder / "unbound.conf").write_text(CONFIG.format(port=port, folder=folder, web=WEB, peers=peers))
    server = subprocess.Popen([UNBOUND, "-c", folder / "unbound.conf"], stderr=subprocess.PIPE, text=True)
    try:
        assert server.stderr is not None
        said = list(iter_until(server.stderr, "start of service"))
        if server.poll() is not None:
            pytest.fail(f"unbound ended: {' '.join(said)}")
        yield port
    finally:
        server.terminate()
        server.communicate()


def iter_until(lines: IO[str], word: str) -> Iterator[str]:
    """The lines up to the one that has ``word``, or to the end."""
    for line in lines:
        yield line
        if word in line:
            return


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def without_time(answer: DnsAnswer) -> DnsAnswer:
    return DnsAnswer(**{f: getattr(answer, f) for f in answer.__struct_fields__ if f not in ("ms", "authority")})


def test_a_real_server_says_what_its_zone_says(unbound: int) -> None:
    (udp,) = over_udp(Question(WEB, "A"), "127.0.0.1", unbound)
    record = DnsRecord(WEB, 30, "IN", "A", "10.96.1.1")
    wanted = DnsAnswer("svcdoctor", "127.0.0.1", unbound, "UDP", WEB, "A", "NOERROR", udp.flags, (record,))
    assert without_time(udp) == wanted
    assert "qr" in udp.flags
    assert 0 <= udp.ms < 5000
    tcp = over_tcp(Question(WEB, "A"), "127.0.0.1", unbound)
    assert (tcp.transport, tcp.answers) == ("TCP", (record,))


@pytest.mark.parametrize(
    ("name", "type", "rcode", "data"),
    [
        (WEB, "AAAA", "NOERROR", []),
        ("nobody.shop.svc.cluster.local.", "A", "NXDOMAIN", []),
        (f"_http._tcp.{WEB}", "SRV", "NOERROR", [f"0 100 80 {WEB}"]),
        ("dns-version.cluster.local.", "TXT", "NOERROR", ['"1.1.0"']),
        ("www.refused.example.", "A", "REFUSED", []),
        (WEB.upper(), "A", "NOERROR", ["10.96.1.1"]),
    ],
)
def test_each_answer_means_what_it_means(unbound: int, name: str, type: str, rcode: str, data: list[str]) -> None:
    (answer,) = over_udp(Question(name, type), "127.0.0.1", unbound)
    assert (answer.rcode, [record.data for record in answer.answers]) == (rcode, data)
    assert answer.answered


def test_what_is_too_large_for_udp_is_fetched_over_tcp(unbound: int) -> None:
    udp, tcp = over_udp(Question(PEERS, "A"), "127.0.0.1", unbound)
    assert udp.truncated
    assert (tcp.transport, tcp.truncated, len(tcp.answers)) == ("TCP", False, 90)


def test_a_stream_that_leads_to_a_real_server(unbound: int) -> None:
    with socket.create_connection(("127.0.0.1", unbound)) as connected:
        answer = over_stream(Question(PEERS, "A"), Plain(connected), "10.244.1.2", 5353)
    assert (answer.server, answer.port, answer.transport, len(answer.answers)) == ("10.244.1.2", 5353, "TCP", 90)


class Plain:
    """A socket as a stream."""

    def __init__(self, connected: socket.socket) -> None:
        self.file = connected.makefile("rwb", buffering=0)

    def write(self, data: bytes) -> None:
        self.file.write(data)

    def read(self, count: int, until: float) -> bytes:
        got = b""
        while len(got) < count:
            more = self.file.read(count - len(got))
            if not more:
                raise Silence("the connection was closed")
            got += more
        return got


# ------------------------------------------------------------------------------------------------- servers that are ill


@contextmanager
def serving(reply: Callable[[bytes], list[bytes]]) -> Iterator[int]:
    """A UDP server that answers each datagram with those that ``reply`` makes of it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        ended = threading.Event()

        def serve() -> None:
            while not ended.is_set():
                data, peer = bound.recvfrom(4096)
                for datagram in reply(data) if not ended.is_set() else []:
                    bound.sendto(datagram, peer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        port: int = bound.getsockname()[1]
        try:
            yield port
        finally:
            ended.set()
            bound.sendto(b"", ("127.0.0.1", port))
            thread.join()


def answer_to(data: bytes, address: str = "10.96.1.1", **changed: int) -> bytes:
    query = dns.message.from_wire(data)
    reply = dns.message.make_response(query)
    reply.answer.append(dns.rrset.from_text(query.question[0].name, 30, "IN", "A", address))
    reply.id = changed.get("id", reply.id)
    reply.flags |= changed.get("flags", 0)
    return reply.to_wire()


def test_silence_is_a_timeout() -> None:
    with serving(lambda data: []) as port:
        (answer,) = over_udp(Question(WEB, "A"), "127.0.0.1", port, timeout=0.1)
    assert (answer.answered, answer.rcode, answer.error) == (False, "", "timeout")
    assert answer.ms >= 90


def test_nobody_listens() -> None:
    port = free_port()
    (udp,) = over_udp(Question(WEB, "A"), "127.0.0.1", port, timeout=2)
    assert udp.error == "refused"
    assert over_tcp(Question(WEB, "A"), "127.0.0.1", port, timeout=2).error == "refused"


def test_truncated_and_no_tcp() -> None:
    with serving(lambda data: [answer_to(data, flags=dns.flags.TC)]) as port:
        udp, tcp = over_udp(Question(WEB, "A"), "127.0.0.1", port, timeout=2)
    assert udp.truncated
    assert (tcp.transport, tcp.error) == ("TCP", "refused")


def test_what_comes_for_somebody_else_is_passed_over() -> None:
    """Another id, another question: late or made up. The right one comes last."""

    def reply(data: bytes) -> list[bytes]:
        other = dns.message.make_query("elsewhere.example.", "A", id=dns.message.from_wire(data).id)
        return [answer_to(data, id=1), answer_to(other.to_wire(), "203.0.113.9"), b"\x00\x01garbage", answer_to(data)]

    with serving(reply) as port:
        (answer,) = over_udp(Question(WEB, "A"), "127.0.0.1", port, timeout=2)
    assert [record.data for record in answer.answers] == ["10.96.1.1"]


def test_a_lie_is_told_as_it_was_said() -> None:
    with serving(lambda data: [answer_to(data, "203.0.113.99")]) as port:
        (answer,) = over_udp(Question(WEB, "A"), "127.0.0.1", port, timeout=2)
    assert [record.data for record in answer.answers] == ["203.0.113.99"]


class Said:
    """A stream that says ``data``, whatever is written to it."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def write(self, data: bytes) -> None:
        self.asked = data

    def read(self, count: int, until: float) -> bytes:
        if len(self.data) < count:
            raise Silence("timeout")
        taken, self.data = self.data[:count], self.data[count:]
        return taken


@settings(max_examples=200)
@given(st.binary(max_size=80))
def test_any_bytes_on_a_stream_are_an_answer_with_an_error(noise: bytes) -> None:
    """The id is random, so nothing that is drawn here can be the answer."""
    answer = over_stream(Question(WEB, "A"), Said(struct.pack("!H", len(noise)) + noise), "10.0.0.1")
    assert not answer.answered
    assert answer.error


@given(st.text(max_size=300), st.text(max_size=8))
def test_any_name_and_type_can_be_asked_for(name: str, type: str) -> None:
    answer = over_stream(Question(name, type), Said(b""), "10.0.0.1")
    assert answer.error
