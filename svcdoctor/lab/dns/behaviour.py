"""How a name server can be unwell: data that a fault sets and takes back while it runs."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from msgspec import Struct

Transport = Literal["udp", "tcp"]


class Behaviour(Struct, frozen=True):
    """What differs from a healthy CoreDNS. The names are those of the failure modes that each shows."""

    delay: float = 0.0
    """Seconds before every answer: dns-slow, dns-5s-race."""
    silent: frozenset[Transport] = frozenset()
    """Questions over these are never answered: dns-down (both), np-dns-egress and dns-tcp-blocked (one)."""
    refuse_tcp: bool = False
    """A TCP connection is reset as soon as it stands: dns-tcp-blocked."""
    truncate: bool = False
    """Every answer over UDP comes empty and truncated: the other half of dns-tcp-blocked."""
    unsynced: bool = False
    """CoreDNS never reached the API server: it knows no object, and what it cannot find is SERVFAIL: dns-down."""
    endpoints: Literal["visible", "hidden", "unsynced"] = "visible"
    """EndpointSlices are forbidden: coredns-rbac. Headless names are NXDOMAIN where the informer counts as synced,
    else SERVFAIL like all that is not found; ClusterIP Services still resolve."""
    denied: Mapping[str, datetime] = {}
    """Names that a cache says do not exist until a moment, whatever is true: negative-cache."""
    lies: Mapping[str, str] = {}
    """Another address for a name: headless-set-drift, client-dns-cache, corefile-override without its stanza."""
    dead_upstreams: frozenset[str] = frozenset()
    """Targets of forward, as the Corefile has them but for their port, that never answer: upstream-dead."""
    upstream_seconds: float = 0.0
    """How long forward tries before SERVFAIL; CoreDNS gives up after 5 s: upstream-dead, dns-slow."""
    in_flight: int = 0
    """Forwarded questions that are already under way; from forward's max_concurrent on the next is REFUSED. The
    catalogue of failure modes has no name of its own for it."""
    loop: bool = False
    """forward leads back to CoreDNS, which ends itself when it sees that: nobody answers: coredns-loop."""


HEALTHY = Behaviour()
