"""The snapshot as policies see it: compiled once, with what could not be read of it."""

from collections.abc import Iterable, Iterator
from functools import cached_property
from ipaddress import ip_address

from ...model.case import Case
from ...model.cluster import Node
from ...model.policy import NetworkPolicy, Policy
from ...model.service import Service
from ...model.snapshot import Gap
from ...network.netpol import Compiled, Host, PolicyRef, compile_policies
from ...network.netpol.rules import reference
from .routes import Route

CLUSTER_WIDE = ("clusternetworkpolicies", "adminnetworkpolicies", "baselineadminnetworkpolicies")


class World:
    """Everything that the step asks of one Case, whose Service is ``service``."""

    def __init__(self, case: Case, service: Service) -> None:
        self.case = case
        self.service = service
        self.snapshot = case.snapshot

    @cached_property
    def policies(self) -> tuple[Policy, ...]:
        read = self.snapshot
        cluster_wide = (getattr(read, plural).items for plural in CLUSTER_WIDE)
        return (*read.networkpolicies.items, *(policy for policies in cluster_wide for policy in policies))

    @cached_property
    def compiled(self) -> Compiled:
        read = self.snapshot
        hosts = tuple(map(_host, read.nodes.items)) if read.nodes.covers() or read.nodes.items else None
        complete = read.namespaces.covers()
        return compile_policies(
            self.policies, read.namespaces.items, read.pods.items, hosts, namespaces_complete=complete
        )

    @cached_property
    def by_reference(self) -> dict[PolicyRef, Policy]:
        return {reference(policy): policy for policy in self.policies}

    def network_policies(self, refs: Iterable[PolicyRef]) -> tuple[NetworkPolicy, ...]:
        """The NetworkPolicies among ``refs``."""
        found = (self.by_reference.get(ref) for ref in refs)
        return tuple(policy for policy in found if isinstance(policy, NetworkPolicy))

    def no_namespace_has(self, key: str) -> bool:
        """Whether it is known that no namespace has a label ``key``."""
        return self.snapshot.namespaces.covers() and key not in self._namespace_keys

    @cached_property
    def _namespace_keys(self) -> frozenset[str]:
        return frozenset(key for labels in self.compiled.cluster.namespaces.values() for key in labels)

    def unseen(self, route: Route) -> Gap | None:
        """Why policies can't be judged at the end of ``route``: its pod was not read, and some may select it."""
        place = route.place
        if not place.unseen or not self.policies:
            return None
        pods = self.snapshot.pods
        return None if pods.covers(place.unseen) else self.snapshot.gap("pods", place.unseen)

    def unread(self, namespaces: Iterable[str]) -> Iterator[Gap]:
        """Why policies that may concern pods of ``namespaces`` are not known.

        The cluster-wide kinds are extensions that few clusters have: they count as unread where that was refused, not
        where a snapshot does not speak of them.
        """
        for namespace in dict.fromkeys(namespaces):
            if gap := self.case.need("networkpolicies", namespace):
                yield gap
        for plural in CLUSTER_WIDE:
            gap = self.snapshot.gap(plural)
            if gap in self.snapshot.gaps and not getattr(self.snapshot, plural).covers():
                yield gap


def _host(node: Node) -> Host:
    return Host(node.name, tuple(a.address for a in node.status.addresses if _is_ip(a.address)), node.labels)


def _is_ip(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
