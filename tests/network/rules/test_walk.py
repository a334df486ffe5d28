"""What each kind of rule does to a packet, by small rule sets: hooks, verdicts, chances, marks, sets, doubts."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcdoctor.network import iptables, ipvs, nftables
from svcdoctor.network.packet import Host, Kind, Origin, Packet, Route
from svcdoctor.network.ruleset import combine
from svcdoctor.network.walk import walk
from tests.network.rules.nodes import ends

POD = Packet("10.244.1.2", "10.96.0.10", 80, "tcp", Origin.POD)
NODE = Packet("172.30.0.11", "10.96.0.10", 80, "tcp", Origin.NODE)
HOST = Host(
    frozenset({"172.30.0.11", "10.244.1.1"}),
    (Route("0.0.0.0/0", "eth0"), Route("10.244.1.0/24", "cni0"), Route("172.30.0.0/24", "eth0")),
)
HOOKS = {
    "raw": ["PREROUTING", "OUTPUT"],
    "mangle": ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"],
    "nat": ["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"],
    "filter": ["INPUT", "FORWARD", "OUTPUT"],
}


def table(name, *rules, policies=None):
    """A table of iptables-save with these rules and the chains that they need."""
    policies = policies or {}
    chains = [f":{chain} {policies.get(chain, 'ACCEPT')} [0:0]" for chain in HOOKS[name]]
    own = dict.fromkeys(rule.split()[1] for rule in rules if rule.split()[1] not in HOOKS[name])
    lines = [f"*{name}", *chains, *(f":{chain} - [0:0]" for chain in own), *rules, "COMMIT", ""]
    return "\n".join(lines)


def saved(*tables):
    return iptables.read("".join(tables))


DNAT = "-A PREROUTING -d 10.96.0.10/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.244.2.7:8080"
THERE = "10.244.2.7:8080"


@pytest.mark.parametrize(
    ("rules", "found"),
    [
        ([], {"routed": "1"}),
        ([DNAT], {THERE: "1"}),
        (["-A PREROUTING -d 10.96.0.11/32 -j DNAT --to-destination 10.244.2.7"], {"routed": "1"}),
        (["-A PREROUTING ! -d 10.96.0.11/32 -j DNAT --to-destination 10.244.2.7"], {"10.244.2.7:80": "1"}),
        (["-A PREROUTING -j ACCEPT", DNAT], {"routed": "1"}),
        (["-A PREROUTING -j X", "-A X -j RETURN", "-A X -j DROP", DNAT], {THERE: "1"}),
        (["-A PREROUTING -g X", "-A X -m mark --mark 0x1 -j ACCEPT", DNAT], {"routed": "1"}),
        (["-A PREROUTING -j X", "-A X -g Y", "-A X -j DROP", "-A Y -p udp -j DROP", DNAT], {THERE: "1"}),
        (["-A PREROUTING -i cni0 -j X", DNAT.replace("PREROUTING", "X")], {THERE: "1"}),
        (["-A PREROUTING -i eth+ -j X", DNAT.replace("PREROUTING", "X")], {"routed": "1"}),
        ([DNAT, "-A POSTROUTING -d 10.244.2.7/32 -o eth0 -j MASQUERADE"], {f"{THERE} masqueraded": "1"}),
        ([DNAT, "-A POSTROUTING -d 10.96.0.10/32 -j MASQUERADE"], {THERE: "1"}),
        (
            [DNAT, "-A POSTROUTING -m conntrack --ctstate DNAT -j SNAT --to-source 192.0.2.1"],
            {f"{THERE} masqueraded": "1"},
        ),
        (
            [
                "-A PREROUTING -j MARK --set-xmark 0x4000/0x4000",
                "-A PREROUTING -j MARK --set-xmark 0x1/0x1",
                DNAT,
                "-A POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN",
                "-A POSTROUTING -j MARK --set-xmark 0x4000/0x0",
                "-A POSTROUTING -m mark --mark 0x1 -j MASQUERADE",
            ],
            {f"{THERE} masqueraded": "1"},
        ),
        (
            [
                "-A PREROUTING -m statistic --mode random --probability 0.33333333349 -j X",
                "-A PREROUTING -m statistic --mode nth --every 2 --packet 0 -j Y",
                DNAT,
                "-A X -j DNAT --to-destination 10.244.2.1:1",
                "-A Y -j DNAT --to-destination 10.244.2.2:2",
            ],
            {"10.244.2.1:1": "1/3", "10.244.2.2:2": "1/3", THERE: "1/3"},
        ),
        (
            [
                "-A PREROUTING -m recent --rcheck --seconds 60 --reap --name A --mask 255.255.255.255 --rsource -j X",
                DNAT,
                "-A X -j DROP",
            ],
            {THERE: "1"},
        ),
        (
            [
                "-A PREROUTING -m recent --set --name A --mask 255.255.255.255 --rsource",
                "-A PREROUTING -m recent --rcheck --name A --mask 255.255.255.255 --rsource -j ACCEPT",
                DNAT,
            ],
            {"routed": "1"},
        ),
        (["-A PREROUTING -p tcp -j REDIRECT --to-ports 15001"], {"local": "1"}),
        (["-A PREROUTING -j LOG --log-prefix x", "-A PREROUTING -j NFLOG", DNAT], {THERE: "1"}),
    ],
)
def test_nat(rules, found):
    assert ends(saved(table("nat", *rules)), POD, HOST) == found


def test_tables_are_asked_in_the_order_of_the_kernel():
    rules = saved(
        table("filter", "-A FORWARD -m mark --mark 0x7 -j DROP", "-A FORWARD -d 10.244.2.7/32 -j REJECT"),
        table("nat", DNAT),
        table("mangle", "-A PREROUTING -j MARK --set-xmark 0x7/0xffffffff", "-A FORWARD -j MARK --and-mark 0x0"),
    )
    (outcome,) = walk(rules, POD, HOST).outcomes
    assert (outcome.kind, outcome.why) == (Kind.REJECT, "icmp-port-unreachable")
    assert [(hop.hook, hop.table, hop.effect) for hop in outcome.hops] == [
        ("prerouting", "ip mangle", "mark 0x7"),
        ("prerouting", "ip nat", "dnat 10.244.2.7:8080"),
        ("forward", "ip mangle", "mark 0x0"),
        ("forward", "ip filter", "reject icmp-port-unreachable"),
    ]


@pytest.mark.parametrize(
    ("packet", "host", "found"),
    [
        (POD, HOST, {"drop policy drop of FORWARD": "1"}),
        (NODE, HOST, {"routed": "1"}),
        (Packet("10.244.1.2", "172.30.0.11", 80, "tcp", Origin.POD), HOST, {"drop drop": "1"}),
        (Packet("172.30.0.11", "172.30.0.11", 80, "tcp", Origin.NODE), HOST, {"local": "1"}),
        (
            Packet("fd00::1", "fd00::2", 80),
            Host(),
            {"unknown it is not known whether fd00::2 is an address of the node": "1"},
        ),
        (Packet("fd00::1", "fd00::2", 80), Host(frozenset()), {"routed": "1"}),
    ],
)
def test_filter(packet, host, found):
    rules = table("filter", "-A INPUT ! -i lo -j DROP", policies={"FORWARD": "DROP"})
    assert ends(saved(rules), packet, host) == found


@pytest.mark.parametrize(
    ("packet", "host", "found"),
    [
        (POD, Host(HOST.addresses, HOST.routes, forwarding=False), "drop the node does not forward (ip_forward is 0)"),
        (NODE, Host(HOST.addresses, (Route("172.30.0.0/24", "eth0"),)), "unreachable the node has no route"),
        (POD, Host(HOST.addresses, (Route("172.30.0.0/24", "eth0"),)), "unreachable the node has no route"),
        (
            Packet("127.0.0.1", "127.0.0.1", 30080, "tcp", Origin.NODE),
            Host(HOST.addresses, HOST.routes, route_localnet=False),
            "drop loopback addresses are not routed (route_localnet is 0)",
        ),
        (Packet("127.0.0.1", "127.0.0.1", 30080, "tcp", Origin.NODE), HOST, "10.244.2.7:8080 masqueraded"),
    ],
)
def test_routing(packet, host, found):
    rules = table(
        "nat",
        "-A OUTPUT -p tcp -m tcp --dport 30080 -m addrtype --dst-type LOCAL -j DNAT --to-destination 10.244.2.7:8080",
        "-A POSTROUTING -m conntrack --ctstate DNAT -j MASQUERADE",
    )
    assert ends(saved(rules), packet, host) == {found: "1"}


def test_an_endpoint_on_the_nodes_own_network_is_not_masqueraded():
    """It takes the way through INPUT, and POSTROUTING is not asked."""
    rules = saved(
        table("nat", DNAT.replace("10.244.2.7:8080", "172.30.0.11:6443"), "-A POSTROUTING -j MASQUERADE"),
    )
    assert ends(rules, POD, HOST) == {"172.30.0.11:6443": "1"}


# ------------------------------------------------------------------------------------------------------ what is unknown

STRANGE = "-A FORWARD -m bpf --bytecode 1 -j DROP"


@pytest.mark.parametrize(
    ("rules", "why"),
    [
        ([STRANGE], f"it is not known whether this rule matches: {STRANGE}"),
        (["-A FORWARD -d 10.244.9.9/32 -m bpf --bytecode 1 -j DROP"], None),
        (["-A FORWARD -m bpf --bytecode 1 -j LOG"], None),
        (["-A FORWARD -m bpf --bytecode 1 -j ACCEPT"], None),
        (["-A FORWARD -m bpf --bytecode 1 -j ACCEPT", "-A FORWARD -j ACCEPT"], None),
        (
            ["-A FORWARD -m bpf --bytecode 1 -j ACCEPT", "-A FORWARD -j DROP"],
            "it is not known whether this rule matches: -A FORWARD -m bpf --bytecode 1 -j ACCEPT",
        ),
        (["-A FORWARD -j NFQUEUE --queue-num 1"], "this rule is not understood: -A FORWARD -j NFQUEUE --queue-num 1"),
        (
            ["-A FORWARD -j GONE"],
            "GONE is neither a chain of the dump nor a target that is understood: -A FORWARD -j GONE",
        ),
        (["-A FORWARD -j X", "-A X -j Y", "-A Y -g X"], "the chains jump in a circle: -A Y -g X"),
        (
            ["-A FORWARD -m set --match-set S dst -j DROP"],
            "it is not known whether this rule matches: -A FORWARD -m set --match-set S dst -j DROP",
        ),
        (
            ["-A FORWARD -p tcp -m tcp --sport 1024:2000 -j DROP"],
            "it is not known whether this rule matches: -A FORWARD -p tcp -m tcp --sport 1024:2000 -j DROP",
        ),
    ],
)
def test_what_is_not_understood_makes_the_branch_unknown(rules, why):
    found = ends(saved(table("nat", DNAT), table("filter", *rules)), POD, HOST)
    assert found == ({THERE: "1"} if why is None else {f"unknown {why}": "1"})


def test_only_the_branch_is_unknown():
    rules = saved(
        table(
            "nat", "-A PREROUTING -m statistic --mode random --probability 0.25 -j DNAT --to-destination 10.9.9.9", DNAT
        ),
        table("filter", "-A FORWARD -d 10.9.9.9/32 -m bpf --bytecode 1 -j DROP"),
    )
    (known, unknown) = walk(rules, POD, HOST).outcomes
    assert (known.kind, str(known.share)) == (Kind.ENDPOINT, "3/4")
    assert (unknown.kind, str(unknown.share), unknown.address) == (Kind.UNKNOWN, "1/4", "10.9.9.9")
    assert unknown.rule and unknown.rule.rule == "-A FORWARD -d 10.9.9.9/32 -m bpf --bytecode 1 -j DROP"


def test_rules_that_fork_without_end_are_given_up():
    rules = [f"-A C{number} -m statistic --mode random --probability 0.5 -j C{number + 1}" for number in range(30)]
    rules = [rule for rule in rules for _ in range(2)]
    found = ends(saved(table("filter", "-A FORWARD -j C0", *rules, "-A C30 -p udp")), POD, HOST)
    assert found == {"unknown the rules have more ways than can be followed": "1"}


# ----------------------------------------------------------------------------------------------- sets, IPVS, both kinds


def test_ipsets_hold_by_direction_and_type():
    sets = ipvs.read_sets(
        "create P hash:ip,port family inet\nadd P 10.96.0.10,tcp:80\ncreate N hash:net family inet\n"
        "add N 10.0.0.0/8\nadd N 10.244.0.0/16 nomatch\ncreate B bitmap:port range 0-65535\nadd B 80\n"
        "create L hash:ip,port,net family inet\nadd L 10.96.0.10,tcp:80,10.244.1.0/24\ncreate M hash:mac\n"
    )

    def passes(match):
        rules = combine([saved(table("filter", f"-A FORWARD -m set {match} -j DROP")), sets])
        return ends(rules, POD, HOST) == {"routed": "1"}

    assert not passes("--match-set P dst,dst")
    assert passes("--match-set P src,dst")
    assert passes("! --match-set P dst,dst")
    assert passes("--match-set N src")
    assert not passes("--match-set N dst")
    assert not passes("--match-set B dst")
    assert not passes("--match-set L dst,dst,src")


@pytest.mark.parametrize(
    ("scheduler", "shares"),
    [("rr", ["1/2", "1/2"]), ("wrr", ["1/4", "3/4"]), ("wlc", ["1/4", "3/4"]), ("lc", ["1/2", "1/2"])],
)
def test_ipvs_shares_by_scheduler_and_leaves_out_what_drains(scheduler, shares):
    rules = ipvs.read(
        f"-A -t 10.96.0.10:80 -s {scheduler}\n-a -t 10.96.0.10:80 -r 10.244.2.1:8080 -m -w 1\n"
        "-a -t 10.96.0.10:80 -r 10.244.2.2:8080 -m -w 3\n-a -t 10.96.0.10:80 -r 10.244.2.3:8080 -m -w 0\n"
        "-A -t 10.96.0.11:80 -s rr\n"
    )
    expected = dict(zip(["10.244.2.1:8080", "10.244.2.2:8080"], shares, strict=True))
    assert ends(rules, POD) == expected
    assert ends(rules, NODE) == expected
    assert ends(rules, Packet("10.244.1.2", "10.96.0.11", 80)) == {"reject icmp-port-unreachable": "1"}


def nft(*objects):
    """A listing of a table ip t; a rule is written as (chain, statement, ...)."""
    listed = [{"table": {"family": "ip", "name": "t"}}]
    for one in objects:
        rule = isinstance(one, tuple) and {"family": "ip", "table": "t", "chain": one[0], "expr": list(one[1:])}
        listed.append({"rule": rule} if rule else one)
    return nftables.read(json.dumps({"nftables": listed}))


def base(name, kind, hook, prio, policy="accept"):
    fields = {"name": name, "type": kind, "hook": hook, "prio": prio, "policy": policy}
    return {"chain": {"family": "ip", "table": "t", **fields}}


def chain(name):
    return {"chain": {"family": "ip", "table": "t", "name": name}}


DADDR = {"payload": {"protocol": "ip", "field": "daddr"}}
SADDR = {"payload": {"protocol": "ip", "field": "saddr"}}
DROP = {"drop": None}
MARK = {"meta": {"key": "mark"}}
PREROUTING = base("pre", "nat", "prerouting", -100)


def draw(modulus):
    return {"numgen": {"mode": "random", "mod": modulus, "offset": 0}}


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


def test_before_conntrack_a_packet_has_no_connection():
    rules = ["-A PREROUTING -m conntrack --ctorigdst 10.96.0.10 -j DROP"]
    rules += [
        "-A PREROUTING -m conntrack ! --ctorigdst 10.96.0.99 -j DROP",
        "-A PREROUTING -m state --state NEW -j DROP",
    ]
    assert ends(saved(table("raw", *rules)), POD, HOST) == {"routed": "1"}
    assert ends(saved(table("mangle", rules[0])), POD, HOST) == {"drop drop": "1"}
    invalid = "-A PREROUTING -m conntrack --ctstate INVALID -j DROP"
    assert ends(saved(table("raw", invalid)), POD, HOST) == {"drop drop": "1"}


def test_what_is_not_tracked_is_not_translated():
    rules = saved(table("raw", "-A PREROUTING -d 10.96.0.10/32 -j CT --notrack"), table("nat", DNAT))
    assert ends(rules, POD, HOST) == {"routed": "1"}


def test_nft_views_of_iptables_tables_do_not_count_twice():
    text = "# Generated by iptables-save v1.8.9 (nf_tables) on x\n" + table("nat", DNAT)
    view = nftables.read(
        '{"nftables": [{"table": {"family": "ip", "name": "nat"}}, {"chain": {"family": "ip", "table": "nat", '
        '"name": "PREROUTING", "type": "nat", "hook": "prerouting", "prio": -100}}, {"rule": {"family": "ip", '
        '"table": "nat", "chain": "PREROUTING", "expr": [{"xt": {"type": "target", "name": "DNAT"}}]}}]}'
    )
    assert ends(combine([view, iptables.read(text)]), POD, HOST) == {THERE: "1"}


@pytest.mark.parametrize(
    "packet",
    [
        Packet("10.0.0.1", "fd00::1", 80),
        Packet("", "10.0.0.1", 80),
        Packet("10.0.0.1", "web", 80),
        Packet("10.0.0.1", "10.0.0.2", 65536),
        Packet("10.0.0.1", "10.0.0.2", 80, "icmp"),
    ],
)
def test_a_packet_must_be_one(packet):
    with pytest.raises(ValueError):
        walk(saved(), packet)


TARGETS = ["-j DROP", "-j ACCEPT", "-j RETURN", "-j X", "-g X", "-j Y", "-j MARK --set-xmark 0x1/0x1", "-j MASQUERADE"]
TARGETS += ["-j DNAT --to-destination 10.244.2.7:8080", "-j REDIRECT --to-ports 1", "-j NFQUEUE", "-j REJECT"]
MATCHES = [
    "",
    "-p tcp",
    "-m mark --mark 0x1/0x1",
    "-m statistic --mode random --probability 0.5",
    "-m foo --bar",
    "-i x",
]
MATCHES += ["-m addrtype --dst-type LOCAL", "-d 10.96.0.10/32", "! -s 10.0.0.0/8", "-m recent --set --name A"]
any_rules = st.lists(
    st.tuples(
        st.sampled_from(["PREROUTING", "POSTROUTING", "X", "Y"]), st.sampled_from(MATCHES), st.sampled_from(TARGETS)
    ),
    max_size=12,
)


@given(any_rules, st.sampled_from([POD, NODE]), st.booleans())
def test_shares_add_up_whatever_the_rules(rules, packet, known):
    text = table("nat", "-A X", "-A Y", *(f"-A {where} {match} {target}" for where, match, target in rules))
    found = walk(saved(text), packet, HOST if known else Host())
    assert sum(outcome.share for outcome in found.outcomes) == 1
