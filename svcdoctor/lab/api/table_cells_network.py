"""Rows of Services, endpoints, EndpointSlices, Ingresses, policies and addresses.

Source: pkg/printers/internalversion/printers.go.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from .table_cells import NONE, UNSET, Cells, age, joined, labels_text, name, part, selector_cell, shortened

Json = dict[str, Any]


def service_cells(service: Json, now: datetime) -> Cells:
    spec = part(service, "spec")
    addresses = spec.get("clusterIPs") or [spec.get("clusterIP") or NONE]
    return [
        *(name(service), spec.get("type", ""), addresses[0], _external(service)),
        *(_ports(spec.get("ports") or ()), age(service, now), labels_text(spec.get("selector"))),
    ]


def _external(service: Json) -> str:
    spec = part(service, "spec")
    own = spec.get("externalIPs") or []
    match spec.get("type"):
        case "LoadBalancer":
            found = [text for text in (_balancer(service), *own) if text]
            return joined(found) or "<pending>"
        case "ExternalName":
            return str(spec.get("externalName", ""))
    return joined(own) or NONE


def _balancer(item: Json) -> str:
    """Of a Service or Ingress: each address once, in order."""
    found = part(item, "status", "loadBalancer").get("ingress") or ()
    return joined(sorted({one.get("ip") or one.get("hostname") or "" for one in found} - {""}))


def _ports(ports: Sequence[Json]) -> str:
    shown = []
    for port in ports:
        outside = f":{port['nodePort']}" if port.get("nodePort") else ""
        shown.append(f"{port.get('port')}{outside}/{port.get('protocol', 'TCP')}")
    return joined(shown) or NONE


def endpoints_cells(endpoints: Json, now: datetime) -> Cells:
    subsets = endpoints.get("subsets") or ()
    shown = shortened(list(_addresses(subsets))) if subsets else NONE
    return [name(endpoints), shown, age(endpoints, now)]


def _addresses(subsets: Sequence[Json]) -> Iterator[str]:
    for subset in subsets:
        found = [one.get("ip", "") for one in subset.get("addresses") or ()]
        for port in subset.get("ports") or ():
            yield from (f"{_host(address)}:{port.get('port')}" for address in found)
        if not subset.get("ports"):
            yield from found


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def endpoint_slice_cells(found: Json, now: datetime) -> Cells:
    ports = ["*" if port.get("port") is None else str(port["port"]) for port in found.get("ports") or ()]
    addresses = [address for one in found.get("endpoints") or () for address in one.get("addresses") or ()]
    shown = (shortened(ports) or UNSET, shortened(addresses) or UNSET)
    return [name(found), found.get("addressType", ""), *shown, age(found, now)]


def ingress_cells(ingress: Json, now: datetime) -> Cells:
    spec = part(ingress, "spec")
    hosts = [rule["host"] for rule in spec.get("rules") or () if rule.get("host")]
    return [
        *(name(ingress), spec.get("ingressClassName") or NONE, shortened(hosts) or "*"),
        *(_balancer(ingress), "80, 443" if spec.get("tls") else "80", age(ingress, now)),
    ]


def ingress_class_cells(found: Json, now: datetime) -> Cells:
    spec = part(found, "spec")
    to = spec.get("parameters")
    shown = ""
    if to:
        group = f".{to['apiGroup']}" if to.get("apiGroup") else ""
        shown = f"{to.get('kind')}{group}/{to.get('name')}"
    return [name(found), spec.get("controller", ""), shown or NONE, age(found, now)]


def network_policy_cells(policy: Json, now: datetime) -> Cells:
    return [name(policy), selector_cell(part(policy, "spec").get("podSelector")), age(policy, now)]


def service_cidr_cells(found: Json, now: datetime) -> Cells:
    return [name(found), joined(part(found, "spec").get("cidrs") or ()), age(found, now)]


def ip_address_cells(found: Json, now: datetime) -> Cells:
    to = part(found, "spec", "parentRef")
    parts = [to.get("group"), to.get("resource"), to.get("namespace"), to.get("name")]
    return [name(found), "/".join(one for one in parts if one), age(found, now)]
