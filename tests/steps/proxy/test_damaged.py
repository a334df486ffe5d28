"""Whatever a node's files hold, the step answers."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from svcdoctor.lab.base import PROXY_MODES
from svcdoctor.model.case import Case
from svcdoctor.model.node_rules import FILES
from svcdoctor.steps.proxy import ask

from .labs import snapshot
from .test_nodes import WEB, again, with_rules

LINES = st.lists(st.integers(0, 400), max_size=8)


@pytest.mark.parametrize("mode", PROXY_MODES)
@settings(max_examples=40, deadline=None)
@given(file=st.sampled_from(FILES), gone=LINES, cut=st.integers(0, 4000) | st.none(), junk=st.text(max_size=20))
def test_lines_are_missing_cut_or_strange(mode, file, gone, cut, junk):
    found = snapshot("healthy", mode)
    texts = dict(found.node_rules["node1"].texts)
    lines = texts.get(file, "").splitlines(keepends=True)
    left = "".join(junk if number in gone[:2] else line for number, line in enumerate(lines) if number not in gone[2:])
    texts[file] = left if cut is None else left[:cut]
    answer = ask(Case(with_rules(found, again("node1", texts)), WEB))
    assert answer.reason
    assert all("node1" in finding.summary for finding in answer.findings)


@pytest.mark.parametrize("mode", PROXY_MODES)
@settings(max_examples=25, deadline=None)
@given(files=st.dictionaries(st.sampled_from(FILES), st.text(max_size=80), max_size=6))
def test_anything_may_stand_there(mode, files):
    found = snapshot("healthy", mode)
    answer = ask(Case(with_rules(found, again("node1", {**found.node_rules["node1"].texts, **files})), WEB))
    assert answer.reason
