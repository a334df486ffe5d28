"""The virtual servers of IPVS: /proc/net/ip_vs, ``ipvsadm -Sn`` and ``ipvsadm -Ln`` -> Ruleset; ipset in `ipset`."""

import re
from collections.abc import Iterator
from ipaddress import ip_address

from msgspec import structs

from ...errors import BadData
from ..ruleset import Ruleset, Server, VirtualServer
from .sets import read_sets, write_sets

__all__ = ["read", "read_sets", "write", "write_sets"]

ADVICE = "save it anew: cat /proc/net/ip_vs, ipvsadm -Sn or ipvsadm -Ln"
PROTOCOLS = {"TCP": "tcp", "UDP": "udp", "SCTP": "sctp"}
SAVED = {"-t": "tcp", "-u": "udp", "--sctp-service": "sctp"}
BANNER = "IP Virtual Server version "

Place = tuple[str, int]


def read(text: str | bytes, source: str = "/proc/net/ip_vs") -> Ruleset:
    """The virtual servers with their real servers, in whichever of the three forms ``text`` is.

    An empty text is what ``ipvsadm -Sn`` says where there are none. Raises BadData, naming ``source``.
    """
    lines = _lines(text, source)
    if not lines:
        return Ruleset(ipvs=True)
    table = lines[0][1].startswith(BANNER)
    hexadecimal = table and any(HEX_PLACE.fullmatch(word) for _, line in lines for word in line.split()[1:2])
    found: list[VirtualServer] = []
    for number, line in lines:
        try:
            parsed = _tabled(line, hexadecimal) if table else _saved(line)
            if isinstance(parsed, Server):
                found[-1] = structs.replace(found[-1], servers=(*found[-1].servers, parsed))
            elif parsed is not None:
                found.append(parsed)
        except (ValueError, IndexError, KeyError):
            raise BadData(source, f"line {number}: no line of {'ip_vs' if table else 'ipvsadm'}", ADVICE) from None
    return Ruleset(virtual_servers=tuple(found), ipvs=True)


def write(ruleset: Ruleset) -> str:
    """The virtual servers, each line as it was read; a table has no heading."""
    lines = (line for one in ruleset.virtual_servers for line in (one.raw, *(server.raw for server in one.servers)))
    return "".join(f"{line}\n" for line in lines)


def _lines(text: str | bytes, source: str) -> list[tuple[int, str]]:
    if isinstance(text, bytes):
        try:
            text = text.decode()
        except UnicodeDecodeError:
            raise BadData(source, "not text", ADVICE) from None
    return [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]


# ----------------------------------------------------------------------------------------- /proc/net/ip_vs, ipvsadm -Ln

HEX_PLACE = re.compile(r"(?:[0-9A-F]{8}|\[(?:[0-9a-f]{4}:){7}[0-9a-f]{4}\]):[0-9A-F]{4}")
HEADINGS = ("Prot LocalAddress:Port", "-> RemoteAddress:Port")


def _tabled(line: str, hexadecimal: bool) -> VirtualServer | Server | None:
    if line.startswith(BANNER) or line.strip().startswith(HEADINGS):
        return None
    place = _hex_place if hexadecimal else _place
    words = line.split()
    if words[0] == "->":
        _, remote, _, weight, *_ = words
        return Server(*place(remote), int(weight), line)
    if words[0] == "FWM":
        mark = int(words[1], 16 if len(words[1]) == 8 else 10)
        return VirtualServer(line, words[2], mark=mark, persistent="persistent" in words)
    address, port = place(words[1])
    return VirtualServer(line, words[2], PROTOCOLS[words[0]], address, port, persistent="persistent" in words)


def _hex_place(text: str) -> Place:
    address, _, port = text.rpartition(":")
    if address.startswith("["):
        return _address(address[1:-1]), int(port, 16)
    number = int(address, 16)
    return ".".join(str(number >> shift & 255) for shift in (24, 16, 8, 0)), int(port, 16)


def _place(text: str) -> Place:
    address, _, port = text.rpartition(":")
    number = int(port)
    if not 0 <= number <= 65535:
        raise ValueError(text)
    return _address(address.removeprefix("[").removesuffix("]")), number


def _address(text: str) -> str:
    return str(ip_address(text))


# ---------------------------------------------------------------------------------------------------------- ipvsadm -Sn


def _saved(line: str) -> VirtualServer | Server:
    words = line.split()
    kind, service, name, *rest = words
    given = dict(_pairs(rest))
    if kind == "-a":
        return Server(*_place(given["-r"]), int(given.get("-w", "1")), line)
    if kind != "-A":
        raise ValueError(line)
    persistent = "-p" in given
    if service == "-f":
        return VirtualServer(line, given["-s"], mark=int(name), persistent=persistent)
    return VirtualServer(line, given["-s"], SAVED[service], *_place(name), persistent=persistent)


def _pairs(words: list[str]) -> Iterator[tuple[str, str]]:
    """Options with the word after them, if that is none."""
    for position, word in enumerate(words):
        if word.startswith("-"):
            after = words[position + 1] if position + 1 < len(words) else ""
            yield word, "" if after.startswith("-") else after
