"""One nft table being filled, and the JSON that ``nft -j list table`` makes of it."""

import ipaddress
import itertools
import json
from typing import Any

from .family import Family
from .nft_atoms import Atom, sort_key

METAINFO: Atom = {"metainfo": {"version": "1.0.6", "release_name": "Lester Gooch #5", "json_schema_version": 1}}
NAME = "kube-proxy"


class Table:
    """The table ``kube-proxy`` of a family. Handles are given in the order of making, as the kernel gives them."""

    def __init__(self, family: Family) -> None:
        self.family = family
        self._handles = itertools.count(1)
        self._sets: dict[str, Atom] = {}
        self._elements: dict[str, dict[tuple[Any, ...], Any]] = {}
        self._chains: dict[str, Atom] = {}
        self._rules: dict[str, list[Atom]] = {}

    def base_chain(self, name: str, kind: str, hook: str, priority: int) -> None:
        """A chain that the kernel enters."""
        self.chain(name)
        self._chains[name].update({"type": kind, "hook": hook, "prio": priority, "policy": "accept"})

    def chain(self, name: str) -> None:
        """A chain that others lead to."""
        place = {"family": self.family.nft, "table": NAME, "name": name}
        self._chains[name] = {**place, "handle": next(self._handles)}
        self._rules[name] = []

    def rule(self, chain: str, *expressions: Atom, comment: str = "") -> None:
        rule = {"family": self.family.nft, "table": NAME, "chain": chain, "handle": next(self._handles)}
        if comment:
            rule["comment"] = comment
        rule["expr"] = list(expressions)
        self._rules[chain].append({"rule": rule})

    def set(self, name: str, kind: str | tuple[str, ...], comment: str) -> None:
        self._sets[name] = {"set": self._declaration(name, kind, {"comment": comment})}

    def map(self, name: str, kind: tuple[str, ...], comment: str) -> None:
        """A map to verdicts."""
        self._sets[name] = {"map": self._declaration(name, kind, {"comment": comment, "map": "verdict"})}

    def timed_set(self, name: str, kind: str, seconds: int) -> None:
        """A set that rules fill and that forgets. nft 1.0.6 says nothing of its flag ``dynamic`` in JSON."""
        more = {"size": 65535, "flags": ["timeout"], "timeout": seconds}
        self._sets[name] = {"set": self._declaration(name, kind, more)}

    def _declaration(self, name: str, kind: str | tuple[str, ...], more: Atom) -> Atom:
        types = kind if isinstance(kind, str) else list(kind)
        place = {"family": self.family.nft, "name": name, "table": NAME, "type": types}
        return {**place, "handle": next(self._handles), **more}

    def add(self, name: str, key: tuple[Any, ...], verdict: Atom | None = None, comment: str = "") -> None:
        """An element of a set, or of a map with its verdict. The first of two with one key stays."""
        self._elements.setdefault(name, {}).setdefault(key, (verdict, comment))

    def document(self) -> list[Atom]:
        """The objects as they are listed: the table, sets and maps, chains, then each chain's rules."""
        handle = 1 if self.family.number == 4 else 2
        listed: list[Atom] = [{"table": {"family": self.family.nft, "name": NAME, "handle": handle}}]
        listed += [self._filled(name, declared) for name, declared in self._sets.items()]
        listed += [{"chain": chain} for chain in self._chains.values()]
        for rules in self._rules.values():
            listed += rules
        return listed

    def _filled(self, name: str, declared: Atom) -> Atom:
        elements = self._elements.get(name)
        if not elements:
            return declared
        kind, fields = next(iter(declared.items()))
        listed = [_element(key, *elements[key]) for key in sorted(elements, key=_order)]
        return {kind: {**fields, "elem": listed}}

    def text(self) -> str:
        """What ``nft -j list table`` prints."""
        return json.dumps({"nftables": [METAINFO, *self.document()]}) + "\n"


def _order(key: tuple[Any, ...]) -> bytes:
    return sort_key(key) if len(key) > 1 else ipaddress.ip_address(key[0]).packed


def _element(key: tuple[Any, ...], verdict: Atom | None, comment: str) -> Any:
    value: Any = {"concat": list(key)} if len(key) > 1 else key[0]
    if comment:
        value = {"elem": {"val": value, "comment": comment}}
    return value if verdict is None else [value, verdict]
