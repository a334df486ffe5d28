"""What there is: the documents by which clients learn groups, versions and resources.

Both forms: the old one with a document per group and version, and the aggregated one (KEP-3352) that kubectl asks for
first. Source: apiserver/pkg/endpoints/discovery.
"""

import functools
import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from ..resources import RESOURCES, Resource, Subresource

Json = dict[str, Any]

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
HEALTH_PATHS = ("/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version")


class Aggregated(Struct, frozen=True):
    """An aggregated document, and the tag under which a client may keep it."""

    body: Json
    etag: str  # in quotes, as in the header


def aggregated(path: str) -> Aggregated | None:
    """Of ``/api`` or ``/apis``; None for any other path, which has no such form."""
    return _aggregated(path) if path in ("/api", "/apis") else None


def legacy(path: str, address: str) -> Json | None:
    """Of any discovery path; None where nothing is. ``address`` is where the server is reached, host and port."""
    match path.strip("/").split("/"):
        case [""]:
            return _index()
        case ["api"]:
            reached = [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}]
            return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": reached}
        case ["apis"]:
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(name) for name in _named_groups()]}
        case ["api", version]:
            return _resource_list("", version)
        case ["apis", group] if group in _named_groups():
            return {"kind": "APIGroup", "apiVersion": "v1", **_group(group)}
        case ["apis", group, version]:
            return _resource_list(group, version)
    return None


@functools.cache
def _versions(group: str) -> tuple[str, ...]:
    """The preferred one first."""
    return tuple(dict.fromkeys(resource.version for resource in RESOURCES if resource.group == group))


@functools.cache
def _named_groups() -> tuple[str, ...]:
    return tuple(dict.fromkeys(resource.group for resource in RESOURCES if resource.group))


def _served(group: str, version: str) -> list[Resource]:
    return [resource for resource in RESOURCES if (resource.group, resource.version) == (group, version)]


def _index() -> Json:
    groups = [f"/apis/{group}" for group in _named_groups()]
    versions = [f"/apis/{group}/{version}" for group in _named_groups() for version in _versions(group)]
    return {"paths": ["/api", "/api/v1", "/apis", *sorted((*groups, *versions)), *HEALTH_PATHS]}


# ------------------------------------------------------------------------------------------------------------- old form


def _group(name: str) -> Json:
    versions = [{"groupVersion": f"{name}/{version}", "version": version} for version in _versions(name)]
    return {"name": name, "versions": versions, "preferredVersion": versions[0]}


def _resource_list(group: str, version: str) -> Json | None:
    served = _served(group, version)
    if not served:
        return None
    head: Json = {"kind": "APIResourceList"}
    if group:
        head["apiVersion"] = "v1"
    entries = [entry for resource in served for entry in _entries(resource)]
    return {**head, "groupVersion": f"{group}/{version}" if group else version, "resources": entries}


def _entries(resource: Resource) -> list[Json]:
    """The resource and its subresources."""
    entry: Json = {"name": resource.plural, "singularName": resource.singular, "namespaced": resource.namespaced}
    entry |= {"kind": resource.kind, "verbs": list(resource.verbs), **_nicknames(resource)}
    if resource.storage_hash:
        entry["storageVersionHash"] = resource.storage_hash
    return [entry, *(_part(resource, part) for part in resource.subresources)]


def _part(resource: Resource, part: Subresource) -> Json:
    entry: Json = {"name": f"{resource.plural}/{part.name}", "singularName": "", "namespaced": resource.namespaced}
    if part.version:
        entry |= {"group": part.group, "version": part.version}
    return entry | {"kind": part.kind, "verbs": list(part.verbs)}


def _nicknames(resource: Resource) -> Json:
    found = {"shortNames": list(resource.short_names), "categories": list(resource.categories)}
    return {key: names for key, names in found.items() if names}


# ------------------------------------------------------------------------------------------------------ aggregated form


@functools.cache
def _aggregated(path: str) -> Aggregated:
    groups: Sequence[str] = ("",) if path == "/api" else _named_groups()
    items = [_discovered(group) for group in groups]
    body = {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}
    digest = hashlib.sha512(msgspec.json.encode(body)).hexdigest().upper()
    return Aggregated(body, f'"{digest}"')


def _discovered(group: str) -> Json:
    versions = [
        {
            "version": version,
            "resources": [_discovered_resource(resource) for resource in _served(group, version)],
            "freshness": "Current",
        }
        for version in _versions(group)
    ]
    return {"metadata": {"name": group} if group else {}, "versions": versions}


def _discovered_resource(resource: Resource) -> Json:
    found: Json = {"resource": resource.plural, "responseKind": {"group": "", "version": "", "kind": resource.kind}}
    found |= {"scope": "Namespaced" if resource.namespaced else "Cluster", "singularResource": resource.singular}
    found |= {"verbs": list(resource.verbs), **_nicknames(resource)}
    parts = [
        {
            "subresource": part.name,
            "responseKind": {"group": part.group, "version": part.version, "kind": part.kind},
            "verbs": list(part.verbs),
        }
        for part in resource.subresources
    ]
    return found | ({"subresources": parts} if parts else {})
