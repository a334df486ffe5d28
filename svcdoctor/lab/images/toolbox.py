"""Images that run what they are told: the toolbox, and the client beside the patient."""

from msgspec import structs

from .effects import NotFound, World
from .program import Program
from .registry import Launch
from .shell import interpret, outcome

_EXEC = (
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: "
    "unable to start container process: error during container init: exec: "
)


def tool(launch: Launch) -> Program:
    """The command line as the shell understands it; one that is not in the image can't be started."""
    world = World(launch.env, launch.hostname)
    try:
        made = outcome(interpret(launch.argv, world))
    except NotFound as missing:
        return cannot_start(str(missing))
    return made


def client(launch: Launch) -> Program:
    """Waits for ever under an init that passes SIGTERM on, unless it is told to do something else."""
    made = tool(launch)
    return structs.replace(made, stops_after=0.1, stop_code=143)


def pause(launch: Launch) -> Program:
    return Program()


def cannot_start(command: str) -> Program:
    """What runc says of a command that is not there."""
    why = "no such file or directory" if "/" in command else "executable file not found in $PATH"
    quoted = f"stat {command}: {why}" if "/" in command else f'"{command}": {why}'
    return Program(cannot_start=f"{_EXEC}{quoted}")
