"""What the statements of a rule do to a packet once its conditions hold."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import structs

from ..packet import Hop
from ..ruleset import Chain, Rule, Table
from ..ruleset.statements import (
    CopyMark,
    Dispatch,
    Field,
    NoTrack,
    Opaque,
    Place,
    Remember,
    SetMark,
    Statement,
    Translate,
    Verdict,
    VerdictKind,
)
from .matching import look_up
from .state import State, written

if TYPE_CHECKING:
    from .path import Path

FULL_MARK = 0xFFFFFFFF
LOOPBACK = {False: 0x7F000001, True: 1}
ACCEPT = Verdict(VerdictKind.ACCEPT)
MARKS = {Field.MARK: "mark", Field.CONNECTION_MARK: "connection_mark"}

Ended = State | list[tuple[State, Verdict | None]]
"""The packet as it goes on to the next statement, or the branches that the rule ends with."""


class At(NamedTuple):
    """Where a rule stands, and which."""

    hook: str
    table: Table
    chain: Chain
    rule: Rule

    def hop(self, effect: str) -> Hop:
        return Hop(self.hook, str(self.table), self.chain.name, self.rule.raw, effect)

    def then(self, state: State, effect: str) -> State:
        return structs.replace(state, trail=(state.trail, self.hop(effect)))


def _verdict(statement: Verdict, state: State, at: At, path: "Path") -> Ended:
    return [(at.then(state, str(statement)), statement)]


def _dispatch(statement: Dispatch, state: State, at: At, path: "Path") -> Ended:
    branches: list[tuple[State, Verdict | None]] = []
    for case in look_up(statement.lookup, state, at.table, path.node):
        part = structs.replace(state, weight=state.weight * case.share)
        if case.found and isinstance(case.data, Verdict):
            branches.append((at.then(part, str(case.data)), case.data))
        elif case.found is False:
            branches.append((part, None))
        else:
            path.unknown(at.then(part, "may match"), f"it is not known what this map has: {at.rule.raw}")
    return branches


def _translate(statement: Translate, state: State, at: At, path: "Path") -> Ended:
    if isinstance(statement.to, Place):
        return [(_translated(statement.act, statement.to, statement.port, state, at), ACCEPT)]
    branches: list[tuple[State, Verdict | None]] = []
    for case in look_up(statement.to, state, at.table, path.node):
        part = structs.replace(state, weight=state.weight * case.share)
        if case.found and isinstance(case.data, Place):
            branches.append((_translated(statement.act, case.data, statement.port, part, at), ACCEPT))
        elif case.found is False:
            branches.append((part, None))
        else:
            path.unknown(at.then(part, "may match"), f"it is not known what this map has: {at.rule.raw}")
    return branches


def _translated(act: str, to: Place, port: int | None, state: State, at: At) -> State:
    if act == "masquerade":
        return structs.replace(at.then(state, act), source=None, source_done=True, snat=at.hop(act))
    if act == "snat":
        effect = f"snat {written(to.address, state.v6)}".rstrip()
        source = state.source if to.address is None else to.address
        return structs.replace(at.then(state, effect), source=source, source_done=True, snat=at.hop(effect))
    destination = state.destination if to.address is None else to.address
    if act == "redirect":  # to the interface that it came in by, else to loopback
        destination = LOOPBACK[state.v6] if at.hook == "output" else None
    port = to.port or port or state.port
    effect = f"{act} {place(destination, port, state.v6)}"
    return structs.replace(
        at.then(state, effect),
        destination=destination,
        port=port,
        destination_done=True,
        dnat=True,
        redirected=act == "redirect",
    )


def place(address: int | None, port: int, v6: bool) -> str:
    text = written(address, v6)
    return f"[{text}]:{port}" if v6 and text else f"{text}:{port}"


def _set_mark(statement: SetMark, state: State, at: At, path: "Path") -> Ended:
    return _marked(statement.field, statement.keep, statement.flip, state, at)


def _copy_mark(statement: CopyMark, state: State, at: At, path: "Path") -> Ended:
    of = state.connection_mark if statement.to is Field.MARK else state.mark
    return _marked(statement.to, FULL_MARK & ~statement.to_mask, of & statement.of_mask, state, at)


def _marked(field: Field, keep: int, flip: int, state: State, at: At) -> State:
    name = MARKS[field]
    number = (getattr(state, name) & keep) ^ flip
    changed: State = structs.replace(at.then(state, f"{field} {number:#x}"), **{name: number})
    return changed


def _remember(statement: Remember, state: State, at: At, path: "Path") -> Ended:
    return structs.replace(state, remembered=state.remembered | {f"{at.table}/{statement.name}"})


def _no_track(statement: NoTrack, state: State, at: At, path: "Path") -> Ended:
    return structs.replace(at.then(state, "notrack"), tracked=False)


def _opaque(statement: Opaque, state: State, at: At, path: "Path") -> Ended:
    path.unknown(at.then(state, "not understood"), f"this rule is not understood: {at.rule.raw}")
    return []


ACTS: dict[type[Statement], Callable[[Any, State, At, "Path"], Ended]] = {
    Verdict: _verdict,
    Dispatch: _dispatch,
    Translate: _translate,
    SetMark: _set_mark,
    CopyMark: _copy_mark,
    Remember: _remember,
    NoTrack: _no_track,
}


def act_of(statement: Statement) -> Callable[[Any, State, At, "Path"], Ended] | None:
    """What the statement does; None for a condition, or for what does nothing."""
    if isinstance(statement, Opaque):
        return _opaque if statement.action else None
    return ACTS.get(type(statement))
