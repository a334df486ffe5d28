"""What metadata, labels and label selectors may hold.

Source: apimachinery/pkg/api/validation/objectmeta.go and pkg/apis/meta/v1/validation.
"""

from collections.abc import Callable, Mapping
from typing import Any

from ..resources import Resource
from .validate_errors import FieldError, forbidden, immutable, invalid, required, too_long
from .validate_names import dns_label, dns_subdomain, label_value, path_segment, qualified_name

Json = dict[str, Any]

NAMES: Mapping[str, Callable[[str], list[str]]] = {
    "services": dns_label,
    "namespaces": dns_label,
    "roles.rbac.authorization.k8s.io": path_segment,
    "rolebindings.rbac.authorization.k8s.io": path_segment,
    "clusterroles.rbac.authorization.k8s.io": path_segment,
    "clusterrolebindings.rbac.authorization.k8s.io": path_segment,
}
"""By group resource; all else is an RFC 1123 subdomain."""

ANNOTATIONS_LIMIT = 256 * 1024


def metadata(resource: Resource, meta: Json) -> list[FieldError]:
    errors: list[FieldError] = []
    check = NAMES.get(resource.group_resource, dns_subdomain)
    prefix, name = meta.get("generateName") or "", meta.get("name") or ""
    if prefix:
        whole = prefix[:-1] + "a" if prefix.endswith("-") else prefix  # a trailing dash is filled up
        errors += [invalid("metadata.generateName", prefix, wrong) for wrong in check(whole)]
    if not name and not prefix:
        errors.append(required("metadata.name", "name or generateName is required"))
    elif name:
        errors += [invalid("metadata.name", name, wrong) for wrong in check(name)]
    errors += _namespace(resource, meta.get("namespace") or "")
    errors += labels("metadata.labels", meta.get("labels"))
    errors += annotations("metadata.annotations", meta.get("annotations"))
    errors += _owners(meta.get("ownerReferences") or ())
    for index, finalizer in enumerate(meta.get("finalizers") or ()):
        errors += [invalid(f"metadata.finalizers[{index}]", finalizer, wrong) for wrong in qualified_name(finalizer)]
    return errors


def _namespace(resource: Resource, namespace: str) -> list[FieldError]:
    if not resource.namespaced:
        return [forbidden("metadata.namespace", "not allowed on this type")] if namespace else []
    if not namespace:
        return [required("metadata.namespace")]
    return [invalid("metadata.namespace", namespace, wrong) for wrong in dns_label(namespace)]


def labels(field: str, found: Mapping[str, str] | None) -> list[FieldError]:
    errors: list[FieldError] = []
    for key, value in (found or {}).items():
        errors += [invalid(field, key, wrong) for wrong in qualified_name(key)]
        errors += [invalid(field, value, wrong) for wrong in label_value(value)]
    return errors


def annotations(field: str, found: Mapping[str, str] | None) -> list[FieldError]:
    errors: list[FieldError] = []
    for key in found or {}:
        errors += [invalid(field, key, wrong) for wrong in qualified_name(key.lower())]
    if sum(len(key.encode()) + len(value.encode()) for key, value in (found or {}).items()) > ANNOTATIONS_LIMIT:
        errors.append(too_long(field, ANNOTATIONS_LIMIT))
    return errors


def _owners(references: Any) -> list[FieldError]:
    errors: list[FieldError] = []
    for index, owner in enumerate(references):
        place = f"metadata.ownerReferences[{index}]"
        if not owner.get("apiVersion"):
            errors.append(invalid(f"{place}.apiVersion", owner.get("apiVersion", ""), "version must not be empty"))
        for key in ("kind", "name", "uid"):
            if not owner.get(key):
                errors.append(invalid(f"{place}.{key}", "", "must not be empty"))
    controllers = [f"{owner.get('kind')}/{owner.get('name')}" for owner in references if owner.get("controller")]
    if len(controllers) > 1:
        text = (
            f'Only one reference can have Controller set to true. Found "true" in references for {controllers[0]} and '
        )
        errors.append(invalid("metadata.ownerReferences", list(references), text + controllers[1]))
    return errors


def metadata_update(old: Json, new: Json) -> list[FieldError]:
    fields = ("name", "namespace", "uid", "creationTimestamp")
    return [immutable(f"metadata.{key}", new.get(key)) for key in fields if new.get(key) != old.get(key)]


def label_selector(field: str, selector: Json | None) -> list[FieldError]:
    """A metav1.LabelSelector."""
    if selector is None:
        return []
    errors = labels(f"{field}.matchLabels", selector.get("matchLabels"))
    for index, one in enumerate(selector.get("matchExpressions") or ()):
        errors += _expression(f"{field}.matchExpressions[{index}]", one)
    return errors


def _expression(field: str, one: Json) -> list[FieldError]:
    operator, values = one.get("operator", ""), one.get("values") or ()
    errors: list[FieldError] = []
    if operator in ("In", "NotIn"):
        if not values:
            errors.append(required(f"{field}.values", "must be specified when `operator` is 'In' or 'NotIn'"))
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            errors.append(forbidden(f"{field}.values", why))
    else:
        errors.append(invalid(f"{field}.operator", operator, "not a valid selector operator"))
    key = one.get("key", "")
    errors += [invalid(f"{field}.key", key, wrong) for wrong in qualified_name(key)]
    for index, value in enumerate(values):
        errors += [invalid(f"{field}.values[{index}]", value, wrong) for wrong in label_value(value)]
    return errors
