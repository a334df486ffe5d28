"""What the API server makes of an object before it is validated and stored: defaults, and what only it may write.

Pure: every function returns a new object. Addresses and node ports of Services are given later (allocate).
"""

import copy
from typing import Any

from ..resources import Resource
from .defaults_kinds import DEFAULTS, NEW_STATUS, TEMPLATE_GENERATION
from .defaults_pod import admit_pod, qos_class
from .defaults_service import carry_over
from .status import bad_request

Json = dict[str, Any]

SERVER_METADATA = ("uid", "creationTimestamp", "generation", "resourceVersion", "selfLink")
DELETION_METADATA = ("deletionTimestamp", "deletionGracePeriodSeconds")
STATUS_METADATA = ("pods", "services", "nodes", "namespaces")
"""Kinds whose status subresource also takes labels and annotations."""


def defaulted(resource: Resource, given: Json) -> Json:
    """With all defaults that the API itself has."""
    made = copy.deepcopy(given)
    fill_in = DEFAULTS.get(resource.group_resource)
    if fill_in is not None:
        if "spec" not in made and resource.group_resource not in _WITHOUT_SPEC:
            made["spec"] = {}
        fill_in(made)
    return made


def created(resource: Resource, given: Json) -> Json:
    """A new object: the server's own metadata gone, its status new. Raises Refusal (400)."""
    meta = given.get("metadata") or {}
    if meta.get("resourceVersion"):
        raise bad_request("resourceVersion should not be set on objects to be created")
    made = defaulted(resource, given)
    made["metadata"] = {
        key: value for key, value in meta.items() if key not in (*SERVER_METADATA, *DELETION_METADATA, "managedFields")
    }
    if resource.group_resource in NEW_STATUS:
        made["status"] = copy.deepcopy(NEW_STATUS[resource.group_resource])
    elif resource.subresource("status") and resource.group_resource != "nodes":
        made.pop("status", None)
    match resource.group_resource:
        case "pods":
            admit_pod(made)
            made["status"]["qosClass"] = qos_class(made["spec"])
        case "namespaces":
            _new_namespace(made)
        case "daemonsets.apps":
            _count_template(made, "1")
    return made


def updated(resource: Resource, old: Json, given: Json) -> Json:
    """A new version through the main path: status and what was allocated stay as they are."""
    made = defaulted(resource, given)
    made["metadata"] = _kept_metadata(old, given)
    if resource.subresource("status"):
        made.pop("status", None)
        if "status" in old:
            made["status"] = copy.deepcopy(old["status"])
    match resource.group_resource:
        case "services":
            carry_over(copy.deepcopy(old), made)
        case "namespaces":
            made["spec"] = copy.deepcopy(old.get("spec", {}))
        case "daemonsets.apps":
            counted = (old["metadata"].get("annotations") or {}).get(TEMPLATE_GENERATION, "1")
            same = old["spec"].get("template") == made["spec"].get("template")
            _count_template(made, counted if same or not counted.isdigit() else str(int(counted) + 1))
    return made


def status_updated(resource: Resource, old: Json, given: Json) -> Json:
    """A new version through the status subresource: nothing else changes."""
    made = copy.deepcopy(old)
    made["status"] = copy.deepcopy(given.get("status") or {})
    if resource.group_resource in STATUS_METADATA:
        made["metadata"] = _kept_metadata(old, given)
        made["metadata"].pop("ownerReferences", None)
        if "ownerReferences" in old["metadata"]:
            made["metadata"]["ownerReferences"] = copy.deepcopy(old["metadata"]["ownerReferences"])
    return made


_WITHOUT_SPEC = {
    *("endpoints", "secrets", "podtemplates", "endpointslices.discovery.k8s.io"),
    *("rolebindings.rbac.authorization.k8s.io", "clusterrolebindings.rbac.authorization.k8s.io"),
}


def _kept_metadata(old: Json, given: Json) -> Json:
    """The client's metadata, with what it can't take away; who says a wrong uid is left for validation to see."""
    before = old["metadata"]
    meta = copy.deepcopy(given.get("metadata") or {})
    for key in ("name", "namespace", "uid", "creationTimestamp"):
        if not meta.get(key) and key in before:
            meta[key] = before[key]
    for key in ("generation", "selfLink", *DELETION_METADATA):
        meta.pop(key, None)
        if key in before:
            meta[key] = before[key]
    return meta


def _new_namespace(made: Json) -> None:
    """Source: pkg/registry/core/namespace/strategy.go and the NamespaceDefaultLabelName default."""
    made["spec"] = {**(made.get("spec") or {}), "finalizers": ["kubernetes"]}
    meta = made["metadata"]
    if meta.get("name"):
        meta["labels"] = {**(meta.get("labels") or {}), "kubernetes.io/metadata.name": meta["name"]}


def _count_template(made: Json, count: str) -> None:
    made["metadata"]["annotations"] = {**(made["metadata"].get("annotations") or {}), TEMPLATE_GENERATION: count}
