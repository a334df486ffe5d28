"""Which endpoints traffic may reach from a node: kube-proxy's CategorizeEndpoints (pkg/proxy/topology.go)."""

from collections.abc import Sequence

from msgspec import Struct

from .endpoints import Backend


class Choice(Struct, frozen=True):
    """The endpoints for traffic of policy Cluster and of policy Local, and whether there is any in the cluster."""

    cluster: tuple[Backend, ...] = ()
    local: tuple[Backend, ...] = ()
    any: bool = False


def choose(
    endpoints: Sequence[Backend], node: str, zone: str, *, uses_cluster: bool = True, uses_local: bool = False
) -> Choice:
    """The choice of a node in a zone (empty: it has no zone label).

    Lists of a policy that nothing of the Service has are left empty.
    """
    cluster = _cluster(endpoints, node, zone) if uses_cluster else ()
    found = bool(cluster)
    local: tuple[Backend, ...] = ()
    if uses_local:
        found = found or any(one.ready or one.draining for one in endpoints)
        local = _ready_or_draining(tuple(one for one in endpoints if one.node and one.node == node))
    return Choice(cluster, local, found)


def _cluster(endpoints: Sequence[Backend], node: str, zone: str) -> tuple[Backend, ...]:
    """Hints count only where every ready endpoint has one, and one of them means this node or zone."""
    ready = tuple(one for one in endpoints if one.ready)
    near: tuple[Backend, ...] = ()
    if ready and all(one.node_hints for one in ready):
        near = tuple(one for one in ready if node in one.node_hints)
    if not near and ready and zone and all(one.zone_hints for one in ready):
        near = tuple(one for one in ready if zone in one.zone_hints)
    return near or ready or tuple(one for one in endpoints if one.draining)


def _ready_or_draining(endpoints: Sequence[Backend]) -> tuple[Backend, ...]:
    return tuple(one for one in endpoints if one.ready) or tuple(one for one in endpoints if one.draining)
