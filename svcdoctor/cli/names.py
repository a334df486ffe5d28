"""What to say of a name that does not exist."""

from collections.abc import Collection

from ..errors import UsageError


def unknown(what: str, name: str, known: Collection[str], listed_by: str = "") -> UsageError:
    """The error for ``name``, with the names that it may have been meant to be.

    Where no name is near, all are listed, or the command is named that does so: ``listed_by``.
    """
    from ..steps.near import nearest

    near = nearest(name, known)
    return UsageError(
        f"no {what} is called {name or 'nothing'}",
        f"did you mean {' or '.join(near)}?" if near else listed_by or f"there are: {', '.join(known)}",
    )
