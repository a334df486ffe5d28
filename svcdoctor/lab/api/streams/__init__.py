"""The streaming side of the API server: exec and port-forward as kubectl and the official clients speak them.

    exec          WebSocket v5, v4 and older channels; SPDY/3.1
    port-forward  SPDY/3.1; SPDY/3.1 inside a WebSocket; WebSocket channels

aiohttp carries HTTP and WebSocket. SPDY, which no library that is kept speaks, is in ``spdy``.
"""

from .forwarding import Connect, Outlet, refused
from .options import ExecOptions, exec_options
from .portforward import port_forward
from .process import CannotStart, Process, Reader, Size, Writer
from .remotecommand import exec_

__all__ = [
    "CannotStart",
    "Connect",
    "ExecOptions",
    "Outlet",
    "Process",
    "Reader",
    "Size",
    "Writer",
    "exec_",
    "exec_options",
    "port_forward",
    "refused",
]
