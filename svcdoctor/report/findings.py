"""The rules in words: `svcdoctor explain`, and docs/findings.md by ``python -m svcdoctor.report.findings``."""

import sys
from collections.abc import Iterable

from ..model.diagnosis import Rule
from ..steps import RULES
from .look import Ink, Look

INTRODUCTION = """\
# Findings

Every failure mode that svcdoctor knows. `svcdoctor explain CODE` or `svcdoctor explain NAME` says the same. Codes and
names are never reused. This file is generated from the rules: run `make docs` after changing one.
"""


def explain(rule: Rule, look: Look) -> str:
    """One rule as a screen."""
    title = look.line(f" ({rule.severity}, step {rule.step})", f"{rule.code} {rule.name}", Ink.HEADING, indent=0)
    parts = (("Meaning  ", rule.meaning), ("Why      ", rule.why), ("Fix      ", rule.fix))
    return "\n".join((title, *(look.line(text, label, hang=len(label)) for label, text in parts))) + "\n"


def markdown(rules: Iterable[Rule]) -> str:
    """The whole of docs/findings.md: a section a rule, by code."""
    return "\n".join((INTRODUCTION, *(_section(rule) for rule in sorted(rules, key=lambda rule: rule.code))))


def _section(rule: Rule) -> str:
    return f"""\
## {rule.code} {rule.name}

{rule.severity.capitalize()}, found by step `{rule.step}`.

{rule.meaning}

**Why:** {rule.why}

**Fix:** {rule.fix}
"""


if __name__ == "__main__":
    sys.stdout.write(markdown(RULES))
