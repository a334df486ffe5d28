"""Real nodes do what they must, for every Service of which the objects were recorded."""

import json
from pathlib import Path

import pytest

from svcdoctor.lab.proxy import NodeView
from svcdoctor.model.node_rules import read
from svcdoctor.network.compare import Kind
from tests.lab.proxy.dumps import FORWARD_DROP, STALE, recorded, services, slices, view

from .written import checks

CASES = Path(__file__).parents[2] / "cases"
NODES = sorted(f"{folder.parents[1].name}/{folder.name}" for folder in CASES.glob("*/nodes/node*"))


@pytest.mark.parametrize("key", NODES)
def test_a_node_of_iptables_or_nftables_mode(key):
    case, _, name = key.partition("/")
    files = {file.name: file.read_bytes() for file in (CASES / case / "nodes" / name).iterdir()}
    # a kube-proxy that hangs does not say how it was told to work; the other node's was told the same
    told = CASES / case / "nodes" / "node2" / "proxy-configz.json"
    rules = read(name, {"proxy-configz.json": told.read_bytes(), **files})
    assert rules.unreadable == ()
    found = list(checks(services(key), slices(key), view(key), rules))
    assert [why for one in found for why in one.unknown] == []
    wrong = {difference.kind for one in found for difference in one.differences}
    if key in STALE:
        assert wrong == {Kind.EXTRA_ENDPOINT, Kind.MISSING_ENDPOINT}
    else:
        assert wrong == ({Kind.POLICY} if key in FORWARD_DROP else set())


@pytest.mark.parametrize("scheduler", ["rr", "lc", "sh"])
def test_the_node_of_ipvs_mode(scheduler):
    texts = {**recorded()["ipvs/rr"], **recorded()[f"ipvs/{scheduler}"]}
    objects, parts = (json.loads(texts.pop(name))["items"] for name in ("services.json", "endpointslices.json"))
    view = NodeView(name="ipvs1", addresses=("10.0.2.15",), pod_cidrs=("10.244.0.0/24",))
    found = list(checks(objects, parts, view, read("ipvs1", {name: text.encode() for name, text in texts.items()})))
    assert [(d.kind, str(d.frontend), d.client, d.place) for one in found for d in one.differences] == []
    assert [why for one in found for why in one.unknown] == []
    assert sum(one.followed for one in found) > 20
