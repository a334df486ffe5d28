"""svcdoctor diagnose: the main job."""

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Annotated, Literal

from typer import Option

from ..errors import ExitCode, UsageError
from . import console
from .active import USUAL_IMAGE, Active, Image, Yes, asking
from .nodes_option import Nodes, reading_nodes
from .options import ClientName, NoColor, ServiceName, Source
from .target import parse

if TYPE_CHECKING:
    from ..model.diagnosis import Diagnosis, Severity

Output = Annotated[Literal["terminal", "json"], Option("--output", "-o", metavar="FORMAT", help="terminal or json.")]
FailOn = Annotated[
    Literal["error", "warning", "advice"],
    Option(metavar="SEVERITY", help="Exit 1 for this or worse: error, warning, advice."),
]
Only = Annotated[
    list[str] | None, Option(metavar="STEP", help="Ask only this step; repeatable, or a list with commas.")
]
Skip = Annotated[
    list[str] | None, Option(metavar="STEP", help="Leave out this step; repeatable, or a list with commas.")
]


def diagnose(
    name: ServiceName,
    source: Source,
    client: ClientName = None,
    output: Output = "terminal",
    only: Only = None,
    skip: Skip = None,
    fail_on: FailOn = "error",
    quiet: Annotated[bool, Option("--quiet", "-q", help="Say it all in one line.")] = False,
    active: Active = False,
    yes: Yes = False,
    image: Image = USUAL_IMAGE,
    nodes: Nodes = None,
    no_color: NoColor = False,
) -> ExitCode:
    """Find out why a Service does not answer.

    Names one cause, with its evidence and its fix.

    Exit codes: 0 nothing at or above --fail-on, 1 findings, 2 usage, 3 could not look, 4 internal error,
    130 interrupted, 141 the reader of the report left.
    """
    asked = parse(name, source.namespace)
    further = (asking(source, active, yes, image), *reading_nodes(source, nodes))

    from ..diagnose import diagnose as ask
    from ..model.diagnosis import Severity
    from ..report import FORMATS
    from ..steps import STEPS
    from .reading import read
    from .screen import look

    steps = [step.name for step in STEPS]
    chosen, left_out = _steps(only, steps), _steps(skip, steps)
    if not set(chosen or steps) - set(left_out):
        raise UsageError("--only and --skip leave no step to ask", f"there are: {', '.join(steps)}")
    diagnosis = ask(read(source, asked, client, *further), chosen, left_out)
    console.write(FORMATS[output](diagnosis, look(no_color, quiet)))
    return exit_code(diagnosis, Severity(fail_on))


def exit_code(diagnosis: "Diagnosis", fail_on: "Severity") -> ExitCode:
    """1 for findings at least as loud as ``fail_on``, else 3 where the answer is not known."""
    from ..model.diagnosis import Verdict

    if any(finding.severity.rank <= fail_on.rank for finding in diagnosis.findings):
        return ExitCode.FINDINGS
    return ExitCode.COULD_NOT_LOOK if diagnosis.verdict is Verdict.UNKNOWN else ExitCode.OK


def _steps(given: Iterable[str] | None, known: Collection[str]) -> list[str]:
    """The names in lists that commas join. Raises UsageError for one that no step has."""
    from .names import unknown

    names = [name.strip() for text in given or () for name in text.split(",")]
    for name in names:
        if name not in known:
            raise unknown("step", name, known)
    return names
