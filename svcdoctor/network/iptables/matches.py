"""What the match extensions of iptables ask for (iptables-extensions(8)), by name.

Each takes the words after ``-m NAME``, and raises ValueError, KeyError or IndexError for what it does not know.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction

from ..ruleset.statements import Chance, Field, InSet, Masked, Match, Recent, Statement
from ..ruleset.values import Component, Span, Values, addresses, numbers, one, protocol
from .words import options, single

Words = tuple[str, ...]
Reader = Callable[[Words], Iterable[Statement]]
Convert = Callable[[str], Component]

KERNEL_ONE = 1 << 31
"""xt_statistic keeps a probability as a number of 31 bits."""
DECIMAL = re.compile(r"\d{1,20}(\.\d{1,20})?")
DISTINCT = 40_000
"""Up to here 1/n and 1/(n+1) differ in those bits."""
FLAGS = {"FIN": 1, "SYN": 2, "RST": 4, "PSH": 8, "ACK": 16, "URG": 32, "ALL": 63, "NONE": 0}
FULL_MARK = 0xFFFFFFFF


def word(text: str) -> str:
    """An interface; ``+`` at its end stands for any rest."""
    return f"{text[:-1]}*" if text.endswith("+") else text


def single_of(field: Field, convert: Convert, negated: bool, arguments: list[str]) -> Match:
    """The field is among what commas separate in the one argument."""
    values = Values(((convert(text),), None) for text in single(arguments).split(","))
    return Match((field,), values, negated)


def by_table(table: Mapping[str, tuple[Field, Convert]]) -> Reader:
    """A reader of options that each compare one field."""

    def read(words: Words) -> Iterator[Statement]:
        for negated, name, arguments in options(words):
            field, convert = table[name]
            yield single_of(field, convert, negated, arguments)

    return read


def ports(text: str) -> Span:
    return numbers(text, ":")


SOURCE, DESTINATION = (Field.SOURCE_PORT, ports), (Field.DESTINATION_PORT, ports)
PORTS = {
    "--sport": SOURCE,
    "--source-port": SOURCE,
    "--dport": DESTINATION,
    "--destination-port": DESTINATION,
}
CONNTRACK: dict[str, tuple[Field, Convert]] = {
    "--ctstate": (Field.STATE, str.lower),
    "--ctproto": (Field.PROTOCOL, protocol),
    "--ctorigsrc": (Field.ORIGINAL_SOURCE, addresses),
    "--ctorigdst": (Field.ORIGINAL_DESTINATION, addresses),
    "--ctorigdstport": (Field.ORIGINAL_PORT, ports),
    "--ctdir": (Field.DIRECTION, str.lower),
}
VIRTUAL: dict[str, tuple[Field, Convert]] = {
    "--vproto": (Field.VIRTUAL_PROTOCOL, protocol),
    "--vaddr": (Field.VIRTUAL_ADDRESS, addresses),
    "--vport": (Field.VIRTUAL_PORT, ports),
    "--vdir": (Field.DIRECTION, str.lower),
}
OF_IPVS = Match((Field.VIRTUAL_PROTOCOL,), Values([((Span(0, 255),), None)]))


def tcp(words: Words) -> Iterator[Statement]:
    for negated, name, arguments in options(words):
        if name == "--syn" and not arguments:
            yield _flags("FIN,SYN,RST,ACK", "SYN", negated)
        elif name == "--tcp-flags":
            mask, wanted = arguments
            yield _flags(mask, wanted, negated)
        else:
            field, convert = PORTS[name]
            yield single_of(field, convert, negated, arguments)


def _flags(mask: str, wanted: str, negated: bool) -> Match:
    bits, set_ = (sum({FLAGS[name] for name in text.split(",")}) for text in (mask, wanted))
    return Match((Masked(Field.TCP_FLAGS, bits),), Values([((one(set_),), None)]), negated)


def mark(field: Field) -> Reader:
    def read(words: Words) -> Iterator[Statement]:
        for negated, name, arguments in options(words):
            if name != "--mark":
                raise KeyError(name)
            value, mask = value_and_mask(single(arguments))
            yield Match((Masked(field, mask),), Values([((one(value),), None)]), negated)

    return read


def value_and_mask(text: str) -> tuple[int, int]:
    value, _, mask = text.partition("/")
    return int(value, 0), int(mask, 0) if mask else FULL_MARK


def statistic(words: Words) -> Iterator[Statement]:
    given = {name: (negated, single(arguments)) for negated, name, arguments in options(words)}
    if given["--mode"][1] == "random":
        negated, share = given["--probability"][0], probability(given["--probability"][1])
    elif given["--mode"][1] == "nth":
        negated, every = given["--every"][0], int(given["--every"][1])
        share = Fraction(1, every) if every > 0 else Fraction(1)
    else:
        raise ValueError(given["--mode"][1])
    yield Chance(1 - share if negated else share)


def probability(text: str) -> Fraction:
    """The share that was meant: 1/n where the kernel holds the number that kube-proxy's ``%.10f`` of 1/n becomes."""
    share = Fraction(text) if DECIMAL.fullmatch(text) else Fraction(-1)
    if not 0 <= share <= 1:
        raise ValueError(text)
    held = round(share * KERNEL_ONE)
    nearest = round(1 / share) if share else 0
    if 0 < nearest < DISTINCT and abs(held - Fraction(KERNEL_ONE, nearest)) <= 1:
        return Fraction(1, nearest)
    return Fraction(held, KERNEL_ONE)


