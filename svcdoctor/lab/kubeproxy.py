"""The kube-proxy of each node: what it has seen of the cluster, what it wrote, and what others did to it since."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct, structs

from .base import CLUSTER_DNS, POD_CIDRS, SERVICE_CIDRS
from .controllers.backends import NODES, PODS, SERVICES, SLICES
from .proxy import NodeView, ProxyConfig, command, node_files, stopped
from .proxy.settings import Peer
from .store import Change, Store

Json = dict[str, Any]
ZONE = "topology.kubernetes.io/zone"


EVERY = "*"
"""Stands for all nodes."""


class _Seen(Struct, frozen=True):
    """Services and slices as a kube-proxy knows them, and when the last of them changed."""

    changed: datetime
    services: tuple[Json, ...]
    slices: tuple[Json, ...]


class KubeProxies:
    """All of them. A node's files are written anew when somebody looks and the cluster has changed.

    Nodes go by their names, or all of them by ``*``.
    """

    def __init__(self, store: Store, mode: str, networks: tuple[str, ...] = POD_CIDRS) -> None:
        self._store = store
        self._networks = networks
        self.config = ProxyConfig(mode=mode, cluster_cidrs=networks, service_cidrs=SERVICE_CIDRS)  # type: ignore[arg-type]
        self._configs: dict[str, Json] = {}  # node -> fields of ProxyConfig that differ there
        self._kernels: dict[str, Json] = {}  # node -> fields of NodeView that differ there
        self._hung: dict[str, _Seen] = {}
        self._failing: dict[str, _Seen] = {}
        self._changes: dict[str, list[tuple[str, Callable[[str], str]]]] = {}
        self._deeds = 0
        self._changed = store.clock.now
        self._now: _Seen | None = None
        self._written: dict[str, tuple[Any, Mapping[str, str]]] = {}
        store.subscribe(self._note)

    def files(self, node: str) -> Mapping[str, str]:
        """The node's part of a snapshot: file name -> text."""
        stamp = (self._store.revision, self._deeds)
        known = self._written.get(node)
        if known is None or known[0] != stamp:
            known = stamp, self._write(node)
            self._written[node] = known
        return known[1]

    def run(self, node: str, argv: Sequence[str]) -> tuple[int, str, str] | None:
        """A program of kube-proxy's image, run there; None where the image has no such program."""
        return command(self.files(node), argv)

    def hang(self, node: str) -> None:
        """From now on it sees nothing more and says nothing: its rules stay as they are."""
        self._hung[node] = self._look()
        self._deeds += 1

    def change(self, node: str, file: str, change: Callable[[str], str]) -> None:
        """Somebody else's hand in the node's rules or kernel. ``change`` gets "" where there is no such file, and gives
        "" where there shall be none."""
        self._changes.setdefault(node, []).append((file, change))
        self._deeds += 1

    def configure(self, node: str, config: Json, kernel: Json) -> None:
        """Fields of `ProxyConfig` and `NodeView` that differ on ``node``; the connections are added to those before."""
        self._configs.setdefault(node, {}).update(config)
        if not config.get("syncs", True):
            self._failing[node] = self._look()
        there = self._kernels.setdefault(node, {})
        for field, value in kernel.items():
            there[field] = (*there.get(field, ()), *value) if field == "connections" else value
        self._deeds += 1

    def heal(self) -> None:
        for faults in (self._configs, self._kernels, self._hung, self._failing, self._changes, self._written):
            faults.clear()

    def _note(self, change: Change) -> None:
        if change.resource in (SERVICES, SLICES):
            self._changed = self._store.clock.now
            self._now = None

    def _look(self) -> _Seen:
        if self._now is None:
            services = tuple(stored.load() for stored in self._store.list(SERVICES))
            slices = tuple(stored.load() for stored in self._store.list(SLICES))
            self._now = _Seen(self._changed, services, slices)
        return self._now

    def _write(self, node: str) -> Mapping[str, str]:
        now = self._look()
        hung = self._hung.get(node, self._hung.get(EVERY))
        seen = hung or self._failing.get(node, self._failing.get(EVERY, now))
        view = structs.replace(self._view(node), **_of(self._kernels, node))
        config = structs.replace(self.config, **_of(self._configs, node))
        at = self._store.clock.now
        files = node_files(seen.services, seen.slices, view, config, at, seen.changed, now.changed)
        if hung:
            files = stopped(files)
        for file, change in (*self._changes.get(EVERY, ()), *self._changes.get(node, ())):
            files[file] = change(files.get(file, ""))
        return {file: text for file, text in files.items() if text}

    def _view(self, name: str) -> NodeView:
        found = self._store.get(NODES, "", name)
        if found is None:
            return NodeView(name=name)
        others = (stored.load() for stored in self._store.list(NODES) if stored.name != name)
        pods = (stored.load() for stored in self._store.list(PODS))
        return NodeView(
            name=name,
            addresses=_internal_ips(found),
            zone=(found["metadata"].get("labels") or {}).get(ZONE, ""),
            pod_cidrs=tuple(found["spec"].get("podCIDRs") or ()),
            pods=tuple(_pod_network_ips(pods, name)),
            peers=tuple(
                Peer(address, cidr)
                for other in others
                for address, cidr in zip(_internal_ips(other), other["spec"].get("podCIDRs") or (), strict=False)
            ),
            pod_networks=self._networks,
            cluster_dns=(CLUSTER_DNS,),
        )


def _of(settings: Mapping[str, Json], node: str) -> Json:
    """What differs on ``node``; its own settings go before those of all."""
    return {**settings.get(EVERY, {}), **settings.get(node, {})}


def _internal_ips(node: Json) -> tuple[str, ...]:
    return tuple(entry["address"] for entry in node["status"]["addresses"] if entry["type"] == "InternalIP")


def _pod_network_ips(pods: Any, node: str) -> list[str]:
    """Addresses of the pods that run on ``node`` in a network of their own."""
    return [
        pod["status"]["podIP"]
        for pod in pods
        if pod["spec"].get("nodeName") == node
        and not pod["spec"].get("hostNetwork")
        and (pod.get("status") or {}).get("phase") == "Running"
        and pod["status"].get("podIP")
    ]
