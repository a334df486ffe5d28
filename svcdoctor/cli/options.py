"""The options that commands share, in one place. They mean what they mean in kubectl.

A command asks for them by one parameter of type `Connection` or `Source`; `spread` gives it the single options.
"""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option

ServiceName = Annotated[
    str,
    Argument(
        metavar="NAME",
        show_default=False,
        help="web, svc/web, web.shop, web:80, web.shop.svc.cluster.local, http://web.shop/path",
    ),
]
ClientName = Annotated[
    str | None,
    Option(metavar="CLIENT", help="Look from this client: POD, NAMESPACE/POD or node/NAME."),
]
NoColor = Annotated[bool, Option("--no-color", help="Plain letters, as with NO_COLOR=1.")]


@dataclass(frozen=True)
class Connection:
    """Which cluster to ask, and as whom."""

    namespace: Annotated[str | None, Option("--namespace", "-n", metavar="NS", help="The Service's namespace.")] = None
    context: Annotated[str | None, Option(metavar="NAME", help="Context of the kubeconfig.")] = None
    cluster: Annotated[str | None, Option(metavar="NAME", help="Cluster of the kubeconfig.")] = None
    user: Annotated[str | None, Option(metavar="NAME", help="User of the kubeconfig.")] = None
    kubeconfig: Annotated[Path | None, Option(metavar="FILE", help="The kubeconfig.")] = None
    as_user: Annotated[str | None, Option("--as", metavar="USER", help="User to impersonate.")] = None
    as_group: Annotated[list[str] | None, Option(metavar="GROUP", help="Group to impersonate; repeatable.")] = None
    request_timeout: Annotated[
        str | None, Option(metavar="TIME", help="Longest wait for one answer: 5s, 1m; 0 for no limit.")
    ] = None
    lab: Annotated[
        str | None, Option(metavar="FAULT", help="Ask an embedded cluster with this fault; see lab faults.")
    ] = None
    verbose: Annotated[bool, Option("--verbose", "-v", help="Show every API call on stderr.")] = False


@dataclass(frozen=True)
class Source(Connection):
    """A cluster, or a snapshot of one."""

    snapshot: Annotated[Path | None, Option(metavar="PATH", help="Read this folder or .tar.gz, no cluster.")] = None


def spread(command: Callable[..., Any]) -> Callable[..., Any]:
    """``command`` with its `Connection` parameter replaced by that type's fields, for Typer to see."""
    own = inspect.signature(command).parameters
    bundle = next((parameter for parameter in own.values() if parameter.annotation in (Connection, Source)), None)
    if bundle is None:
        return command
    fields = inspect.signature(bundle.annotation).parameters

    @functools.wraps(command)
    def spread_command(**values: Any) -> Any:
        gathered = bundle.annotation(**{name: values.pop(name) for name in fields})
        return command(**values, **{bundle.name: gathered})

    others = [parameter for parameter in own.values() if parameter is not bundle]
    parameters = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in (*others, *fields.values())]
    spread_command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return spread_command
