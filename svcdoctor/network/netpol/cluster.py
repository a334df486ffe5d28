"""The places that policies speak of: namespaces with their labels, pods and nodes with their addresses."""

from collections.abc import Iterable, Mapping
from functools import cached_property

from msgspec import Struct

from ...model.cluster import Namespace
from ...model.pod import Pod
from ...model.policy import NAME_LABEL
from .addresses import Address, address


class Host(Struct, frozen=True):
    """A node as policies see it."""

    name: str
    addresses: tuple[str, ...] = ()
    labels: Mapping[str, str] = {}


class Cluster:
    """Never changes once made; its indexes are built when first asked for, as most questions need none."""

    def __init__(
        self,
        namespaces: Iterable[Namespace],
        pods: Iterable[Pod],
        hosts: Iterable[Host] | None,
        namespaces_complete: bool,
    ) -> None:
        self.pods = tuple(pods)
        self.hosts = {host.name: host for host in hosts or ()}
        self.hosts_complete = hosts is not None
        self.namespaces = {namespace.name: {**namespace.labels, NAME_LABEL: namespace.name} for namespace in namespaces}
        self.namespaces_complete = namespaces_complete

    def namespace_labels(self, name: str) -> tuple[Mapping[str, str], bool]:
        """The labels of a namespace, and whether there can be no others."""
        labels = self.namespaces.get(name)
        return ({NAME_LABEL: name}, self.namespaces_complete) if labels is None else (labels, True)

    def pods_in(self, namespace: str) -> tuple[Pod, ...]:
        """Those that have not run to their end: the others are out of every selector's reach."""
        return self._by_namespace.get(namespace, ())

    def pod_at(self, wanted: Address) -> Pod | None:
        """The pod that has this address for itself; of several (an address in reuse), the one that stays."""
        return self._by_address[0].get(str(wanted))

    def host_at(self, wanted: Address) -> str | None:
        """The name of the node that has this address, known by itself or by its pods on the host's network."""
        return self._by_address[1].get(str(wanted))

    @cached_property
    def _by_namespace(self) -> dict[str, tuple[Pod, ...]]:
        found: dict[str, list[Pod]] = {}
        for pod in self.pods:
            if not pod.terminal:
                found.setdefault(pod.metadata.namespace, []).append(pod)
        return {namespace: tuple(pods) for namespace, pods in found.items()}

    @cached_property
    def _by_address(self) -> tuple[dict[str, Pod], dict[str, str]]:
        pods: dict[str, Pod] = {}
        hosts: dict[str, str] = {}
        for pod in self.pods:
            if pod.terminal:
                continue
            for ip in map(_spelt, pod.addresses):
                if pod.spec.host_network:
                    hosts.setdefault(ip, pod.spec.node_name)
                elif ip not in pods or pods[ip].terminating:
                    pods[ip] = pod
        for host in self.hosts.values():
            hosts.update(dict.fromkeys(map(_spelt, host.addresses), host.name))
        return pods, hosts


def _spelt(ip: str) -> str:
    """``ip`` as Python spells it; IPv4 has one spelling only, and there may be a hundred thousand of them."""
    return str(address(ip) or ip) if ":" in ip else ip
