"""The lab's name server: what CoreDNS would answer about the lab's objects, over UDP and TCP."""

from .behaviour import HEALTHY, Behaviour
from .dns_tools import dig_short, getent_hosts, nslookup
from .logs import log_lines, reload_failed
from .resolv_conf import resolv_conf
from .search import Ask, Lookup, lookup
from .server import NameServer
from .tokens import CorefileError
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
    "dig_short",
    "getent_hosts",
    "log_lines",
    "lookup",
    "nslookup",
    "reload_failed",
    "resolv_conf",
    "serve",
]
