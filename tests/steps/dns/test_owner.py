"""Who answers a name, and what the cluster's DNS must say as a whole."""

from typing import Any

import pytest

from svcdoctor.model.snapshot import Snapshot
from svcdoctor.steps.dns.answer import Kind, Record
from svcdoctor.steps.dns.authority import Authority
from svcdoctor.steps.dns.corefile import parse
from svcdoctor.steps.dns.owner import route

from .test_corefile import DEFAULT
from .test_expected import MOMENT, table_snapshot

WEB = "svc1.testns.svc.cluster.local."


def corefile(*lines: str, zone: str = ".", more: str = "") -> Any:
    standing = ("kubernetes cluster.local in-addr.arpa {", "fallthrough in-addr.arpa", "}", "forward . 8.8.8.8")
    return parse(f"{zone} {{\n" + "\n".join((*lines, *standing)) + f"\n}}\n{more}")


def ask(text: Any, name: str, type: str = "A") -> tuple[str, Kind, tuple[str, ...]]:
    answered = Authority(table_snapshot(), text).ask(name, type)
    owner = answered.owner.plugin if answered.owner else ""
    return owner, answered.expected.kind, tuple(record.data for record in answered.expected.records)


@pytest.mark.parametrize(
    ("lines", "name", "type", "answer"),
    [
        ((), WEB, "A", ("kubernetes", Kind.ANSWER, ("10.0.0.1",))),
        ((), "nope.testns.svc.cluster.local", "A", ("kubernetes", Kind.NXDOMAIN, ())),
        ((), "example.com", "A", ("forward", Kind.ELSEWHERE, ())),
        ((), "2.0.0.10.in-addr.arpa", "PTR", ("kubernetes", Kind.ANSWER, ("svc1.unexposedns.svc.cluster.local.",))),
        ((), "9.9.9.9.in-addr.arpa", "PTR", ("forward", Kind.ELSEWHERE, ())),
        ((), "external-to-service.testns.svc.cluster.local", "A", ("kubernetes", Kind.ANSWER, (WEB, "10.0.0.1"))),
        ((), "external.testns.svc.cluster.local", "A", ("kubernetes", Kind.ELSEWHERE, ("ext.interwebs.test.",))),
        # rewrite
        (("rewrite name gone.example svc1.testns.svc.cluster.local",), "gone.example", "A",
         ("kubernetes", Kind.ANSWER, ("10.0.0.1",))),
        (("rewrite name suffix .svc.cluster.local .example.com",), WEB, "A", ("forward", Kind.ELSEWHERE, ())),
        (("rewrite stop {", "name regex (.*)\\.prod\\.example {1}.testns.svc.cluster.local", "answer auto", "}"),
         "svc1.prod.example", "A", ("kubernetes", Kind.ANSWER, ("10.0.0.1",))),
        (("rewrite continue name prefix old- new-", "rewrite name substring new-svc svc"),
         "old-svc1.testns.svc.cluster.local", "A", ("kubernetes", Kind.ANSWER, ("10.0.0.1",))),
        (("rewrite type AAAA A",), WEB, "AAAA", ("kubernetes", Kind.ANSWER, ("10.0.0.1",))),
        (("rewrite name svc1 gone",), WEB, "A", ("kubernetes", Kind.ANSWER, ("10.0.0.1",))),
        # template
        (("template ANY ANY cluster.local {", "rcode NXDOMAIN", "}"), WEB, "A", ("template", Kind.ELSEWHERE, ())),
        (("template IN AAAA {", "rcode NOERROR", "}"), WEB, "A", ("kubernetes", Kind.ANSWER, ("10.0.0.1",))),
        (("template IN A cluster.local {", "match ^svc1[.]", "answer x", "fallthrough", "}"), WEB, "A",
         ("template", Kind.ELSEWHERE, ())),
        (("template IN A cluster.local {", "match ^other[.]", "fallthrough", "}"), WEB, "A",
         ("kubernetes", Kind.ANSWER, ("10.0.0.1",))),
        (("template IN A cluster.local {", "match ^other[.]", "}"), WEB, "A", ("template", Kind.ELSEWHERE, ())),
        (("template IN A cluster.local {", "match (a+)+[.]", "fallthrough", "}"), WEB, "A",
         ("kubernetes", Kind.ANSWER, ("10.0.0.1",))),
        # hosts
        (("hosts {", f"10.9.9.9 {WEB}", "fallthrough", "}"), WEB, "A", ("hosts", Kind.ANSWER, ("10.9.9.9",))),
        (("hosts {", f"10.9.9.9 {WEB}", "fallthrough", "}"), WEB, "AAAA", ("hosts", Kind.NODATA, ())),
        (("hosts {", "10.9.9.9 other", "fallthrough", "}"), WEB, "A", ("kubernetes", Kind.ANSWER, ("10.0.0.1",))),
        (("hosts {", "10.9.9.9 other", "}"), WEB, "A", ("hosts", Kind.SERVFAIL, ())),
        (("hosts {", "10.9.9.9 other", "}"), "9.9.9.10.in-addr.arpa", "PTR", ("hosts", Kind.ANSWER, ("other.",))),
        (("hosts /etc/hosts example.org {", "}"), WEB, "A", ("kubernetes", Kind.ANSWER, ("10.0.0.1",))),
        # plugins with zones
        (("file /zones/db cluster.local",), WEB, "A", ("kubernetes", Kind.ANSWER, ("10.0.0.1",))),
        (("file /zones/db example.com",), "www.example.com", "A", ("file", Kind.ELSEWHERE, ())),
        (("etcd example.com {", "fallthrough", "}"), "www.example.com", "A", ("etcd", Kind.UNKNOWN, ())),
        (("forward corp 10.1.1.1 {", "except dev.corp", "}"), "x.corp", "A", ("forward", Kind.ELSEWHERE, ())),
        (("any",), WEB, "ANY", ("any", Kind.ELSEWHERE, ())),
    ],
)  # fmt: skip
def test_owners(lines: Any, name: str, type: str, answer: Any):
    assert ask(corefile(*lines), name, type) == answer


