"""Label selectors as a Corefile writes them (apimachinery's labels.Parse): ``app=web,tier in (a, b),!legacy``."""

import re
from collections.abc import Mapping

from msgspec import Struct

APART = re.compile(r",(?![^(]*\))")
REQUIREMENT = re.compile(r"(!?)\s*([\w./-]+)\s*(?:(==|=|!=)\s*([\w.-]*)|\s(in|notin)\s*\(([^()]*)\))?")


class Requirement(Struct, frozen=True):
    """One condition on one key. Without values it is about the key's presence."""

    key: str
    wanted: bool
    values: frozenset[str] | None

    def matches(self, labels: Mapping[str, str]) -> bool:
        if self.values is None:
            return (self.key in labels) is self.wanted
        return (labels.get(self.key) in self.values) is self.wanted


class Selector(Struct, frozen=True):
    """All of its requirements; without any it selects everything, and is false."""

    requirements: tuple[Requirement, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.requirements)

    def matches(self, labels: Mapping[str, str]) -> bool:
        return all(requirement.matches(labels) for requirement in self.requirements)


def parse(text: str) -> Selector:
    """Raises ValueError on what apimachinery would not read either."""
    return Selector(tuple(_requirement(part.strip()) for part in APART.split(text)))


def _requirement(text: str) -> Requirement:
    found = REQUIREMENT.fullmatch(text)
    if found is None:
        raise ValueError(f"unable to parse requirement: {text!r}")
    absent, key, operator, value, word, listed = found.groups()
    if operator or word:
        if absent:
            raise ValueError(f"unable to parse requirement: {text!r}")
        values = frozenset([value] if operator else [one.strip() for one in listed.split(",")])
        return Requirement(key, operator in ("=", "==") or word == "in", values)
    return Requirement(key, not absent, None)
