"""Somebody's hands in a node's files: text -> text, for `fault.Rules`. Where there is nothing to change, none does."""

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

Json = dict[str, Any]
Change = Callable[[str], str]


# ----------------------------------------------------------------------------------------------------------- any text


def replaced(pattern: str, by: str) -> Change:
    """Every match of ``pattern`` replaced; ``^`` and ``$`` are those of lines."""
    found = re.compile(pattern, re.MULTILINE)
    return lambda text: found.sub(by, text)


def without(pattern: str) -> Change:
    """The lines that ``pattern`` is found in are taken out."""
    found = re.compile(pattern)
    return lambda text: "".join(line for line in text.splitlines(keepends=True) if not found.search(line))


def where_missing(made: str) -> Change:
    """A file that nobody had written."""
    return lambda text: text or made


def edited(change: Callable[[Any], Any]) -> Change:
    """A JSON text with its value changed; a text that is not there stays away."""
    return lambda text: json.dumps(change(json.loads(text))) + "\n" if text else ""


# ----------------------------------------------------------------------------------------------------------- iptables


def put_first(table: str, chain: str, rule: str) -> Change:
    """``iptables -t TABLE -I CHAIN RULE``, of a built-in chain."""
    first = re.compile(rf"^\[\d+:\d+\] -A {chain} ", re.MULTILINE)

    def change(text: str) -> str:
        begin = text.find(f"*{table}\n")
        if begin < 0:
            return text
        end = text.index("COMMIT\n", begin)
        found = first.search(text, begin, end)
        start = found.start() if found else end
        return f"{text[:start]}[0:0] -A {chain} {rule}\n{text[start:]}"

    return change


def added(saved: str) -> Change:
    """The chains of another iptables-save text that are not there, and what leads to them from built-in ones."""
    more = dict(_tables(saved))

    def change(text: str) -> str:
        for table, (chains, rules) in more.items():
            begin = text.find(f"*{table}\n")
            if begin < 0:
                continue
            end = text.index("COMMIT\n", begin)
            there = text[begin:end]
            missing = [line for line in chains if f"\n{line.split()[0]} " not in there]
            new = {line.split()[0].removeprefix(":") for line in missing}
            extra = [line for line in rules if _belongs(line, new)]
            split = _rules_begin(there)
            text = text[:begin] + there[:split] + "".join(missing) + there[split:] + "".join(extra) + text[end:]
        return text

    return change


def _tables(saved: str) -> Iterable[tuple[str, tuple[list[str], list[str]]]]:
    """Each table's lines of chains and of rules."""
    for table in re.finditer(r"^\*(\w+)\n(.*?)^COMMIT$", saved, re.MULTILINE | re.DOTALL):
        lines = table[2].splitlines(keepends=True)
        yield table[1], ([line for line in lines if line[0] == ":"], [line for line in lines if line[0] == "["])


def _belongs(rule: str, chains: set[str]) -> bool:
    """Whether a rule is in one of the chains, or leads there from a built-in one."""
    words = rule.split()
    return words[2] in chains or (words[-1] in chains and not words[2].startswith("KUBE-"))


def _rules_begin(table: str) -> int:
    found = re.search(r"^\[", table, re.MULTILINE)
    return found.start() if found else len(table)


# --------------------------------------------------------------------------------------------------------------- ipvs


def without_server(head: str) -> Change:
    """A virtual server and the real servers under it, from ``ipvsadm -Ln`` or /proc/net/ip_vs."""
    return replaced(rf"^{re.escape(head)} .*\n(?:^  -> .*\n)*", "")


def with_server(head: str, real: str) -> Change:
    """A real server more under a virtual one."""
    return replaced(rf"^({re.escape(head)} .*\n)", rf"\1{real}\n")


# ---------------------------------------------------------------------------------------------------------- nft, links


def without_element(map_name: str, chain: str) -> Change:
    """The elements of a verdict map in ``nft -j`` that lead to a chain whose name ends so."""

    def change(document: Json) -> Json:
        for one in document["nftables"]:
            held = one.get("map") or {}
            if held.get("name") == map_name and "elem" in held:
                held["elem"] = [entry for entry in held["elem"] if not _leads_to(entry[1], chain)]
        return document

    return edited(change)


def _leads_to(verdict: Json, chain: str) -> bool:
    return any(str((to or {}).get("target", "")).endswith(chain) for to in verdict.values())


def with_mtu(wanted: int, *names: str) -> Change:
    """Interfaces whose name begins so get another MTU."""

    def change(links: list[Json]) -> list[Json]:
        return [{**link, "mtu": wanted} if link["ifname"].startswith(names) else link for link in links]

    return edited(change)
