"""What each plugin makes of a question."""

import dns.message
import pytest

from svcdoctor.lab.dns import Behaviour

from .corefiles import CLUSTER, FORWARD, KUBERNETES, WEB, asked, block
from .world import COREFILE, Objects, answers, lines, name_server, put

# --------------------------------------------------------------------------------------------- hosts, template, rewrite

HOSTS = "hosts {\n 10.1.1.1 web.shop.svc.cluster.local api.corp\n fd00::1 api.corp\n%s\n}"


def test_hosts_takes_names_and_ends_its_zones_unless_it_falls_through() -> None:
    closed = block(HOSTS % "", KUBERNETES, FORWARD)
    assert asked(closed, WEB) == ("NOERROR", [f"{WEB} A 10.1.1.1"])
    assert asked(closed, "api.corp.", "AAAA") == ("NOERROR", ["api.corp. AAAA fd00::1"])
    assert asked(closed, WEB, "AAAA") == ("NOERROR", [])
    assert asked(closed, "example.com.") == ("SERVFAIL", [])
    assert asked(closed, "1.1.1.10.in-addr.arpa.", "PTR")[1] == [
        "1.1.1.10.in-addr.arpa. PTR api.corp.",
        f"1.1.1.10.in-addr.arpa. PTR {WEB}",
    ]
    assert asked(block(HOSTS % "no_reverse", FORWARD), "1.1.1.10.in-addr.arpa.", "PTR")[0] == "NXDOMAIN"
    assert asked(block(HOSTS % "fallthrough", FORWARD), "example.com.")[0] == "NOERROR"
    assert asked(block(HOSTS % "fallthrough other.example", FORWARD), "example.com.")[0] == "SERVFAIL"


TEMPLATES = [
    (
        'template IN A example {\n answer "{{ .Name }} 60 IN A 192.0.2.7"\n}',
        "a.example.",
        "A",
        "a.example. A 192.0.2.7",
    ),
    (
        'template IN A example {\n match ^ip-(?P<a>\\d+)-(\\d+)[.]\n answer "{{ .Name }} {{ .Class }} {{ .Type }} '
        '192.0.2.{{ .Group.a }}"\n answer "{{.Zone}} 5 IN A 192.0.2.{{ index .Match 2 }}"\n}',
        "IP-3-4.example.",
        "A",
        "example. A 192.0.2.4|ip-3-4.example. A 192.0.2.3",
    ),
    (
        'template IN A example {\nmatch ^x(?P<h>..)[.]\n answer "{{ .Name }} A 10.0.0.{{ parseInt .Group.h 16 8 }}"\n}',
        "xff.example.",
        "A",
        "xff.example. A 10.0.0.255",
    ),
    (
        'template IN ANY foogle.com {\n answer "foogle.com 60 IN CNAME www.example.com"\n}',
        "foogle.com.",
        "A",
        "example.com. A 93.184.216.34|foogle.com. CNAME www.example.com.|www.example.com. CNAME example.com.",
    ),
]


@pytest.mark.parametrize(("stanza", "name", "rdtype", "answer"), TEMPLATES)
def test_template_makes_answers(stanza: str, name: str, rdtype: str, answer: str) -> None:
    assert asked(block(stanza, KUBERNETES, FORWARD), name, rdtype) == ("NOERROR", answer.split("|"))


def test_a_template_hides_a_service() -> None:
    fault = "template ANY ANY web.shop.svc.cluster.local {\n rcode NXDOMAIN\n}"
    assert asked(block(fault, KUBERNETES), WEB) == ("NXDOMAIN", [])
    assert asked(block(fault, KUBERNETES), "other.shop.svc.cluster.local.")[0] == "NXDOMAIN"
    assert asked(block(fault, KUBERNETES, FORWARD), "example.com.")[0] == "NOERROR"


FAILING = [
    "template IN A . {\n match ^nothing$\n}",
    "template IN A . {\n rcode SERVFAIL\n}",
    'template IN A . {\n answer "{{ .Nonsense }}"\n}',
    'template IN A . {\n answer "no record"\n}',
    'template IN A . {\n answer "{{ .Name }} 60 IN A {{ parseInt .Name 16 8 }}"\n}',
    'template IN A . {\n answer "{{ .Name }} 60 IN A {{ index .Match 9 }}"\n}',
    'template IN A . {\n answer "{{ }}"\n}',
    'template IN A . {\n answer "{{ .Name }} 60 IN CNAME x{{ .Name }}"\n}',
]


@pytest.mark.parametrize("stanza", FAILING)
def test_a_template_that_cannot_answer_is_a_failure(stanza: str) -> None:
    rcode, _ = asked(block(stanza, FORWARD), "example.com.")
    assert rcode == ("NOERROR" if "CNAME" in stanza else "SERVFAIL")


def test_templates_fall_through_to_the_next() -> None:
    first = "template IN A . {\n match ^a[.]\n rcode REFUSED\n fallthrough\n}"
    second = "template IN A . {\n match ^b[.]\n rcode NXDOMAIN\n fallthrough\n}"
    text = block(first, second, FORWARD)
    assert [asked(text, name)[0] for name in ("a.example.com.", "b.", "example.com.")] == [
        "REFUSED",
        "NXDOMAIN",
        "NOERROR",
    ]


