"""Recorded clusters: the name service beside each broken Service is well."""

import json
from pathlib import Path

import pytest

from svcdoctor import archive
from svcdoctor.diagnose import diagnose
from svcdoctor.model.case import Case
from svcdoctor.model.diagnosis import Severity, Target

OF_ALL_SERVICES = {"forward-drop"}
"""What is wrong with a node is wrong for every Service."""
CASES = sorted(path.parent for path in Path(__file__).parent.glob("cases/*/truth.json"))


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_the_name_service_is_well(folder):
    diagnosis = diagnose(Case(archive.load(folder), Target("kube-system", "kube-dns")))
    loud = {finding.name for finding in diagnosis.findings if finding.severity is not Severity.ADVICE}
    assert loud == set(json.loads((folder / "truth.json").read_text())["causes"]) & OF_ALL_SERVICES
