"""Corefiles: read as CoreDNS reads them, or refused with a line number."""

import string
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from svcdoctor.steps.dns import kubernetes_plugin
from svcdoctor.steps.dns.corefile import Corefile, Directive, Import, ServerBlock, parse
from svcdoctor.steps.dns.go_regex import NotComputed, search
from svcdoctor.steps.dns.kubernetes_plugin import MANIFEST, KubernetesPlugin
from svcdoctor.steps.dns.label_selector import BadSelector, matches
from svcdoctor.steps.dns.label_selector import parse as parse_selector
from svcdoctor.steps.dns.owner import route
from svcdoctor.steps.dns.tokens import BadCorefile
from svcdoctor.steps.dns.zone_keys import Key, keys

DEFAULT = """\
.:53 {
    errors
    health {
        lameduck 5s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
        ttl 30
    }
    prometheus :9153
    forward . /etc/resolv.conf {
        max_concurrent 1000
    }
    cache 30
    loop
    reload
    loadbalance
}
"""
SNIPPETS = """\
# two blocks that share a snippet
(common) {
    errors # to stdout
    cache 30 {
        denial 9984 5
    }
}
(all) {
    import common
    import /etc/coredns/custom/*.override
}
cluster.local:53, 10.96.0.0/12 {
    import all
    kubernetes
}
import /etc/coredns/custom/*.server
dns://corp.example example.net.:1053 {
    import common
    forward . 10.0.0.1 "10.0.0.2"
}
"""


def block(text: str) -> ServerBlock:
    return parse(text).blocks[0]


def test_default():
    assert parse(DEFAULT) == Corefile(
        (
            ServerBlock(
                (Key("."),),
                (
                    Directive("errors", line=2),
                    Directive("health", (), (Directive("lameduck", ("5s",), line=4),), 3),
                    Directive("ready", line=6),
                    Directive(
                        "kubernetes",
                        ("cluster.local", "in-addr.arpa", "ip6.arpa"),
                        (
                            Directive("pods", ("insecure",), line=8),
                            Directive("fallthrough", ("in-addr.arpa", "ip6.arpa"), line=9),
                            Directive("ttl", ("30",), line=10),
                        ),
                        7,
                    ),
                    Directive("prometheus", (":9153",), line=12),
                    Directive(
                        "forward", (".", "/etc/resolv.conf"), (Directive("max_concurrent", ("1000",), line=14),), 13
                    ),
                    Directive("cache", ("30",), line=16),
                    Directive("loop", line=17),
                    Directive("reload", line=18),
                    Directive("loadbalance", line=19),
                ),
                (),
                1,
            ),
        )
    )
    assert kubernetes_plugin.read(block(DEFAULT).plugin("kubernetes")[0], (".",)) == MANIFEST


