"""Answers to programs that are run in the kube-proxy pod, or in a node's own shell, from the node's texts."""

import re
from collections.abc import Callable, Mapping, Sequence

from . import nft_ruleset, procfs

Answer = tuple[int, str, str]
"""Exit code, stdout, stderr."""
Files = Mapping[str, str]

COUNTERS = re.compile(r"^\[\d+:\d+\] ", re.MULTILINE)
SAVED = {"iptables": "iptables-save.txt", "ip6tables": "ip6tables-save.txt"}
LEGACY = {family: name.replace("-save", "-legacy-save") for family, name in SAVED.items()}
"""The kernel's older tables: there only where somebody filled them."""
SAVE_OPTIONS = {"-c": "counters", "--counters": "counters", "-t": "table", "--table": "table"}

KUBE_PROXY_IMAGE = frozenset(
    f"{family}tables{backend}{verb}"
    for family in ("ip", "ip6")
    for backend in ("", "-nft", "-legacy")
    for verb in ("", "-save")
) | {"nft", "ipset", "cat"}
"""The programs that are understood and that kube-proxy's image has (distroless-iptables, 1.36)."""

NODE_TOOLS = KUBE_PROXY_IMAGE | {"ipvsadm", "conntrack", "ip"}
"""Those that a node, or a debugging container with the node's network, has besides."""


def command(files: Files, argv: Sequence[str], programs: frozenset[str] = KUBE_PROXY_IMAGE) -> Answer | None:
    """What running ``argv`` answers on the node that ``files`` describe.

    None where the image has no such program. What a program would know and this one does not is refused as a wrong
    option, in that program's words and with its exit code.
    """
    program = argv[0].rpartition("/")[2] if argv else ""
    if program not in programs:
        return None
    arguments = list(argv[1:])
    if program.startswith(("iptables", "ip6tables")):
        return _iptables(files, program, arguments)
    return PROGRAMS[program](files, arguments)


def _iptables(files: Files, program: str, arguments: list[str]) -> Answer:
    family = program.partition("-")[0]
    legacy = "-legacy" in program
    if arguments in (["--version"], ["-V"]):
        return 0, f"{program} v1.8.9 ({'legacy' if legacy else 'nf_tables'})\n", ""
    text = files.get((LEGACY if legacy else SAVED)[family], "")
    code, output, errors = (_save if program.endswith("-save") else _list_rules)(program, text, arguments)
    if not (legacy or code) and LEGACY[family] in files:
        errors += f"# Warning: {family}-legacy tables present, use {family}-legacy-save to see them\n"
    return code, output, errors


def _save(program: str, text: str, arguments: list[str]) -> Answer:
    counters, table = False, ""
    rest = iter(arguments)
    for argument in rest:
        option = SAVE_OPTIONS.get(argument)
        if option is None:
            return 2, "", f"{program}: unrecognized option '{argument}'\n"
        if option == "counters":
            counters = True
        else:
            table = next(rest, "")
    if table:
        text = _table(text, table)
    return 0, text if counters else COUNTERS.sub("", text), ""


def _table(text: str, table: str) -> str:
    """The part of one table, with the lines before and after it."""
    found = re.search(rf"# Generated[^\n]*\n\*{re.escape(table)}\n.*?\nCOMMIT\n# Completed[^\n]*\n", text, re.DOTALL)
    return found[0] if found else ""


def _list_rules(program: str, text: str, arguments: list[str]) -> Answer:
    """``iptables -S``, with ``-t``, ``-w`` and a chain."""
    table, chain, rules = "filter", "", False
    rest = iter(arguments)
    for argument in rest:
        if argument in ("-t", "--table"):
            table = next(rest, "")
        elif argument in ("-S", "--list-rules"):
            rules = True
        elif not argument.startswith("-") and rules and not chain and not argument.isdigit():
            chain = argument
        elif argument not in ("-w", "--wait", "-n") and not argument.isdigit():
            return 2, "", f'{program} v1.8.9 (nf_tables): unknown option "{argument}"\n'
    if not rules:
        return 2, "", f"{program} v1.8.9 (nf_tables): no command specified\n"
    lines = _specifications(_table(text, table), chain)
    if chain and not lines:
        return 1, "", f"{program}: No chain/target/match by that name.\n"
    return 0, "".join(f"{line}\n" for line in lines), ""


