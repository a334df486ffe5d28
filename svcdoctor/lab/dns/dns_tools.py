"""What the client pods' own tools print of a look-up: (stdout, exit code) of getent, nslookup and dig."""

import itertools
from collections.abc import Sequence

from .names import absolute
from .search import Ask, Lookup, Step, lookup, query, read, reverse

Printed = tuple[str, int]
NOT_FOUND = 2
NO_SERVER = 9
NOT_LEGAL = 10
RCODES = {"nxdomain": "NXDOMAIN", "servfail": "SERVFAIL", "refused": "REFUSED"}
FAMILIES = ("A", "AAAA")


def getent_hosts(resolv_conf: str, name: str, ask: Ask) -> Printed:
    """``getent hosts NAME``: IPv6 where there is any, else IPv4 (glibc nss); silent with 2 where there is nothing."""
    for rdtype in reversed(FAMILIES):
        found = lookup(resolv_conf, name, ask, rdtype)
        if found.data:
            names = " ".join([found.canonical, *found.aliases])
            return "".join(f"{address:<15} {names}\n" for address in found.data), 0
    return "", NOT_FOUND


def nslookup(resolv_conf: str, name: str, ask: Ask) -> Printed:
    """``nslookup NAME`` of bind9-dnsutils. An address is looked up backwards."""
    pointer = reverse(name)
    if pointer is not None:
        found = lookup(resolv_conf, pointer, ask, "PTR")
        lines = [f"{pointer.rstrip('.')}\tname = {owner}" for owner in found.data]
        return _nslookup([found], pointer, lines, server=False)
    first = lookup(resolv_conf, name, ask, "A")
    if first.last.outcome not in ("found", "nodata"):
        return _nslookup([first], name, [])
    second = lookup(resolv_conf, first.last.name, ask, "AAAA")
    lines = _aliases(first)
    for found in (first, second):
        for address in found.data:
            lines += [f"Name:\t{found.canonical}", f"Address: {address}"]
    return _nslookup([first, second], name, lines)


def dig_short(resolv_conf: str, name: str, rdtype: str, ask: Ask) -> Printed:
    """``dig +short NAME TYPE``: no search, and nothing at all where there is no such record."""
    if not name or absolute(name) is None:
        return "", NOT_LEGAL
    step = query(read(resolv_conf).servers, name if name.endswith(".") else name + ".", rdtype, ask)
    if step.outcome in ("timeout", "unreachable"):
        return "".join(line + "\n" for line in [*_unreached(step), ";; no servers could be reached"]), NO_SERVER
    answer = step.message.answer if step.message else ()
    return "".join(f"{item.to_text()}\n" for rrset in answer for item in rrset), 0


def _aliases(found: Lookup) -> list[str]:
    names = [*found.aliases, found.canonical]
    return [f"{alias}\tcanonical name = {goal}." for alias, goal in itertools.pairwise(names)]


def _nslookup(found: Sequence[Lookup], name: str, lines: Sequence[str], server: bool = True) -> Printed:
    last = found[0].last
    if last.outcome in ("timeout", "unreachable"):
        return "".join(line + "\n" for line in [*_unreached(last), ";; no servers could be reached", "", ""]), 1
    head = [f"Server:\t\t{last.server}", f"Address:\t{last.server}#53", ""] if server else []
    if lines:
        return "".join(line + "\n" for line in [*head, *lines, ""]), 0
    asked = name if last.outcome == "nodata" else last.name.rstrip(".")
    problem = f"*** Can't find {asked}: No answer" if last.outcome == "nodata" else ""
    problem = problem or f"** server can't find {asked}: {RCODES[last.outcome]}"
    return "".join(line + "\n" for line in [*head, problem, ""]), 1


def _unreached(step: Step) -> list[str]:
    why = "timed out" if step.outcome == "timeout" else "connection refused"
    return [f";; communications error to {step.server}#53: {why}"] * 3
