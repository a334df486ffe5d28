"""nft -j list: what is read comes out again, what is not understood is opaque, what is no listing is refused."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from svcdoctor.errors import BadData
from svcdoctor.network import nftables
from svcdoctor.network.nftables import read_rule
from svcdoctor.network.packet import Origin, Packet
from svcdoctor.network.ruleset.statements import Opaque
from svcdoctor.network.walk import walk
from tests.lab.proxy.dumps import recorded

LISTED = [(key, name) for key, files in recorded().items() for name in files if name.startswith("nft-")]


@pytest.mark.parametrize(("key", "name"), LISTED)
def test_a_recorded_listing_comes_out_as_it_went_in(key, name):
    text = recorded()[key][name]
    found = nftables.read(text)
    assert json.loads(nftables.write(found)) == json.loads(text)
    (table,) = found.tables
    assert all(one.values is not None for one in table.sets.values())
    assert not [
        rule.raw
        for chain in table.chains.values()
        for rule in chain.rules
        if any(isinstance(statement, Opaque) for statement in rule.statements)
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no JSON of nft ("),
        ("<html></html>", "no JSON of nft ("),
        ('{"nftables": [{"table": {"family": "ip", "name": "kube-proxy"', "no JSON of nft ("),
        (b"\x00\xff", "no JSON of nft ("),
        ('{"items": []}', "no JSON of nft ("),
        (
            '{"nftables": [{"rule": {"family": "ip", "table": "t", "chain": "c"}}]}',
            "object 1: a rule of a table that is",
        ),
        (
            '{"nftables": [{"table": {"family": "ip", "name": "t"}}, {"rule": {"family": "ip", "table": "t", '
            '"chain": "c", "expr": []}}]}',
            "object 2: a rule of a chain that is",
        ),
    ],
)
def test_what_is_no_listing_is_refused(text, says):
    with pytest.raises(BadData) as error:
        nftables.read(text, "node1")
    assert str(error.value).startswith(f"node1: {says}")


words = st.sampled_from(["match", "vmap", "dnat", "key", "data", "set", "op", "left", "right", "payload", "meta", "ct"])
words |= st.sampled_from(["concat", "numgen", "mod", "map", "addr", "protocol", "field", "elem", "val", "mangle", "|"])
words |= st.sampled_from(["reject", "jump", "goto", "target", "xt", "counter", "fib", "prefix", "range", "==", "mark"])
scalars = st.none() | st.booleans() | st.integers(-5, 1 << 40) | st.floats() | words | st.text(max_size=3)
trees = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3))


@given(trees)
def test_any_rule_object_is_a_rule(expression):
    text = json.dumps({"family": "ip", "expr": expression})
    assert read_rule(text).raw == text


LISTING = recorded()["nftables-healthy/node1"]["nft-ip-kube-proxy.json"]
PACKETS = [Packet("10.244.1.200", address, 80, origin=Origin.POD) for address in ("10.97.178.71", "10.103.93.229")]


def places(tree, path=()):
    """The paths to all values of a JSON document."""
    yield path
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ():
        yield from places(value, (*path, key))


PLACES = [path for path in places(json.loads(LISTING)) if len(path) > 2]


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PLACES), trees), min_size=1, max_size=4))
def test_a_listing_with_other_things_in_it_is_read_or_refused(changes):
    document = json.loads(LISTING)
    for path, value in changes:
        inner = document
        for key in path[:-1]:
            inner = inner[key] if isinstance(inner, (dict, list)) and key in indexes(inner) else {}
        if isinstance(inner, (dict, list)) and path[-1] in indexes(inner):
            inner[path[-1]] = value
    try:
        found = nftables.read(json.dumps(document))
    except BadData:
        return
    for packet in PACKETS:
        assert sum(outcome.share for outcome in walk(found, packet).outcomes) == 1
    again = nftables.read(nftables.write(found))
    assert nftables.write(again) == nftables.write(found)


def indexes(tree):
    return tree if isinstance(tree, dict) else range(len(tree))


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data):
    try:
        nftables.read(data)
    except BadData:
        return
