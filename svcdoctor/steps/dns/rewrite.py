"""CoreDNS's rewrite plugin: under which name a question goes on (plugin/rewrite). Answers are renamed back."""

import re
from collections.abc import Iterable

from msgspec import Struct

from .corefile import Directive
from .go_regex import NotComputed, search

MATCHES = ("exact", "prefix", "suffix", "substring", "regex")


class Rewritten(Struct, frozen=True):
    """The question after the rules, and in words which rules changed it or could not be computed."""

    name: str
    type: str
    changes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


def apply(rules: Iterable[Directive], name: str, type: str) -> Rewritten:
    """All rewrite directives of a block in their order; the first that matches and stops ends it."""
    changes: list[str] = []
    doubts: list[str] = []
    for rule in rules:
        before = (name, type)
        mode, words = _mode(rule)
        try:
            name, type = _applied(words, name, type)
        except NotComputed as reason:
            doubts.append(f"line {rule.line}: {rule}: {reason}")
        if (name, type) != before:
            changes.append(f"line {rule.line} rewrites {before[0]} {before[1]} to {name} {type}")
            if mode == "stop":
                break
    return Rewritten(name, type, tuple(changes), tuple(doubts))


def _mode(rule: Directive) -> tuple[str, tuple[str, ...]]:
    """Whether a rule that matches is the last, and what it says. The form with braces says it in its first line."""
    words = rule.args
    mode = "stop"
    if words and words[0] in ("stop", "continue"):
        mode, words = words[0], words[1:]
    if not words and rule.block:
        words = (rule.block[0].name, *rule.block[0].args)
    return mode, words


def _applied(words: tuple[str, ...], name: str, type: str) -> tuple[str, str]:
    if not words or words[0] not in ("name", "type"):
        return name, type  # class, ttl, edns0, rcode, cname: not the question
    field, rest = words[0], words[1:]
    match = rest[0] if rest and rest[0] in MATCHES else "exact"
    rest = rest[1:] if rest and rest[0] in MATCHES else rest
    if len(rest) < 2:
        raise NotComputed("too few words")
    if field == "type":
        return name, rest[1].upper() if type == rest[0].upper() else type
    return _renamed(match, rest[0].lower(), rest[1].lower(), name), type


def _renamed(match: str, old: str, new: str, name: str) -> str:
    asked = name.lower()
    if match in ("exact", "suffix"):
        old, new = (word if word.endswith(".") else word + "." for word in (old, new))
    if match == "exact":
        return new if asked == old else name
    if match == "prefix":
        return new + asked.removeprefix(old) if asked.startswith(old) else name
    if match == "suffix":
        return asked.removesuffix(old) + new if asked.endswith(old) else name
    if match == "substring":
        return asked.replace(old, new) if old in asked else name
    found = search(old, asked)
    if found is None:
        return name
    renamed = re.sub(r"\{(\d)\}", lambda number: _group(found, int(number[1])), new)
    return renamed if renamed.endswith(".") else renamed + "."


def _group(found: re.Match[str], number: int) -> str:
    return (found[number] or "") if number <= found.re.groups else ""
