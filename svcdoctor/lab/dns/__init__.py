"""The lab's name server: what CoreDNS would answer about the lab's objects, over UDP and TCP."""

from .behaviour import HEALTHY, Behaviour
from .corefile import CorefileError
from .logs import log_lines
from .resolv_conf import resolv_conf
from .search import Ask, Lookup, lookup
from .server import NameServer
from .transport import Serving, serve
from .upstream import Upstream
from .view import View

__all__ = [
    "HEALTHY",
    "Ask",
    "Behaviour",
    "CorefileError",
    "Lookup",
    "NameServer",
    "Serving",
    "Upstream",
    "View",
    "log_lines",
    "lookup",
    "resolv_conf",
    "serve",
]
