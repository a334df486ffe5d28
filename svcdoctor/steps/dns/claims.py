"""What each of CoreDNS's plugins makes of a question that reaches it: its own, another's, or perhaps its own."""

from collections.abc import Callable

from msgspec import Struct

from . import names
from .answer import Expected, Kind, Record
from .corefile import Directive
from .go_regex import NotComputed, search
from .kubernetes_plugin import read, zone_list
from .tokens import ENVIRONMENT

ADDRESS_TYPES = ("A", "AAAA", "PTR")


class Claim(Struct, frozen=True):
    """``takes``: the plugin may answer; ``passes``: the next one may be asked. A final answer does not pass."""

    takes: bool
    passes: bool
    zone: str = ""
    why: str = ""
    doubt: str = ""  # what about this claim is left open
    answer: Expected | None = None  # where the Corefile itself holds it


NOT_MINE = Claim(False, True)


def _zoned(args: tuple[str, ...], directive: Directive, served: tuple[str, ...], name: str) -> Claim:
    """The claim of a plugin that answers all names of its zones."""
    zones, doubts = zone_list(args, served)
    zone = names.longest(zones, name)
    doubt = "; ".join(doubts)
    if not zone:
        return Claim(bool(doubt), True, doubt=doubt)
    return Claim(True, _falls_through(directive, name), zone, doubt=doubt)


def _falls_through(directive: Directive, name: str) -> bool:
    for option in directive.options("fallthrough"):
        zones = zone_list(option.args, ())[0]
        if not zones or names.longest(zones, name):
            return True
    return False


def _kubernetes(directive: Directive, served: tuple[str, ...], name: str, type: str) -> Claim:
    plugin = read(directive, served)
    zone = plugin.zone_of(name)
    takes = bool(zone) or any(ENVIRONMENT.search(arg) for arg in directive.args)
    return Claim(takes, not zone or plugin.falls_through(name), zone, doubt="; ".join(plugin.doubts))


def _forward(directive: Directive, served: tuple[str, ...], name: str, type: str) -> Claim:
    """``forward FROM TO...``, also ``grpc``; the names after ``except`` are left to the next plugin."""
    claim = _zoned(directive.args[:1], directive, served, name)
    excepted = [zone for option in directive.options("except") for zone in zone_list(option.args, ())[0]]
    if claim.takes and names.longest(tuple(excepted), name):
        return NOT_MINE
    return claim


def _file(directive: Directive, served: tuple[str, ...], name: str, type: str) -> Claim:
    return _zoned(directive.args[1:], directive, served, name)


def _zones(directive: Directive, served: tuple[str, ...], name: str, type: str) -> Claim:
    return _zoned(directive.args, directive, served, name)


def _cloud(directive: Directive, served: tuple[str, ...], name: str, type: str) -> Claim:
    """``route53 example.org.:Z123``, ``azure GROUP:ZONE``, ``clouddns ZONE:PROJECT:HOSTED``."""
    zones = [part for arg in directive.args for part in arg.split(":") if names.within(part, name) and "." in part]
    return Claim(bool(zones), True, max(zones, key=len, default=""))


def _template(directive: Directive, served: tuple[str, ...], name: str, type: str) -> Claim:
    """``template CLASS TYPE [ZONE...] { match REGEX... }``; without a match all names of the zones."""
    if len(directive.args) < 2 or directive.args[0].upper() not in ("IN", "ANY"):
        return NOT_MINE
    if directive.args[1].upper() not in (type, "ANY"):
        return NOT_MINE
    zone = names.longest(zone_list(directive.args[2:], served)[0], name)
    if not zone:
        return NOT_MINE
    patterns = [pattern for option in directive.options("match") for pattern in option.args]
    try:
        if not patterns or any(search(pattern, name.lower()) for pattern in patterns):
            return Claim(True, False, zone, "its pattern matches" if patterns else "it takes every name of its zone")
    except NotComputed as reason:
        return Claim(True, True, zone, doubt=f"line {directive.line}: {reason}")
    if _falls_through(directive, name):
        return NOT_MINE
    return Claim(True, False, zone, "its zone has the name, no pattern matches, and it has no fallthrough")


