"""Questions to name servers, one at a time, each with what came of it. The only door to dnspython.

None of dnspython's exceptions leaves: a server that is silent, refuses, or talks nonsense is an answer with an error.
"""

import socket
import time
from collections.abc import Callable
from ipaddress import ip_address
from typing import Protocol

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
from msgspec import Struct, structs

from ..model.observation import DnsAnswer, DnsRecord
from .values import Silence

PAYLOAD = 1232
"""Bytes that we take over UDP, as most resolvers do since 2020."""

TIMEOUT = 8.0
"""Seconds: longer than a resolver's own five, so that what a client finds lost is told from what is slow."""


class Question(Struct, frozen=True):
    """What is asked: an absolute name, and a type."""

    name: str
    type: str


class Stream(Protocol):
    """Bytes to and from a server's TCP port, by whatever way. Both raise Silence."""

    def write(self, data: bytes) -> None: ...

    def read(self, count: int, until: float) -> bytes: ...


def over_udp(question: Question, server: str, port: int = 53, timeout: float = TIMEOUT) -> tuple[DnsAnswer, ...]:
    """The answer over UDP; where it is truncated, the one over TCP after it."""

    def exchange(query: dns.message.Message) -> dns.message.Message:
        family = socket.AF_INET6 if ip_address(server).version == 6 else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as connected:  # so that a port unreachable is heard of
            connected.setblocking(False)
            connected.connect((server, port))
            until = time.time() + timeout
            dns.query.send_udp(connected, query, None, until)
            return _received(connected, query, until)

    answer = _ask(question, server, port, "UDP", exchange)
    if not answer.truncated:
        return (answer,)
    return (answer, over_tcp(question, server, port, timeout))


def _received(connected: socket.socket, query: dns.message.Message, until: float) -> dns.message.Message:
    """The reply to ``query``; what else comes, late or made up, is passed over as resolvers do."""
    reply: dns.message.Message
    reply, *_ = dns.query.receive_udp(connected, None, until, query=query, ignore_errors=True)
    return reply


def over_tcp(question: Question, server: str, port: int = 53, timeout: float = TIMEOUT) -> DnsAnswer:
    return _ask(question, server, port, "TCP", lambda query: dns.query.tcp(query, server, timeout=timeout, port=port))


def over_stream(question: Question, stream: Stream, server: str, port: int = 53, timeout: float = TIMEOUT) -> DnsAnswer:
    """Over a connection that is open already, such as a port-forward. ``server`` is only told in the answer."""

    def exchange(query: dns.message.Message) -> dns.message.Message:
        until = time.monotonic() + timeout
        wire = query.to_wire()
        stream.write(len(wire).to_bytes(2, "big") + wire)
        size = int.from_bytes(stream.read(2, until), "big")
        reply = dns.message.from_wire(stream.read(size, until))
        if not query.is_response(reply):
            raise dns.query.BadResponse
        return reply

    return _ask(question, server, port, "TCP", exchange)


def _ask(
    question: Question,
    server: str,
    port: int,
    transport: str,
    exchange: Callable[[dns.message.Message], dns.message.Message],
) -> DnsAnswer:
    asked = DnsAnswer("svcdoctor", server, port, transport, question.name, question.type)
    start = time.monotonic()
    reply, error = _exchanged(question, exchange)
    asked = structs.replace(asked, ms=round((time.monotonic() - start) * 1000, 3), error=error)
    if reply is None:
        return asked
    return structs.replace(
        asked,
        rcode=dns.rcode.to_text(reply.rcode()),
        flags=tuple(dns.flags.to_text(reply.flags).lower().split()),
        answers=_records(reply.answer),
        authority=_records(reply.authority),
    )


def _exchanged(
    question: Question, exchange: Callable[[dns.message.Message], dns.message.Message]
) -> tuple[dns.message.Message | None, str]:
    try:
        query = dns.message.make_query(question.name, question.type, use_edns=0, payload=PAYLOAD)
        return exchange(query), ""
    except dns.exception.Timeout:
        return None, "timeout"
    except ConnectionRefusedError:
        return None, "refused"
    except Silence as silence:
        return None, silence.why
    except EOFError:
        return None, "the server hung up"
    except (dns.exception.DNSException, ValueError, NotImplementedError) as error:
        return None, f"no DNS answer ({type(error).__name__})"
    except OSError as error:
        return None, "the server hung up" if isinstance(error, ConnectionError) else "unreachable"


def _records(section: list[dns.rrset.RRset]) -> tuple[DnsRecord, ...]:
    return tuple(
        DnsRecord(rrset.name.to_text(), rrset.ttl, "IN", dns.rdatatype.to_text(rrset.rdtype), rdata.to_text())
        for rrset in section
        for rdata in rrset
    )
