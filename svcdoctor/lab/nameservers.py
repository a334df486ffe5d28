"""The lab's CoreDNS: what it serves, who can ask it where, and what it logs."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import dns.message
import msgspec
from dns.message import Message

from .base import CLUSTER_DNS, COREFILE
from .controllers.backends import PODS, is_ready
from .dns import Behaviour, NameServer, log_lines
from .dns.logs import reload_failed
from .resources import named
from .store import Change, Store, selected
from .view import StoreView

Json = dict[str, Any]

CONFIGMAPS = named("configmaps")
RELOAD = 30.0
"""Seconds after which plugin/reload has seen a changed Corefile."""
OUTSIDE = {
    "example.com": ["A 93.184.216.34", "AAAA 2606:2800:21f:cb07:6820:80da:af6b:8b2c"],
    "www.example.com": ["CNAME example.com."],
    "api.example.com": ["A 203.0.113.20"],
    "*.wild.example": ["A 203.0.113.99"],
}
"""The world outside of the cluster, as its DNS has it: addresses of documentation (RFC 5737) and of IANA's examples."""


class NameServers:
    """The CoreDNS pods, asked at their own addresses (``pods``) or at the Service's (``vip``)."""

    def __init__(self, store: Store) -> None:
        self._store = store
        view = StoreView(store)

        def server() -> NameServer:
            return NameServer(view, COREFILE, OUTSIDE, now=lambda: store.clock.now)

        self.pods, self.vip = server(), server()
        store.subscribe(self._note)

    def behave(self, at: str, behaviour: Json) -> None:
        """Raises ValueError for fields that `Behaviour` lacks."""
        made = msgspec.convert(behaviour, Behaviour)
        if at != "vip":
            self.pods.behaviour = made
        self.vip.behaviour = made

    def heal(self) -> None:
        self.behave("pods", {})

    def log(self, pod: Json, since: datetime) -> list[str]:
        """What a CoreDNS that started at ``since`` has said of what it lives through now."""
        address = (pod.get("status") or {}).get("podIP") or "10.244.1.2"
        lines = log_lines(self.pods.corefile, self.pods.behaviour, since, address=address)
        return lines + (reload_failed(self.pods.reload_error) if self.pods.reload_error else [])

    def ask(self, server: str, name: str, rdtype: str) -> Message | None:
        """A question as a pod sends it to ``server``; None is silence. Raises ConnectionRefusedError."""
        query = dns.message.make_query(name, rdtype)
        if server == CLUSTER_DNS:
            if not any(True for _ in self._ready()):
                raise ConnectionRefusedError  # kube-proxy rejects what goes to a Service without endpoints
            return self.vip.answer(query, "udp")
        found = any(pod["status"].get("podIP") == server for pod in self._ready())
        return self.pods.answer(query, "udp") if found else None

    def _ready(self) -> Iterator[Json]:
        for stored in selected(self._store.list(PODS, "kube-system"), {"k8s-app": "kube-dns"}):
            pod = stored.load()
            if is_ready(pod):
                yield pod

    def _note(self, change: Change) -> None:
        """A changed ConfigMap coredns is seen some time later."""
        if change.resource == CONFIGMAPS and change.last.key == ("kube-system", "coredns") and change.new is not None:
            self._store.clock.after(RELOAD, self._reload)

    def _reload(self) -> None:
        found = self._store.get(CONFIGMAPS, "kube-system", "coredns") or {}
        for server in (self.pods, self.vip):
            server.corefile = (found.get("data") or {}).get("Corefile", "")