def _hosts(directive: Directive, served: tuple[str, ...], name: str, type: str) -> Claim:
    """``hosts [FILE [ZONES...]]`` with lines of /etc/hosts in its block; the file itself is not seen."""
    claim = _zoned(directive.args[1:], directive, served, name)
    if not claim.takes:
        return claim
    written = _written(directive, name, type)
    if written is not None:
        return Claim(True, False, claim.zone, f"line {written[1]} of the Corefile names it", answer=written[0])
    unseen = f"what {directive.args[0]} holds was not seen" if directive.args else ""
    if claim.passes or type == "PTR":
        return Claim(bool(unseen), True, claim.zone, doubt=unseen)
    why = "hosts has no fallthrough, so names that it lacks fail here"
    return Claim(True, False, claim.zone, why, unseen, None if unseen else Expected(Kind.SERVFAIL, why))


def _written(directive: Directive, name: str, type: str) -> tuple[Expected, int] | None:
    """The answer that the lines of a hosts block give, and the line; None where they do not name it."""
    asked = names.absolute(name).lower()
    address_asked = names.reversed_address(name)
    found: list[Record] = []
    line = 0
    for entry in directive.block:
        family = names.family(entry.name)
        hosts = [names.absolute(host).lower() for host in entry.args]
        if family and asked in hosts:
            line = line or entry.line
            if family == type:
                found.append(Record(name, type, names.canonical(entry.name)))
        elif family and type == "PTR" and names.canonical(entry.name) == address_asked:
            line = line or entry.line
            found += [Record(name, "PTR", host) for host in hosts]
    if not line or (type == "PTR" and not found):
        return None
    kind = Kind.ANSWER if found else Kind.NODATA
    return Expected(kind, f"hosts, line {line} of the Corefile, answers it", tuple(sorted(found))), line


def _any(directive: Directive, served: tuple[str, ...], name: str, type: str) -> Claim:
    return Claim(True, False, why="ANY questions get a short answer") if type == "ANY" else NOT_MINE


def _local(directive: Directive, served: tuple[str, ...], name: str, type: str) -> Claim:
    mine = any(names.within(zone, name) for zone in ("localhost.", "127.in-addr.arpa.", "0.in-addr.arpa."))
    return Claim(mine, not mine)


def _everything(directive: Directive, served: tuple[str, ...], name: str, type: str) -> Claim:
    return Claim(True, False)


Reader = Callable[[Directive, tuple[str, ...], str, str], Claim]

ORDER: dict[str, Reader] = {
    "local": _local,
    "any": _any,
    "template": _template,
    "hosts": _hosts,
    "route53": _cloud,
    "azure": _cloud,
    "clouddns": _cloud,
    "federation": _zones,
    "k8s_external": _zones,
    "kubernetes": _kubernetes,
    "file": _file,
    "auto": _zones,
    "secondary": _zones,
    "etcd": _zones,
    "forward": _forward,
    "proxy": _forward,
    "grpc": _forward,
    "erratic": _everything,
    "whoami": _everything,
}
"""The plugins that answer, in the order in which CoreDNS compiles them in (plugin.cfg); rewrite stands before
template."""

_SETUP = ("root", "metadata", "rrl", "geoip", "cancel", "tls", "quic", "https", "https3", "timeouts", "multisocket")
_WATCH = ("reload", "nsid", "bind", "debug", "trace", "ready", "health", "pprof", "prometheus", "errors", "log")
_CHANGE = ("bufsize", "dns64", "loadbalance", "tsig", "cache", "rewrite", "header", "dnssec", "minimal", "sign")
SILENT = frozenset((*_SETUP, *_WATCH, *_CHANGE, "dnstap", "chaos", "transfer", "loop", "on"))
"""The plugins that answer no ordinary question themselves."""

MEDDLING = {
    "acl": "acl may refuse some clients",
    "view": "view serves some clients only",
    "autopath": "autopath may answer the first name of a search with what a later one has",
}
"""The plugins whose effect depends on who asks."""
