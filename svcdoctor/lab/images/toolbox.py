"""Images that run what they are told: the toolbox, and the client beside the patient."""

from collections.abc import Mapping

from msgspec import structs

from .effects import File, NotFound, World, nothing
from .program import Program
from .registry import Launch
from .shell import Tool, interpret, outcome

_EXEC = (
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: "
    "unable to start container process: error during container init: exec: "
)


def tool(launch: Launch, tools: Mapping[str, Tool] = {}, file: File = nothing) -> Program:
    """The command line as the shell understands it; one that is not in the image can't be started."""
    world = World(launch.env, launch.hostname, file, tools.keys())
    try:
        return outcome(interpret(launch.argv, world), tools)
    except NotFound as missing:
        return cannot_start(str(missing))


def client(launch: Launch, tools: Mapping[str, Tool] = {}, file: File = nothing) -> Program:
    """Waits for ever under an init that passes SIGTERM on, unless it is told to do something else."""
    return structs.replace(tool(launch, tools, file), stops_after=0.1, stop_code=143)


def pause(launch: Launch) -> Program:
    return Program()


def cannot_start(command: str) -> Program:
    """What runc says of a command that is not there."""
    why = "no such file or directory" if "/" in command else "executable file not found in $PATH"
    quoted = f"stat {command}: {why}" if "/" in command else f'"{command}": {why}'
    return Program(cannot_start=f"{_EXEC}{quoted}")
