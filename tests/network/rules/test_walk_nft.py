"""What statements of nft do to a packet, and what nft and iptables do together."""

import pytest

from svcdoctor.network import iptables, nftables
from svcdoctor.network.packet import Origin, Packet
from svcdoctor.network.ruleset import combine
from tests.network.rules.nodes import ends
from tests.network.rules.small import (
    DADDR,
    DNAT,
    DROP,
    HOST,
    MARK,
    POD,
    PREROUTING,
    SADDR,
    THERE,
    base,
    chain,
    draw,
    nft,
    saved,
    table,
)

TO_MAP = {"dnat": {"family": "ip", "addr": {"map": {"key": draw(3), "data": {"set": [
    [0, {"concat": ["10.244.2.1", 1]}], [{"range": [1, 2]}, {"concat": ["10.244.2.2", 2]}]]}}}}}  # fmt: skip


@pytest.mark.parametrize(
    ("objects", "found"),
    [
        ([PREROUTING, ("pre", TO_MAP)], {"10.244.2.1:1": "1/3", "10.244.2.2:2": "2/3"}),
        ([PREROUTING, ("pre", {"dnat": {"addr": "10.244.2.1", "port": 9}})], {"10.244.2.1:9": "1"}),
        (
            [
                PREROUTING,
                chain("a"),
                ("pre", {"vmap": {"key": draw(4), "data": {"set": [[0, {"goto": {"target": "a"}}], [1, DROP]]}}}),
                ("a", {"dnat": {"addr": "10.244.2.1"}}),
            ],
            {"10.244.2.1:80": "1/4", "drop drop": "1/4", "routed": "1/2"},
        ),
        (
            [
                PREROUTING,
                ("pre", {"match": {"op": "<", "left": draw(10), "right": 3}}, {"dnat": {"addr": "10.244.2.1"}}),
            ],
            {"10.244.2.1:80": "3/10", "routed": "7/10"},
        ),
        (
            [
                {"set": {"family": "ip", "table": "t", "name": "s", "type": "ipv4_addr", "flags": ["interval"],
                         "elem": [{"prefix": {"addr": "10.96.0.0", "len": 12}}]}},
                base("f", "filter", "forward", 0),
                ("f", {"match": {"op": "==", "left": DADDR, "right": "@s"}}, {"reject": {"type": "tcp reset"}}),
            ],
            {"reject tcp-reset": "1"},
        ),
        (
            [
                base("f", "filter", "prerouting", -110),
                ("f", {"mangle": {"key": MARK, "value": {"|": [{"^": [MARK, 1]}, 6]}}}),
                ("f", {"match": {"op": "!=", "left": {"&": [MARK, 1]}, "right": 0}}, {"drop": None}),
            ],
            {"drop drop": "1"},
        ),
        (
            [
                base("f", "filter", "forward", 0, "drop"),
                ("f", {"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": ["established", "related"]}},
                 {"accept": None}),
                ("f", {"counter": {"packets": 0, "bytes": 0}}),
            ],
            {"drop policy drop of f": "1"},
        ),
        (
            [base("f", "filter", "forward", 0), ("f", {"xt": {"type": "target", "name": "TPROXY"}})],
            None,
        ),
        (
            [
                {"set": {"family": "ip", "table": "t", "name": "a", "type": "ipv4_addr", "timeout": 10800,
                         "flags": ["timeout"], "elem": [{"elem": {"val": "10.244.1.2", "expires": 9}}]}},
                PREROUTING,
                ("pre", {"match": {"op": "==", "left": SADDR, "right": "@a"}}, {"dnat": {"addr": "10.244.2.1"}}),
            ],
            {"10.244.2.1:80": "1"},
        ),
    ],
)  # fmt: skip
def test_nft(objects, found):
    result = ends(nft(*objects), POD, HOST)
    if found is None:
        ((name, share),) = result.items()
        assert (name.startswith("unknown this rule is not understood"), share) == (True, "1")
    else:
        assert result == found


def l4(name):
    return {"match": {"op": "==", "left": {"meta": {"key": "l4proto"}}, "right": name}}


def to_chain(kind, name):
    return {kind: {"target": name}}


