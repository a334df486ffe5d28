"""Corefiles: which block answers which name, and what CoreDNS would not start with."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcdoctor.lab.dns import CorefileError, NameServer
from svcdoctor.lab.dns import corefile as corefiles
from svcdoctor.lab.dns.zones import zones

from .corefiles import CLUSTER, FORWARD, KUBERNETES, WEB, asked, block
from .world import COREFILE, answers, name_server, put


def test_the_innermost_zone_answers() -> None:
    stub = block('template IN A {\n answer "{{ .Name }} 60 IN A 10.9.9.9"\n}', keys="corp.local:53")
    text = block(KUBERNETES, FORWARD) + stub
    assert asked(text, "git.corp.local.") == ("NOERROR", ["git.corp.local. A 10.9.9.9"])
    assert asked(text, "GIT.CORP.LOCAL.")[0] == "NOERROR"
    assert asked(text, "corp.local.") == ("NOERROR", ["corp.local. A 10.9.9.9"])
    assert asked(text, WEB)[0] == "NOERROR"
    assert asked(text, "notcorp.local.")[0] == "NXDOMAIN"


def test_a_block_for_a_parent_of_the_cluster_zone_does_not_take_it_over() -> None:
    text = block(KUBERNETES, keys="cluster.local") + block("template IN ANY {\n rcode NXDOMAIN\n}", keys="local")
    assert asked(text, WEB)[0] == "NOERROR"
    assert asked(text, "x.local.")[0] == "NXDOMAIN"


def test_a_name_in_no_zone_is_refused() -> None:
    assert asked(block(KUBERNETES, keys="cluster.local"), "example.com.") == ("REFUSED", [])


def test_a_zone_that_is_not_the_clusters_goes_upstream() -> None:
    text = block("kubernetes cluster.example", FORWARD)
    assert asked(text, WEB) == ("NXDOMAIN", [])
    assert asked(text, "web.shop.svc.cluster.example.")[0] == "NOERROR"


def test_blocks_on_other_ports_are_other_servers() -> None:
    text = block(FORWARD, keys=".:5353") + block(KUBERNETES, keys="dns://cluster.local")
    assert asked(text, "example.com.")[0] == "REFUSED"
    other = NameServer(CLUSTER, text, {"example.com": ["A 192.0.2.1"]}, port=5353)
    message = put(other, "example.com.")
    assert answers(message)[0] == "NOERROR"


def test_snippets_networks_quotes_comments_and_the_braceless_form() -> None:
    text = """
    (common) {   # taken in below
        errors
        template IN TXT say.me {
            answer "{{ .Name }} 60 IN TXT \\"a # b\\""
        }
    }
    a.example, b.example,
    c.example:53 {
        import common
        import custom/*.override
        kubernetes cluster.local 10.0.0.0/15 {
        }
    }
    """
    (parsed,) = corefiles.parse(text)
    assert [zone.to_text() for zone in parsed.zones] == ["a.example.", "b.example.", "c.example."]
    assert [directive.name for directive in parsed.directives] == ["errors", "template", "kubernetes"]
    assert parsed.directives[1].body == (("answer", '{{ .Name }} 60 IN TXT "a # b"'),)
    networks = zones(["10.0.0.0/15", "fd00:10::/32", "0.0.0.0/0"], 1)
    reverse = ["0.10.in-addr.arpa.", "1.10.in-addr.arpa.", "0.1.0.0.0.0.d.f.ip6.arpa.", "in-addr.arpa."]
    assert [zone.to_text() for zone in networks] == reverse
    (bare,) = corefiles.parse("example.org\nforward . 192.0.2.1\nlog\n")
    assert [directive.name for directive in bare.directives] == ["forward", "log"]


BROKEN = [
    (".:53 {\n  kubernets cluster.local\n}", "Corefile:2 - Error during parsing: Unknown directive 'kubernets'"),
    (".:53 {\n  errors\n", "Corefile:2 - Error during parsing: Unexpected EOF"),
    (".:53 {\n  hosts {\n  10.0.0.1 a\n", "Corefile:2 - Error during parsing: Unexpected EOF"),
    (".:53 {\n}\n}", "Corefile:3 - Error during parsing: "),
    (block("kubernetes cluster.local { pods verified }"), "Corefile:2 - Error during parsing: Unexpected token '{'"),
    (block("kubernetes cluster.local {\n pods maybe\n}"), "wrong value for pods: maybe"),
    (block("kubernetes cluster.local {\n ttl 4000\n}"), "ttl must be in range [0, 3600]: 4000"),
    (block("kubernetes cluster.local {\n zone x\n}"), "unknown property 'zone'"),
    (block("kubernetes cluster.local {\n labels a in b\n}"), "unable to parse requirement: 'a in b'"),
    (block("kubernetes cluster.local {\n ignore it\n}"), "unable to parse ignore value: 'it'"),
    (block("kubernetes in-addr.arpa"), "non-reverse zone name must be used"),
    (block(KUBERNETES, KUBERNETES), "this plugin can only be used once per Server Block"),
    (block("forward ."), "after 'forward'"),
    (block("forward . " + "192.0.2.1 " * 16), "more than 15 TOs configured: 16"),
    (block("forward . 192.0.2.1 {\n max_concurrent many\n}"), "max_concurrent must be a number: many"),
    (block("cache 0"), "cache TTL can not be zero or negative: 0"),
    (block("template IN"), "after 'template'"),
    (block("template IN A {\n match (\n}"), "Corefile:2"),
    (block("template IN A {\n rcode WHAT\n}"), "Corefile:2"),
    (block("template IN NOTYPE"), "Corefile:2"),
    (block("rewrite name"), "rewrite: "),
    (block("rewrite colour red blue"), "invalid rule type 'colour'"),
    (block("hosts {\n ttl never\n}"), "ttl provided is invalid: never"),
    (block("import missing"), "File to import not found: missing"),
    ("import missing\n", "File to import not found: missing"),
    (block(KUBERNETES) + block(FORWARD), "it is already defined"),
    (block(KUBERNETES, keys="ftp://x"), "illegal server block key 'ftp://x'"),
    (block("kubernetes a..b"), "illegal zone 'a..b'"),
    (block("kubernetes 10.0.0.0/40"), "illegal zone '10.0.0.0/40'"),
    ('.:53 {\n template IN A {\n answer "x\n }\n}', "quote is not closed"),
    ("{\n}", "expected a server block key"),
]


@pytest.mark.parametrize(("text", "problem"), BROKEN)
def test_a_broken_corefile_is_named_and_does_not_replace_one_that_works(text: str, problem: str) -> None:
    with pytest.raises(CorefileError) as raised:
        name_server(CLUSTER, text)
    assert problem in str(raised.value)
    server = name_server(CLUSTER)
    server.corefile = text
    assert server.corefile == COREFILE
    assert problem in str(server.reload_error)
    message = put(server, WEB)
    assert answers(message)[0] == "NOERROR"
    server.corefile = block(FORWARD)
    assert server.reload_error is None


WORDS = [
    "{",
    "}",
    ".",
    "example.org:53",
    "(s)",
    "import",
    "s",
    "#",
    '"',
    "\\",
    "\n",
    "kubernetes",
    "cache",
    "30",
    "hosts",
]


@given(st.lists(st.sampled_from(WORDS) | st.text(max_size=3)))
def test_any_text_is_a_corefile_or_is_refused_as_one(words: list[str]) -> None:
    for text in ("\n".join(words), " ".join(words), ".:53 {\n" + " ".join(words) + "\n}"):
        try:
            NameServer(CLUSTER, text)
        except CorefileError:
            continue
