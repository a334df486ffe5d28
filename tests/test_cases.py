"""Recorded clusters: the cause that was made on purpose is named, and nothing else is called an error."""

import json
from pathlib import Path

import pytest

from svcdoctor.diagnose import diagnose
from svcdoctor.model.case import Case
from svcdoctor.model.diagnosis import Severity, Target
from svcdoctor.steps import RULES
from tests.build import recorded

CASES = sorted(path.parent for path in Path(__file__).parent.glob("cases/*/truth.json"))
KNOWN = frozenset(rule.name for rule in RULES)


def test_there_are_cases():
    assert len(CASES) > 20


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_the_cause_is_named_and_nothing_else(folder):
    truth = json.loads((folder / "truth.json").read_text())
    causes = KNOWN.intersection(truth["causes"])
    diagnosis = diagnose(Case(recorded(folder), Target(truth["namespace"], truth["service"])))
    errors = {finding.name for finding in diagnosis.findings if finding.severity is Severity.ERROR}
    if causes:
        assert diagnosis.root in causes
        assert errors <= {diagnosis.root}
    else:
        assert (diagnosis.root, errors) == (None, set())


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_the_name_service_beside_it_is_well(folder):
    diagnosis = diagnose(Case(recorded(folder), Target("kube-system", "kube-dns")))
    assert not [finding.name for finding in diagnosis.findings if finding.severity is not Severity.ADVICE]
