"""Whether an object may be stored: 400 where it is not the one that the URL names, 422 for what is wrong inside.

Pure; objects come decoded and defaulted. Services are validated before they are given addresses.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..resources import Resource
from . import validate_network as network
from . import validate_pod as pods
from . import validate_service as services
from . import validate_workloads as workloads
from .status import bad_request, conflict, invalid
from .validate_errors import FieldError, forbidden, required
from .validate_errors import invalid as invalid_field
from .validate_meta import metadata, metadata_update
from .validate_names import config_key

Json = dict[str, Any]
Check = Callable[[Json], list[FieldError]]
UpdateCheck = Callable[[Json, Json], list[FieldError]]

OTHER_NAMESPACE = "the namespace of the provided object does not match the namespace sent on the request"


def located(resource: Resource, given: Json, namespace: str, name: str = "") -> Json:
    """``given`` in the namespace of the URL, with the name of the URL if that has one. Raises Refusal (400)."""
    meta = dict(given.get("metadata") or {})
    if resource.namespaced:
        if meta.get("namespace") and meta["namespace"] != namespace:
            raise bad_request(OTHER_NAMESPACE)
        meta["namespace"] = namespace
    if name:
        if not meta.get("name"):
            raise bad_request("the name of the object (based on URL) was undeterminable: name must be provided")
        if meta["name"] != name:
            raise bad_request(f"the name of the object ({meta['name']}) does not match the name on the URL ({name})")
    return {**given, "metadata": meta}


def validate_create(resource: Resource, item: Json) -> None:
    """Raises Refusal (422) with every cause."""
    check = CHECKS.get(resource.group_resource)
    errors = metadata(resource, item["metadata"]) + (check(item) if check else [])
    _refuse(resource, item, errors)


def validate_update(resource: Resource, old: Json, new: Json) -> None:
    """Raises Refusal: 409 where another object of that name is meant, 422 with every cause."""
    before, after = old["metadata"], new["metadata"]
    if after.get("uid") != before.get("uid"):
        why = f"Precondition failed: UID in precondition: {after.get('uid')}, UID in object meta: {before.get('uid')}"
        raise conflict(resource, before["name"], why)
    check, change = CHECKS.get(resource.group_resource), UPDATES.get(resource.group_resource)
    errors = metadata_update(before, after) + metadata(resource, after)
    errors += change(old, new) if change else []
    errors += check(new) if check else []
    _refuse(resource, new, errors)


def _refuse(resource: Resource, item: Json, errors: list[FieldError]) -> None:
    if errors:
        meta = item["metadata"]
        raise invalid(resource, meta.get("name") or meta.get("generateName") or "", errors)


# ---------------------------------------------------------------------------------------------------------- small kinds


def _config_map(item: Json) -> list[FieldError]:
    errors: list[FieldError] = []
    for field in ("data", "binaryData"):
        for key in item.get(field) or {}:
            errors += [invalid_field(f"{field}[{key}]", key, wrong) for wrong in config_key(key)]
    return errors


def _immutable_data(old: Json, new: Json) -> list[FieldError]:
    """ConfigMaps and Secrets that were declared immutable."""
    if not old.get("immutable"):
        return []
    why = "field is immutable when `immutable` is set"
    fields = [field for field in ("data", "binaryData", "stringData") if old.get(field) != new.get(field)]
    fields += [] if new.get("immutable") else ["immutable"]
    return [forbidden(field, why) for field in fields]


def _disruption_budget(item: Json) -> list[FieldError]:
    spec = item.get("spec") or {}
    both = spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None
    return [invalid_field("spec", spec, "minAvailable and maxUnavailable cannot be both set")] if both else []


def _autoscaler(item: Json) -> list[FieldError]:
    spec = item.get("spec") or {}
    return list(_bounds(spec.get("minReplicas", 1), spec.get("maxReplicas", 0)))


def _bounds(least: int, most: int) -> Iterator[FieldError]:
    if most < 1:
        yield invalid_field("spec.maxReplicas", most, "must be greater than 0")
    if least > most:
        yield invalid_field("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`")


def _role_binding(item: Json) -> list[FieldError]:
    return [] if (item.get("roleRef") or {}).get("name") else [required("roleRef.name")]


def _role_reference(old: Json, new: Json) -> list[FieldError]:
    same = old.get("roleRef") == new.get("roleRef")
    return [] if same else [invalid_field("roleRef", new.get("roleRef"), "cannot change roleRef")]


CHECKS: Mapping[str, Check] = {
    "services": services.service,
    "pods": pods.pod,
    "endpoints": network.endpoints,
    "configmaps": _config_map,
    "secrets": _config_map,
    "deployments.apps": workloads.deployment,
    "replicasets.apps": workloads.replica_set,
    "statefulsets.apps": workloads.stateful_set,
    "daemonsets.apps": workloads.daemon_set,
    "jobs.batch": workloads.job,
    "cronjobs.batch": workloads.cron_job,
    "horizontalpodautoscalers.autoscaling": _autoscaler,
    "poddisruptionbudgets.policy": _disruption_budget,
    "endpointslices.discovery.k8s.io": network.endpoint_slice,
    "networkpolicies.networking.k8s.io": network.network_policy,
    "ingresses.networking.k8s.io": network.ingress,
    "rolebindings.rbac.authorization.k8s.io": _role_binding,
    "clusterrolebindings.rbac.authorization.k8s.io": _role_binding,
}
"""By group resource: what is wrong with one, beside its metadata."""

UPDATES: Mapping[str, UpdateCheck] = {
    "services": services.service_update,
    "pods": pods.pod_update,
    "configmaps": _immutable_data,
    "secrets": _immutable_data,
    "deployments.apps": workloads.selector_update,
    "replicasets.apps": workloads.selector_update,
    "statefulsets.apps": workloads.stateful_set_update,
    "daemonsets.apps": workloads.selector_update,
    "jobs.batch": workloads.job_update,
    "endpointslices.discovery.k8s.io": network.endpoint_slice_update,
    "rolebindings.rbac.authorization.k8s.io": _role_reference,
    "clusterrolebindings.rbac.authorization.k8s.io": _role_reference,
}
"""By group resource: what may not change."""
