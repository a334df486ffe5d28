"""The rules in words: on a screen, and in docs/findings.md."""

import subprocess
import sys
from pathlib import Path

from svcdoctor.report import Look
from svcdoctor.report.findings import explain, markdown
from svcdoctor.steps import RULES

from .diagnoses import PROBE_FAILING, SELECTOR_TYPO

ROOT = Path(__file__).parents[2]


def test_a_rule_on_a_screen():
    assert explain(SELECTOR_TYPO, Look(width=60)) == (
        "SVC203 selector-typo (error, step endpoints)\n"
        "  Meaning  The selector matches no pod, but differs by a\n"
        "           slip of the hand from labels that pods carry.\n"
        "  Why      Selector and labels are written in two places,\n"
        "           and one was mistyped.\n"
        "  Fix      Write the same labels in both places.\n"
    )


def test_sections_are_sorted_by_code():
    text = markdown((PROBE_FAILING, SELECTOR_TYPO))
    assert text.startswith("# Findings\n")
    assert text.endswith(
        "\n## SVC203 selector-typo\n"
        "\n"
        "Error, found by step `endpoints`.\n"
        "\n"
        "The selector matches no pod, but differs by a slip of the hand from labels that pods carry.\n"
        "\n"
        "**Why:** Selector and labels are written in two places, and one was mistyped.\n"
        "\n"
        "**Fix:** Write the same labels in both places.\n"
        "\n"
        "## SVC301 probe-failing\n"
        "\n"
        "Warning, found by step `readiness`.\n"
        "\n"
        "A pod's readiness probe fails.\n"
        "\n"
        "**Why:** The application does not answer its probe.\n"
        "\n"
        "**Fix:** Mend the application.\n"
    )


def test_docs_are_what_the_rules_say():
    made = subprocess.run(
        [sys.executable, "-W", "error", "-m", "svcdoctor.report.findings"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
        encoding="utf-8",
    )
    assert made.stdout == markdown(RULES)
    docs = (ROOT / "docs/findings.md").read_text(encoding="utf-8")
    assert docs == made.stdout, "docs/findings.md is stale: run `make docs`"


def test_codes_and_names_are_unique_and_well_formed():
    codes, names = [rule.code for rule in RULES], [rule.name for rule in RULES]
    assert len(set(codes)) == len(codes)
    assert len(set(names)) == len(names)
    assert all(code.startswith("SVC") and len(code) == 6 and code[3:].isdecimal() for code in codes)