def test_the_client_sees_the_name_that_it_asked_for():
    text = corefile("rewrite name gone.example svc1.testns.svc.cluster.local")
    answered = Authority(table_snapshot(), text).ask("gone.example", "A")
    assert answered.expected.records == (Record("gone.example.", "A", "10.0.0.1"),)
    assert answered.route.changes == ("line 2 rewrites gone.example. A to svc1.testns.svc.cluster.local. A",)


def test_the_longest_zone_wins():
    text = corefile(more="svc.cluster.local {\n forward . 10.0.0.1\n}\ncorp.example {\n whoami\n}\n")
    assert str(route(text, WEB).owner) == "forward . 10.0.0.1 (line 8)"
    assert str(route(text, "a.b.CORP.example").owner) == "whoami (line 11)"
    assert str(route(text, "example.com").owner) == "forward . 8.8.8.8 (line 5)"


def test_no_block_no_plugin():
    text = corefile(zone="cluster.local")
    assert ask(text, "example.com") == ("", Kind.REFUSED, ())
    bare = parse(DEFAULT.replace("forward . /etc/resolv.conf {\n        max_concurrent 1000\n    }\n", ""))
    assert ask(bare, "example.com") == ("", Kind.SERVFAIL, ())
    other_port = parse(DEFAULT.replace(".:53", ".:5353") + "other:53 {\n whoami\n}\n")
    assert ask(other_port, WEB) == ("kubernetes", Kind.ANSWER, ("10.0.0.1",))
    assert route(other_port, WEB, port=53).block is None


def test_doubts():
    text = corefile(
        "import /etc/coredns/custom/*.override",
        "kubernetai cluster.local",
        "hosts /etc/coredns/NodeHosts {",
        "fallthrough",
        "}",
        "autopath @kubernetes",
        more="import /etc/coredns/custom/*.server\n{$MORE}:53 {\n whoami\n}\n",
    )
    assert Authority(table_snapshot(), text).ask(WEB, "A").doubts == (
        "what line 13 imports (/etc/coredns/custom/*.server) may serve other zones",
        "the zone dns://{$more}.:53 depends on the server's environment",
        "what line 2 imports (/etc/coredns/custom/*.override) was not seen",
        "autopath may answer the first name of a search with what a later one has",
        "kubernetai (line 3) is custom: answers may differ",
        "what /etc/coredns/NodeHosts holds was not seen",
    )
    assert Authority(table_snapshot(), parse(DEFAULT)).ask(WEB, "A").doubts == ()


def test_without_a_corefile_the_manifest_counts():
    authority = Authority(table_snapshot(), None, "example.test")
    assert authority.expect("svc1.testns.svc.example.test", "A").kind is Kind.ANSWER
    assert authority.expect(WEB, "A").kind is Kind.ELSEWHERE
    assert Authority(Snapshot(taken_at=MOMENT), None).expect(WEB, "A").kind is Kind.UNKNOWN