def _specifications(text: str, chain: str) -> list[str]:
    """Policies, chains and rules as ``-S`` prints them."""
    lines = COUNTERS.sub("", text).splitlines()
    heads = [line[1:].split()[:2] for line in lines if line.startswith(":")]
    found = [f"-N {name}" if policy == "-" else f"-P {name} {policy}" for name, policy in heads]
    found += [line for line in lines if line.startswith("-A ")]
    return [line for line in found if not chain or line.split()[1] == chain]


def _nft(files: Files, arguments: list[str]) -> Answer:
    """``nft -j list ruleset``, ``table``, ``tables`` and ``chains``; other forms are for people, not programs."""
    options = [one for one in arguments if one.startswith("-")]
    words = [one for one in arguments if not one.startswith("-")]
    if options == ["--version"] or options == ["-v"]:
        return 0, "nftables v1.0.6 (Lester Gooch #5)\n", ""
    if not set(options) & {"-j", "--json"} or set(options) - {"-j", "--json", "-n", "-a", "-t", "--terse", "--handle"}:
        return 1, "", "Error: syntax error, only JSON lists are served\n"
    terse = bool({"-t", "--terse"} & set(options))
    return nft_ruleset.answer(files, words, terse)


def _ipset(files: Files, arguments: list[str]) -> Answer:
    """``ipset save [NAME]``, ``ipset list -n``."""
    text = files.get("ipset.txt", "")
    names = [line.split()[1] for line in text.splitlines() if line.startswith("create ")]
    match arguments:
        case ["save" | "-S"]:
            return 0, text, ""
        case ["list" | "-L", "-n" | "-name"]:
            return 0, "".join(f"{name}\n" for name in names), ""
        case ["save" | "-S", name]:
            if name not in names:
                return 1, "", "ipset v7.17: The set with the given name does not exist\n"
            return 0, "".join(f"{line}\n" for line in text.splitlines() if line.split()[1] == name), ""
    return 1, "", f"ipset v7.17: Unknown argument: `{' '.join(arguments)}'\n"


def _cat(files: Files, arguments: list[str]) -> Answer:
    output, errors = [], []
    for path in arguments:
        text = procfs.read(files, path)
        if text is None:
            errors.append(f"cat: {path}: No such file or directory\n")
        else:
            output.append(text)
    return 1 if errors else 0, "".join(output), "".join(errors)


def _ipvsadm(files: Files, arguments: list[str]) -> Answer:
    forms = {"-Sn": "ipvsadm-Sn.txt", "-Ln": "ipvsadm-Ln.txt", "-ln": "ipvsadm-Ln.txt"}
    joined = "-" + "".join(one.lstrip("-") for one in arguments)
    if joined not in forms:
        return 2, "", "ipvsadm: unknown arguments\n"
    if forms[joined] not in files:
        return (
            2,
            "",
            "Can't initialize ipvs: Protocol not available\nAre you sure that IP Virtual Server is built in?\n",
        )
    return 0, files[forms[joined]], ""


def _conntrack(files: Files, arguments: list[str]) -> Answer:
    if arguments not in (["-L"], ["--dump"], ["-L", "-n"]):
        return 2, "", "conntrack v1.4.7 (conntrack-tools): unknown arguments\n"
    text = files.get("conntrack.txt", "")
    return 0, text, f"conntrack v1.4.7 (conntrack-tools): {text.count(chr(10))} flow entries have been shown.\n"


def _ip(files: Files, arguments: list[str]) -> Answer:
    words = [one for one in arguments if one not in ("-j", "-json", "show", "list")]
    if len(words) == 1 and "-j" in arguments:
        if "address".startswith(words[0]):
            return 0, files["addresses.json"], ""
        if "route".startswith(words[0]):
            return 0, files["routes.json"], ""
    return 255, "", f'Object "{" ".join(words)}" is unknown, try "ip help".\n'


PROGRAMS: dict[str, Callable[[Files, list[str]], Answer]] = {
    "nft": _nft,
    "ipset": _ipset,
    "cat": _cat,
    "ipvsadm": _ipvsadm,
    "conntrack": _conntrack,
    "ip": _ip,
}