def test_snippets_and_imports():
    whole = parse(SNIPPETS)
    assert whole.imports == (Import("/etc/coredns/custom/*.server", 16),)
    cluster, other = whole.blocks
    assert cluster.zones == ("cluster.local.", *(f"{n}.10.in-addr.arpa." for n in range(96, 112)))
    assert [str(d) for d in cluster.directives] == ["errors", "cache 30", "kubernetes"]
    assert cluster.directives[1].block == (Directive("denial", ("9984", "5"), line=5),)
    assert cluster.imports == (Import("/etc/coredns/custom/*.override", 10),)
    assert other.keys == (Key("corp.example."), Key("example.net.", 1053))
    assert [str(d) for d in other.directives] == ["errors", "cache 30", "forward . 10.0.0.1 10.0.0.2"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (".", (Key("."),)),
        (":5353", (Key(".", 5353),)),
        ("Example.ORG", (Key("example.org."),)),
        ("tls://example.org", (Key("example.org.", 853, "tls"),)),
        ("https://example.org:8443", (Key("example.org.", 8443, "https"),)),
        ("10.0.0.0/24", (Key("0.0.10.in-addr.arpa."),)),
        ("10.0.0.0/23:1053", (Key("0.0.10.in-addr.arpa.", 1053), Key("1.0.10.in-addr.arpa.", 1053))),
        ("2001:db8::/32", (Key("8.b.d.0.1.0.0.2.ip6.arpa."),)),
        ("{$ZONE}", (Key("{$zone}.", known=False),)),
        (".:{$PORT}", (Key(".", known=False),)),
    ],
)
def test_zone_keys(text: str, expected: Any):
    assert keys(text) == expected


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        (". {\n errors\n", 1, "a block is never closed"),
        (". {\n cache {\n  denial 5\n}\n", 1, "a block is never closed"),
        (". { errors }", 1, "a closing brace needs a line of its own"),
        ('. {\n log "x\n}\n', 2, "a quote is never closed"),
        ("a, {\n}\n", 1, "a comma promises another zone, but a block begins"),
        ("a,", 1, "a comma promises another zone, but the file ends"),
        ("{\n errors\n}\n", 1, "a block without a zone"),
        (". {\n cache{\n }\n}\n", 2, "a brace opens where the name of a plugin or an option should stand alone"),
        (". {\n import\n}\n", 2, "import of nothing"),
        (". {\n import a b\n}\n", 2, "import takes one name"),
        ("(a) {\n errors\n}\n(a) {\n}\n", 4, "snippet (a) is declared twice"),
        ("(a) {\n errors\n", 1, "snippet (a) is never closed"),
        ("(a)\n", 1, "snippet (a) has no braces"),
        ("(a) {\n import a\n}\n. {\n import a\n}\n", 2, "snippets import each other without end"),
        (". {\n}\n. {\n}\n", 3, "dns://.:53 is served by another block already"),
        ("example.org: {\n}\n", 1, "example.org:: a port should follow the colon"),
        ("a..b {\n}\n", 1, "a..b: not a zone"),
    ],
)
def test_what_coredns_refuses(text: str, line: int, why: str):
    with pytest.raises(BadCorefile) as caught:
        parse(text, "ConfigMap kube-system/coredns: Corefile")
    assert (caught.value.line, caught.value.why) == (line, why)
    assert caught.value.message == f"ConfigMap kube-system/coredns: Corefile: line {line}: {why}"


@pytest.mark.parametrize(
    "text",
    ["", "# nothing\n", "\ufeff. {\n}\n", ".", ".:53{\n errors\n}\n", ". {\n x { }\n}\n", ". {\r\n errors\r\n}\r\n"],
)
def test_what_coredns_takes(text: str):
    parse(text)


def test_view_and_bind_share_a_zone():
    assert len(parse(". {\n bind 10.0.0.1\n}\n. {\n bind 10.0.0.2\n}\n").blocks) == 2


def test_kubernetes_options():
    text = """
    cluster.local 10.0.0.0/8 {
      kubernetes {
        pods verified
        ttl 5
        namespaces shop billing
        labels env in (qa, live),app=web,!old
        noendpoints
        ignore empty_service
        endpoint_pod_names
        fallthrough
        kubeconfig /etc/kubeconfig
        new_option 1
      }
    }"""
    kubernetes = block(text).directives[0]
    assert kubernetes_plugin.read(kubernetes, block(text).zones) == KubernetesPlugin(
        zones=("cluster.local.", "10.in-addr.arpa."),
        pods="verified",
        fallthrough=(".",),
        namespaces=("shop", "billing"),
        labels=parse_selector("env in (qa, live),app=web,!old"),
        endpoints=False,
        ignore_empty=True,
        pod_names=True,
        doubts=("line 12: kubeconfig /etc/kubeconfig", "line 13: new_option 1"),
    )


@pytest.mark.parametrize(
    ("text", "labels", "met"),
    [
        ("app=web", {"app": "web"}, True),
        ("app==web", {"app": "api"}, False),
        ("app!=web", {}, True),
        ("app", {"app": ""}, True),
        ("!app", {"app": "web"}, False),
        ("env in (qa, live), app", {"env": "live", "app": "x"}, True),
        ("env notin (qa)", {"env": "qa"}, False),
        ("", {"a": "b"}, True),
    ],
)
def test_label_selectors(text: str, labels: dict[str, str], met: bool):
    assert matches(parse_selector(text), labels) is met


@pytest.mark.parametrize("text", ["in (a", "a in b", "=b", "a=b=c", "a b", "(a)"])
def test_no_label_selectors(text: str):
    with pytest.raises(BadSelector):
        parse_selector(text)


# ------------------------------------------------------------------------------------------------------------- fuzzing

