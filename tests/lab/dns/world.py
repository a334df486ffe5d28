"""Small clusters for the name server, and questions to it over real sockets."""

import asyncio
import ipaddress
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

import dns.asyncquery
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
from dns.message import Message

from svcdoctor.lab.dns import NameServer, Serving, serve
from svcdoctor.lab.dns.behaviour import Transport

Json = dict[str, Any]
Result = TypeVar("Result")
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
TIMEOUT = 5.0

COREFILE = """
.:53 {
    errors
    health {
        lameduck 5s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
        ttl 30
    }
    prometheus :9153
    forward . /etc/resolv.conf {
        max_concurrent 1000
    }
    cache 30
    loop
    reload
    loadbalance
}
"""
OUTSIDE = {
    "example.com": ["A 93.184.216.34", "AAAA 2606:2800:220:1::1", 'TXT "v=spf1 -all"'],
    "www.example.com": ["CNAME example.com."],
    "*.wild.example": ["A 203.0.113.9"],
}


class Objects:
    """A View over plain lists, indexed once."""

    def __init__(
        self,
        services: Iterable[Json] = (),
        slices: Iterable[Json] = (),
        namespaces: Mapping[str, Mapping[str, str]] | None = None,
        pods: Iterable[Json] = (),
    ) -> None:
        self._services = {(one["metadata"]["namespace"], one["metadata"]["name"]): one for one in services}
        self._namespaces = namespaces or {namespace: {} for namespace, _ in self._services}
        self._slices: defaultdict[tuple[str, str], list[Json]] = defaultdict(list)
        self._by_ip: defaultdict[str, list[Json]] = defaultdict(list)
        self._endpoints: defaultdict[str, list[tuple[Json, Json]]] = defaultdict(list)
        self._pods = {(one["metadata"]["namespace"], one["status"]["podIP"]): one for one in pods}
        for service in self._services.values():
            for ip in service["spec"].get("clusterIPs") or ():
                self._by_ip[ip].append(service)
        for piece in slices:
            meta = piece["metadata"]
            self._slices[meta["namespace"], meta["labels"]["kubernetes.io/service-name"]].append(piece)
            for endpoint in piece["endpoints"]:
                for ip in endpoint["addresses"]:
                    self._endpoints[ip].append((piece, endpoint))

    def service(self, namespace: str, name: str) -> Json | None:
        return self._services.get((namespace, name))

    def slices(self, namespace: str, service: str) -> Iterable[Json]:
        return self._slices[namespace, service]

    def namespaces(self) -> Mapping[str, Mapping[str, str]]:
        return self._namespaces

    def services_by_ip(self, ip: str) -> Iterable[Json]:
        return self._by_ip[ip]

    def endpoints_by_ip(self, ip: str) -> Iterable[tuple[Json, Json]]:
        return self._endpoints[ip]

    def pod_by_ip(self, namespace: str, ip: str) -> Json | None:
        return self._pods.get((namespace, ip))


def service(name: str, *ips: str, namespace: str = "shop", ports: Iterable[Json] = (), **more: Any) -> Json:
    """A ClusterIP Service; headless with "None" as its only address."""
    spec = {"type": "ClusterIP", "clusterIPs": list(ips), "ports": list(ports) or [port("http", 80)], **more}
    labels = spec.pop("labels", {})
    return {"metadata": {"name": name, "namespace": namespace, "labels": labels}, "spec": spec}


def external(name: str, target: str, namespace: str = "shop") -> Json:
    spec = {"type": "ExternalName", "externalName": target}
    return {"metadata": {"name": name, "namespace": namespace}, "spec": spec}


def port(name: str | None, number: int, protocol: str = "TCP") -> Json:
    return {"port": number, "protocol": protocol} | ({"name": name} if name else {})


def piece(
    of: str, *endpoints: Json, namespace: str = "shop", ports: Iterable[Json] | None = None, **labels: str
) -> Json:
    """An EndpointSlice of the Service ``of``."""
    return {
        "metadata": {
            "name": f"{of}-abcde",
            "namespace": namespace,
            "labels": {"kubernetes.io/service-name": of, **labels},
        },
        "addressType": "IPv4",
        "ports": [port("http", 8080)] if ports is None else list(ports),
        "endpoints": list(endpoints),
    }


def endpoint(*ips: str, hostname: str | None = None, ready: bool | None = True, pod: str | None = None) -> Json:
    made: Json = {"addresses": list(ips), "conditions": {} if ready is None else {"ready": ready}}
    if hostname:
        made["hostname"] = hostname
    if pod:
        made["targetRef"] = {"kind": "Pod", "name": pod}
    return made


def kube_dns() -> list[Json]:
    return [service("kube-dns", "10.96.0.10", namespace="kube-system", ports=[port("dns", 53, "UDP")])]


def name_server(view: Objects, corefile: str = COREFILE, **more: Any) -> NameServer:
    more.setdefault("upstream", OUTSIDE)
    return NameServer(view, corefile, now=lambda: NOW, **more)


def serving(server: NameServer, scenario: Callable[[Serving], Awaitable[Result]]) -> Result:
    """Runs ``scenario`` against the server on loopback sockets."""

    async def run() -> Result:
        served = await serve(server)
        try:
            return await scenario(served)
        finally:
            await served.close()

    return asyncio.run(run())


async def over(transport: str, served: Serving, query: Message, timeout: float = TIMEOUT) -> Message:
    send = dns.asyncquery.udp if transport == "udp" else dns.asyncquery.tcp
    return await send(query, "127.0.0.1", timeout=timeout, port=served.port)


def ask(server: NameServer, name: str, rdtype: str = "A", transport: str = "udp", **query: Any) -> Message:
    """One question over a socket."""
    asked = dns.message.make_query(name, rdtype, **query)
    return serving(server, lambda served: over(transport, served, asked))


def put(server: NameServer, name: str, rdtype: str = "A", transport: Transport = "udp") -> Message:
    """One question without sockets, which must have an answer."""
    message = server.answer(dns.message.make_query(name, rdtype), transport)
    assert message is not None
    return message


def lines(section: Iterable[dns.rrset.RRset]) -> list[str]:
    """``owner ttl type data`` of each record, in alphabetical order; an SOA's serial is left out."""
    return sorted(_line(rrset, data.to_text()) for rrset in section for data in rrset)


def _line(rrset: dns.rrset.RRset, data: str) -> str:
    kind = dns.rdatatype.to_text(rrset.rdtype)
    words = data.split()
    if kind == "SOA":
        words[2:] = ["serial", *words[3:6], "minimum"]
    if kind == "AAAA":
        words = [str(ipaddress.ip_address(data))]
    return " ".join([rrset.name.to_text(), str(rrset.ttl), kind, *words])


def answers(message: Message) -> tuple[str, list[str]]:
    """(rcode, answer section without TTLs)."""
    owned = [line.split(" ") for line in lines(message.answer)]
    return dns.rcode.to_text(message.rcode()), [" ".join([owner, *rest]) for owner, _, *rest in owned]
