"""The rewrite plugin: another question than the one that was asked (coredns plugin/rewrite).

Names, types and TTLs are rewritten; rules on EDNS, class or rcode are read and have no effect. The client always sees
its own question; the owners in the answer are only turned back where the rule says so.
"""

import re
from collections.abc import Callable, Sequence

import dns.exception
import dns.name
from dns.rdatatype import RdataType
from msgspec import Struct, structs

from .corefile import Block, Directive
from .message import FAILURE, Next, Question, Record, Reply
from .world import World

MATCHES = ("exact", "prefix", "suffix", "substring", "regex")
INERT = ("edns0", "class", "rcode", "cname")

Rename = Callable[[str], str | None]
"""A name's text, lower-case and absolute, to another; None where it does not fit."""
Back = Callable[[Record], Record]
"""What becomes of each record of the answer."""
Rule = Callable[[Question], tuple[Question, Back | None] | None]
"""None where the rule does not fit the question."""


class Rewrite(Struct, frozen=True):
    """All rules of a server block, each with whether the next is tried after it too."""

    rules: tuple[tuple[Rule, bool], ...]

    def __call__(self, question: Question, following: Next) -> Reply:
        backs: list[Back] = []
        try:
            for rule, goes_on in self.rules:
                changed = rule(question)
                if changed is not None:
                    question, back = changed
                    backs += [back] if back else []
                    if not goes_on:
                        break
            reply = following(question)
            return structs.replace(reply, answer=tuple(_turned_back(one, backs) for one in reply.answer))
        except dns.exception.DNSException:
            return FAILURE  # what a rule made is no domain name


def _turned_back(one: Record, backs: Sequence[Back]) -> Record:
    for back in backs:
        one = back(one)
    return one


def build(directives: Sequence[Directive], block: Block, world: World) -> Rewrite:
    """Raises CorefileError."""
    return Rewrite(tuple(_stanza(directive) for directive in directives))


def _stanza(directive: Directive) -> tuple[Rule, bool]:
    words = [*directive.args, *(word for line in directive.body for word in line)]
    mode = words.pop(0) if words[:1] in (["continue"], ["stop"]) else "stop"
    try:
        return _rule(words), mode == "continue"
    except (ValueError, LookupError, re.error, dns.exception.DNSException) as error:
        raise directive.error(f"rewrite: {error}") from error


def _rule(words: list[str]) -> Rule:
    field, *rest = words
    if field == "type":
        before, after = (RdataType.make(word.upper()) for word in rest)
        return lambda question: (structs.replace(question, type=after), None) if question.type == before else None
    if field in INERT:
        return lambda question: None
    kind, pattern, replacement, *answer = rest if rest[0] in MATCHES else ["exact", *rest]
    if field == "ttl":
        return _ttl_rule(_renaming(kind, pattern, pattern), int(replacement))
    if field != "name":
        raise ValueError(f"invalid rule type {field!r}")
    return _name_rule(_renaming(kind, pattern, replacement), answer)


def _ttl_rule(fits: Rename, ttl: int) -> Rule:
    def rule(question: Question) -> tuple[Question, Back] | None:
        if fits(question.name.to_text().lower()) is None:
            return None
        return question, lambda one: one._replace(ttl=ttl)

    return rule


def _name_rule(rename: Rename, answer: Sequence[str]) -> Rule:
    owner = _renaming("regex", *answer[2:4]) if answer[:2] == ["answer", "name"] else None

    def back(one: Record) -> Record:
        renamed = owner(one.owner.to_text().lower()) if owner else None
        return one if renamed is None else one._replace(owner=dns.name.from_text(renamed))

    def rule(question: Question) -> tuple[Question, Back | None] | None:
        renamed = rename(question.name.to_text().lower())
        if renamed is None:
            return None
        inner, outer = dns.name.from_text(renamed), question.name
        after = structs.replace(question, name=inner)
        if answer[:2] == ["answer", "auto"]:
            return after, lambda one: one._replace(owner=outer) if one.owner == inner else one
        return after, back if owner else None

    return rule


def _renaming(kind: str, pattern: str, replacement: str) -> Rename:
    if kind == "regex":
        compiled = re.compile(pattern)
        return lambda name: _filled(compiled.search(name), replacement)
    pattern = pattern.lower()
    if kind == "exact":
        return lambda name: replacement if name == _absolute(pattern) else None
    if kind == "prefix":
        return lambda name: replacement + name.removeprefix(pattern) if name.startswith(pattern) else None
    if kind == "suffix":
        end, other = _absolute(pattern), _absolute(replacement)
        return lambda name: name.removesuffix(end) + other if name.endswith(end) else None
    return lambda name: name.replace(pattern, replacement) if pattern in name else None


def _absolute(text: str) -> str:
    return text if text.endswith(".") else text + "."


def _filled(match: re.Match[str] | None, replacement: str) -> str | None:
    """``{1}`` stands for the first group. What the pattern left out of the name is gone, as in CoreDNS."""
    if match is None:
        return None
    return re.sub(r"\{(\d+)\}", lambda number: match[int(number[1])] or "", replacement)
