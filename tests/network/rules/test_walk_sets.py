"""ipsets and IPVS on the way."""

import pytest

from svcdoctor.network import ipvs
from svcdoctor.network.packet import Packet
from svcdoctor.network.ruleset import combine
from tests.network.rules.nodes import ends
from tests.network.rules.small import HOST, NODE, POD, saved, table


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
