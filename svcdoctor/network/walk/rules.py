"""One rule and one packet: the branches that come out of it."""

from fractions import Fraction
from typing import TYPE_CHECKING

from msgspec import structs

from ..ruleset.statements import Chance, InSet, Match, Opaque, Recent, Statement, Verdict
from .actions import At, act_of
from .matching import Case, cases
from .state import State

if TYPE_CHECKING:
    from .path import Path

WHOLE = Fraction(1)

Branch = tuple[State, Verdict | None]
"""A verdict, or None: the next rule follows."""


def run(at: At, state: State, path: "Path", first: int = 0, doubt: bool = False) -> list[Branch]:
    """The branches after the rule's statements from ``first`` on; what ends as unknown is told to the path instead.

    ``doubt``: it is not known whether the conditions so far hold. That is no matter until the rule acts.
    """
    path.count()
    statements = at.rule.statements
    for position in range(first, len(statements)):
        statement = statements[position]
        act = act_of(statement)
        if act is None:
            found, state = _condition(statement, state, at, path)
            if len(found) != 1:
                return _fork(found, at, state, path, position + 1, doubt)
            if found[0].found is False:
                return [(state, None)]
            doubt = doubt or found[0].found is None
            continue
        if doubt:
            return _doubted(at, state, path, position)
        ended = act(statement, state, at, path)
        if not isinstance(ended, State):
            return ended
        state = ended
    return [(state, None)]


def _condition(statement: Statement, state: State, at: At, path: "Path") -> tuple[list[Case], State]:
    """Whether it holds; asking `recent` may change what is remembered."""
    if isinstance(statement, (Match, InSet)):
        return cases(statement, state, at.table, path.node), state
    if isinstance(statement, Chance):
        chance = statement.probability
        both = (Case(chance, True), Case(1 - chance, False))
        return [case for case in both if case.share], state
    if isinstance(statement, Recent):
        return _recent(statement, state)
    return [Case(WHOLE, None if isinstance(statement, Opaque) else True)], state


def _recent(statement: Recent, state: State) -> tuple[list[Case], State]:
    """The dump does not hold the lists: only what this packet put there is known, a client is taken for a new one."""
    held = statement.name in state.remembered
    if statement.act == "set":
        held, state = True, structs.replace(state, remembered=state.remembered | {statement.name})
    elif statement.act == "remove":
        state = structs.replace(state, remembered=state.remembered - {statement.name})
    return [Case(WHOLE, held is not statement.negated)], state


def _fork(found: list[Case], at: At, state: State, path: "Path", position: int, doubt: bool) -> list[Branch]:
    branches: list[Branch] = []
    for case in found:
        part = structs.replace(state, weight=state.weight * case.share)
        if case.found is False:
            branches.append((part, None))
        else:
            branches += run(at, part, path, position, doubt or case.found is None)
    return branches


def _doubted(at: At, state: State, path: "Path", position: int) -> list[Branch]:
    """The rule would act here, if its conditions hold."""
    held = path.assume(("rule", str(at.table), at.rule.raw))
    if held is None:
        path.unknown(at.then(state, "may match"), f"it is not known whether this rule matches: {at.rule.raw}")
        return []
    return run(at, state, path, position) if held else [(state, None)]
