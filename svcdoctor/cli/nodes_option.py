"""--nodes: a look at the rules of nodes, through their own kube-proxy pods, only when the user says so."""

from typing import TYPE_CHECKING, Annotated

from typer import Option

from ..errors import UsageError
from . import console

if TYPE_CHECKING:
    from ..collect.api import Api
    from ..collect.gather import Gathered
    from ..model.diagnosis import Target
    from .options import Connection
    from .reading import Further

Nodes = Annotated[
    str | None,
    Option(
        metavar="WHICH",
        help="Read nodes' rules by exec into their kube-proxy pods: auto (a few that matter), all, or NAME,NAME.",
    ),
]


def reading_nodes(connection: "Connection", which: str | None) -> "tuple[Further, ...]":
    """Reads the nodes that ``which`` means once the cluster has been read; nothing where it was not given.

    Raises UsageError for a choice that means none.
    """
    if which is None:
        return ()
    if getattr(connection, "snapshot", None) is not None:
        raise UsageError("--nodes asks a cluster, but --snapshot reads none", "leave out one of the two")
    names = tuple(dict.fromkeys(name.strip() for name in which.split(",") if name.strip()))
    if not names:
        raise UsageError("--nodes names no node", "auto, all, or names with commas between them")

    def further(api: "Api", gathered: "Gathered", target: "Target") -> "Gathered":
        from ..collect.nodes import read_nodes

        known = {node.name for node in gathered.snapshot.nodes.items}
        if names not in (("auto",), ("all",)) and gathered.snapshot.nodes.covers():
            from .names import unknown

            for name in names:
                if name not in known:
                    raise unknown("node", name, sorted(known))
        with console.progress("Reading the rules of nodes"):
            return read_nodes(api, gathered, target, names, console.say)

    return (further,)
