"""One forwarded connection: bytes to and fro between a client and a port of a pod (containerd, sandbox_portforward)."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from .pipe import PIECE
from .process import Reader, Writer
from .tasks import running

GRACE = 1.0
"""Seconds that a port may go on talking after the client has said its last; containerd's."""


class Outlet(Protocol):
    """Where bytes for the port go; asyncio.StreamWriter is one."""

    def write(self, data: bytes, /) -> None: ...
    async def drain(self) -> None: ...
    def can_write_eof(self) -> bool: ...
    def write_eof(self) -> None: ...
    def close(self) -> None: ...


Connect = Callable[[int], Awaitable[tuple[Reader, Outlet]]]
"""Connects to a port of the pod, as asyncio.open_connection does. Raises OSError with the container runtime's words."""


async def forward(port: int, connect: Connect, incoming: Reader, outgoing: Writer) -> None:
    """Forwards until one side has finished. Raises OSError when the port does not answer or breaks off."""
    reader, outlet = await connect(port)
    try:
        async with running(_pour(reader, outgoing), _feed(incoming, outlet)) as (down, up):
            await asyncio.wait((down, up), return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait((down,), timeout=GRACE)
            for task in (down, up):
                if task.done():
                    task.result()
    finally:
        outlet.close()


def refused(port: int, sandbox: str, namespace: str) -> ConnectionRefusedError:
    """What ``connect`` raises where nothing listens, in containerd's words.

    ``namespace`` is the path of the pod's network namespace, or ``host`` for a pod on its host's network.
    """
    return ConnectionRefusedError(
        f'failed to execute portforward in network namespace "{namespace}": '
        f'failed to connect to localhost:{port} inside namespace "{sandbox}", '
        f"IPv4: dial tcp4 127.0.0.1:{port}: connect: connection refused "
        f"IPv6 dial tcp6 [::1]:{port}: connect: connection refused "
    )


def wording(error: OSError, port: int, pod: str, uid: str) -> str:
    """What the kubelet says on the error stream. ``pod`` is the id of its sandbox; the runtime leaves ``uid`` empty."""
    return f"error forwarding port {port} to pod {pod}, uid {uid}: {error}"


async def _pour(reader: Reader, writer: Writer) -> None:
    while data := await reader.read(PIECE):
        await writer.write(data)


async def _feed(reader: Reader, outlet: Outlet) -> None:
    while data := await reader.read(PIECE):
        outlet.write(data)
        await outlet.drain()
    if outlet.can_write_eof():
        outlet.write_eof()
