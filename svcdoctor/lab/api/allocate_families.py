"""The IP families of a Service: what it asks for, what the cluster has.

Source: pkg/registry/core/service/storage/alloc.go (initIPFamilyFields, trimFieldsForDualStackDowngrade).
"""

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any

from .validate_errors import FieldError, invalid

Json = dict[str, Any]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

FAMILIES = ("IPv4", "IPv6")
SINGLE, PREFER, REQUIRE = "SingleStack", "PreferDualStack", "RequireDualStack"
MULTIPLE = "must be RequireDualStack or PreferDualStack when multiple {} are specified"


def family_of(address: Network | ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    return f"IPv{address.version}"


def choose_families(
    spec: Json, asked: Sequence[str], networks: Mapping[str, Network], old: Json | None
) -> list[FieldError]:
    """Sets ipFamilies and ipFamilyPolicy of ``spec``, which is the caller's own, or says what is wrong with them."""
    headless = list(asked[:1]) == ["None"]
    families = list(spec.get("ipFamilies") or ())
    for address in () if headless else asked[len(families) :]:
        families.append(family_of(ipaddress.ip_address(address)))
    if headless and not spec.get("selector"):
        _headless_without_selector(spec, families, networks)
        return []
    policy = spec.get("ipFamilyPolicy") or (REQUIRE if len(families) > 1 else SINGLE)
    errors = _errors(policy, families, asked, networks, old)
    if errors:
        return errors
    if not families:
        families = [next(iter(networks))]
    if policy in (PREFER, REQUIRE) and len(families) == 1:
        families += [family for family in networks if family not in families]
    spec["ipFamilyPolicy"], spec["ipFamilies"] = policy, families
    return []


def _errors(
    policy: str, families: Sequence[str], asked: Sequence[str], networks: Mapping[str, Network], old: Json | None
) -> list[FieldError]:
    errors = []
    if policy == SINGLE and len(asked) > 1:
        errors.append(invalid("spec.ipFamilyPolicy", policy, MULTIPLE.format("cluster IPs")))
    if policy == SINGLE and len(families) > 1:
        errors.append(invalid("spec.ipFamilyPolicy", policy, MULTIPLE.format("IP families")))
    if policy == REQUIRE and len(networks) < 2 and (old or {}).get("ipFamilyPolicy") != REQUIRE:
        errors.append(invalid("spec.ipFamilyPolicy", policy, "this cluster is not configured for dual-stack services"))
    for index, family in enumerate(families):
        if family in FAMILIES and family not in networks:
            errors.append(invalid(f"spec.ipFamilies[{index}]", family, "not configured on this cluster"))
    return errors


def _headless_without_selector(spec: Json, families: list[str], networks: Mapping[str, Network]) -> None:
    """Whoever writes its endpoints may write both families, whatever the cluster has."""
    policy = spec.get("ipFamilyPolicy") or REQUIRE
    chosen = families or [next(iter(networks))]
    if policy in (PREFER, REQUIRE) and len(chosen) == 1:
        chosen = chosen + [family for family in FAMILIES if family not in chosen]
    spec["ipFamilyPolicy"], spec["ipFamilies"] = policy, chosen


def trim_to_single(before: Json, after: Json) -> None:
    """An update from dual to single stack need not say which address goes: it is the second."""
    if before.get("ipFamilyPolicy") in (None, SINGLE) or after.get("ipFamilyPolicy") != SINGLE:
        return
    for field in ("clusterIPs", "ipFamilies"):
        if after.get(field) == before.get(field):
            after[field] = (after.get(field) or [])[:1]
