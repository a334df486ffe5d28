"""One rule of iptables-save -> a Rule. What its options mean is in `matches` and `targets`."""

from functools import lru_cache

from ..ruleset import Rule
from ..ruleset.statements import Field, Match, Opaque, Statement
from ..ruleset.values import Span, Values, addresses, one, protocol
from .matches import MATCHES, word
from .targets import target
from .words import split

INTERFACES = {"-i": Field.IN_INTERFACE, "-o": Field.OUT_INTERFACE}
ADDRESSES = {"-s": Field.SOURCE, "-d": Field.DESTINATION}
OF_PACKET = frozenset({*ADDRESSES, *INTERFACES, "-p", "-f"})
ALL = one(0)
"""The protocol number that stands for any."""


def read_rule(line: str) -> Rule:
    """``line`` with or without counters. Never raises: what is not understood becomes an `Opaque`."""
    raw = line[line.find("] ") + 2 :] if line[:1] == "[" else line
    words = split(raw)
    statements: list[Statement] = []
    comment = module = ""
    negated = False
    options: list[str] = []
    position, end = 2, len(words)
    while position < end:
        current = words[position]
        position += 1
        if current in ("-m", "-j", "-g") and position < end:
            comment = _close(module, options, statements) or comment
            module, options = words[position], []
            position += 1
            if current != "-m":
                statements += target(current == "-g", module, tuple(words[position:]))
                return Rule(raw, tuple(statements), comment)
        elif current in OF_PACKET:
            value = words[position] if current != "-f" and position < end else ""
            position += current != "-f"
            statements += _of_packet(current, value, negated)
            module = module or (value if current == "-p" and value in MATCHES else "")
            negated = False
        elif current == "!" and position < end and words[position] in OF_PACKET:
            negated = True
        else:
            options.append(current)
    comment = _close(module, options, statements) or comment
    return Rule(raw, tuple(statements), comment)


def _close(module: str, options: list[str], statements: list[Statement]) -> str:
    """Adds what a match with these options means; a comment is returned instead."""
    if module == "comment":
        return options[1] if len(options) > 1 else ""
    if options or (module and module not in MATCHES):
        statements += _match(module, tuple(options))
    return ""


@lru_cache(maxsize=16384)
def _match(module: str, options: tuple[str, ...]) -> tuple[Statement, ...]:
    try:
        return tuple(MATCHES[module](options))
    except (KeyError, ValueError, IndexError):
        return (Opaque(" ".join(("-m", module, *options)) if module else " ".join(options)),)


@lru_cache(maxsize=16384)
def _of_packet(option: str, value: str, negated: bool) -> tuple[Statement, ...]:
    field: Field
    part: Span | str
    try:
        if option in ADDRESSES:
            field, part = ADDRESSES[option], addresses(value)
        elif option in INTERFACES and value:
            field, part = INTERFACES[option], word(value)
        elif option == "-p":
            field, part = Field.PROTOCOL, protocol(value if value != "all" else "0")
            if part == ALL:
                return ()
        else:
            raise ValueError(option)
    except ValueError:
        return (Opaque(" ".join((*(["!"] if negated else []), option, value)).rstrip()),)
    return (Match((field,), Values([((part,), None)]), negated),)
