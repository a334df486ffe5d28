"""Which endpoints a service port's traffic may reach from one node (CategorizeEndpoints in pkg/proxy/topology.go)."""

from collections.abc import Callable, Sequence

from msgspec import Struct

from .endpoints import Endpoint
from .services import ServicePort


class Backends(Struct, frozen=True):
    """The endpoints of a service port, sorted as kube-proxy uses them."""

    cluster: tuple[Endpoint, ...] = ()
    """For the Cluster traffic policy: ready ones that the topology hints leave, or draining ones."""
    local: tuple[Endpoint, ...] = ()
    """For the Local traffic policy: those of this node. Hints don't apply."""
    reachable: tuple[Endpoint, ...] = ()
    """All that traffic may be sent to from here."""
    has_endpoints: bool = False
    """Whether anything could answer anywhere, which is not the same as ``reachable``."""


def choose(port: ServicePort, endpoints: Sequence[Endpoint], node: str, zone: str) -> Backends:
    """The backends of a service port on the node."""
    if not endpoints:
        return Backends()
    cluster: tuple[Endpoint, ...] = ()
    hinted = False
    if port.uses_cluster:
        keep = _hints(endpoints, node, zone)
        hinted = keep is not None
        cluster = tuple(one for one in endpoints if one.ready and (keep is None or keep(one)))
        cluster = cluster or tuple(one for one in endpoints if one.draining)
    if not port.uses_local:
        return Backends(cluster, (), cluster, bool(cluster))
    has_endpoints = bool(cluster) or any(one.ready or one.draining for one in endpoints)
    local = tuple(one for one in endpoints if one.is_local and one.ready)
    draining = not local
    local = local or tuple(one for one in endpoints if one.is_local and one.draining)
    if not port.uses_cluster:
        reachable = local
    elif not hinted and not (draining and local):
        reachable = cluster
    else:
        wanted = {one.text for one in (*cluster, *local)}
        reachable = tuple(one for one in endpoints if one.text in wanted)
    return Backends(cluster, local, reachable, has_endpoints)


def _hints(endpoints: Sequence[Endpoint], node: str, zone: str) -> Callable[[Endpoint], bool] | None:
    """What the topology hints let pass, None where they don't apply.

    They apply when every ready endpoint has one, and one of them names this node, or else this zone.
    """
    ready = [one for one in endpoints if one.ready]
    if not ready:
        return None
    if all(one.node_hints for one in ready) and any(node in one.node_hints for one in ready):
        return lambda one: node in one.node_hints
    if all(one.zone_hints for one in ready) and any(zone in one.zone_hints for one in ready):
        return lambda one: zone in one.zone_hints
    return None
