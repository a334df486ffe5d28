"""``nft -j list``: kube-proxy's tables, and the ones that iptables-nft keeps, as nft sees them.

nft knows an iptables match of its own kind, and shows the others as an opaque ``xt``: that is why a rule dump must be
read with iptables-save.
"""

import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence

from . import nft_atoms as nft
from .family import V4, V6, Family
from .local import nft_network
from .nft_table import METAINFO

Files = Mapping[str, str]
HOOKS = {"PREROUTING": "prerouting", "INPUT": "input", "FORWARD": "forward", "OUTPUT": "output",
         "POSTROUTING": "postrouting"}  # fmt: skip
PRIORITIES = {"mangle": -150, "filter": 0, "nat": -100}
VERDICTS = {"ACCEPT": "accept", "DROP": "drop", "RETURN": "return"}
TARGETS = {"REJECT", "MARK", "MASQUERADE", "DNAT"}
WORDS = re.compile(r'"(?:[^"\\]|\\.)*"|\S+')
MISSING = "Error: No such file or directory\n"


def answer(files: Files, words: Sequence[str], terse: bool) -> tuple[int, str, str]:
    """Exit code, stdout, stderr of ``nft -j WORDS``."""
    objects = ruleset(files)
    match words:
        case ["list", "ruleset"]:
            chosen = objects
        case ["list", "table", name] | ["list", "table", "ip", name]:
            chosen = _of_table(objects, "ip", name)
        case ["list", "table", family, name]:
            chosen = _of_table(objects, family, name)
        case ["list", "tables"]:
            chosen = [one for one in objects if "table" in one]
        case ["list", "chains"]:
            chosen = [one for one in objects if "table" in one or "chain" in one]
        case _:
            return 1, "", "Error: syntax error\n"
    if not chosen and words[1] == "table":
        return 1, "", MISSING
    if terse:
        chosen = [_without_elements(one) for one in chosen]
    return 0, json.dumps({"nftables": [METAINFO, *chosen]}) + "\n", ""


def _of_table(objects: list[nft.Atom], family: str, name: str) -> list[nft.Atom]:
    found = []
    for one in objects:
        kind, fields = next(iter(one.items()))
        if fields["family"] == family and fields["name" if kind == "table" else "table"] == name:
            found.append(one)
    return found


def _without_elements(one: nft.Atom) -> nft.Atom:
    kind, fields = next(iter(one.items()))
    return {kind: {name: value for name, value in fields.items() if name != "elem"}}


def ruleset(files: Files) -> list[nft.Atom]:
    """All objects of all tables."""
    objects: list[nft.Atom] = []
    for family, name in ((V4, "iptables-save.txt"), (V6, "ip6tables-save.txt")):
        objects += _translated(files.get(name, ""), family)
        own = files.get(f"nft-{family.nft}-kube-proxy.json")
        if own is not None:
            objects += [one for one in json.loads(own)["nftables"] if "metainfo" not in one]
    return objects


def _translated(saved: str, family: Family) -> Iterator[nft.Atom]:
    """The tables of an iptables-save text."""
    table, handles, numbers = "", itertools.count(1), itertools.count(1)
    for line in saved.splitlines():
        if line.startswith("*"):
            table, handles = line[1:], itertools.count(1)
            yield {"table": {"family": family.nft, "name": table, "handle": next(numbers)}}
        elif line.startswith(":"):
            yield {"chain": _chain(line, family, table, next(handles))}
        elif line.startswith("["):
            counters, _, rule = line.partition("] -A ")
            chain, _, arguments = rule.partition(" ")
            place = {"family": family.nft, "table": table, "chain": chain, "handle": next(handles)}
            yield {"rule": {**place, "expr": _expressions(arguments, counters.lstrip("["), family)}}


def _chain(line: str, family: Family, table: str, handle: int) -> nft.Atom:
    name, policy, _ = line[1:].split()
    chain: nft.Atom = {"family": family.nft, "table": table, "name": name, "handle": handle}
    if policy == "-":
        return chain
    late = table == "nat" and name in ("INPUT", "POSTROUTING")
    kind = "route" if (table, name) == ("mangle", "OUTPUT") else ("nat" if table == "nat" else "filter")
    return {
        **chain,
        "type": kind,
        "hook": HOOKS[name],
        "prio": 100 if late else PRIORITIES[table],
        "policy": policy.lower(),
    }


def _expressions(arguments: str, counters: str, family: Family) -> list[nft.Atom]:
    """One rule. The order is nft's: protocol and interface, addresses, the matches as written, counter, target."""
    head: list[nft.Atom] = []
    rest: list[nft.Atom] = []
    target = ""
    words = iter(WORDS.findall(arguments))
    op = "=="
    for word in words:
        if word == "!":
            op = "!="
            continue
        if word in ("-s", "-d"):
            field = nft.field(family, "saddr" if word == "-s" else "daddr")
            rest.append(nft.match(field, nft_network(next(words)), op))
        elif word == "-i":
            head.append(nft.match({"meta": {"key": "iifname"}}, next(words).replace("+", "*"), op))
        elif word == "-p":
            head.append(nft.protocol_is(next(words)))
        elif word == "-m":
            rest.append(_match(next(words)))
        elif word == "--dport":
            _fill_port(rest, int(next(words)))
        elif word == "--mark":
            _fill_mark(rest, next(words), op)
        elif word == "-j":
            target = next(words)
        op = "=="
    packets, _, size = counters.partition(":")
    counter = {"counter": {"packets": int(packets), "bytes": int(size)}}
    return [*head, *rest, counter, *_target(target)]


def _match(name: str) -> nft.Atom:
    """A match as nft shows it before its arguments are known."""
    return {"xt": {"type": "match", "name": name}}


def _fill_port(rest: list[nft.Atom], port: int) -> None:
    """iptables-nft has nft itself ask for ports of TCP and UDP."""
    protocol = rest[-1]["xt"]["name"]
    if protocol in ("tcp", "udp"):
        rest[-1] = nft.match({"payload": {"protocol": protocol, "field": "dport"}}, port)


def _fill_mark(rest: list[nft.Atom], text: str, op: str) -> None:
    rest.pop()
    value, _, mask = text.partition("/")
    rest.append(nft.match({"&": [nft.MARK, int(mask, 16)]}, int(value, 16), op))


def _target(name: str) -> list[nft.Atom]:
    if not name:
        return []
    if name in VERDICTS:
        return [{VERDICTS[name]: None}]
    if name in TARGETS:
        return [{"xt": {"type": "target", "name": name}}]
    return [nft.jump(name)]
