"""Connections as ``conntrack -L`` lists them, of pods and Services that a fault calls by name."""

import hashlib
import ipaddress
from typing import Any

from .controllers.backends import NODES, PODS, SERVICES
from .faults.fault import Flow
from .store import Store

Json = dict[str, Any]

PROTOCOLS = {"tcp": 6, "udp": 17, "sctp": 132}
LEFT = {"ESTABLISHED": 431990, "TIME_WAIT": 104, "SYN_SENT": 107, "CLOSE_WAIT": 3590}
"""Seconds until the kernel forgets a connection of TCP in this state."""
UDP_LEFT = 29
FIRST_PORT = 32768
LAST_BASE = 60000 - FIRST_PORT


def connections(flow: Flow, store: Store) -> tuple[str, tuple[str, ...]]:
    """The node whose kernel keeps them, and a line for each. Raises LookupError where a pod or Service is missing."""
    source, node = _client(flow, store)
    back = _node_ip(store, node) if _is_address(flow.client) else source  # who comes from outside is masqueraded
    destination = flow.to if _is_address(flow.to) else _cluster_ip(store, flow.to)
    backends = _backends(flow, store)
    first = FIRST_PORT + int(hashlib.sha256(f"{flow.client} {flow.to}".encode()).hexdigest(), 16) % LAST_BASE
    return node, tuple(
        _line(flow, (source, destination), (backends[number % len(backends)], back), first + number)
        for number in range(flow.count)
    )


def _line(flow: Flow, there: tuple[str, str], back: tuple[str, str], port: int) -> str:
    protocol = f"{flow.protocol:<8} {PROTOCOLS[flow.protocol]}"
    left = f"{LEFT[flow.state]} {flow.state}" if flow.protocol == "tcp" else f"{UDP_LEFT}"
    way = f"src={there[0]} dst={there[1]} sport={port} dport={flow.port}"
    return_way = f"src={back[0]} dst={back[1]} sport={flow.target_port} dport={port}"
    if not flow.replied:
        return f"{protocol} {left} {way} [UNREPLIED] {return_way} mark=0 use=1"
    return f"{protocol} {left} {way} {return_way} [ASSURED] mark=0 use=1"


def _client(flow: Flow, store: Store) -> tuple[str, str]:
    """Its address, and the node by which its packets come."""
    if _is_address(flow.client):
        return flow.client, flow.node
    pod = store.get(PODS, "default", flow.client)
    if pod is None or not (pod.get("status") or {}).get("podIP"):
        raise LookupError(f"no pod {flow.client} with an address")
    return pod["status"]["podIP"], pod["spec"]["nodeName"]


def _backends(flow: Flow, store: Store) -> list[str]:
    if _is_address(flow.backend):
        return [flow.backend]
    pods = (stored.load() for stored in store.list(PODS, "default") if stored.name.startswith(flow.backend))
    found = sorted(pod["status"]["podIP"] for pod in pods if (pod.get("status") or {}).get("podIP"))
    if not found:
        raise LookupError(f"no pod {flow.backend}* with an address")
    return found[: flow.among or None]


def _cluster_ip(store: Store, name: str) -> str:
    service = store.get(SERVICES, "default", name)
    if service is None:
        raise LookupError(f"no Service {name}")
    return str(service["spec"]["clusterIP"])


def _node_ip(store: Store, name: str) -> str:
    node = store.get(NODES, "", name)
    if node is None:
        raise LookupError(f"no node {name}")
    return str(node["status"]["addresses"][0]["address"])


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
