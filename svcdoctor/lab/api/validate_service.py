"""What a Service may say.

Source: pkg/apis/core/validation (ValidateService, ValidateServiceUpdate, ValidateServiceClusterIPsRelatedFields).
"""

from collections.abc import Iterator, Sequence
from typing import Any

from .defaults_service import WITH_CLUSTER_IP, needs_health_check_port, reachable_from_outside
from .validate_addresses import cidr, endpoint_ip, parse_ip
from .validate_errors import FieldError, duplicate, forbidden, invalid, not_supported, required, too_many
from .validate_meta import labels
from .validate_names import dns_label, dns_subdomain, port_name, port_number, qualified_name

Json = dict[str, Any]

PROTOCOLS = ("SCTP", "TCP", "UDP")
POLICIES = ("PreferDualStack", "RequireDualStack", "SingleStack")
DISTRIBUTIONS = ("PreferClose", "PreferSameNode", "PreferSameZone")
KUBELET_PORT = 10250
AFFINITY_LIMIT = 86_400
CLUSTER_IP = "must be empty, 'None', or a valid IP address"


def service(item: Json) -> list[FieldError]:
    spec = item.get("spec") or {}
    ports = spec.get("ports") or []
    headless = spec.get("clusterIP") == "None" or (spec.get("clusterIPs") or [""])[0] == "None"
    errors: list[FieldError] = []
    if not ports and not headless and spec.get("type") != "ExternalName":
        errors.append(required("spec.ports"))
    errors += _by_type(spec, ports, headless)
    errors += _ports(ports)
    errors += labels("spec.selector", spec.get("selector"))
    errors += _affinity(spec)
    errors += _cluster_ips(spec)
    for index, address in enumerate(spec.get("externalIPs") or ()):
        errors += endpoint_ip(f"spec.externalIPs[{index}]", address)
    if spec.get("type") not in (*WITH_CLUSTER_IP, "ExternalName"):
        types = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
        errors.append(not_supported("spec.type", spec.get("type", ""), types))
    errors += _node_ports(spec, ports)
    errors += _duplicate_ports(ports)
    errors += _load_balancer(spec)
    return [*errors, *_traffic(spec)]


def service_update(old: Json, new: Json) -> list[FieldError]:
    """Addresses stay, unless the type goes to or comes from ExternalName, or a second family comes or goes."""
    before, after = old["spec"], new["spec"]
    if before.get("type") not in WITH_CLUSTER_IP or after.get("type") not in WITH_CLUSTER_IP:
        return []
    had, has = before.get("clusterIPs") or [], after.get("clusterIPs") or []
    errors: list[FieldError] = []
    for index, (was, now) in enumerate(zip(had, has, strict=False)):
        if was != now:
            errors.append(invalid(f"spec.clusterIPs[{index}]", has, "may not change once set"))
    families = zip(before.get("ipFamilies") or [], after.get("ipFamilies") or [], strict=False)
    for index, (was, now) in enumerate(families):
        if was != now:
            errors.append(invalid(f"spec.ipFamilies[{index}]", after["ipFamilies"], "may not change once set"))
    kept = after.get("loadBalancerClass") == before.get("loadBalancerClass")
    if before.get("type") == after.get("type") == "LoadBalancer" and not kept:
        errors.append(invalid("spec.loadBalancerClass", after.get("loadBalancerClass"), "may not change once set"))
    return errors


def _by_type(spec: Json, ports: Sequence[Json], headless: bool) -> Iterator[FieldError]:
    kind = spec.get("type")
    if kind == "LoadBalancer":
        for index, port in enumerate(ports):
            if port.get("port") == KUBELET_PORT:
                why = f"may not expose port {KUBELET_PORT} externally since it is used by kubelet"
                yield invalid(f"spec.ports[{index}]", KUBELET_PORT, why)
    if kind in ("LoadBalancer", "NodePort") and headless:
        yield invalid("spec.clusterIPs[0]", "None", f"may not be set to 'None' for {kind} services")
    if kind == "ExternalName":
        if spec.get("clusterIPs") or spec.get("clusterIP"):
            yield forbidden("spec.clusterIPs", "may not be set for ExternalName services")
        name = (spec.get("externalName") or "").removesuffix(".")
        if not name:
            yield required("spec.externalName")
        else:
            yield from (invalid("spec.externalName", name, wrong) for wrong in dns_subdomain(name))


def _ports(ports: Sequence[Json]) -> list[FieldError]:
    errors: list[FieldError] = []
    names: set[str] = set()
    for index, port in enumerate(ports):
        place, name = f"spec.ports[{index}]", port.get("name") or ""
        if name:
            errors += [invalid(f"{place}.name", name, wrong) for wrong in dns_label(name)]
            if name in names:
                errors.append(duplicate(f"{place}.name", name))
            names.add(name)
        elif len(ports) > 1:
            errors.append(required(f"{place}.name"))
        number = port.get("port", 0)
        errors += [invalid(f"{place}.port", number, wrong) for wrong in port_number(number)]
        errors += protocol(f"{place}.protocol", port.get("protocol"))
        errors += port_or_name(f"{place}.targetPort", port.get("targetPort", 0))
        if port.get("appProtocol"):
            wrongs = qualified_name(port["appProtocol"])
            errors += [invalid(f"{place}.appProtocol", port["appProtocol"], wrong) for wrong in wrongs]
    return errors


def protocol(field: str, found: str | None) -> list[FieldError]:
    if not found:
        return [required(field)]
    return [] if found in PROTOCOLS else [not_supported(field, found, PROTOCOLS)]


def port_or_name(field: str, found: int | str) -> list[FieldError]:
    """An IntOrString that is a port's number or name."""
    wrongs = port_number(found) if isinstance(found, int) else port_name(found)
    return [invalid(field, found, wrong) for wrong in wrongs]


