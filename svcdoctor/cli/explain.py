"""svcdoctor explain: what a finding means."""

from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from ..errors import ExitCode, UsageError
from . import console
from .options import NoColor

if TYPE_CHECKING:
    from ..model.diagnosis import Rule

FindingName = Annotated[
    str | None, Argument(metavar="FINDING", show_default=False, help="Its code or its name: SVC203, selector-typo.")
]


def explain(
    finding: FindingName = None,
    everything: Annotated[bool, Option("--all", help="Every finding that there is, by code.")] = False,
    no_color: NoColor = False,
) -> ExitCode:
    """Explain a finding.

    What it means, why it happens, and how it is fixed.
    """
    if (finding is None) is not everything:
        raise UsageError("explain takes one finding, or --all", "svcdoctor explain --all shows what there is")

    from ..report.findings import explain as put
    from ..steps import RULES
    from .screen import look

    rules = sorted(RULES, key=lambda rule: rule.code) if finding is None else [_find(finding, RULES)]
    shown = look(no_color)
    console.write("\n".join(put(rule, shown) for rule in rules))
    return ExitCode.OK


def _find(asked: str, rules: "tuple[Rule, ...]") -> "Rule":
    """The rule of that code or name, in any letter case. Raises UsageError."""
    from .names import unknown

    known = {word: rule for rule in rules for word in (rule.name, rule.code)}
    rule = known.get(asked.lower()) or known.get(asked.upper())
    if rule is None:
        raise unknown("finding", asked, known)
    return rule
