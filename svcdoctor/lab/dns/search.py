"""A look-up as glibc's resolver does it over a resolv.conf: the search walk, the servers in turn (resolv.conf(5))."""

import ipaddress
from collections.abc import Callable, Sequence
from typing import Literal

import dns.name
from dns.message import Message
from dns.name import Name
from dns.rcode import Rcode
from dns.rdatatype import RdataType
from msgspec import Struct

from .names import absolute

MOST_SERVERS = 3
Ask = Callable[[str, str, str], Message | None]
"""(server, name, type) -> its answer; None where it times out. Raises ConnectionRefusedError where nobody listens."""
Outcome = Literal["found", "nxdomain", "nodata", "servfail", "refused", "timeout", "unreachable"]


class ResolvConf(Struct, frozen=True):
    """What of the file the walk goes by."""

    servers: tuple[str, ...] = ("127.0.0.1",)
    searches: tuple[str, ...] = ()
    ndots: int = 1


class Step(Struct, frozen=True):
    """One name that was asked for, with what came back from whom."""

    server: str
    name: str
    type: str
    outcome: Outcome
    message: Message | None = None


class Lookup(Struct, frozen=True):
    """The whole walk for one type; the last step is the one that counts."""

    steps: tuple[Step, ...]
    aliases: tuple[str, ...] = ()  # the names that CNAMEs led away from, without their last dot
    canonical: str = ""
    data: tuple[str, ...] = ()

    @property
    def last(self) -> Step:
        return self.steps[-1]


def read(text: str) -> ResolvConf:
    servers: list[str] = []
    searches: tuple[str, ...] = ()
    ndots = 1
    for words in map(str.split, text.splitlines()):
        if words[:1] == ["nameserver"] and len(words) > 1:
            servers.append(words[1])
        elif words[:1] in (["search"], ["domain"]):
            searches = tuple(words[1:])
        elif words[:1] == ["options"]:
            given = [word.removeprefix("ndots:") for word in words[1:] if word.startswith("ndots:")]
            ndots = min(int(given[-1]), 15) if given and given[-1].isdecimal() else ndots
    return ResolvConf(tuple(servers[:MOST_SERVERS]) or ("127.0.0.1",), searches, ndots)


def candidates(conf: ResolvConf, name: str) -> tuple[str, ...]:
    """The absolute names in the order in which they are tried."""
    if name.endswith("."):
        return (name,)
    searched = tuple(f"{name}.{'' if search == '.' else search.rstrip('.') + '.'}" for search in conf.searches)
    first = name.count(".") >= conf.ndots
    return tuple(dict.fromkeys((f"{name}.", *searched) if first else (*searched, f"{name}.")))


def lookup(resolv_conf: str, name: str, ask: Ask, rdtype: str = "A") -> Lookup:
    """The walk ends with an answer, with silence or with nobody listening; a denial or a SERVFAIL goes on."""
    conf = read(resolv_conf)
    steps: list[Step] = []
    for candidate in candidates(conf, name):
        steps.append(_step(conf.servers, candidate, rdtype, ask))
        if steps[-1].outcome in ("found", "timeout", "unreachable"):
            break
    last = steps[-1]
    if last.outcome != "found" or last.message is None:
        return Lookup(tuple(steps))
    names, data = _followed(last.message, dns.name.from_text(last.name), RdataType.make(rdtype))
    return Lookup(tuple(steps), tuple(names[:-1]), names[-1], data)


def query(servers: Sequence[str], name: str, rdtype: str, ask: Ask) -> Step:
    """One absolute name, without a walk."""
    return _step(servers, name, rdtype, ask)


def _step(servers: Sequence[str], name: str, rdtype: str, ask: Ask) -> Step:
    """The first server that gives a usable answer; SERVFAIL and REFUSED make glibc try the next one.

    What is no domain name is not asked for, and not found.
    """
    if absolute(name) is None:
        return Step(servers[0], name, rdtype, "nxdomain")
    step = Step(servers[0], name, rdtype, "timeout")
    for server in servers:
        try:
            message = ask(server, name, rdtype)
        except ConnectionRefusedError:
            step = Step(server, name, rdtype, "unreachable")
            continue
        step = Step(server, name, rdtype, "timeout" if message is None else _outcome(message, name, rdtype), message)
        if step.outcome in ("found", "nxdomain", "nodata"):
            break
    return step


def _outcome(message: Message, name: str, rdtype: str) -> Outcome:
    rcode = message.rcode()
    if rcode == Rcode.NXDOMAIN:
        return "nxdomain"
    if rcode != Rcode.NOERROR:
        return "refused" if rcode == Rcode.REFUSED else "servfail"
    return "found" if _followed(message, dns.name.from_text(name), RdataType.make(rdtype))[1] else "nodata"


def _followed(message: Message, name: Name, rdtype: RdataType) -> tuple[list[str], tuple[str, ...]]:
    """The names from the asked one to the canonical one, and its data; what another name owns does not count."""
    names = [_bare(name)]
    for _ in range(len(message.answer) + 1):
        held = [rrset for rrset in message.answer if rrset.name == name]
        data = [item.to_text() for rrset in held if rrset.rdtype == rdtype for item in rrset]
        alias = next((rrset for rrset in held if rrset.rdtype == RdataType.CNAME), None)
        if data or alias is None:
            return names, tuple(data)
        name = alias[0].target
        names.append(_bare(name))
    return names, ()


def _bare(name: Name) -> str:
    return name.to_text(omit_final_dot=True)


def reverse(ip: str) -> str | None:
    """The name that holds an address's PTR record; None where ``ip`` is none."""
    try:
        return ipaddress.ip_address(ip).reverse_pointer + "."
    except ValueError:
        return None
