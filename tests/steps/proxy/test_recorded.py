"""Recorded clusters: what was really broken is found where rules show it, and nothing else is called wrong."""

import json
import os
from pathlib import Path

import pytest

from svcdoctor import archive
from svcdoctor.model.case import Case
from svcdoctor.model.diagnosis import Severity, Subject, Target
from svcdoctor.steps.proxy import STEP, ask

CASES = sorted(path.parent for path in Path(__file__).parents[2].glob("cases/*/truth.json"))
WRITE = os.environ.get("REPORTS") == "write"
KNOWN = {rule.name for rule in STEP.rules}


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
@pytest.mark.parametrize("seen", ["from its client", "from nobody"])
def test_truth(folder, seen):
    truth = json.loads((folder / "truth.json").read_text())
    client = Subject("Pod", truth["namespace"], truth["client"]) if seen == "from its client" else None
    answer = ask(Case(archive.load(folder), Target(truth["namespace"], truth["service"], client=client)))
    loud = [finding for finding in answer.findings if finding.severity is not Severity.ADVICE]
    wanted = KNOWN.intersection(truth["causes"])
    assert {finding.name for finding in loud} == wanted
    assert answer.gaps == ()
    for finding in loud:
        assert "node1" in finding.summary
        assert "node2" not in finding.summary


@pytest.mark.parametrize("name", ["proxy-stale", "forward-drop", "itp-local-hole"])
@pytest.mark.parametrize("mode", ["iptables", "nftables"])
def test_all_that_is_said(name, mode):
    """Word for word; REPORTS=write writes it anew."""
    folder = next(case for case in CASES if case.name == f"{mode}-{name}")
    truth = json.loads((folder / "truth.json").read_text())
    client = Subject("Pod", truth["namespace"], truth["client"])
    answer = ask(Case(archive.load(folder), Target(truth["namespace"], truth["service"], client=client)))
    lines = [answer.reason]
    for finding in answer.findings:
        lines += [f"{evidence.source}: {evidence.fact}" for evidence in finding.evidence]
        lines.append(f"{finding.fix.text} {finding.fix.command or ''}".strip())
    said = "".join(f"{line}\n" for line in lines)
    file = Path(__file__).parent / "said" / f"{folder.name}.txt"
    if WRITE:
        file.write_text(said)
    assert said == file.read_text()