ACTS = {"--set": "set", "--rcheck": "check", "--update": "check", "--remove": "remove"}
OF_RECENT = {*ACTS, "--name", "--mask", "--rsource", "--seconds", "--reap"}


def recent(words: Words) -> Iterator[Statement]:
    given = {name: (negated, arguments) for negated, name, arguments in options(words)}
    (act,) = given.keys() & ACTS.keys()
    if not given.keys() <= OF_RECENT:  # --hitcount, --rttl and --rdest ask for more than whether it was seen
        raise KeyError
    yield Recent(given["--name"][1][0] if "--name" in given else "DEFAULT", ACTS[act], given[act][0])


def ipset(words: Words) -> Iterator[Statement]:
    for negated, name, arguments in options(words):
        if name != "--match-set":
            raise KeyError(name)
        set_, directions = arguments
        yield InSet(set_, tuple(directions.split(",")), negated)


def physdev(words: Words) -> Iterator[Statement]:
    for negated, name, _ in options(words):
        if name != "--physdev-is-in":
            raise KeyError(name)
        yield Match((Field.BRIDGE_PORT_IN,), Values([(("yes",), None)]), negated)


def ipvs(words: Words) -> Iterator[Statement]:
    given = list(options(words))
    if given == [(True, "--ipvs", [])]:
        yield Match(OF_IPVS.keys, OF_IPVS.among, negated=True)
        return
    yield OF_IPVS  # whatever else is asked for, what IPVS has not taken does not match
    for negated, name, arguments in given:
        if name != "--ipvs":
            field, convert = VIRTUAL[name]
            yield single_of(field, convert, negated, arguments)


def nothing(words: Words) -> Iterable[Statement]:
    """Always holds."""
    return ()


MATCHES: dict[str, Reader] = {
    "tcp": tcp,
    "udp": by_table(PORTS),
    "sctp": by_table(PORTS),
    "dccp": by_table(PORTS),
    "udplite": by_table(PORTS),
    "multiport": by_table(
        {
            "--sports": SOURCE,
            "--source-ports": SOURCE,
            "--dports": DESTINATION,
            "--destination-ports": DESTINATION,
        }
    ),
    "iprange": by_table(
        {"--src-range": (Field.SOURCE, addresses), "--dst-range": (Field.DESTINATION, addresses)},
    ),
    "addrtype": by_table(
        {"--src-type": (Field.SOURCE_TYPE, str.lower), "--dst-type": (Field.DESTINATION_TYPE, str.lower)}
    ),
    "conntrack": by_table(CONNTRACK),
    "state": by_table({"--state": (Field.STATE, str.lower)}),
    "mark": mark(Field.MARK),
    "connmark": mark(Field.CONNECTION_MARK),
    "statistic": statistic,
    "recent": recent,
    "set": ipset,
    "physdev": physdev,
    "ipvs": ipvs,
    "nfacct": nothing,
    "comment": nothing,
}
