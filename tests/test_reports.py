"""Every recorded cluster in tests/cases gives its whole report, in text and JSON, word for word.

After a change that is meant, ``REPORTS=write make test`` writes them anew; the diff is then read like code.
"""

import json
import os
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from svcdoctor import archive
from svcdoctor.diagnose import diagnose
from svcdoctor.model.case import Case
from svcdoctor.model.diagnosis import Severity, Subject, Target
from svcdoctor.report import FORMATS, Look
from svcdoctor.steps import RULES

ROOT = Path(__file__).parents[1]
CASES = sorted(path.parent for path in ROOT.glob("tests/cases/*/truth.json"))
WRITE = os.environ.get("REPORTS") == "write"
KNOWN = {rule.name for rule in RULES}


def judged(folder: Path):
    truth = json.loads((folder / "truth.json").read_text())
    client = Subject("Pod", truth["namespace"], truth["client"])
    target = Target(truth["namespace"], truth["service"], client=client)
    return truth["causes"], diagnose(Case(archive.load(folder), target))


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
@pytest.mark.parametrize(("format", "file"), [("terminal", "report.txt"), ("json", "report.json")])
def test_whole_report(folder: Path, format: str, file: str):
    _, diagnosis = judged(folder)
    report = FORMATS[format](diagnosis, Look())
    if WRITE:
        (folder / file).write_text(report)
    assert report == (folder / file).read_text()


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_report_fits_its_schema(folder: Path):
    schema = json.loads((ROOT / "docs/diagnosis.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(json.loads((folder / "report.json").read_text()))


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_truth(folder: Path):
    """What was really broken is the root where its step exists, and nothing else is an error."""
    causes, diagnosis = judged(folder)
    errors = {finding.name for finding in diagnosis.findings if finding.severity is Severity.ERROR}
    wanted = KNOWN.intersection(causes)
    if wanted:
        assert diagnosis.root in wanted
        assert errors <= wanted
    else:
        assert diagnosis.root is None
        assert not errors
