"""What an older kube-proxy left on a node: rules of another time, of another mode, or in iptables' other tables."""

import json
import re
from datetime import UTC, datetime
from typing import Any

from ..base import CLUSTER_DNS, node_addresses, service
from ..proxy import NodeView, ProxyConfig, node_files
from ..proxy.settings import Mode
from . import edits
from .service import HTTP

Json = dict[str, Any]

VIP = "10.96.0.77"
"""An address that a Service may ask for: of the lower band, which is not handed out by itself."""
GONE = ("10.244.1.250", "10.244.2.250")
"""Addresses that pods had."""
DNS: Json = {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": 53}
IPVS = "KUBE-IPVS-FILTER"
DUMMY = "kube-ipvs0"


def old_files(mode: Mode, *endpoints: str) -> dict[str, str]:
    """The files of node1 as kube-proxy alone made them, when only these pods stood behind the patient."""
    node = NodeView(name="node1", addresses=node_addresses(1)[:1], kubelet=False, bridge=False)
    services = [_service("web", "default", HTTP, VIP), _service("kube-dns", "kube-system", DNS, CLUSTER_DNS)]
    slices = [_slice("web", "default", {**HTTP, "port": 8080}, endpoints), _slice("kube-dns", "kube-system", DNS, GONE)]
    files = node_files(services, slices, node, ProxyConfig(mode=mode), datetime(2000, 1, 1, tzinfo=UTC))
    return {name: re.sub(r"(?m)^(# .*?) on .*$", r"\1", text) for name, text in files.items()}


def _service(name: str, namespace: str, port: Json, ip: str) -> Json:
    return service(name, None, [port], namespace, type="ClusterIP", clusterIP=ip, clusterIPs=[ip])


def _slice(name: str, namespace: str, port: Json, endpoints: tuple[str, ...]) -> Json:
    labels = {"kubernetes.io/service-name": name}
    return {
        "metadata": {"name": f"{name}-old", "namespace": namespace, "labels": labels},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [ip], "conditions": {"ready": True}} for ip in endpoints],
        "ports": [{field: port[field] for field in ("name", "port", "protocol")}],
    }


LEGACY = old_files("iptables", *GONE)["iptables-save.txt"].replace(" (nf_tables)", "")
"""The patient's rules in the kernel's older tables, where ``iptables-legacy-save`` finds them."""

_OF_IPVS = old_files("ipvs", *GONE)
_OF_IPTABLES = old_files("iptables")


def other_mode(saved: str) -> str:
    """The iptables rules of the other mode beside those of this one, where it has not written a chain anew itself."""
    old = _OF_IPTABLES if IPVS in saved else _OF_IPVS
    return edits.added(old["iptables-save.txt"])(saved)


def bound(addresses: str) -> str:
    """The interface that holds the ClusterIPs in ipvs mode."""
    links = json.loads(addresses)
    if any(link["ifname"] == DUMMY for link in links):
        return addresses
    dummy = next(link for link in json.loads(_OF_IPVS["addresses.json"]) if link["ifname"] == DUMMY)
    return json.dumps([*links, {**dummy, "ifindex": len(links) + 1}]) + "\n"


SERVERS = edits.where_missing(_OF_IPVS["ip_vs.txt"])
SETS = edits.where_missing(_OF_IPVS["ipset.txt"])
