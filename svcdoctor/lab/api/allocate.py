"""Cluster IPs and node ports of Services: which are given, and why one that was asked for can't be had.

Pure: what is taken is given, what is allocated comes back in a new Service; store it, and it is taken. The same
Service in the same cluster always gets the same address: its name decides where the search begins.

Source: pkg/registry/core/service/storage/alloc.go, ipallocator and portallocator.
"""

import copy
import hashlib
import ipaddress
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from ..resources import named
from .allocate_families import FAMILIES, Network, choose_families, family_of, trim_to_single
from .defaults_service import WITH_CLUSTER_IP, needs_health_check_port, needs_node_ports
from .status import internal, invalid
from .validate_errors import FieldError
from .validate_errors import invalid as invalid_field

Json = dict[str, Any]

NONE = "None"
TAKEN_IP = "provided IP is already allocated"
TAKEN_PORT = "provided port is already allocated"


class Ranges(Struct, frozen=True):
    """What a cluster may give: one service CIDR per family, the first being the default; node ports inclusive."""

    cidrs: tuple[str, ...] = ("10.96.0.0/16",)
    node_ports: tuple[int, int] = (30000, 32767)
    seed: int = 1

    @property
    def networks(self) -> dict[str, Network]:
        found = (ipaddress.ip_network(cidr) for cidr in self.cidrs)
        return {family_of(network): network for network in found}


class Taken:
    """The addresses and node ports that Services hold. Kept up to date by whoever stores Services."""

    def __init__(self) -> None:
        self.addresses: set[str] = set()
        self.node_ports: set[int] = set()

    def add(self, service: Json) -> None:
        self.addresses |= addresses_of(service)
        self.node_ports |= node_ports_of(service)

    def remove(self, service: Json) -> None:
        self.addresses -= addresses_of(service)
        self.node_ports -= node_ports_of(service)


def addresses_of(service: Json) -> set[str]:
    spec = service.get("spec") or {}
    found = spec.get("clusterIPs") or ([spec["clusterIP"]] if spec.get("clusterIP") else [])
    return {address for address in found if address != NONE}


def node_ports_of(service: Json) -> set[int]:
    spec = service.get("spec") or {}
    found = {port["nodePort"] for port in spec.get("ports") or () if port.get("nodePort")}
    return found | ({spec["healthCheckNodePort"]} if spec.get("healthCheckNodePort") else set())


def allocate(service: Json, ranges: Ranges, taken: Taken, old: Json | None = None) -> Json:
    """``service`` with its families, addresses and node ports; ``old`` is what it replaces, whose own it may keep.

    Raises Refusal: 422 for what can't be had, 500 where a range is full.
    """
    made = copy.deepcopy(service)
    spec = made["spec"]
    errors = _addresses(made, ranges, taken, old) if spec.get("type") in WITH_CLUSTER_IP else []
    errors += _node_ports(made, ranges, taken, old)
    if errors:
        raise invalid(named("services"), made["metadata"].get("name", ""), errors)
    return made


# ------------------------------------------------------------------------------------------------------------ addresses


def _addresses(made: Json, ranges: Ranges, taken: Taken, old: Json | None) -> list[FieldError]:
    spec = made["spec"]
    if old is not None:
        trim_to_single(old["spec"], spec)
    asked = list(spec.get("clusterIPs") or ([spec["clusterIP"]] if spec.get("clusterIP") else []))
    if any(_unreadable(address) for address in asked) or set(spec.get("ipFamilies") or ()) - set(FAMILIES):
        return []  # validation says it better
    networks = ranges.networks
    errors = choose_families(spec, asked, networks, old["spec"] if old else None)
    if errors:
        return errors
    if asked[:1] == [NONE]:
        spec["clusterIP"], spec["clusterIPs"] = NONE, [NONE]
        return []
    own = addresses_of(old) if old else set()
    given: list[str] = []
    for index, family in enumerate(spec["ipFamilies"]):
        if index < len(asked):
            wrong = _refused(asked[index], networks[family], taken.addresses - own)
            if wrong:
                return [invalid_field("spec.clusterIPs", asked, f"failed to allocate IP {asked[index]}: {wrong}")]
            given.append(asked[index])
        else:
            given.append(_free_address(made, family, ranges, taken.addresses))
    spec["clusterIP"], spec["clusterIPs"] = given[0], given
    return []


