"""The cluster's objects as its name server looks them up: by name and by address."""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .controllers.backends import PODS, SERVICE_NAME, SERVICES, SLICES
from .resources import named
from .store import Change, Store, Stored

Json = dict[str, Any]

NAMESPACES = named("namespaces")


class StoreView:
    """`dns.view.View` over the store. The indexes of addresses are built when they are first asked for."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._slices: dict[tuple[str, str], dict[str, Stored]] = {}  # (namespace, service) -> slices by name
        self._ips: dict[str, set[tuple[str, str]]] | None = None  # a Service's address -> its keys
        self._endpoints: dict[str, set[tuple[str, str]]] | None = None  # an endpoint's address -> slices' keys
        self._pods: dict[tuple[str, str], str] | None = None  # (namespace, address) -> pod
        for stored in store.list(SLICES):
            self._add_slice(stored)
        store.subscribe(self._note)

    def service(self, namespace: str, name: str) -> Json | None:
        return self._store.get(SERVICES, namespace, name)

    def slices(self, namespace: str, service: str) -> Iterator[Json]:
        for stored in self._slices.get((namespace, service), {}).values():
            yield stored.load()

    def namespaces(self) -> Mapping[str, Mapping[str, str]]:
        return {stored.name: stored.labels for stored in self._store.list(NAMESPACES)}

    def services_by_ip(self, ip: str) -> Iterator[Json]:
        if self._ips is None:
            self._ips = {}
            for stored in self._store.list(SERVICES):
                self._index(self._ips, stored, _cluster_ips)
        yield from self._load(SERVICES, self._ips.get(ip, ()))

    def endpoints_by_ip(self, ip: str) -> Iterator[tuple[Json, Json]]:
        if self._endpoints is None:
            self._endpoints = {}
            for stored in self._store.list(SLICES):
                self._index(self._endpoints, stored, _endpoint_ips)
        for found in self._load(SLICES, self._endpoints.get(ip, ())):
            for endpoint in found.get("endpoints") or ():
                if ip in map(_short, endpoint["addresses"]):
                    yield found, endpoint

    def pod_by_ip(self, namespace: str, ip: str) -> Json | None:
        if self._pods is None:
            self._pods = {}
            for stored in self._store.list(PODS):
                self._pods |= {(stored.namespace, address): stored.name for address in _pod_ips(stored.load())}
        name = self._pods.get((namespace, ip))
        pod = self._store.get(PODS, namespace, name) if name else None
        return pod if pod and ip in _pod_ips(pod) else None

    def _load(self, resource: Any, keys: Iterable[tuple[str, str]]) -> Iterator[Json]:
        for key in sorted(keys):
            found = self._store.get(resource, *key)
            if found is not None:
                yield found

    # ------------------------------------------------------------------------------------------------------- following

    def _note(self, change: Change) -> None:
        if change.resource == SLICES:
            self._note_slice(change)
        elif change.resource == SERVICES and self._ips is not None:
            self._move(self._ips, change, _cluster_ips)
        elif change.resource == PODS and self._pods is not None and change.new is not None:
            self._pods |= {(change.new.namespace, ip): change.new.name for ip in _pod_ips(change.new.load())}

    def _note_slice(self, change: Change) -> None:
        if change.old is not None:
            self._slices.get((change.old.namespace, change.old.labels.get(SERVICE_NAME, "")), {}).pop(
                change.old.name, None
            )
        if change.new is not None:
            self._add_slice(change.new)
        if self._endpoints is not None:
            self._move(self._endpoints, change, _endpoint_ips)

    def _add_slice(self, stored: Stored) -> None:
        key = (stored.namespace, stored.labels.get(SERVICE_NAME, ""))
        self._slices.setdefault(key, {})[stored.name] = stored

    def _move(self, index: dict[str, set[tuple[str, str]]], change: Change, addresses: Any) -> None:
        if change.old is not None:
            for address in addresses(change.old.load()):
                index.get(address, set()).discard(change.old.key)
        if change.new is not None:
            self._index(index, change.new, addresses)

    def _index(self, index: dict[str, set[tuple[str, str]]], stored: Stored, addresses: Any) -> None:
        for address in addresses(stored.load()):
            index.setdefault(address, set()).add(stored.key)


def _short(address: str) -> str:
    return str(ipaddress.ip_address(address))


def _cluster_ips(service: Json) -> set[str]:
    spec = service.get("spec") or {}
    ips = {spec.get("clusterIP"), *(spec.get("clusterIPs") or ())}
    return {_short(ip) for ip in ips if ip and ip != "None"}


def _endpoint_ips(found: Json) -> set[str]:
    if found["addressType"] == "FQDN":
        return set()
    return {_short(ip) for endpoint in found.get("endpoints") or () for ip in endpoint["addresses"]}


def _pod_ips(pod: Json) -> set[str]:
    return {_short(entry["ip"]) for entry in (pod.get("status") or {}).get("podIPs") or ()}
