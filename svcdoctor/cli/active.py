"""--active: what changes a cluster, however little, is done only when the user says so."""

import os
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

Active = Annotated[
    bool,
    Option("--active", help="Ask name servers through port-forwards, and in the client's container by its own tools."),
]
Yes = Annotated[bool, Option("--yes", help="Where that has no tools, add a debugging container to the client's pod.")]
Image = Annotated[str, Option(metavar="IMAGE", help="The debugging container's image.")]
USUAL_IMAGE = "busybox:1.37"


def asking(connection: "Connection", active: bool, yes: bool, image: str) -> "Further":
    """Asks name servers once the cluster has been read: from here if this is a pod of it, and actively if wanted.

    Raises UsageError for options that contradict each other.
    """
    if yes and not active:
        raise UsageError("--yes agrees to a debugging container, which only --active would add", "add --active")
    if active and getattr(connection, "snapshot", None) is not None:
        raise UsageError("--active asks a cluster, but --snapshot reads none", "leave out one of the two")

    def further(api: "Api", gathered: "Gathered", target: "Target") -> "Gathered":
        from ..collect.kubeconfig import in_cluster

        here = in_cluster(os.environ)
        if not here and not active:
            return gathered

        from msgspec import structs

        from ..collect.asking_names import Ways, ask_names

        ways = Ways(here, active, image if yes else "")
        with console.progress("Asking name servers"):
            return structs.replace(gathered, snapshot=ask_names(api, gathered.snapshot, target, ways, console.say))

    return further
