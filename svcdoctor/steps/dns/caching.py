"""How long a no is kept: by the zone's ttl, which its SOA repeats, and by the cache plugin's cap (plugin/cache)."""

from .corefile import Directive
from .kubernetes_plugin import read
from .owner import route
from .view import View

CACHE_CAP = 1800
"""Seconds that the cache plugin keeps a no without being told otherwise."""

NODE_CACHE_DENIAL = 5
"""What NodeLocal DNSCache's manifest says."""


def denial_seconds(view: View) -> int:
    """How many seconds a server may say no to the Service's name after it was made; 0 where nothing keeps it."""
    if view.parsed is None:
        return 0
    block = route(view.parsed, view.fqdn, view.type, view.authority.port).block
    caches = block.plugin("cache") if block else ()
    if block is None or not caches:
        return 0
    ttls = [read(directive, block.zones).ttl for directive in block.plugin("kubernetes")]
    return min([_cap(caches[0]), *ttls])


def _cap(cache: Directive) -> int:
    """``cache [TTL] [ZONES...] { denial CAPACITY [TTL] }``"""
    denial = next(iter(cache.options("denial")), None)
    if denial is not None and len(denial.args) > 1 and denial.args[1].isdecimal():
        return int(denial.args[1])
    return int(cache.args[0]) if cache.args and cache.args[0].isdecimal() else CACHE_CAP
