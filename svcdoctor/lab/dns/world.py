"""What a plugin may ask and tell beyond the question it got."""

from collections.abc import Callable

from dns.name import Name
from msgspec import Struct

from .behaviour import Behaviour
from .message import Next
from .upstream import Upstream
from .view import View
from .zones import zones


class World(Struct, frozen=True):
    """The name server, as its plugins see it."""

    view: View
    behaviour: Behaviour
    upstream: Upstream
    resolve: Next  # asks the whole server anew, as for a CNAME's target
    wait: Callable[[float], None]  # seconds that the client has to wait longer
    serial: Callable[[], int]
    addresses: tuple[str, ...]  # the server's own


class Fallthrough(Struct, frozen=True):
    """For which names that it does not find a plugin asks the next one."""

    zones: tuple[Name, ...] = ()

    def covers(self, name: Name) -> bool:
        return any(name.is_subdomain(zone) for zone in self.zones)


def fallthrough(args: tuple[str, ...], line: int) -> Fallthrough:
    """Of the words after ``fallthrough``: none of them means every name."""
    return Fallthrough(zones(args or (".",), line))
