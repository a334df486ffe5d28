"""``nft -j list table`` and ``nft -j list ruleset``, of any layout: JSON -> Ruleset -> JSON."""

import json
from functools import partial
from typing import Any

import msgspec
from msgspec import Struct

from ...errors import BadData
from ..ruleset import HOOKS, Base, Chain, NamedSet, Rule, Ruleset, Table
from ..ruleset.statements import Opaque
from .sets import read_elements, types_of
from .statements import read_statement

__all__ = ["read", "read_rule", "write"]

ADVICE = "save it anew: nft -j list table ip kube-proxy"
FAMILIES = ("ip", "ip6", "inet")
DATA_ERRORS = (KeyError, ValueError, TypeError, IndexError, AttributeError, OverflowError, RecursionError)


class Listing(Struct):
    """The document; each object has one key, its kind."""

    nftables: list[dict[str, msgspec.Raw]]


class Body(Struct):
    """What all kinds of objects have in common, and chains besides."""

    family: str = ""
    table: str = ""
    name: str = ""
    handle: int = 0
    chain: str = ""  # of a rule
    type: msgspec.Raw = msgspec.Raw(b'""')
    hook: str = ""
    prio: int = 0
    policy: str = "accept"


class Gathered:
    """A table as its objects come in."""

    def __init__(self, header: str, handle: int) -> None:
        self.header = header
        self.handle = handle or None
        self.chains: dict[str, Chain] = {}
        self.sets: dict[str, NamedSet] = {}
        self.others: list[str] = []


LISTING = msgspec.json.Decoder(Listing)
BODY = msgspec.json.Decoder(Body)


def read(text: str | bytes, source: str = "nft -j list ruleset") -> Ruleset:
    """The tables of a listing.

    Raises BadData, naming ``source``, for what is no such JSON or is cut short. A rule that is not understood is no
    error: it is opaque.
    """
    try:
        objects = LISTING.decode(text.encode() if isinstance(text, str) else text).nftables
        return _ruleset(objects, source)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadData(source, f"no JSON of nft ({error})", ADVICE) from None


def write(ruleset: Ruleset) -> str:
    """The tables of nft as it lists them: table, objects, chains, rules."""
    objects = [f'{{"metainfo": {ruleset.header}}}'] if ruleset.header else []
    for table in ruleset.tables:
        if table.dialect != "nft":
            continue
        objects.append(f'{{"table": {table.header}}}')
        objects += table.others
        objects += [f'{{"chain": {chain.header}}}' for chain in table.chains.values()]
        objects += [f'{{"rule": {text}}}' for chain in table.chains.values() for text in chain.texts]
    return f'{{"nftables": [{", ".join(objects)}]}}\n'


def read_rule(text: str) -> Rule:
    """A rule object. Never raises: what is not understood becomes an `Opaque`."""
    try:
        body = json.loads(text)
        comment = str(body.get("comment", ""))
        family = str(body.get("family", "ip"))
        statements = [one for written in body.get("expr", ()) for one in read_statement(written, family)]
    except DATA_ERRORS:
        return Rule(text, (Opaque(text, action=True),))
    return Rule(text, tuple(statements), comment)


def _ruleset(objects: list[dict[str, msgspec.Raw]], source: str) -> Ruleset:
    header = ""
    tables: dict[tuple[str, str], Gathered] = {}
    for number, one in enumerate(objects, 1):
        for kind, raw in one.items():
            text = bytes(raw).decode()
            if kind == "metainfo":
                header = text
                continue
            body = BODY.decode(raw)
            if kind == "table":
                tables[body.family, body.name] = Gathered(text, body.handle)
                continue
            table = tables.get((body.family, body.table))
            if table is None:
                raise BadData(source, f"object {number}: a {kind} of a table that is not declared", ADVICE)
            if kind == "rule" and body.chain not in table.chains:
                raise BadData(source, f"object {number}: a rule of a chain that is not declared", ADVICE)
            _take(table, kind, body, text)
    return Ruleset(
        tuple(
            Table(family, name, found.chains, found.sets, "nft", found.header, found.handle, tuple(found.others))
            for (family, name), found in tables.items()
        ),
        header=header,
    )


def _take(table: Gathered, kind: str, body: Body, text: str) -> None:
    if kind == "rule":
        table.chains[body.chain].texts.append(text)
    elif kind == "chain":
        table.chains[body.name] = Chain(body.name, text, _base(body), [], read_rule)
    else:
        table.others.append(f'{{"{kind}": {text}}}')
    if kind in ("set", "map"):
        table.sets[body.name] = _set(body.name, text)


def _base(body: Body) -> Base | None:
    if not body.hook:
        return None
    reached = body.family in FAMILIES and body.hook in HOOKS
    hook = body.hook if reached else f"{body.family} {body.hook}"
    return Base(hook, body.prio, body.policy, nat=bytes(body.type) == b'"nat"')


def _set(name: str, text: str) -> NamedSet:
    written: dict[str, Any] = json.loads(text)
    flags = written.get("flags", ())
    remembers = "timeout" in written or "timeout" in flags or "dynamic" in flags
    return NamedSet(name, types_of(written.get("type")), text, partial(read_elements, text), remembers)
