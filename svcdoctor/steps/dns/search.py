"""The search walk: which absolute names a resolver asks for one short name, in which order, and where that ends.

glibc: __res_context_search (resolv/res_query.c). musl: name_from_dns_search (src/network/lookup_name.c). Go's own
resolver: nameList and goLookupIPCNAMEOrder (net/dnsclient_unix.go). All ask A and AAAA of each name.
"""

from collections.abc import Callable
from enum import StrEnum

from msgspec import Struct

from .answer import Expected, Kind
from .names import LONGEST, absolute
from .resolv_conf import ResolvConf

MUSL_LINE = 254
"""Longer lines of resolv.conf are skipped by musl."""


class Libc(StrEnum):
    """Who resolves: the C library of the image, or Go's own resolver."""

    GLIBC = "glibc"
    MUSL = "musl"
    GO = "go"


class Fate(StrEnum):
    """What an answer means for the walk."""

    ANSWERS = "answers"  # addresses: the walk ends well
    GOES_ON = "goes on"  # the next name is tried
    STOPS = "stops"  # the walk ends without an address
    OPEN = "open"  # who answers is not here to be seen: it may end or go on
    UNREACHED = "unreached"  # the walk ended before


class Candidate(Struct, frozen=True):
    """One absolute name of the walk, with the answers to its A and its AAAA question."""

    name: str
    suffix: str  # the search domain, "" for the name as it was given
    a: Expected
    aaaa: Expected
    fate: Fate


class Walk(Struct, frozen=True):
    """The whole walk for one name by one resolver."""

    name: str
    libc: Libc
    candidates: tuple[Candidate, ...]
    notes: tuple[str, ...]  # what is particular about this resolver here, in words

    @property
    def end(self) -> Candidate | None:
        """Where the walk ends for certain; None when it runs out, or when what comes before is open."""
        for candidate in self.candidates:
            if candidate.fate is Fate.OPEN:
                return None
            if candidate.fate in (Fate.ANSWERS, Fate.STOPS):
                return candidate
        return None

    @property
    def settled(self) -> bool:
        return all(candidate.fate is not Fate.OPEN for candidate in self.candidates)

    @property
    def resolves(self) -> bool | None:
        """Whether the name gets an address; None where that is not known."""
        if not self.settled:
            return None
        return any(candidate.fate is Fate.ANSWERS for candidate in self.candidates)

    @property
    def queries(self) -> int:
        """How many questions are asked, A and AAAA counted apart."""
        return 2 * sum(candidate.fate is not Fate.UNREACHED for candidate in self.candidates)


def names(name: str, conf: ResolvConf, libc: Libc = Libc.GLIBC) -> tuple[tuple[str, str], ...]:
    """The absolute names in the order in which they are tried, each with its search domain."""
    if name.endswith("."):
        return ((name, ""),)
    as_given = (absolute(name), "")
    enough = name.count(".") >= conf.ndots
    domains = () if libc is Libc.MUSL and (enough or _unread(conf)) else conf.search
    tried: list[tuple[str, str]] = []
    rooted = False
    for domain in domains:
        if domain in ("", "."):
            if libc is Libc.GLIBC:  # the root: the name as it is, which need not be tried again
                rooted = True
                tried.append(as_given)
            continue
        if len(name) + 1 + len(domain) <= LONGEST:
            tried.append((absolute(f"{name}.{domain}"), domain))
    if libc is Libc.MUSL or not enough:
        return (*tried, *(() if rooted else (as_given,)))
    return (as_given, *tried)


def walk(name: str, conf: ResolvConf, ask: Callable[[str, str], Expected], libc: Libc = Libc.GLIBC) -> Walk:
    """Walk until an answer ends it. ``ask`` is given an absolute name and a type, e.g. `Authority.expect`."""
    found: list[Candidate] = []
    ended = skipping = False
    for candidate, suffix in names(name, conf, libc):
        a, aaaa = ask(candidate, "A"), ask(candidate, "AAAA")
        fate = Fate.UNREACHED if ended or (skipping and suffix) else _fate(a, aaaa, libc)
        if fate is Fate.STOPS and libc is Libc.GLIBC and suffix:  # no further domain, but the name as it is
            skipping, fate = True, Fate.GOES_ON
        ended = ended or fate in (Fate.ANSWERS, Fate.STOPS)
        found.append(Candidate(candidate, suffix, a, aaaa, fate))
    return Walk(name, libc, tuple(found), tuple(_notes(name, conf, libc, found)))


def _fate(a: Expected, aaaa: Expected, libc: Libc) -> Fate:
    kinds = (a.kind, aaaa.kind)
    if Kind.ANSWER in kinds:
        return Fate.ANSWERS
    if Kind.UNKNOWN in kinds or Kind.ELSEWHERE in kinds:
        return Fate.OPEN
    if libc is Libc.GO:
        return Fate.GOES_ON
    if libc is Libc.MUSL:  # anything but NXDOMAIN, which the answer to A decides
        return Fate.GOES_ON if a.kind is Kind.NXDOMAIN else Fate.STOPS
    return Fate.STOPS if Kind.REFUSED in kinds else Fate.GOES_ON


def _unread(conf: ResolvConf) -> bool:
    """Whether musl skips the search line for its length."""
    return len(f"search {' '.join(conf.search)}") > MUSL_LINE


def _notes(name: str, conf: ResolvConf, libc: Libc, found: list[Candidate]) -> list[str]:
    notes = []
    dots = name.count(".")
    if name.endswith("."):
        notes.append("the trailing dot makes the name absolute: no search")
    elif dots >= conf.ndots:
        whole = "and musl never searches then" if libc is Libc.MUSL else "the search domains come after"
        notes.append(f"{dots} dots are no fewer than ndots:{conf.ndots}: the name is tried as it is first, {whole}")
    else:
        notes.append(f"{dots} dots are fewer than ndots:{conf.ndots}: the search domains are tried first")
    if libc is Libc.MUSL:
        notes += _musl(conf, found)
    elif libc is Libc.GLIBC and conf.never_asked:
        notes.append(f"only three nameservers are asked, never {', '.join(conf.never_asked)}")
    if libc is Libc.GO and "." in conf.search:
        notes.append("Go leaves the search domain . out")
    return notes


def _musl(conf: ResolvConf, found: list[Candidate]) -> list[str]:
    notes = []
    if len(conf.asked) > 1:
        notes.append("musl asks all nameservers at once, and the first answer counts, even a no")
    if _unread(conf):
        notes.append(f"musl skips lines of more than {MUSL_LINE} characters: nothing is searched")
    if "." in conf.search:
        notes.append("some versions of musl fail at the search domain .")
    if any(candidate.fate is Fate.STOPS for candidate in found):
        notes.append("musl ends the search at any answer but NXDOMAIN; glibc would go on")
    ignored = sorted(conf.named.keys() - {"ndots", "timeout", "attempts"})
    if ignored:
        notes.append(f"musl knows no option {', '.join(ignored)}")
    return notes