def _affinity(spec: Json) -> list[FieldError]:
    affinity = spec.get("sessionAffinity") or ""
    if not affinity:
        return [required("spec.sessionAffinity")]
    if affinity not in ("ClientIP", "None"):
        return [not_supported("spec.sessionAffinity", affinity, ("ClientIP", "None"))]
    config = spec.get("sessionAffinityConfig")
    if affinity == "None":
        why = "must not be set when session affinity is None"
        return [forbidden("spec.sessionAffinityConfig", why)] if config else []
    seconds = ((config or {}).get("clientIP") or {}).get("timeoutSeconds", 0)
    field = "spec.sessionAffinityConfig.clientIP.timeoutSeconds"
    why = f"must be greater than 0 and less than {AFFINITY_LIMIT}"
    return [] if 0 < seconds <= AFFINITY_LIMIT else [invalid(field, seconds, why)]


def _cluster_ips(spec: Json) -> list[FieldError]:
    families, policy = spec.get("ipFamilies") or [], spec.get("ipFamilyPolicy")
    if spec.get("type") == "ExternalName":
        why = "may not be set for ExternalName services"
        return [forbidden(f"spec.{field}", why) for field in ("ipFamilies", "ipFamilyPolicy") if spec.get(field)]
    errors: list[FieldError] = []
    if policy and policy not in POLICIES:
        errors.append(not_supported("spec.ipFamilyPolicy", policy, POLICIES))
    if len(families) > 2:
        errors.append(too_many("spec.ipFamilies", len(families), 2))
    for index, family in enumerate(families):
        if family not in ("IPv4", "IPv6"):
            errors.append(not_supported(f"spec.ipFamilies[{index}]", family, ("IPv4", "IPv6")))
        elif family in families[:index]:
            errors.append(duplicate(f"spec.ipFamilies[{index}]", family))
    return [*errors, *_addresses(spec.get("clusterIP") or "", spec.get("clusterIPs") or [], families)]


def _addresses(first: str, addresses: Sequence[str], families: Sequence[str]) -> Iterator[FieldError]:
    if addresses and not first:
        yield required("spec.clusterIP", "must be set when `clusterIPs` is specified")
    elif addresses and addresses[0] != first:
        yield invalid("spec.clusterIPs", addresses, "first value must match `clusterIP`")
    if "None" in addresses and len(addresses) > 1:
        yield invalid("spec.clusterIPs", addresses, "'None' must be the first and only value")
        return
    if len(addresses) > 2:
        yield invalid("spec.clusterIPs", addresses, "may only hold up to 2 values")
    for index, address in enumerate(addresses or ([first] if first else ())):
        if address == "None":
            continue
        parsed = parse_ip(address)
        if parsed is None:
            yield invalid(f"spec.clusterIPs[{index}]", address, CLUSTER_IP)
        elif index < len(families) and families[index] != f"IPv{parsed.version}":
            why = f"expected an {families[index]} value as indicated by `ipFamilies[{index}]`"
            yield invalid(f"spec.clusterIPs[{index}]", address, why)


def _node_ports(spec: Json, ports: Sequence[Json]) -> Iterator[FieldError]:
    seen: set[tuple[Any, int]] = set()
    for index, port in enumerate(ports):
        number = port.get("nodePort")
        if not number:
            continue
        if spec.get("type") == "ClusterIP":
            yield forbidden(f"spec.ports[{index}].nodePort", "may not be used when `type` is 'ClusterIP'")
        key = (port.get("protocol"), number)
        if key in seen:
            yield duplicate(f"spec.ports[{index}].nodePort", number)
        seen.add(key)


def _duplicate_ports(ports: Sequence[Json]) -> Iterator[FieldError]:
    seen: set[tuple[Any, Any]] = set()
    for index, port in enumerate(ports):
        key = (port.get("protocol"), port.get("port"))
        if key in seen:
            shown = {
                "Name": "",
                "Protocol": key[0],
                "AppProtocol": None,
                "Port": key[1],
                "TargetPort": 0,
                "NodePort": 0,
            }
            yield duplicate(f"spec.ports[{index}]", shown)
        seen.add(key)


def _load_balancer(spec: Json) -> Iterator[FieldError]:
    ranges = spec.get("loadBalancerSourceRanges") or ()
    if spec.get("type") != "LoadBalancer":
        for field in ("loadBalancerSourceRanges", "allocateLoadBalancerNodePorts", "loadBalancerClass"):
            if spec.get(field) not in (None, []):
                yield forbidden(f"spec.{field}", "may only be used when `type` is 'LoadBalancer'")
    for index, text in enumerate(ranges):
        yield from cidr(f"spec.loadBalancerSourceRanges[{index}]", text.strip())


def _traffic(spec: Json) -> Iterator[FieldError]:
    external, internal = spec.get("externalTrafficPolicy"), spec.get("internalTrafficPolicy")
    if external and not reachable_from_outside(spec):
        yield invalid("spec.externalTrafficPolicy", external, "may only be set for externally-accessible services")
    elif external and external not in ("Cluster", "Local"):
        yield not_supported("spec.externalTrafficPolicy", external, ("Cluster", "Local"))
    health = spec.get("healthCheckNodePort")
    if health and not needs_health_check_port(spec):
        why = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        yield invalid("spec.healthCheckNodePort", health, why)
    if internal and internal not in ("Cluster", "Local"):
        yield not_supported("spec.internalTrafficPolicy", internal, ("Cluster", "Local"))
    distribution = spec.get("trafficDistribution")
    if distribution and distribution not in DISTRIBUTIONS:
        yield not_supported("spec.trafficDistribution", distribution, DISTRIBUTIONS)
