"""svcdoctor snapshot: save what a diagnosis would read."""

from pathlib import Path
from typing import Annotated

from typer import Option

from ..errors import ExitCode
from . import console
from .active import USUAL_IMAGE, Active, Image, Yes, asking
from .nodes_option import Nodes, reading_nodes
from .options import ClientName, Connection, ServiceName
from .target import parse


def snapshot(
    name: ServiceName,
    connection: Connection,
    output: Annotated[Path, Option("--output", "-o", metavar="PATH", help="A .tar.gz to write, or a new folder.")],
    client: ClientName = None,
    active: Active = False,
    yes: Yes = False,
    image: Image = USUAL_IMAGE,
    nodes: Nodes = None,
) -> ExitCode:
    """Save what is read of a Service, for --snapshot.

    Secrets, tokens and environment values are left out.
    """
    asked = parse(name, connection.namespace)
    further = (asking(connection, active, yes, image), *reading_nodes(connection, nodes))

    from .. import archive
    from .reading import gather

    gathered, _ = gather(connection, asked, client, True, *further)
    archive.save(output, gathered.snapshot, gathered.answers)
    for gap in gathered.snapshot.gaps:
        console.say(f"could not read {gap.what}: {gap.why}" + (f"; grant: {gap.permission}" if gap.permission else ""))
    console.say(f"saved {output}")
    return ExitCode.OK
