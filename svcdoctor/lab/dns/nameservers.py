"""Who serves the zone: the Service that CoreDNS's own address stands behind (coredns plugin/kubernetes/ns.go)."""

from collections.abc import Iterable

from .records import cluster_ips, is_headless
from .view import SERVICE_NAME, Informers

OWN = ("ns", "dns")


def addresses(informers: Informers, own: Iterable[str]) -> list[tuple[tuple[str, ...], str]]:
    """(name without the zone, address) of each; the bare addresses under ``ns.dns`` where no Service has them."""
    found: dict[str, tuple[str, ...]] = {}
    for ip in own:
        for piece, _ in informers.endpoints_by_ip(ip):
            namespace, name = piece["metadata"]["namespace"], piece["metadata"]["labels"][SERVICE_NAME]
            service = informers.service(namespace, name)
            if service is None:
                continue
            served = [ip] if is_headless(service["spec"]) else cluster_ips(service["spec"])
            for address in served:
                found.setdefault(address, (name, namespace, "svc"))
    return [(owner, ip) for ip, owner in found.items()] or [(OWN, ip) for ip in own]