REWRITES = [
    (["rewrite name old.example {web}"], "old.example.", ["{web} A 10.96.0.20"]),
    (["rewrite name exact old.example {web} answer auto"], "old.example.", ["old.example. A 10.96.0.20"]),
    (
        ["rewrite stop name suffix .old.example .svc.cluster.local answer auto"],
        "web.shop.old.example.",
        ["web.shop.old.example. A 10.96.0.20"],
    ),
    (["rewrite name prefix x- w"], "x-eb.shop.svc.cluster.local.", ["{web} A 10.96.0.20"]),
    (["rewrite name substring sale shop"], "web.sale.svc.cluster.local.", ["{web} A 10.96.0.20"]),
    (
        [
            "rewrite stop {{\n name regex (.*)[.]old[.]example[.] {{1}}.svc.cluster.local\n"
            " answer name (.*)[.]svc[.]cluster[.]local[.] {{1}}.old.example\n}}"
        ],
        "web.shop.old.example.",
        ["web.shop.old.example. A 10.96.0.20"],
    ),
    (
        ["rewrite continue name a.example b.example", "rewrite name b.example {web}"],
        "a.example.",
        ["{web} A 10.96.0.20"],
    ),
    (["rewrite name a.example b.example", "rewrite name b.example {web}"], "a.example.", []),
    (["rewrite type A AAAA"], WEB, []),
    (["rewrite edns0 local set 0xffee abcd", "rewrite ttl suffix .local 9"], WEB, ["{web} A 10.96.0.20"]),
]


@pytest.mark.parametrize(("rules", "name", "answer"), REWRITES)
def test_rewrite_asks_another_question(rules: list[str], name: str, answer: list[str]) -> None:
    text = block(*(rule.format(web=WEB) for rule in rules), KUBERNETES, FORWARD)
    message = put(name_server(CLUSTER, text), name, transport="tcp")
    assert answers(message)[1] == [line.format(web=WEB) for line in answer]
    assert message.question[0].name.to_text() == name


def test_rewrite_sets_ttls_and_fails_on_what_is_no_name() -> None:
    text = block("rewrite ttl exact web.shop.svc.cluster.local 9", KUBERNETES)
    message = put(name_server(CLUSTER, text), WEB)
    assert lines(message.answer) == [f"{WEB} 9 A 10.96.0.20"]
    assert asked(block("rewrite name regex (.*) a..b", KUBERNETES), WEB) == ("SERVFAIL", [])


# ------------------------------------------------------------------------------------------ forward, cache, loadbalance


def test_forward_answers_from_the_labs_own_world() -> None:
    assert asked(COREFILE, "example.com.", "TXT") == ("NOERROR", ['example.com. TXT "v=spf1 -all"'])
    assert asked(COREFILE, "any.thing.wild.example.") == ("NOERROR", ["any.thing.wild.example. A 203.0.113.9"])
    assert asked(COREFILE, "wild.example.") == ("NOERROR", [])
    assert asked(COREFILE, "example.com.", "MX") == ("NOERROR", [])
    assert asked(COREFILE, "example.net.") == ("NXDOMAIN", [])
    assert asked(COREFILE, "www.example.com.", "CNAME") == ("NOERROR", ["www.example.com. CNAME example.com."])


def test_a_search_domain_with_a_wildcard_hijacks_a_name() -> None:
    """web.shop.svc.cluster.local.wild.example: what a resolver asks for before the absolute name."""
    assert asked(COREFILE, f"{WEB}wild.example.")[1] == [f"{WEB}wild.example. A 203.0.113.9"]


def test_forward_spares_what_it_is_told_to() -> None:
    text = block("forward . 192.0.2.53 {\n except example.com\n}")
    assert asked(text, "example.com.") == ("SERVFAIL", [])
    assert asked(block("forward corp.local 192.0.2.53"), "example.com.") == ("SERVFAIL", [])


@pytest.mark.parametrize(
    ("targets", "dead", "rcode"),
    [
        ("192.0.2.53", {"192.0.2.53"}, "SERVFAIL"),
        ("dns://192.0.2.53:5353", {"192.0.2.53"}, "SERVFAIL"),
        ("tls://[fd00::53]:853", {"fd00::53"}, "SERVFAIL"),
        ("/etc/resolv.conf", {"/etc/resolv.conf"}, "SERVFAIL"),
        ("192.0.2.53 192.0.2.54", {"192.0.2.53"}, "NOERROR"),
        ("fd00::53", {"192.0.2.53"}, "NOERROR"),
    ],
)
def test_a_forward_of_which_nobody_answers(targets: str, dead: set[str], rcode: str) -> None:
    server = name_server(CLUSTER, block(KUBERNETES, f"forward . {targets}"))
    server.behaviour = Behaviour(dead_upstreams=frozenset(dead), upstream_seconds=5)
    message, seconds = server.timed_answer(dns.message.make_query("example.com", "A"), "udp")
    assert message is not None
    assert answers(message)[0] == rcode
    assert seconds == (5 if rcode == "SERVFAIL" else 0)
    inside = put(server, WEB)
    assert answers(inside)[0] == "NOERROR"


def test_cache_caps_what_a_client_may_keep() -> None:
    bounds = "cache 30 {\n success 9984 20\n denial 9984 7\n}"
    for stanza, known, missing in (("", 3600, 3600), ("cache", 3600, 1800), ("cache 30", 30, 30), (bounds, 20, 7)):
        server = name_server(CLUSTER, block("kubernetes cluster.local {\n ttl 3600\n}", stanza))
        there = put(server, WEB)
        absent = put(server, f"no.{WEB}")
        assert there.answer[0].ttl == known
        assert absent.authority[0].ttl == min(missing, 300)


def test_loadbalance_takes_turns() -> None:
    server = name_server(
        Objects(), block("loadbalance", FORWARD), upstream={"many.example": ["A 192.0.2.1", "A 192.0.2.2"]}
    )
    firsts = []
    for _ in range(4):
        message = put(server, "many.example")
        firsts.append(message.answer[0][0].to_text())
    assert firsts == ["192.0.2.2", "192.0.2.1"] * 2
