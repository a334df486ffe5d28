"""The command line: one file per command, COMMANDS names them."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from .. import __version__
from ..errors import ExitCode
from . import console
from .diagnose import diagnose
from .dns import dns
from .explain import explain
from .lab import lab
from .options import spread
from .policy import policy
from .snapshot import snapshot
from .trace import trace

COMMANDS = (diagnose, dns, policy, trace, snapshot, explain)

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        console.write(f"svcdoctor {__version__}\n")
        raise typer.Exit


@app.callback()
def svcdoctor(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_show_version, help="Show the version and exit.")
    ] = False,
) -> None:
    """Find out why a Kubernetes Service does not answer."""
    if context.invoked_subcommand is None:
        console.say(*context.get_help().splitlines())
        raise typer.Exit(ExitCode.USAGE)


for command in COMMANDS:
    app.command()(spread(command))
app.add_typer(lab)


def main() -> ExitCode:
    """The console scripts' entry: the exit code of ``sys.argv``."""
    code = console.run(lambda: _invoke(program_name(sys.argv[0]), sys.argv[1:]))
    if code is ExitCode.INTERRUPTED:
        os._exit(code)  # threads that wait for a server would hold the interpreter until their time-out
    return code


def _invoke(name: str, arguments: list[str]) -> ExitCode:
    """Runs a command without Typer's own `main`, which would exit 1 on a broken pipe."""
    group = typer.main.get_command(app)
    with group.make_context(name, arguments) as context:
        return ExitCode(group.invoke(context))


def program_name(path: str) -> str:
    """What the user typed: a kubectl plugin is called through kubectl."""
    name = Path(path).name.removesuffix(".exe")
    if name == "__main__.py":
        return "python -m svcdoctor"
    return name.replace("kubectl-", "kubectl ", 1) if name.startswith("kubectl-") else name
