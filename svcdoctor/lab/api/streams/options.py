"""What the query of an exec or port-forward request asks for."""

import re
from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct


class BadOptions(ValueError):
    """The query can't be understood. Its text is what the API server answers under 400."""


class Query(Protocol):
    """A query's values by name, as multidict keeps them."""

    def getall(self, key: str, default: list[str], /) -> list[str]:
        """All values of one name, in order."""


class ExecOptions(Struct, frozen=True):
    """v1.PodExecOptions."""

    command: Sequence[str]
    container: str = ""
    stdin: bool = False
    stdout: bool = False
    stderr: bool = False
    tty: bool = False


def exec_options(query: Query) -> ExecOptions:
    """Reads ``?command=..&stdin=..&stdout=..&stderr=..&tty=..&container=..``."""
    return ExecOptions(
        command=tuple(query.getall("command", [])),
        container=_first(query, "container"),
        stdin=_true(query, "stdin"),
        stdout=_true(query, "stdout"),
        stderr=_true(query, "stderr"),
        tty=_true(query, "tty"),
    )


def forwarded_ports(query: Query) -> list[int]:
    """The ports of a port-forward over channels: ``?ports=80&ports=81`` or ``?ports=80,81``. Raises BadOptions."""
    values = query.getall("ports", [])
    if not values:
        raise BadOptions('query parameter "port" is required')
    ports = []
    for text in ",".join(values).split(","):
        if not re.fullmatch("[0-9]{1,5}", text, re.ASCII) or int(text) > 0xFFFF:
            raise BadOptions(f'unable to parse "{text}" as a port: strconv.ParseUint: parsing "{text}": invalid syntax')
        if int(text) == 0:
            raise BadOptions(f'port "{text}" must be > 0')
        ports.append(int(text))
    return ports


def _first(query: Query, name: str) -> str:
    return query.getall(name, [""])[0]


def _true(query: Query, name: str) -> bool:
    """apimachinery's Convert_Slice_string_To_bool: a name that is there means yes, unless it says 0 or false."""
    values = query.getall(name, [])
    return bool(values) and values[0].lower() not in {"0", "false"}
