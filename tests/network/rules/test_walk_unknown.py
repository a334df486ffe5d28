"""What is not understood or not known: a branch is unknown where it decides, and nowhere else."""

import pytest

from svcdoctor.network.packet import Kind
from svcdoctor.network.walk import walk
from tests.network.rules.nodes import ends
from tests.network.rules.small import DNAT, HOST, POD, THERE, saved, table

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