MARKS = (".", "{", "}", "\n", " ", "#", '"', "\\", ",", "(", ")", "\r", "\x00", "{$A}", "{%B%}", ":53", "dns://")
PHRASES = ("(a)", "import a", "kubernetes", "cluster.local", "rewrite", "name regex", "(.*)+", "stop", "template IN A")
OPTIONS = (
    "match",
    "hosts",
    "10.0.0.1 x",
    "forward . 8.8.8.8",
    "fallthrough",
    "10.0.0.0/12",
    "except",
    "view",
    "labels (",
)
WORDS = st.sampled_from((*MARKS, *PHRASES, *OPTIONS, "labels (", "custom", "ttl x", "pods"))


def loads_or_refuses(text: str) -> None:
    try:
        corefile = parse(text)
    except BadCorefile as error:
        assert 1 <= error.line <= text.count("\n") + 1
        return
    for name in ("web.shop.svc.cluster.local", "example.com", "1.0.0.10.in-addr.arpa"):
        route(corefile, name, "A")


@given(st.lists(WORDS, max_size=60).map("".join))
def test_any_words(text: str):
    loads_or_refuses(text)


@given(st.text(max_size=200))
def test_any_text(text: str):
    loads_or_refuses(text)


@given(st.data())
def test_a_damaged_corefile(data: st.DataObject):
    text = data.draw(st.sampled_from([DEFAULT, SNIPPETS]))
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 20)))
    loads_or_refuses(text[:start] + data.draw(st.text(string.printable, max_size=4)) + text[end:])


@pytest.mark.parametrize("text", ["a {" * 5000, "a {\n" * 5000, "(x) {\n" * 5000, '"' * 5001])
def test_deep(text: str):
    with pytest.raises(BadCorefile):
        parse(text)


def test_snippets_that_multiply():
    """Each imports the one before ten times."""
    text = "(s0) {\n errors\n}\n" + "".join(f"(s{n}) {{\n" + f" import s{n - 1}\n" * 10 + "}\n" for n in range(1, 9))
    with pytest.raises(BadCorefile, match="without end"):
        parse(f"{text}. {{\n import s8\n}}\n")


WORD = st.text(string.ascii_lowercase + string.digits + "-_", min_size=1, max_size=8).filter(lambda w: w != "import")
DIRECTIVES = st.recursive(
    st.builds(Directive, WORD, st.lists(WORD, max_size=3).map(tuple)),
    lambda inner: st.builds(
        Directive, WORD, st.lists(WORD, max_size=2).map(tuple), st.lists(inner, min_size=1, max_size=3).map(tuple)
    ),
    max_leaves=8,
)


def written(directive: Directive, depth: int = 1) -> str:
    inner = "".join(written(option, depth + 1) for option in directive.block)
    braces = f" {{\n{inner}{' ' * depth}}}" if directive.block else ""
    return f"{' ' * depth}{directive}{braces}\n"


def unnumbered(directive: Directive) -> Directive:
    return Directive(directive.name, directive.args, tuple(map(unnumbered, directive.block)))


@given(st.lists(DIRECTIVES, max_size=5))
@settings(max_examples=50)
def test_what_is_written_is_read(directives: list[Directive]):
    text = ". {\n" + "".join(map(written, directives)) + "}\n"
    assert list(map(unnumbered, block(text).directives)) == directives


# ----------------------------------------------------------------------------------------------------- Go's expressions


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(a|a)*b", "(a?){30}a{30}", ".*" * 9, r"\pL+", "[[:alpha:]]+", "(", "a" * 501]
)
def test_wild_patterns_are_not_tried(pattern: str):
    with pytest.raises(NotComputed):
        search(pattern, "a" * 200)


@pytest.mark.parametrize(
    ("pattern", "name", "found"),
    [
        (r"(.*)-(us-west-1)\.example\.org", "ftp-us-west-1.example.org.", True),
        (
            r"^ip-(?P<a>10)-(?P<b>[0-9]*)-(?P<c>[0-9]*)-(?P<d>[0-9]*)[.]dc[.]example[.]$",
            "ip-10-1-2-3.dc.example.",
            True,
        ),
        (r"(^|[.])shop\.svc\.cluster\.local\.$", "web.shop.svc.cluster.local.", True),
        (r"^web\.", "api.shop.svc.cluster.local.", False),
    ],
)
def test_patterns(pattern: str, name: str, found: bool):
    assert bool(search(pattern, name)) is found
