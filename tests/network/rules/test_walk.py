"""What rules do to a packet, by small rule sets: hooks, verdicts, chances, marks, routing, conntrack."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcdoctor.network.packet import Host, Kind, Origin, Packet, Route
from svcdoctor.network.walk import walk
from tests.network.rules.nodes import ends
from tests.network.rules.small import DNAT, HOST, NODE, POD, THERE, saved, table


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
