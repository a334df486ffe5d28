"""The names of chains and sets, which are hashes of what they serve."""

import base64
import hashlib

from .endpoints import Endpoint
from .family import Family
from .services import ServicePort

NFT_BASE_LENGTH = 240
IPSET_NAME_LENGTH = 31


def _hash(text: str) -> str:
    return base64.b32encode(hashlib.sha256(text.encode()).digest()).decode()


def service_hash(port: ServicePort) -> str:
    """What follows KUBE-SVC-, -SVL-, -EXT- and -FW- (iptables/proxier.go, portProtoHash)."""
    return _hash(port.spn + port.protocol)[:16]


def endpoint_chain(port: ServicePort, endpoint: Endpoint) -> str:
    """KUBE-SEP-... (iptables/proxier.go, servicePortEndpointChainName)."""
    return "KUBE-SEP-" + _hash(port.spn + port.protocol + endpoint.text)[:16]


def nft_service(port: ServicePort) -> str:
    """What follows ``service-``, ``local-``, ``external-`` and ``firewall-`` (nftables/proxier.go)."""
    return _hashed(f"{port.namespace}/{port.name}/{port.protocol}/{port.port_name}")


def nft_endpoint(port: ServicePort, endpoint: Endpoint) -> str:
    """What follows ``endpoint-`` and ``affinity-``. nft names bear no colon, so an IPv6 address has dots there."""
    ip = endpoint.ip.replace(":", ".")
    return _hashed(f"{port.namespace}/{port.name}/{port.protocol}/{port.port_name}__{ip}/{endpoint.port}")


def _hashed(name: str) -> str:
    full = f"{_hash(name)[:8]}-{name}"
    return full if len(full) <= NFT_BASE_LENGTH else full[: NFT_BASE_LENGTH - 3] + "..."


def ipset(family: Family, name: str) -> str:
    """The set ``KUBE-<name>`` of a family, cut to what the kernel takes."""
    return (family.set_prefix + name)[:IPSET_NAME_LENGTH]
