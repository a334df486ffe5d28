"""What endpoints, EndpointSlices, NetworkPolicies and Ingresses may say.

Source: pkg/apis/core/validation (endpoints), pkg/apis/discovery/validation, pkg/apis/networking/validation.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from .validate_addresses import BAD_CIDR, endpoint_ip, parse_cidr, parse_ip
from .validate_errors import FieldError, duplicate, forbidden, immutable, invalid, not_supported, required, too_many
from .validate_meta import label_selector
from .validate_names import dns_label, dns_subdomain, port_name, port_number, wildcard_subdomain
from .validate_service import PROTOCOLS, port_or_name, protocol

Json = dict[str, Any]

ADDRESS_TYPES = ("FQDN", "IPv4", "IPv6")
PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
MAX_ENDPOINTS, MAX_ADDRESSES, MAX_PORTS = 1000, 100, 20_000

# ------------------------------------------------------------------------------------------------------------ endpoints


def endpoints(item: Json) -> list[FieldError]:
    errors: list[FieldError] = []
    for index, subset in enumerate(item.get("subsets") or ()):
        place = f"subsets[{index}]"
        if not subset.get("addresses") and not subset.get("notReadyAddresses"):
            errors.append(required(place, "must specify `addresses` or `notReadyAddresses`"))
        for field in ("addresses", "notReadyAddresses"):
            for at, address in enumerate(subset.get(field) or ()):
                errors += endpoint_ip(f"{place}.{field}[{at}].ip", address.get("ip", ""))
        ports = subset.get("ports") or ()
        for at, port in enumerate(ports):
            errors += _endpoint_port(f"{place}.ports[{at}]", port, len(ports) > 1)
    return errors


def _endpoint_port(place: str, port: Json, named: bool) -> list[FieldError]:
    name, number = port.get("name") or "", port.get("port", 0)
    errors = [required(f"{place}.name")] if named and not name else []
    errors += [invalid(f"{place}.name", name, wrong) for wrong in (dns_label(name) if name else ())]
    errors += [invalid(f"{place}.port", number, wrong) for wrong in port_number(number)]
    return errors + protocol(f"{place}.protocol", port.get("protocol"))


def endpoint_slice(item: Json) -> list[FieldError]:
    kind, found, ports = item.get("addressType"), item.get("endpoints") or (), item.get("ports") or ()
    errors: list[FieldError] = []
    if not kind:
        errors.append(required("addressType"))
    elif kind not in ADDRESS_TYPES:
        errors.append(not_supported("addressType", kind, ADDRESS_TYPES))
    if len(found) > MAX_ENDPOINTS:
        return [*errors, too_many("endpoints", len(found), MAX_ENDPOINTS)]
    for index, endpoint in enumerate(found):
        errors += _endpoint(f"endpoints[{index}]", endpoint, kind)
    return errors + _slice_ports(ports)


def _endpoint(place: str, endpoint: Json, kind: Any) -> list[FieldError]:
    addresses = endpoint.get("addresses") or ()
    errors: list[FieldError] = []
    if not addresses:
        errors.append(required(f"{place}.addresses", "must contain at least 1 address"))
    elif len(addresses) > MAX_ADDRESSES:
        errors.append(too_many(f"{place}.addresses", len(addresses), MAX_ADDRESSES))
    for index, address in enumerate(addresses):
        field = f"{place}.addresses[{index}]"
        if kind == "FQDN":
            errors += [invalid(field, address, wrong) for wrong in dns_subdomain(address)]
            continue
        parsed = parse_ip(address)
        if kind in ADDRESS_TYPES and (parsed is None or f"IPv{parsed.version}" != kind):
            errors.append(invalid(field, address, f"must be a valid {kind} address"))
        elif parsed is not None:
            errors += endpoint_ip(field, address)
    if endpoint.get("hostname"):
        wrongs = dns_label(endpoint["hostname"])
        errors += [invalid(f"{place}.hostname", endpoint["hostname"], wrong) for wrong in wrongs]
    return errors


def _slice_ports(ports: Sequence[Json]) -> list[FieldError]:
    if len(ports) > MAX_PORTS:
        return [too_many("ports", len(ports), MAX_PORTS)]
    errors: list[FieldError] = []
    names: set[str] = set()
    for index, port in enumerate(ports):
        place, name = f"ports[{index}]", port.get("name") or ""
        errors += [invalid(f"{place}.name", name, wrong) for wrong in (dns_label(name) if name else ())]
        if name in names:
            errors.append(duplicate(f"{place}.name", name))
        names.add(name)
        errors += protocol(f"{place}.protocol", port.get("protocol"))
    return errors


def endpoint_slice_update(old: Json, new: Json) -> list[FieldError]:
    changed = old.get("addressType") != new.get("addressType")
    return [immutable("addressType", new.get("addressType"))] if changed else []


# ------------------------------------------------------------------------------------------------------ NetworkPolicies


def network_policy(item: Json) -> list[FieldError]:
    spec = item.get("spec") or {}
    errors = label_selector("spec.podSelector", spec.get("podSelector"))
    for direction, peers in (("ingress", "from"), ("egress", "to")):
        for index, rule in enumerate(spec.get(direction) or ()):
            place = f"spec.{direction}[{index}]"
            for at, port in enumerate(rule.get("ports") or ()):
                errors += _policy_port(f"{place}.ports[{at}]", port)
            for at, peer in enumerate(rule.get(peers) or ()):
                errors += _peer(f"{place}.{peers}[{at}]", peer)
    types = spec.get("policyTypes") or []
    if len(types) > 2:
        return [*errors, invalid("spec.policyTypes", types, "may not specify more than two policyTypes")]
    known = ("Egress", "Ingress")
    return errors + [
        not_supported(f"spec.policyTypes[{index}]", one, known) for index, one in enumerate(types) if one not in known
    ]


def _policy_port(place: str, port: Json) -> list[FieldError]:
    found, end = port.get("port"), port.get("endPort")
    errors: list[FieldError] = []
    if port.get("protocol") is not None and port["protocol"] not in PROTOCOLS:
        errors.append(not_supported(f"{place}.protocol", port["protocol"], ("TCP", "UDP", "SCTP")))
    if found is None:
        if end is not None:
            errors.append(invalid(f"{place}.endPort", end, "may not be specified when `port` is not specified"))
        return errors
    errors += port_or_name(f"{place}.port", found)
    if end is not None and isinstance(found, str):
        errors.append(invalid(f"{place}.endPort", end, "may not be specified when `port` is non-numeric"))
    elif end is not None:
        if end < found:
            errors.append(invalid(f"{place}.endPort", found, "must be greater than or equal to `port`"))
        errors += [invalid(f"{place}.endPort", end, wrong) for wrong in port_number(end)]
    return errors


def _peer(place: str, peer: Json) -> list[FieldError]:
    errors: list[FieldError] = []
    for selector in ("podSelector", "namespaceSelector"):
        errors += label_selector(f"{place}.{selector}", peer.get(selector))
    block = peer.get("ipBlock")
    if block is not None:
        errors += _ip_block(f"{place}.ipBlock", block)
    if not peer:
        errors.append(required(place, "must specify a peer"))
    elif block is not None and len(peer) > 1:
        errors.append(forbidden(place, "may not specify both ipBlock and another peer"))
    return errors


def _ip_block(place: str, block: Json) -> Iterator[FieldError]:
    if not block.get("cidr"):
        yield required(f"{place}.cidr")
        return
    outer = parse_cidr(block["cidr"])
    if outer is None:
        yield invalid(f"{place}.cidr", block["cidr"], BAD_CIDR)
        return
    for index, text in enumerate(block.get("except") or ()):
        inner = parse_cidr(text)
        if inner is None:
            yield invalid(f"{place}.except[{index}]", text, BAD_CIDR)
        elif inner.version != outer.version or inner.network_address not in outer or inner.prefixlen <= outer.prefixlen:
            yield invalid(f"{place}.except[{index}]", text, "must be a strict subset of `cidr`")


# ------------------------------------------------------------------------------------------------------------ Ingresses


def ingress(item: Json) -> list[FieldError]:
    spec = item.get("spec") or {}
    errors: list[FieldError] = []
    if not spec.get("rules") and not spec.get("defaultBackend"):
        why = "either `defaultBackend` or `rules` must be specified"
        errors.append(invalid("spec", spec.get("rules") or [], why))
    if spec.get("defaultBackend") is not None:
        errors += _backend("spec.defaultBackend", spec["defaultBackend"])
    for index, rule in enumerate(spec.get("rules") or ()):
        place, host = f"spec.rules[{index}]", rule.get("host") or ""
        if host:
            errors += _host(f"{place}.host", host)
        if rule.get("http") is not None:
            errors += _paths(f"{place}.http.paths", rule["http"].get("paths") or ())
    return errors


def _host(field: str, host: str) -> Iterator[FieldError]:
    if parse_ip(host):
        yield invalid(field, host, "must be a DNS name, not an IP address")
    check = wildcard_subdomain if "*" in host else dns_subdomain
    yield from (invalid(field, host, wrong) for wrong in check(host))


def _paths(place: str, paths: Sequence[Json]) -> list[FieldError]:
    errors = [] if paths else [required(place)]
    for index, path in enumerate(paths):
        field, kind, text = f"{place}[{index}]", path.get("pathType"), path.get("path") or ""
        if not kind:
            errors.append(required(f"{field}.pathType", "pathType must be specified"))
        elif kind not in PATH_TYPES:
            errors.append(not_supported(f"{field}.pathType", kind, PATH_TYPES))
        if (kind in ("Exact", "Prefix") or text) and not text.startswith("/"):
            errors.append(invalid(f"{field}.path", text, "must be an absolute path"))
        errors += _backend(f"{field}.backend", path.get("backend") or {})
    return errors


def _backend(place: str, backend: Json) -> Iterator[FieldError]:
    found, resource = backend.get("service"), backend.get("resource")
    if found is not None and resource is not None:
        yield invalid(place, "", "cannot set both resource and service backends")
    elif found is None and resource is None:
        yield required(place, "must specify either a service or resource backend")
    elif found is not None:
        yield from _backend_service(f"{place}.service", found)


def _backend_service(place: str, found: Json) -> Iterator[FieldError]:
    name, port = found.get("name") or "", found.get("port") or {}
    if not name:
        yield required(f"{place}.name")
    yield from (invalid(f"{place}.name", name, wrong) for wrong in (dns_label(name) if name else ()))
    if port.get("name") and port.get("number"):
        yield invalid(place, "", "cannot set both port name & port number")
    elif port.get("name"):
        yield from (invalid(f"{place}.port.name", port["name"], wrong) for wrong in port_name(port["name"]))
    elif port.get("number"):
        yield from (invalid(f"{place}.port.number", port["number"], wrong) for wrong in port_number(port["number"]))
    else:
        yield required(place, "port name or number is required")
