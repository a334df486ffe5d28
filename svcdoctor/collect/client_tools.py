"""What the tools of a client's own image print of a look-up: getent, dig, nslookup (of BIND and of busybox)."""

import re
from collections.abc import Iterator, Sequence
from ipaddress import ip_address

from ..model.observation import DnsAnswer, DnsRecord

NOT_FOUND = "not found"
"""What a C library says, whatever the reason was."""

_STATUS = re.compile(r"->>HEADER<<-.*status: (?P<rcode>[A-Z0-9]+)")
_FLAGS = re.compile(r"^;; flags: (?P<flags>[a-z ]*);", re.MULTILINE)
_TIME = re.compile(r"^;; Query time: (?P<ms>\d+) msec", re.MULTILINE)
_SERVER = re.compile(r"^;; SERVER: (?P<server>[0-9a-fA-F.:]+)#(?P<port>\d+)", re.MULTILINE)
_RECORD = re.compile(
    r"^(?P<name>[^;\s]\S*)\s+(?P<ttl>\d+)\s+IN\s+(?P<type>[A-Z0-9]+)\s+(?P<data>\S.*?)\s*$", re.MULTILINE
)
_ASKED = re.compile(r"^Address:?\s+(?P<server>[0-9a-fA-F.:]+?)(?:#|:)(?P<port>53|\d{2,5})\s*$", re.MULTILINE)
_FAILED = re.compile(r"\*\* server can't find \S+: (?P<rcode>[A-Z]+)")
_SILENT = re.compile(r"no servers could be reached|timed out")
_REFUSED = re.compile(r"connection refused", re.IGNORECASE)
_REACHED = re.compile(r"(?:communications error to|SERVER:) (?P<server>[0-9a-fA-F.:]+)#(?P<port>\d+)")
_ALIAS = re.compile(r"^(?P<name>\S+)\s+canonical name = (?P<target>\S+)", re.MULTILINE)
_FOUND = re.compile(r"^Name:\s+(?P<name>\S+)\s*\n((?:^Address(?: \d+)?:\s+\S+.*\n?)+)", re.MULTILINE)
_ADDRESS = re.compile(r"^Address(?: \d+)?:\s+(?P<address>[0-9a-fA-F.:]+)", re.MULTILINE)


def getent(client: str, name: str, printed: str, code: int, ms: float) -> DnsAnswer:
    """``getent hosts NAME`` or ``ahosts``: addresses by the client's own resolver and search list."""
    addresses = dict.fromkeys(words[0] for words in map(str.split, printed.splitlines()) if words and _family(words[0]))
    records = tuple(DnsRecord(name, 0, "IN", _family(address), address) for address in addresses)
    if records:
        return DnsAnswer(client, "", 0, "LIBC", name, records[0].type, "NOERROR", (), records, ms=ms)
    return DnsAnswer(client, "", 0, "LIBC", name, "A", error=NOT_FOUND if code else "nothing was printed", ms=ms)


def dig(client: str, name: str, type: str, transport: str, printed: str, ms: float) -> DnsAnswer | None:
    """``dig NAME. TYPE``, all of what it prints; None where that is no answer of dig's."""
    status, server = _STATUS.search(printed), _SERVER.search(printed)
    if status is None:
        silent = _silence(printed)
        if not silent:
            return None
        reached = _REACHED.search(printed)
        asked = (reached["server"], int(reached["port"])) if reached else ("", 53)
        return DnsAnswer(client, *asked, transport, name, type, error=silent, ms=ms)
    flags, took = _FLAGS.search(printed), _TIME.search(printed)
    records = tuple(
        DnsRecord(found["name"], min(int(found["ttl"]), 2**31), "IN", found["type"], found["data"])
        for found in _RECORD.finditer(printed.partition("ANSWER SECTION:")[2].partition(";;")[0])
    )
    return DnsAnswer(
        client,
        server["server"] if server else "",
        int(server["port"]) if server else 53,
        transport,
        name,
        type,
        status["rcode"],
        tuple(flags["flags"].split()) if flags else (),
        records,
        ms=float(took["ms"]) if took else ms,
    )


def nslookup(client: str, name: str, printed: str, ms: float) -> tuple[DnsAnswer, ...]:
    """``nslookup NAME.``: an answer to A, and one to AAAA where it found such addresses; none for other text."""
    asked, failed = _ASKED.search(printed), _FAILED.search(printed)
    found = list(_records(name, printed))
    reached = asked or _REACHED.search(printed)
    where = (reached["server"], int(reached["port"])) if reached else ("", 53)
    if failed and not found:
        return (DnsAnswer(client, *where, "UDP", name, "A", failed["rcode"], ms=ms),)
    if not found and (silent := _silence(printed)):
        return (DnsAnswer(client, *where, "UDP", name, "A", error=silent, ms=ms),)
    if not found and not (asked and ("No answer" in printed or "Can't find" in printed)):
        return ()
    aliases = [record for record in found if record.type == "CNAME"]
    types = dict.fromkeys(record.type for record in found if record.type != "CNAME") or {"A": None}
    return tuple(_typed(client, where, name, kind, aliases, found, ms) for kind in types)


def _typed(
    client: str,
    where: tuple[str, int],
    name: str,
    type: str,
    aliases: Sequence[DnsRecord],
    found: Sequence[DnsRecord],
    ms: float,
) -> DnsAnswer:
    records = (*aliases, *(record for record in found if record.type == type))
    return DnsAnswer(client, *where, "UDP", name, type, "NOERROR", (), records, ms=ms)


def _records(name: str, printed: str) -> Iterator[DnsRecord]:
    for alias in _ALIAS.finditer(printed):
        yield DnsRecord(alias["name"], 0, "IN", "CNAME", alias["target"])
    for block in _FOUND.finditer(printed):
        for found in _ADDRESS.finditer(block[0]):
            if family := _family(found["address"]):
                yield DnsRecord(block["name"], 0, "IN", family, found["address"])


def _silence(printed: str) -> str:
    if _REFUSED.search(printed):
        return "refused"
    return "timeout" if _SILENT.search(printed) else ""


def _family(text: str) -> str:
    try:
        return "AAAA" if ip_address(text).version == 6 else "A"
    except ValueError:
        return ""
