"""The specifications read anew, over manifests as they are: slow, without explanations, and sharing no code.

For worlds in which all is known and no pod is on the host's network.
"""

from ipaddress import ip_address, ip_network
from typing import Any

Json = dict[str, Any]


def may_pass(world: Json, source: Json, destination: Json, port: int, protocol: str) -> bool:
    """Whether ``source`` reaches ``destination``; both are pods of ``world`` as in the tables."""
    if source is destination:
        return True
    return all(
        direction_lets(world, direction, source, destination, port, protocol) for direction in ("egress", "ingress")
    )


def direction_lets(world: Json, direction: str, source: Json, destination: Json, port: int, protocol: str) -> bool:
    subject, peer = (source, destination) if direction == "egress" else (destination, source)
    packet = (world, direction, subject, peer, destination, port, protocol)
    for answer in (cluster_wide("Admin", *packet), network_policies(*packet), cluster_wide("Baseline", *packet)):
        if answer is not None:
            return answer
    return True


def network_policies(
    world: Json, direction: str, subject: Json, peer: Json, destination: Json, port: int, protocol: str
) -> bool | None:
    isolated = False
    for policy in world["policies"]:
        spec = policy["spec"]
        if policy["kind"] != "NetworkPolicy" or policy["metadata"]["namespace"] != subject["ns"]:
            continue
        types = spec.get("policyTypes") or (["Ingress"] + (["Egress"] if spec.get("egress") else []))
        if direction.capitalize() not in types or not selects(spec.get("podSelector") or {}, subject["labels"]):
            continue
        isolated = True
        for rule in spec.get(direction) or []:
            peers = rule.get("to" if direction == "egress" else "from") or []
            ports = rule.get("ports") or []
            if peers and not any(is_peer(world, each, policy, peer) for each in peers):
                continue
            if not ports or any(is_port(each, destination, port, protocol) for each in ports):
                return True
    return False if isolated else None


def is_peer(world: Json, peer: Json, policy: Json, pod: Json) -> bool:
    if "ipBlock" in peer:
        ip = ip_address(pod["ip"])
        holes = peer["ipBlock"].get("except") or []
        return ip in ip_network(peer["ipBlock"]["cidr"]) and not any(ip in ip_network(hole) for hole in holes)
    if "podSelector" in peer and not selects(peer["podSelector"], pod["labels"]):
        return False
    if "namespaceSelector" in peer:
        return selects(peer["namespaceSelector"], namespace_labels(world, pod["ns"]))
    return bool(pod["ns"] == policy["metadata"]["namespace"])


def is_port(written: Json, destination: Json, port: int, protocol: str) -> bool:
    if (written.get("protocol") or "TCP") != protocol:
        return False
    wanted: int | str | None = written.get("port")
    if wanted is None:
        return True
    if isinstance(wanted, str):
        return has_named(destination, wanted, port, protocol)
    return wanted <= port <= int(written.get("endPort", wanted))


def has_named(pod: Json, name: str, port: int, protocol: str) -> bool:
    return any((p["name"], p["port"], p["protocol"]) == (name, port, protocol) for p in pod["ports"])


def cluster_wide(
    tier: str, world: Json, direction: str, subject: Json, peer: Json, destination: Json, port: int, protocol: str
) -> bool | None:
    """None: the next tier decides."""
    for policy in sorted((p for p in world["policies"] if tier_of(p) == tier), key=lambda p: p["spec"]["priority"]):
        if not is_selected(world, policy["spec"]["subject"], subject):
            continue
        for rule in policy["spec"].get(direction) or []:
            peers = rule["to" if direction == "egress" else "from"]
            protocols = rule.get("protocols") or rule.get("ports")
            if not any(is_cluster_peer(world, each, peer) for each in peers):
                continue
            if protocols and not any(is_cluster_port(each, destination, port, protocol) for each in protocols):
                continue
            return {"Accept": True, "Allow": True, "Deny": False, "Pass": None}[rule["action"]]
    return None


def tier_of(policy: Json) -> str:
    kinds = {"NetworkPolicy": "", "AdminNetworkPolicy": "Admin", "BaselineAdminNetworkPolicy": "Baseline"}
    return kinds.get(policy["kind"]) or policy["spec"].get("tier") or ""


def is_selected(world: Json, chosen: Json, pod: Json) -> bool:
    around = namespace_labels(world, pod["ns"])
    if "namespaces" in chosen:
        return selects(chosen["namespaces"], around)
    both = chosen["pods"]
    return selects(both["namespaceSelector"], around) and selects(both["podSelector"], pod["labels"])


def is_cluster_peer(world: Json, peer: Json, pod: Json) -> bool:
    if "networks" in peer:
        return any(ip_address(pod["ip"]) in ip_network(cidr) for cidr in peer["networks"])
    return False if "nodes" in peer else is_selected(world, peer, pod)


def is_cluster_port(written: Json, destination: Json, port: int, protocol: str) -> bool:
    ((field, value),) = written.items()
    if field in ("destinationNamedPort", "namedPort"):
        return has_named(destination, value, port, protocol)
    if field == "portNumber":
        return bool((value["port"], value.get("protocol", "TCP")) == (port, protocol))
    if field == "portRange":
        return bool(value["start"] <= port <= value["end"] and value.get("protocol", "TCP") == protocol)
    if field.upper() != protocol:
        return False
    where = value.get("destinationPort")
    if where is None:
        return True
    return bool(
        where["range"]["start"] <= port <= where["range"]["end"] if "range" in where else where["number"] == port
    )


def namespace_labels(world: Json, name: str) -> Json:
    found: Json = next(each["labels"] for each in world["namespaces"] if each["name"] == name)
    return found | {"kubernetes.io/metadata.name": name}


def selects(selector: Json, labels: Json) -> bool:
    exact = all(labels.get(key) == value for key, value in (selector.get("matchLabels") or {}).items())
    return exact and all(holds(each, labels) for each in selector.get("matchExpressions") or [])


def holds(requirement: Json, labels: Json) -> bool:
    key, operator = requirement["key"], requirement["operator"]
    if operator == "Exists":
        return key in labels
    if operator == "DoesNotExist":
        return key not in labels
    among = key in labels and labels[key] in requirement["values"]
    return among if operator == "In" else not among
