"""Defaults of a Service, and what an update keeps of what was given to it.

Source: pkg/apis/core/v1/defaults.go, pkg/registry/core/service (strategy.go: dropTypeDependentFields; storage.go:
patchAllocatedValues). Functions here fill in objects that are the caller's own.
"""

from typing import Any

from .defaults_pod import fill, fill_zero

Json = dict[str, Any]

AFFINITY_SECONDS = 10_800
WITH_CLUSTER_IP = ("ClusterIP", "NodePort", "LoadBalancer")


def default_service(service: Json) -> None:
    fill(service, spec={})
    spec = service["spec"]
    fill(spec, type="ClusterIP", sessionAffinity="None")
    if spec["sessionAffinity"] == "None":
        spec.pop("sessionAffinityConfig", None)
    elif spec["sessionAffinity"] == "ClientIP":
        fill(spec, sessionAffinityConfig={})
        fill(spec["sessionAffinityConfig"], clientIP={})
        fill(spec["sessionAffinityConfig"]["clientIP"], timeoutSeconds=AFFINITY_SECONDS)
    for port in spec.get("ports") or ():
        fill(port, protocol="TCP")
        fill_zero(port, targetPort=port.get("port", 0))
    if reachable_from_outside(spec):
        fill(spec, externalTrafficPolicy="Cluster")
    if spec["type"] in WITH_CLUSTER_IP:
        fill(spec, internalTrafficPolicy="Cluster")
    if spec["type"] == "LoadBalancer":
        fill(spec, allocateLoadBalancerNodePorts=True)


def reachable_from_outside(spec: Json) -> bool:
    kind = spec.get("type")
    return kind in ("NodePort", "LoadBalancer") or (kind == "ClusterIP" and bool(spec.get("externalIPs")))


def needs_node_ports(spec: Json) -> bool:
    kind = spec.get("type")
    return kind == "NodePort" or (kind == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is not False)


def needs_health_check_port(spec: Json) -> bool:
    return spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"


def carry_over(old: Json, new: Json) -> None:
    """Of an update: what the old type had and the new one can't is dropped, what was allocated and not said is kept."""
    before, after = old["spec"], new["spec"]
    _drop_type_dependent(before, after)
    if before.get("type") in WITH_CLUSTER_IP and after.get("type") in WITH_CLUSTER_IP:
        _keep_addresses(before, after)
    if needs_node_ports(before) and needs_node_ports(after):
        _keep_node_ports(before, after)
    if needs_health_check_port(before) and needs_health_check_port(after):
        fill_zero(after, healthCheckNodePort=before.get("healthCheckNodePort", 0))


def _drop_type_dependent(before: Json, after: Json) -> None:
    """A field goes only if it is what it was: one that the client changed is for validation to judge."""
    if before.get("type") in WITH_CLUSTER_IP and after.get("type") not in WITH_CLUSTER_IP:
        _drop_same(before, after, "clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy")
    if needs_node_ports(before) and not needs_node_ports(after):
        used = {port.get("nodePort") for port in before.get("ports") or ()}
        for port in after.get("ports") or ():
            if port.get("nodePort") in used:
                port.pop("nodePort", None)
    if needs_health_check_port(before) and not needs_health_check_port(after):
        _drop_same(before, after, "healthCheckNodePort")
    if before.get("type") == "LoadBalancer" and after.get("type") != "LoadBalancer":
        _drop_same(before, after, "allocateLoadBalancerNodePorts", "loadBalancerClass")
    if reachable_from_outside(before) and not reachable_from_outside(after):
        _drop_same(before, after, "externalTrafficPolicy")


def _drop_same(before: Json, after: Json, *fields: str) -> None:
    for field in fields:
        if after.get(field) == before.get(field):
            after.pop(field, None)


def _keep_addresses(before: Json, after: Json) -> None:
    """clusterIP and clusterIPs say the same; a client that knows only the first may clear or change it alone."""
    had, same = before.get("clusterIPs") or [], after.get("clusterIPs") == before.get("clusterIPs")
    if not after.get("clusterIP") and (same or not after.get("clusterIPs")):
        after["clusterIP"], after["clusterIPs"] = before.get("clusterIP", ""), list(had)
    elif not after.get("clusterIP"):
        after["clusterIP"] = after["clusterIPs"][0]
    elif after["clusterIP"] != before.get("clusterIP") and (same or not after.get("clusterIPs")):
        after["clusterIPs"] = [after["clusterIP"]]
    elif not after.get("clusterIPs"):
        after["clusterIPs"] = list(had)
    for field in ("ipFamilies", "ipFamilyPolicy"):
        if after.get(field) is None and before.get(field) is not None:
            after[field] = before[field]


def _keep_node_ports(before: Json, after: Json) -> None:
    """A port that says no nodePort keeps that of the same protocol and port, unless another port took it."""
    had = {(port.get("protocol"), port.get("port")): port.get("nodePort") for port in before.get("ports") or ()}
    taken = {(port.get("protocol"), port.get("nodePort")) for port in after.get("ports") or () if port.get("nodePort")}
    for port in after.get("ports") or ():
        known = had.get((port.get("protocol"), port.get("port")))
        if not port.get("nodePort") and known and (port.get("protocol"), known) not in taken:
            port["nodePort"] = known
