"""The OpenAPI v3 documents, as far as kubectl asks them.

`kubectl apply` and `create` learn from the paths that the server itself checks fields (fieldValidation), and from the
schemas how to merge lists; `kubectl explain` shows the schemas. Descriptions are left out.
"""

import functools
import hashlib
from collections.abc import Iterator
from typing import Any

import msgspec

from ..resources import RESOURCES, Resource
from .openapi_types import OBJECT_META, Field, fields_of, type_of
from .patch import PATCHES, STRATEGIC_PATCH

Json = dict[str, Any]

ROOT = "/openapi/v3"
INFO = {"title": "Kubernetes", "version": "v1.36.2"}
_PACKAGES = {
    "meta": "io.k8s.apimachinery.pkg.apis.meta",
    "apiextensions": "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions",
}
_SCALARS: dict[str, Json] = {
    "string": {"type": "string"},
    "bool": {"type": "boolean"},
    "int32": {"type": "integer", "format": "int32"},
    "int64": {"type": "integer", "format": "int64"},
    "double": {"type": "number", "format": "double"},
    "quantity": {"oneOf": [{"type": "string"}, {"type": "number"}]},
    "int-or-string": {"oneOf": [{"type": "integer"}, {"type": "string"}], "format": "int-or-string"},
    "time": {"type": "string", "format": "date-time"},
    "micro-time": {"type": "string", "format": "date-time"},
    "bytes": {"type": "string", "format": "byte"},
    "any": {"type": "object"},
}
_PARAMETERS = [
    {"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": True}}
    for name in ("dryRun", "fieldManager", "fieldValidation")
]


def document(path: str) -> Json | None:
    """What is at ``path``: the index, or one group and version; None for anything else, v2 among it."""
    if path == ROOT:
        return _index()
    prefix = path.removeprefix(ROOT)
    return _document(prefix) if prefix in _prefixes() else None


@functools.cache
def _prefixes() -> tuple[str, ...]:
    return tuple(dict.fromkeys(resource.prefix for resource in RESOURCES))


@functools.cache
def _index() -> Json:
    return {"paths": {prefix[1:]: {"serverRelativeURL": _hashed(prefix)} for prefix in _prefixes()}}


def _hashed(prefix: str) -> str:
    """Clients keep a document for as long as its address stays the same."""
    digest = hashlib.sha512(msgspec.json.encode(_document(prefix))).hexdigest().upper()
    return f"{ROOT}{prefix}?hash={digest}"


@functools.cache
def _document(prefix: str) -> Json:
    served = [resource for resource in RESOURCES if resource.prefix == prefix]
    paths = {path: item for resource in served for path, item in _paths(resource)}
    schemas = {_schema_name(resource): _kind_schema(resource) for resource in served}
    wanted = [name for resource in served if (name := type_of(resource.api_version, resource.kind))]
    wanted.append(OBJECT_META)
    while wanted:
        name = wanted.pop()
        if _full_name(name) not in schemas:
            schemas[_full_name(name)] = _schema(name)
        for field in fields_of(name).values():
            if field.is_object and _full_name(field.type) not in schemas:
                wanted.append(field.type)
    return {"openapi": "3.0.0", "info": INFO, "paths": paths, "components": {"schemas": schemas}}


# ---------------------------------------------------------------------------------------------------------------- paths


def _paths(resource: Resource) -> Iterator[tuple[str, Json]]:
    """The list's path and the object's."""
    verbs = set(resource.verbs)
    many = resource.path("{namespace}" if resource.namespaced else "")
    reading = {"get": _operation(resource, "list")} if "list" in verbs else {}
    yield many, reading | {"post": _operation(resource, "post")}
    if "get" in verbs:
        one = {"get": _operation(resource, "get"), "put": _operation(resource, "put")}
        yield f"{many}/{{name}}", one | {"patch": _operation(resource, "patch")}


def _operation(resource: Resource, action: str) -> Json:
    known = type_of(resource.api_version, resource.kind) is not None
    schema = {"$ref": f"#/components/schemas/{_schema_name(resource)}"}
    found: Json = {"x-kubernetes-action": action, "x-kubernetes-group-version-kind": _kind(resource)}
    found["responses"] = {"200": {"description": "OK", "content": {"application/json": {"schema": schema}}}}
    if action in ("post", "put", "patch"):
        found["parameters"] = _PARAMETERS
    if action == "patch":
        accepted = [kind for kind in PATCHES if known or kind != STRATEGIC_PATCH]
        found["requestBody"] = {"content": {kind: {"schema": {"type": "object"}} for kind in accepted}}
    elif action in ("post", "put"):
        found["requestBody"] = {"content": {"*/*": {"schema": schema}}}
    return found


def _kind(resource: Resource) -> Json:
    return {"group": resource.group, "version": resource.version, "kind": resource.kind}


# -------------------------------------------------------------------------------------------------------------- schemas


def _schema_name(resource: Resource) -> str:
    known = type_of(resource.api_version, resource.kind)
    if known is not None:
        return _full_name(known)
    return ".".join((*reversed(resource.group.split(".")), resource.version, resource.kind))


def _full_name(type_name: str) -> str:
    package, _, rest = type_name.partition(".")
    return f"{_PACKAGES.get(package, f'io.k8s.api.{package}')}.{rest}"


def _kind_schema(resource: Resource) -> Json:
    known = type_of(resource.api_version, resource.kind)
    schema = _schema(known) if known else _custom_schema()
    return schema | {"x-kubernetes-group-version-kind": [_kind(resource)]}


def _custom_schema() -> Json:
    meta = {"$ref": f"#/components/schemas/{_full_name(OBJECT_META)}"}
    named = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"allOf": [meta]}}
    open_ended = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return {"type": "object", "properties": named | {"spec": open_ended, "status": open_ended}}


def _schema(type_name: str) -> Json:
    return {"type": "object", "properties": {name: _property(one) for name, one in fields_of(type_name).items()}}


def _property(field: Field) -> Json:
    found = _item(field.type)
    if field.shape == "[]":
        found = {"type": "array", "items": found}
    elif field.shape == "{}":
        found = {"type": "object", "additionalProperties": found}
    strategies = [name for name, given in _strategies(field).items() if given]
    if strategies:
        found["x-kubernetes-patch-strategy"] = ",".join(strategies)
    if field.merge:
        found["x-kubernetes-patch-merge-key"] = field.merge
    if field.keys:
        found |= {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(field.keys)}
    elif field.shape == "[]":
        found["x-kubernetes-list-type"] = "set" if field.is_set else "atomic"
    return found


def _strategies(field: Field) -> dict[str, bool]:
    return {"merge": field.merge is not None, "retainKeys": field.retain_keys, "replace": field.replace}


def _item(type_name: str) -> Json:
    if type_name in _SCALARS:
        return dict(_SCALARS[type_name])
    if type_name.startswith("[]"):
        return {"type": "array", "items": _item(type_name[2:])}
    return {"allOf": [{"$ref": f"#/components/schemas/{_full_name(type_name)}"}]}
