"""Every fault of the lab whose step exists is diagnosed as exactly itself: live, and again from a saved snapshot."""

import pytest

from svcdoctor import archive
from svcdoctor.diagnose import diagnose
from svcdoctor.lab.base import PROXY_MODES
from svcdoctor.lab.faults import FAULTS
from svcdoctor.model.case import Case
from svcdoctor.model.diagnosis import Severity
from svcdoctor.steps import RULES, STEPS

from .living import ask, running

LIVE = {step.name for step in STEPS} - {"proxy"}  # nothing reads the rules of nodes live yet
KNOWN = [fault for step, faults in FAULTS.items() if step in LIVE for fault in faults]
RULE = {rule.name: rule for rule in RULES}


def judgement(diagnosis):
    """Root, the names of its errors, and all that it names."""
    found = diagnosis.findings
    errors = {finding.name for finding in found if finding.severity is Severity.ERROR}
    return diagnosis.root, errors, {finding.name for finding in found}


@pytest.mark.parametrize("fault", KNOWN, ids=lambda fault: fault.name)
def test_each_fault_is_diagnosed_as_itself(fault, tmp_path):
    with running(fault) as lab:
        target, gathered, diagnosis = ask(lab, fault)
    root, errors, names = judgement(diagnosis)
    assert fault.name in names
    assert errors <= {fault.name}
    # advice is never a root: it says what will break next, not what is broken
    assert root == (None if RULE[fault.name].severity is Severity.ADVICE else fault.name)

    archive.save(tmp_path / "saved.tar.gz", gathered.snapshot, gathered.answers)
    again = diagnose(Case(archive.load(tmp_path / "saved.tar.gz"), target))
    assert judgement(again) == (root, errors, names)


@pytest.mark.parametrize("mode", PROXY_MODES)
def test_the_well_lab_gives_no_finding_in_any_mode(mode):
    with running(proxy_mode=mode) as lab:
        _, _, diagnosis = ask(lab)
    assert [finding.name for finding in diagnosis.findings] == []
    assert diagnosis.verdict.value == "healthy"
