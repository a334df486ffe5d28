"""Where commands get their facts: a cluster, or a snapshot of one."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import fields
from typing import TYPE_CHECKING

from ..errors import UsageError
from . import console
from .lab import find_fault
from .options import Connection, Source
from .target import Asked

if TYPE_CHECKING:
    from ..collect.api import Api, Call
    from ..collect.gather import Gathered
    from ..collect.kubeconfig import Options
    from ..model.case import Case
    from ..model.diagnosis import Target

    Further = Callable[[Api, Gathered, Target], Gathered]

NOT_FOR_SNAPSHOTS = tuple(field.name for field in fields(Connection) if field.name not in ("namespace", "verbose"))


def read(source: Source, asked: Asked, client: str | None, *further: "Further") -> "Case":
    """The facts around the Service that was ``asked`` for; each ``further`` observes more of a live cluster.

    Raises CouldNotLook, UsageError.
    """
    from ..model.case import Case

    if source.snapshot is None:
        gathered, target = gather(source, asked, client, False, *further)
        return Case(gathered.snapshot, target)

    from .. import archive

    for name in NOT_FOR_SNAPSHOTS:
        if getattr(source, name):
            flag = name.removesuffix("_user").replace("_", "-")
            raise UsageError(f"--{flag} speaks of a cluster, but --snapshot reads none", "leave out one of the two")
    snapshot = archive.load(source.snapshot)
    return Case(snapshot, asked.target(snapshot.namespace, client))


def gather(
    connection: Connection, asked: Asked, client: str | None, keep: bool, *further: "Further"
) -> "tuple[Gathered, Target]":
    """What the cluster says of the Service, live; the answers as they came are kept for a snapshot."""
    from ..collect.api import connect
    from ..collect.gather import gather

    with _options(connection) as options:
        api = connect(options, on_call=_tell if connection.verbose else None)
        console.say(*(f"svcdoctor: warning: {warning}" for warning in api.warnings))
        target = asked.target(api.namespace, client)
        try:
            with console.progress(f"Reading {target.namespace}/{target.name} from {api.server}"):
                gathered = gather(api, target, keep)
            for observe in further:
                gathered = observe(api, gathered, target)
            return gathered, target
        finally:
            api.close()


@contextmanager
def _options(connection: Connection) -> "Iterator[Options]":
    """How the cluster is reached; a lab lives as long as the block."""
    from ..collect.kubeconfig import Options

    if connection.lab is not None:
        from ..lab.base import Shape
        from ..lab.serve import start

        for flag in ("kubeconfig", "context", "cluster", "user"):
            if getattr(connection, flag):
                raise UsageError(f"--{flag} speaks of a cluster, but --lab brings its own", "leave out one of the two")
        fault = find_fault(connection.lab)
        with ExitStack() as stack:
            with console.progress("Starting the lab"):
                lab = stack.enter_context(start(Shape(proxy_mode=fault.modes[0]), fault))
            yield Options(
                kubeconfig=lab.kubeconfig,
                namespace=connection.namespace,
                as_user=connection.as_user,
                as_groups=tuple(connection.as_group or ()),
                request_timeout=connection.request_timeout,
            )
        return
    yield Options(
        kubeconfig=connection.kubeconfig,
        context=connection.context,
        cluster=connection.cluster,
        user=connection.user,
        namespace=connection.namespace,
        as_user=connection.as_user,
        as_groups=tuple(connection.as_group or ()),
        request_timeout=connection.request_timeout,
    )


def _tell(call: "Call") -> None:
    query = f"?{call.query}" if call.query else ""
    console.say(f"{call.method} {call.path}{query} {call.status} {call.ms:.0f} ms {call.size} bytes")
