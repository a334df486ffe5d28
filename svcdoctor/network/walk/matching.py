"""Whether a condition of a rule holds for a packet: yes, no, in part of the cases, or not known."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any, NamedTuple

from ..packet import Origin
from ..ruleset import Table
from ..ruleset.statements import Field, InSet, Key, Lookup, Masked, Match, Random
from ..ruleset.values import Span, Value, Values, holds
from .node import Node
from .state import State

WHOLE = Fraction(1)
MULTICAST = {False: (0xE0000000, 0xEFFFFFFF), True: (0xFF << 120, (1 << 128) - 1)}
BROADCAST = 0xFFFFFFFF


class Case(NamedTuple):
    """With this share, the values are found (None: that is not known) with these data."""

    share: Fraction
    found: bool | None
    data: Any = None


UNKNOWN = [Case(WHOLE, None)]
OF_CONNECTION = frozenset(
    {
        Field.STATUS,
        Field.DIRECTION,
        Field.CONNECTION_MARK,
        Field.ORIGINAL_SOURCE,
        Field.ORIGINAL_DESTINATION,
        Field.ORIGINAL_PORT,
    }
)
"""What a packet has not before conntrack saw it, or if it is not tracked."""


def cases(statement: Match | InSet, state: State, table: Table, node: Node) -> list[Case]:
    """Whether the condition holds, its negation taken into account."""
    if isinstance(statement, Match) and not (state.seen and state.tracked) and any(map(_of_connection, statement.keys)):
        return [Case(WHOLE, False)]  # negated or not
    found = _in_ipset(statement, state, node) if isinstance(statement, InSet) else _match(statement, state, table, node)
    if not statement.negated:
        return found
    return [Case(case.share, None if case.found is None else not case.found) for case in found]


def _of_connection(key: Key) -> bool:
    return (key.field if isinstance(key, Masked) else key) in OF_CONNECTION


def look_up(lookup: Lookup, state: State, table: Table, node: Node) -> list[Case]:
    """What a map has for the packet."""
    if isinstance(lookup.among, Values):
        return _cases(lookup.keys, lookup.among, state, node)
    named = table.sets.get(lookup.among)
    if named is None or named.values is None:
        return UNKNOWN
    return _cases(lookup.keys, named.values, state, node)


def _match(match: Match, state: State, table: Table, node: Node) -> list[Case]:
    if isinstance(match.among, Values):
        return _cases(match.keys, match.among, state, node)
    named = table.sets.get(match.among)
    if named is not None and named.remembers:
        if f"{table}/{named.name}" in state.remembered:
            return [Case(WHOLE, True)]
        if state.new_client:
            return [Case(WHOLE, False)]
    if named is None or named.values is None:
        return UNKNOWN
    return _cases(match.keys, named.values, state, node)


def _cases(keys: tuple[Key, ...], among: Values, state: State, node: Node) -> list[Case]:
    values = tuple(value(key, state, node) for key in keys)
    draws = [position for position, key in enumerate(keys) if isinstance(key, Random)]
    if not draws:
        return [Case(WHOLE, *among.find(values))]
    if len(draws) > 1:
        return UNKNOWN
    return list(_drawn(keys, draws[0], values, among))


def _drawn(keys: tuple[Key, ...], at: int, values: tuple[Value, ...], among: Values) -> Iterator[Case]:
    """The cases of a random number at that position: each element with the share of the numbers that it holds."""
    draw = keys[at]
    assert isinstance(draw, Random)
    left = WHOLE
    for parts, data in among:
        numbers = parts[at]
        fits = holds(_without(parts, at), _without(values, at))
        if fits is None or not isinstance(numbers, Span):
            yield Case(left, None)
            return
        first = max(numbers.first, draw.offset)
        last = min(numbers.last, draw.offset + draw.modulus - 1)
        if fits and first <= last:
            share = Fraction(last - first + 1, draw.modulus)
            left -= share
            yield Case(share, True, data)
    if left > 0:
        yield Case(left, False)


def _without(parts: tuple[Any, ...], at: int) -> tuple[Any, ...]:
    return (*parts[:at], *parts[at + 1 :])


# --------------------------------------------------------------------------------------------------------------- ipsets


def _in_ipset(statement: InSet, state: State, node: Node) -> list[Case]:
    named = node.ruleset.sets.get(statement.name)
    if named is None or named.values is None:
        return UNKNOWN
    keys = _ipset_keys(named.types, statement.directions)
    if keys is None:
        return UNKNOWN
    return [Case(WHOLE, *named.values.find(tuple(value(key, state, node) for key in keys)))]


def _ipset_keys(types: tuple[str, ...], directions: tuple[str, ...]) -> list[Field] | None:
    """What the parts of an element are compared with; a protocol and its port have one direction together."""
    keys: list[Field] = []
    told = iter(directions)
    for type_ in types:
        if type_ == "proto":
            keys.append(Field.PROTOCOL)
            continue
        direction = next(told, None)
        if (type_, direction) not in IPSET_FIELDS:
            return None
        keys.append(IPSET_FIELDS[type_, direction])
    return keys


IPSET_FIELDS: dict[tuple[str, str | None], Field] = {
    ("ip", "src"): Field.SOURCE,
    ("ip", "dst"): Field.DESTINATION,
    ("net", "src"): Field.SOURCE,
    ("net", "dst"): Field.DESTINATION,
    ("port", "src"): Field.SOURCE_PORT,
    ("port", "dst"): Field.DESTINATION_PORT,
    ("iface", "src"): Field.IN_INTERFACE,
    ("iface", "dst"): Field.OUT_INTERFACE,
    ("mark", "src"): Field.MARK,
    ("mark", "dst"): Field.MARK,
}


# --------------------------------------------------------------------------------------------------------------- values


def value(key: Key, state: State, node: Node) -> Value:
    """What the packet has; None if it is not known, or drawn by lot."""
    if isinstance(key, Random):
        return None
    if isinstance(key, Masked):
        whole = value(key.field, state, node)
        return whole & key.mask if isinstance(whole, int) else None
    if key in SIMPLE:
        return SIMPLE[key](state)
    if key is Field.SOURCE_TYPE:
        return _source_type(state, node)
    if key is Field.DESTINATION_TYPE:
        return _type(state.destination, state, node)
    if state.virtual is None:
        return ""
    return state.virtual[VIRTUAL.index(key)]


VIRTUAL = [Field.VIRTUAL_PROTOCOL, Field.VIRTUAL_ADDRESS, Field.VIRTUAL_PORT]


def _status(state: State) -> frozenset[str]:
    return frozenset((*(["dnat"] if state.dnat else []), *(["snat"] if state.snat else [])))


def _tracking(state: State) -> frozenset[str]:
    """iptables' --ctstate asks for translations too."""
    if not state.tracked:
        return frozenset({"untracked"})
    return frozenset({"new"}) | _status(state) if state.seen else frozenset({"invalid"})