@pytest.mark.parametrize(
    ("source", "seen"), [("10.244.1.9", ""), ("192.168.7.7", " masqueraded"), ("10.244.1.2", None)]
)
def test_the_layout_of_kubernetes_1_30_to_1_35(source, seen):
    """A chain that marks, endpoint chains that mark hairpins and translate, a verdict map of random numbers."""
    key = {"concat": [DADDR, {"meta": {"key": "l4proto"}}, {"payload": {"protocol": "th", "field": "dport"}}]}
    far = {"match": {"op": "!=", "left": SADDR, "right": {"prefix": {"addr": "10.244.0.0", "len": 16}}}}
    http = {"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 80}}
    vip = {"match": {"op": "==", "left": DADDR, "right": "10.96.0.10"}}
    service, endpoints = "service-X-shop/web/tcp/http", ["endpoint-A", "endpoint-B"]
    rules = nft(
        {"map": {"family": "ip", "table": "t", "name": "service-ips", "map": "verdict",
                 "type": ["ipv4_addr", "inet_proto", "inet_service"],
                 "elem": [[{"concat": ["10.96.0.10", "tcp", 80]}, to_chain("goto", service)]]}},
        base("nat-prerouting", "nat", "prerouting", -100),
        base("nat-postrouting", "nat", "postrouting", 100),
        *(chain(name) for name in ("services", "masquerading", "mark-for-masquerade", service, *endpoints)),
        ("nat-prerouting", to_chain("jump", "services")),
        ("nat-postrouting", to_chain("jump", "masquerading")),
        ("services", {"vmap": {"key": key, "data": "@service-ips"}}),
        ("mark-for-masquerade", {"mangle": {"key": MARK, "value": {"|": [MARK, 16384]}}}),
        ("masquerading", {"match": {"op": "==", "left": {"&": [MARK, 16384]}, "right": 0}}, {"return": None}),
        ("masquerading", {"mangle": {"key": MARK, "value": {"^": [MARK, 16384]}}}),
        ("masquerading", {"masquerade": {"flags": ["fully-random"]}}),
        (service, vip, http, far, to_chain("jump", "mark-for-masquerade")),
        (service, {"vmap": {"key": draw(2), "data": {"set": [
            [number, to_chain("goto", name)] for number, name in enumerate(endpoints)]}}}),
        *((name, {"match": {"op": "==", "left": SADDR, "right": ip}}, to_chain("jump", "mark-for-masquerade"))
          for name, ip in zip(endpoints, ("10.244.1.2", "10.244.2.2"), strict=True)),
        *((name, l4("tcp"), {"dnat": {"addr": ip, "port": 8080}})
          for name, ip in zip(endpoints, ("10.244.1.2", "10.244.2.2"), strict=True)),
    )  # fmt: skip
    first, second = (" masqueraded", "") if seen is None else (seen, seen)
    assert ends(rules, Packet(source, "10.96.0.10", 80, origin=Origin.POD), HOST) == {
        f"10.244.1.2:8080{first}": "1/2",
        f"10.244.2.2:8080{second}": "1/2",
    }


def test_a_new_client_is_remembered_by_no_set():
    rules = nft(
        {
            "set": {
                "family": "ip",
                "table": "t",
                "name": "a",
                "type": "ipv4_addr",
                "flags": "timeout",
                "elem": ["10.244.1.2"],
            }
        },
        PREROUTING,
        ("pre", {"match": {"op": "==", "left": SADDR, "right": "@a"}}, {"dnat": {"addr": "10.244.2.1"}}),
        ("pre", {"set": {"op": "update", "elem": SADDR, "set": "@a"}}),
        ("pre", {"match": {"op": "==", "left": SADDR, "right": "@a"}}, {"dnat": {"addr": "10.244.2.2"}}),
    )
    packet = Packet("10.244.1.2", "10.96.0.10", 80, origin=Origin.POD, new_client=True)
    assert ends(rules, packet, HOST) == {"10.244.2.2:80": "1"}


def test_iptables_and_nft_meet_in_one_packet():
    """nft drops what iptables would translate, for its chain comes first; a second nat table is asked if none did."""
    nat = saved(table("nat", DNAT))
    early = base("f", "filter", "prerouting", -110)
    assert ends(combine([nat, nft(early, ("f", {"drop": None}))]), POD, HOST) == {"drop drop": "1"}
    late = base("p", "nat", "prerouting", -90)
    both = combine([nat, nft(late, ("p", {"dnat": {"addr": "10.244.2.1"}}))])
    assert ends(both, POD, HOST) == {THERE: "1"}
    accepted = saved(table("nat", "-A PREROUTING -j ACCEPT"))
    both = combine([accepted, nft(late, ("p", {"dnat": {"addr": "10.244.2.1"}}))])
    assert ends(both, POD, HOST) == {"10.244.2.1:80": "1"}


def test_of_two_tables_with_chains_of_equal_priority_the_younger_is_asked_first():
    """The kernel puts a new chain before those of its priority; nft's handles tell which table is the younger."""
    drops, refuses = table("filter", policies={"FORWARD": "DROP"}), ("f", {"reject": None})
    forward = base("f", "filter", "forward", 0)
    view = '{"nftables": [{"table": {"family": "ip", "name": "filter", "handle": %d}}]}'
    saved_text = "# Generated by iptables-save v1.8.9 (nf_tables) on x\n" + drops

    def found(*handles):
        own = nft(forward, refuses) if not handles else nft_with_handle(handles[0], forward, refuses)
        views = [nftables.read(view % handles[1])] if handles else []
        return list(ends(combine([iptables.read(saved_text), own, *views]), POD, HOST))

    assert found(7, 3) == ["reject icmp-port-unreachable"]
    assert found(3, 7) == ["drop policy drop of FORWARD"]
    assert found() == ["unknown which of two tables with chains of equal priority at forward is asked first"]


def nft_with_handle(handle, *objects):
    text = nftables.write(nft(*objects))
    return nftables.read(text.replace('"name": "t"}', f'"name": "t", "handle": {handle}}}', 1))


def test_nft_views_of_iptables_tables_do_not_count_twice():
    text = "# Generated by iptables-save v1.8.9 (nf_tables) on x\n" + table("nat", DNAT)
    view = nftables.read(
        '{"nftables": [{"table": {"family": "ip", "name": "nat"}}, {"chain": {"family": "ip", "table": "nat", '
        '"name": "PREROUTING", "type": "nat", "hook": "prerouting", "prio": -100}}, {"rule": {"family": "ip", '
        '"table": "nat", "chain": "PREROUTING", "expr": [{"xt": {"type": "target", "name": "DNAT"}}]}}]}'
    )
    assert ends(combine([view, iptables.read(text)]), POD, HOST) == {THERE: "1"}
