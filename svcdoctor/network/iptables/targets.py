"""What the targets of iptables do (iptables-extensions(8)), by name. Any other name is that of a chain."""

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from ..ruleset.statements import (
    CopyMark,
    Field,
    Nothing,
    NoTrack,
    Opaque,
    Place,
    SetMark,
    Statement,
    Translate,
    Verdict,
    VerdictKind,
)
from ..ruleset.values import addresses
from .matches import FULL_MARK, value_and_mask
from .words import options, single

Words = tuple[str, ...]

HARMLESS = frozenset(
    {
        *("AUDIT", "CHECKSUM", "CLASSIFY", "CONNSECMARK", "DSCP", "ECN", "HL", "IDLETIMER", "LED", "LOG", "NFACCT"),
        *("NFLOG", "RATEEST", "SECMARK", "SET", "TCPMSS", "TCPOPTSTRIP", "TEE", "TOS", "TRACE", "TTL", "ULOG"),
    }
)
"""They change nothing that a rule asks for, and the next rule follows."""
UNREADABLE = frozenset(
    {"CLUSTERIP", "DNPT", "HMARK", "MIRROR", "NETMAP", "NFQUEUE", "QUEUE", "SNPT", "SYNPROXY", "TPROXY"}
)


def target(goto: bool, name: str, words: Words) -> tuple[Statement, ...]:
    """What ``-j NAME`` (-g if ``goto``) and the words after it do."""
    if name not in TARGETS and name not in HARMLESS and name not in UNREADABLE and not words:
        return (Verdict(VerdictKind.GOTO if goto else VerdictKind.JUMP, name),)
    return _extension(name, words)


@lru_cache(maxsize=16384)
def _extension(name: str, words: Words) -> tuple[Statement, ...]:
    text = " ".join(("-j", name, *words))
    if name in HARMLESS:
        return (Nothing(text),)
    try:
        return tuple(TARGETS[name](words))
    except (KeyError, ValueError, IndexError):
        return (Opaque(text, action=True),)


def _verdict(kind: VerdictKind) -> Callable[[Words], Iterable[Statement]]:
    def read(words: Words) -> Iterable[Statement]:
        if words:
            raise ValueError(words)
        return (Verdict(kind),)

    return read


def reject(words: Words) -> Iterator[Statement]:
    given = {name: single(arguments) for _, name, arguments in options(words)}
    yield Verdict(VerdictKind.REJECT, given.pop("--reject-with", "icmp-port-unreachable"))
    if given:
        raise KeyError


def mark(field: Field) -> Callable[[Words], Iterable[Statement]]:
    def read(words: Words) -> Iterator[Statement]:
        for _, name, arguments in options(words):
            value, mask = value_and_mask(single(arguments))
            yield SetMark(field, *KEEP_AND_FLIP[name](value, mask))

    return read


KEEP_AND_FLIP: dict[str, Callable[[int, int], tuple[int, int]]] = {
    "--set-xmark": lambda value, mask: (FULL_MARK & ~mask, value),
    "--set-mark": lambda value, mask: (FULL_MARK & ~(mask | value), value),
    "--and-mark": lambda value, _: (value, 0),
    "--or-mark": lambda value, _: (FULL_MARK & ~value, value),
    "--xor-mark": lambda value, _: (FULL_MARK, value),
}


def connmark(words: Words) -> Iterator[Statement]:
    given = {name: arguments for _, name, arguments in options(words)}
    copies = given.keys() & {"--save-mark", "--restore-mark"}
    if not copies:
        yield from mark(Field.CONNECTION_MARK)(words)
        return
    (copy,) = copies
    both = int(single(given["--mask"]), 0) if "--mask" in given else FULL_MARK
    packet, connection = (int(single(given[name]), 0) if name in given else both for name in ("--nfmask", "--ctmask"))
    if copy == "--save-mark":
        yield CopyMark(Field.CONNECTION_MARK, connection, packet)
    else:
        yield CopyMark(Field.MARK, packet, connection)


def dnat(words: Words) -> Iterator[Statement]:
    yield Translate("dnat", place(_argument(words, "--to-destination")))


def snat(words: Words) -> Iterator[Statement]:
    address = place(_argument(words, "--to-source"), keep_port=False).address
    yield Translate("snat", Place(address))


def redirect(words: Words) -> Iterator[Statement]:
    text = _argument(words, "--to-ports") if words else ""
    yield Translate("redirect", Place(port=int(text) if text else None))


def masquerade(words: Words) -> Iterator[Statement]:
    yield Translate("masquerade")


def notrack(words: Words) -> Iterator[Statement]:
    yield NoTrack()


def ct(words: Words) -> Iterator[Statement]:
    names = {name for _, name, _ in options(words)}
    yield NoTrack() if "--notrack" in names else Nothing(" ".join(("-j", "CT", *words)))


def place(text: str, keep_port: bool = True) -> Place:
    """``10.0.0.1``, ``10.0.0.1:80``, ``:80``, ``[fd00::1]:80``. Raises ValueError, also for ranges."""
    if text.startswith("["):
        address, _, port = text[1:].partition("]")
        port = port.removeprefix(":")
    elif text.count(":") > 1:
        address, port = text, ""
    else:
        address, _, port = text.partition(":")
    span = addresses(address) if address else None
    if span is not None and span.width:
        raise ValueError(text)
    return Place(span.first if span else None, int(port) if port and keep_port else None)


def _argument(words: Words, name: str) -> str:
    """What follows the option; how the kernel chooses a port or an address (--random, --persistent) is no matter."""
    if len(words) == 2 and words[0] == name:
        return words[1]
    return single({name: arguments for _, name, arguments in options(words)}[name])


TARGETS: dict[str, Callable[[Words], Iterable[Statement]]] = {
    "ACCEPT": _verdict(VerdictKind.ACCEPT),
    "DROP": _verdict(VerdictKind.DROP),
    "RETURN": _verdict(VerdictKind.RETURN),
    "REJECT": reject,
    "MARK": mark(Field.MARK),
    "CONNMARK": connmark,
    "DNAT": dnat,
    "SNAT": snat,
    "REDIRECT": redirect,
    "MASQUERADE": masquerade,
    "CT": ct,
    "NOTRACK": notrack,
}