SIMPLE: dict[Field, Callable[[State], Value]] = {
    Field.SOURCE: lambda state: state.source,
    Field.DESTINATION: lambda state: state.destination,
    Field.PROTOCOL: lambda state: state.protocol,
    Field.SOURCE_PORT: lambda state: state.source_port,
    Field.DESTINATION_PORT: lambda state: state.port,
    Field.TCP_FLAGS: lambda state: 2,  # the first packet of a TCP connection is a SYN
    Field.FAMILY: lambda state: "ipv6" if state.v6 else "ipv4",
    Field.IN_INTERFACE: lambda state: state.in_interface,
    Field.OUT_INTERFACE: lambda state: state.out_interface,
    Field.BRIDGE_PORT_IN: lambda state: "no" if state.origin is Origin.NODE else None,
    Field.MARK: lambda state: state.mark,
    Field.CONNECTION_MARK: lambda state: state.connection_mark,
    Field.STATE: _tracking,
    Field.STATUS: _status,
    Field.DIRECTION: lambda state: "original",
    Field.ORIGINAL_SOURCE: lambda state: state.original[0],
    Field.ORIGINAL_DESTINATION: lambda state: state.original[1],
    Field.ORIGINAL_PORT: lambda state: state.original[2],
}


def _source_type(state: State, node: Node) -> Value:
    """A source that no translation changed is local where the node itself sends; others do not take its addresses."""
    if state.source == state.original[0] and (state.origin is Origin.NODE or node.addresses is None):
        return "local" if state.origin is Origin.NODE else "unicast"
    return _type(state.source, state, node)


def _type(address: int | None, state: State, node: Node) -> Value:
    if state.redirected and address == state.destination:
        return "local"
    if address is None:
        return None
    local = node.is_local(address)
    if local is not False:
        return "local" if local else None
    first, last = MULTICAST[state.v6]
    if first <= address <= last:
        return "multicast"
    return "broadcast" if address == BROADCAST and not state.v6 else "unicast"
