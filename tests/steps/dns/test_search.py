"""The search walk, by resolver: which names, in which order, and where it ends."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcdoctor.steps.dns.answer import Expected, Kind
from svcdoctor.steps.dns.authority import Authority
from svcdoctor.steps.dns.resolv_conf import ResolvConf
from svcdoctor.steps.dns.search import Fate, Libc, names, walk

from .test_expected import table_snapshot

SEARCH = ("testns.svc.cluster.local", "svc.cluster.local", "cluster.local")
CONF = ResolvConf(("10.96.0.10",), SEARCH, ("ndots:5",))
EVERYONE = tuple(Libc)


def asked(name: str, libc: Libc, **conf: Any) -> list[str]:
    return [candidate for candidate, _ in names(name, ResolvConf(("10.96.0.10",), **conf), libc)]


def searched(name: str) -> list[str]:
    return [f"{name}.{domain}." for domain in SEARCH]


@pytest.mark.parametrize("libc", EVERYONE)
def test_fewer_dots_than_ndots(libc: Libc):
    conf = {"search": SEARCH, "options": ("ndots:5",)}
    assert asked("web", libc, **conf) == [*searched("web"), "web."]
    assert asked("web.shop.svc.cluster.local", libc, **conf) == [
        *searched("web.shop.svc.cluster.local"),
        "web.shop.svc.cluster.local.",
    ]
    assert asked("web.", libc, **conf) == ["web."]


def test_enough_dots():
    conf = {"search": SEARCH, "options": ("ndots:1",)}
    assert asked("web.shop", Libc.GLIBC, **conf) == ["web.shop.", *searched("web.shop")]
    assert asked("web.shop", Libc.GO, **conf) == ["web.shop.", *searched("web.shop")]
    assert asked("web.shop", Libc.MUSL, **conf) == ["web.shop."]
    assert asked("web", Libc.MUSL, **conf) == [*searched("web"), "web."]


def test_the_root_as_search_domain():
    assert asked("web", Libc.GLIBC, search=(".",)) == ["web."]
    assert asked("web", Libc.GO, search=(".",)) == ["web."]
    assert asked("web", Libc.GLIBC, search=(".", "a")) == ["web.", "web.a."]


def test_names_that_would_be_too_long():
    assert asked("x" * 60, Libc.GLIBC, search=("y." * 96 + "y", "z")) == [f"{'x' * 60}.z.", f"{'x' * 60}."]


def test_musl_skips_a_long_line():
    long = tuple(f"{letter * 60}.example" for letter in "abcd")
    walked = walk("web", ResolvConf(search=long), Authority(table_snapshot(), None).expect, Libc.MUSL)
    assert [candidate.name for candidate in walked.candidates] == ["web."]
    assert "musl skips lines of more than 254 characters: nothing is searched" in walked.notes


def fates(name: str, libc: Libc, ask: Callable[[str, str], Expected], conf: ResolvConf = CONF) -> list[Fate]:
    return [candidate.fate for candidate in walk(name, conf, ask, libc).candidates]


@pytest.mark.parametrize("libc", EVERYONE)
@pytest.mark.parametrize(
    ("name", "queries", "at"),
    [
        ("svc1", 2, "svc1.testns.svc.cluster.local."),
        ("svc1.testns", 4, "svc1.testns.svc.cluster.local."),
        ("kubedns.kube-system.svc", 6, "kubedns.kube-system.svc.cluster.local."),
        ("svc1.testns.svc.cluster.local", 8, "svc1.testns.svc.cluster.local."),
        ("svc1.testns.svc.cluster.local.", 2, "svc1.testns.svc.cluster.local."),
    ],
)
def test_cluster_names(libc: Libc, name: str, queries: int, at: str):
    walked = walk(name, CONF, Authority(table_snapshot(), None).expect, libc)
    assert walked.end and walked.end.name == at
    assert (walked.queries, walked.resolves) == (queries, True)


def test_an_external_name_costs_all_the_domains():
    walked = walk("api.example.com", CONF, Authority(table_snapshot(), None).expect)
    assert [candidate.fate for candidate in walked.candidates] == [Fate.GOES_ON, Fate.GOES_ON, Fate.GOES_ON, Fate.OPEN]
    assert (walked.queries, walked.resolves, walked.end) == (8, None, None)
    assert walked.notes == ("2 dots are fewer than ndots:5: the search domains are tried first",)


def test_a_domain_of_the_node_may_answer_first():
    conf = ResolvConf(search=("corp.example", *SEARCH), options=("ndots:5",))
    walked = walk("svc1", conf, Authority(table_snapshot(), None).expect)
    assert [candidate.fate for candidate in walked.candidates[:3]] == [Fate.OPEN, Fate.ANSWERS, Fate.UNREACHED]
    assert walked.end is None and not walked.settled


def test_svc_dot_namespace_needs_ndots():
    ask = Authority(table_snapshot(), None).expect
    conf = ResolvConf(search=SEARCH, options=("ndots:1",))
    assert walk("svc1.testns", conf, ask, Libc.MUSL).candidates[0].name == "svc1.testns."
    assert fates("svc1.testns", Libc.GLIBC, ask, conf)[:3] == [Fate.OPEN, Fate.GOES_ON, Fate.ANSWERS]


NO, EMPTY, YES = Kind.NXDOMAIN, Kind.NODATA, Kind.ANSWER
FAILED, DENIED = Kind.SERVFAIL, Kind.REFUSED


def answering(*kinds: Any) -> Callable[[str, str], Expected]:
    """The answers along the walk: one kind for A and AAAA, or a pair."""
    by_name = dict(zip([candidate for candidate, _ in names("x", CONF)], kinds, strict=True))

    def ask(name: str, type: str) -> Expected:
        kind = by_name[name]
        return Expected(kind[type == "AAAA"] if isinstance(kind, tuple) else kind, "so it is")

    return ask


ON, END, OUT, NEVER = Fate.GOES_ON, Fate.ANSWERS, Fate.STOPS, Fate.UNREACHED


@pytest.mark.parametrize(
    ("kinds", "glibc", "musl", "go"),
    [
        ((NO, NO, NO, NO), [ON] * 4, [ON] * 4, [ON] * 4),
        ((EMPTY, NO, YES, NO), [ON, ON, END, NEVER], [OUT, NEVER, NEVER, NEVER], [ON, ON, END, NEVER]),
        (
            ((EMPTY, YES), NO, NO, NO),
            [END, NEVER, NEVER, NEVER],
            [END, NEVER, NEVER, NEVER],
            [END, NEVER, NEVER, NEVER],
        ),
        ((FAILED, NO, YES, NO), [ON, ON, END, NEVER], [OUT, NEVER, NEVER, NEVER], [ON, ON, END, NEVER]),
        ((NO, DENIED, YES, YES), [ON, ON, NEVER, END], [ON, OUT, NEVER, NEVER], [ON, ON, END, NEVER]),
        ((NO, NO, NO, DENIED), [ON, ON, ON, OUT], [ON, ON, ON, OUT], [ON] * 4),
    ],
)
def test_resolvers_differ(kinds: Any, glibc: list[Fate], musl: list[Fate], go: list[Fate]):
    ask = answering(*kinds)
    assert [fates("x", libc, ask) for libc in EVERYONE] == [glibc, musl, go]


def test_notes():
    conf = ResolvConf(("1.1.1.1", "2.2.2.2", "3.3.3.3", "4.4.4.4"), (".",), ("ndots:1", "single-request", "use-vc"))
    ask = answering(NO, NO, NO, NO)
    assert walk("x.y", conf, lambda *_: Expected(EMPTY, ""), Libc.MUSL).notes == (
        "1 dots are no fewer than ndots:1: the name is tried as it is first, and musl never searches then",
        "musl asks all nameservers at once, and the first answer counts, even a no",
        "some versions of musl fail at the search domain .",
        "musl ends the search at any answer but NXDOMAIN; glibc would go on",
        "musl knows no option single-request, use-vc",
    )
    assert walk("x", conf, ask, Libc.GLIBC).notes == (
        "0 dots are fewer than ndots:1: the search domains are tried first",
        "only three nameservers are asked, never 4.4.4.4",
    )
    assert walk("x.", conf, ask, Libc.GO).notes == (
        "the trailing dot makes the name absolute: no search",
        "Go leaves the search domain . out",
    )


LABELS = st.lists(st.text("abc", min_size=1, max_size=5), min_size=1, max_size=6).map(".".join)
CONFS = st.builds(
    ResolvConf,
    search=st.lists(LABELS | st.just("."), max_size=6).map(tuple),
    options=st.integers(0, 20).map(lambda n: (f"ndots:{n}",)),
)


@given(LABELS, CONFS, st.sampled_from(Libc), st.data())
def test_walks(name: str, conf: ResolvConf, libc: Libc, data: st.DataObject):
    tried = names(name, conf, libc)
    assert (f"{name}.", "") in tried
    assert all(candidate.startswith(f"{name}.") and len(candidate) <= 254 for candidate, _ in tried)
    walked = walk(name, conf, lambda *_: Expected(data.draw(st.sampled_from(Kind)), ""), libc)
    reached = [c.fate for c in walked.candidates if c.fate is not Fate.UNREACHED]
    assert reached and walked.queries == 2 * len(reached)
    assert all(fate in (Fate.GOES_ON, Fate.OPEN) for fate in reached[:-1])
    assert len(reached) == len(tried) or reached[-1] in (Fate.ANSWERS, Fate.STOPS) or libc is Libc.GLIBC
