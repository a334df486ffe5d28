"""Lists as kubectl wants to print them: meta.k8s.io/v1 Tables, whose cells the server words.

``table_columns.json`` has the columns of each built-in kind; custom resources have those of their definitions.
Source: pkg/printers/internalversion/printers.go, apiextensions' tableconvertor.
"""

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from ..resources import Resource
from . import table_cells_network as network
from . import table_cells_rest as rest
from . import table_cells_workloads as workloads
from .table_cells import Cells, age, name
from .table_cells_pod import pod_cells, pod_conditions

Json = dict[str, Any]

META = "meta.k8s.io/v1"

CELLS: Mapping[str, Callable[[Json, datetime], Cells]] = {
    "pods": pod_cells,
    "services": network.service_cells,
    "endpoints": network.endpoints_cells,
    "endpointslices.discovery.k8s.io": network.endpoint_slice_cells,
    "ingresses.networking.k8s.io": network.ingress_cells,
    "ingressclasses.networking.k8s.io": network.ingress_class_cells,
    "networkpolicies.networking.k8s.io": network.network_policy_cells,
    "servicecidrs.networking.k8s.io": network.service_cidr_cells,
    "ipaddresses.networking.k8s.io": network.ip_address_cells,
    "deployments.apps": workloads.deployment_cells,
    "replicasets.apps": workloads.replica_set_cells,
    "replicationcontrollers": workloads.replica_set_cells,
    "statefulsets.apps": workloads.stateful_set_cells,
    "daemonsets.apps": workloads.daemon_set_cells,
    "controllerrevisions.apps": workloads.controller_revision_cells,
    "jobs.batch": workloads.job_cells,
    "cronjobs.batch": workloads.cron_job_cells,
    "horizontalpodautoscalers.autoscaling": workloads.autoscaler_cells,
    "nodes": rest.node_cells,
    "namespaces": rest.namespace_cells,
    "events": rest.event_cells,
    "configmaps": rest.config_map_cells,
    "secrets": rest.secret_cells,
    "serviceaccounts": rest.service_account_cells,
    "podtemplates": rest.pod_template_cells,
    "persistentvolumeclaims": rest.claim_cells,
    "resourcequotas": rest.quota_cells,
    "limitranges": rest.created_cells,
    "poddisruptionbudgets.policy": rest.disruption_budget_cells,
    "leases.coordination.k8s.io": rest.lease_cells,
    "roles.rbac.authorization.k8s.io": rest.created_cells,
    "clusterroles.rbac.authorization.k8s.io": rest.created_cells,
    "rolebindings.rbac.authorization.k8s.io": rest.role_binding_cells,
    "clusterrolebindings.rbac.authorization.k8s.io": rest.role_binding_cells,
    "customresourcedefinitions.apiextensions.k8s.io": rest.created_cells,
}
"""By group resource: the cells of all columns."""

CUSTOM_COLUMNS: Mapping[str, Sequence[tuple[str, str, str]]] = {
    "gateways.gateway.networking.k8s.io": (
        ("Class", "string", "spec.gatewayClassName"),
        ("Address", "string", "status.addresses.value"),
        ("Programmed", "string", "status.conditions.Programmed"),
    ),
    "gatewayclasses.gateway.networking.k8s.io": (
        ("Controller", "string", "spec.controllerName"),
        ("Accepted", "string", "status.conditions.Accepted"),
    ),
    "httproutes.gateway.networking.k8s.io": (("Hostnames", "string", "spec.hostnames"),),
    "adminnetworkpolicies.policy.networking.k8s.io": (("Priority", "string", "spec.priority"),),
    "clusternetworkpolicies.policy.networking.k8s.io": (
        ("Tier", "string", "spec.tier"),
        ("Priority", "string", "spec.priority"),
    ),
}
"""By group resource: (name, type, where it is read) of what stands between name and age; lists give their first."""


def table(
    resource: Resource, objects: Iterable[Json], metadata: Json, now: datetime, include: str = "Metadata"
) -> Json:
    """``metadata`` is the list's; ``include`` what each row carries of its object: Metadata, Object or None."""
    cells = CELLS.get(resource.group_resource) or functools.partial(_custom_cells, resource)
    return {
        "kind": "Table",
        "apiVersion": META,
        "metadata": metadata,
        "columnDefinitions": columns(resource),
        "rows": [_row(resource, item, cells(item, now), include) for item in objects],
    }


def partial(item: Json) -> Json:
    """PartialObjectMetadata: an object's metadata alone."""
    return {"kind": "PartialObjectMetadata", "apiVersion": META, "metadata": item["metadata"]}


def columns(resource: Resource) -> list[Json]:
    """The column definitions of a kind."""
    document = _document()
    found = document.get(resource.group_resource) or _custom_columns(resource)
    return [
        {"name": title, "type": kind, "format": form, "description": document.get(text, text), "priority": priority}
        for title, kind, form, priority, text in found
    ]


@functools.cache
def _document() -> Json:
    document: Json = msgspec.json.decode(Path(__file__).with_name("table_columns.json").read_bytes())
    return document


def _row(resource: Resource, item: Json, cells: Cells, include: str) -> Json:
    row: Json = {"cells": cells}
    conditions = pod_conditions(item) if resource.group_resource == "pods" else None
    if conditions:
        row["conditions"] = conditions
    row["object"] = {"Metadata": partial(item), "Object": item}.get(include)
    return row


# ----------------------------------------------------------------------------------------------------- custom resources


def _custom_columns(resource: Resource) -> list[tuple[str, str, str, int, str]]:
    between = CUSTOM_COLUMNS.get(resource.group_resource, ())
    shown = [
        (title, kind, "", 0, f"Custom resource definition column (in JSONPath format): .{path}")
        for title, kind, path in between
    ]
    return [("Name", "string", "name", 0, "@name"), *shown, ("Age", "date", "", 0, "@created")]


def _custom_cells(resource: Resource, item: Json, now: datetime) -> Cells:
    between = CUSTOM_COLUMNS.get(resource.group_resource, ())
    return [name(item), *(_found(item, path) for _, _, path in between), age(item, now)]


def _found(item: Json, path: str) -> str | None:
    """What stands at ``path``; a condition is found by its type, of other lists the first is taken."""
    found: Any = item
    for step in path.split("."):
        if isinstance(found, list):
            typed = [one.get("status") for one in found if isinstance(one, dict) and one.get("type") == step]
            found = typed[0] if typed else found[0].get(step) if found and isinstance(found[0], dict) else None
        else:
            found = found.get(step) if isinstance(found, dict) else None
    if isinstance(found, list):
        return msgspec.json.encode(found).decode()
    return None if found is None else str(found)