def _unreadable(address: str) -> bool:
    try:
        return address != NONE and ipaddress.ip_address(address) is None
    except ValueError:
        return True


def _refused(address: str, network: Network, taken: set[str]) -> str:
    if ipaddress.ip_address(address) not in network:
        return f"the provided IP ({address}) is not in the valid range. The range of valid IPs is {network}"
    return TAKEN_IP if address in taken else ""


def _free_address(service: Json, family: str, ranges: Ranges, taken: set[str]) -> str:
    """From the upper band first, so that addresses chosen by hand in the lower one are rarely taken (KEP-3070)."""
    network = ranges.networks[family]
    last = 1 if network.version == 4 else 0  # the broadcast address is never given
    size = min(network.num_addresses - 1 - last, 1 << 16)
    for offset in _offsets(_start(service, family, ranges), size, min(max(16, size // 16), 256)):
        address = str(network.network_address + 1 + offset)
        if address not in taken:
            return address
    raise internal("failed to allocate a serviceIP: range is full")


# ----------------------------------------------------------------------------------------------------------- node ports


def _node_ports(made: Json, ranges: Ranges, taken: Taken, old: Json | None) -> list[FieldError]:
    spec = made["spec"]
    own = node_ports_of(old) if old else set()
    used = taken.node_ports - own
    errors: list[FieldError] = []
    if needs_node_ports(spec):
        by_port: dict[int, int] = {}
        asked = {port.get("port", 0): port["nodePort"] for port in spec.get("ports") or () if port.get("nodePort")}
        for index, port in enumerate(spec.get("ports") or ()):
            number = port.get("port", 0)
            if not port.get("nodePort"):
                known = by_port.get(number) or asked.get(number)
                port["nodePort"] = known or _free_port(made, f"{index}", ranges, used | own | set(asked.values()))
            elif port["nodePort"] not in own and (wrong := _refused_port(port["nodePort"], ranges, used)):
                errors.append(invalid_field(f"spec.ports[{index}].nodePort", port["nodePort"], wrong))
            by_port[number] = port["nodePort"]
            own = own | {port["nodePort"]}
    if needs_health_check_port(spec):
        errors += _health_check_port(made, ranges, used, own)
    return errors


def _health_check_port(made: Json, ranges: Ranges, used: set[int], own: set[int]) -> list[FieldError]:
    spec = made["spec"]
    asked = spec.get("healthCheckNodePort")
    if not asked:
        spec["healthCheckNodePort"] = _free_port(made, "health", ranges, used | own)
    elif asked not in own and (wrong := _refused_port(asked, ranges, used)):
        return [invalid_field("spec.healthCheckNodePort", asked, wrong)]
    return []


def _refused_port(port: int, ranges: Ranges, used: set[int]) -> str:
    first, last = ranges.node_ports
    if not first <= port <= last:
        return f"provided port is not in the valid range. The range of valid ports is {first}-{last}"
    return TAKEN_PORT if port in used else ""


def _free_port(service: Json, salt: str, ranges: Ranges, used: set[int]) -> int:
    """From the upper band first, as with addresses (KEP-3668)."""
    first, last = ranges.node_ports
    size = last - first + 1
    for offset in _offsets(_start(service, f"port {salt}", ranges), size, min(max(16, size // 32), 128)):
        if first + offset not in used:
            return first + offset
    raise internal("failed to allocate a nodePort: range is full")


def _start(service: Json, salt: str, ranges: Ranges) -> int:
    meta = service.get("metadata") or {}
    seed = f"{ranges.seed}/{meta.get('namespace', '')}/{meta.get('name', '')}/{salt}"
    return int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8])


def _offsets(start: int, size: int, static: int) -> Iterator[int]:
    """All of ``range(size)``: from ``static`` up, beginning somewhere, then the static band."""
    band = size - static
    if band > 0:
        begin = start % band
        yield from (static + (begin + step) % band for step in range(band))
    yield from range(min(static, size))
