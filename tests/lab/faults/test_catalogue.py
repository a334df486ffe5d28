"""No failure mode of the catalogue is forgotten: each has a fault, or a reason why there is none."""

from pathlib import Path

from svcdoctor.lab.faults import FAULTS, client, exposure, path, proxy
from svcdoctor.lab.faults.silent import SILENT

CATALOGUE = (Path(__file__).parent / "catalogue.txt").read_text().split()
BEYOND = {"selector-no-match", "ip-family-mismatch", "container-not-starting"}
"""Findings of the doctor that the catalogue does not name."""

NAMES = [fault.name for faults in FAULTS.values() for fault in faults]


def test_every_failure_mode_has_a_fault_or_a_reason():
    assert set(CATALOGUE) - set(NAMES) == SILENT.keys()


def test_no_fault_has_a_reason_not_to_be():
    assert not set(NAMES) & SILENT.keys()


def test_what_is_beyond_the_catalogue_is_meant_to_be():
    assert set(NAMES) - set(CATALOGUE) == BEYOND


def test_names_are_unique():
    assert len(NAMES) == len(set(NAMES))


def test_every_step_has_its_faults():
    later = {"proxy": proxy, "path": path, "exposure": exposure, "client": client}
    assert {step: FAULTS[step] for step in later} == {step: module.FAULTS for step, module in later.items()}


def test_reasons_are_one_line_each():
    assert all(reason and "\n" not in reason and len(reason) <= 100 for reason in SILENT.values())
