"""Faults are well-formed data, and what they do to files does something."""

import json

import pytest

from svcdoctor.lab.base import PROXY_MODES
from svcdoctor.lab.faults.fault import Apply, Delete, Doctor, Edit, Event, Log, Patch, Plant, Rules
from svcdoctor.lab.resources import named, of_kind

from .labs import FAULTS, NODES, boot, ill, untouched

EACH = pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
HANDS = [
    pytest.param(fault, mode, id=f"{fault.name}-{mode}")
    for fault in FAULTS
    for mode in fault.modes
    if any(isinstance(act, Rules) for act in fault.acts)
]


@EACH
def test_it_is_told_in_one_short_line(fault):
    assert 20 <= len(fault.line) <= 80
    assert "\n" not in fault.line


@EACH
def test_its_modes_are_those_of_kube_proxy(fault):
    assert fault.modes == tuple(mode for mode in PROXY_MODES if mode in fault.modes) != ()


@EACH
def test_its_objects_are_of_kinds_that_are_served(fault):
    for act in fault.acts:
        if isinstance(act, Apply | Plant):
            for made in act.objects:
                assert of_kind(made["apiVersion"], made["kind"]) is not None
                assert made["metadata"]["name"]
        if isinstance(act, Patch | Edit | Delete | Doctor | Event):
            assert bool(act.namespace) == named(act.resource).namespaced


@EACH
def test_it_speaks_of_nodes_and_modes_that_are_there(fault):
    for act in fault.acts:
        if isinstance(act, Rules):
            assert act.node in (*NODES, "*")
        if isinstance(act, Log):
            assert act.node in (*NODES, "")
            assert act.mode in (*fault.modes, "")


@pytest.mark.parametrize(("fault", "mode"), HANDS)
def test_hands_change_what_was_written(fault, mode):
    before = untouched(fault.name, mode)
    changed = set()
    for act in fault.acts:
        if isinstance(act, Rules):
            for node in NODES if act.node == "*" else (act.node,):
                text = before.proxies.files(node).get(act.file, "")
                after = act.change(text)
                if after != text:
                    changed.add((node, act.file))
                if act.file.endswith(".json") and after:
                    json.loads(after)
    assert changed
    written = ill(fault.name, mode).proxies
    for node, file in changed:
        assert written.files(node)[file] != before.proxies.files(node).get(file)


@EACH
def test_every_hand_is_of_use_in_some_mode(fault):
    for act in fault.acts:
        if isinstance(act, Rules):
            node = "node1" if act.node == "*" else act.node
            texts = [untouched(fault.name, mode).proxies.files(node).get(act.file, "") for mode in fault.modes]
            assert any(act.change(text) != text for text in texts)


@EACH
def test_a_file_that_is_not_there_is_not_made_up_by_chance(fault):
    """Only what stands in a file for good reason: leftovers, which are whole files."""
    for act in fault.acts:
        if isinstance(act, Rules) and fault.name not in ("dual-iptables", "mode-leftovers"):
            assert act.change("") == ""


@pytest.mark.parametrize("nodes", [2, 3, 5])
def test_the_client_is_on_node1(nodes):
    found = boot(nodes=nodes).store.get(named("pods"), "default", "client")
    assert found and found["spec"]["nodeName"] == "node1"
