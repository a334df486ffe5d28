"""Rows of nodes, namespaces, events, configuration, access and claims.

Source: pkg/printers/internalversion/printers.go.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from .table_cells import NONE, UNKNOWN, Cells, age, container_cells, joined, labels_text, name, part, since

Json = dict[str, Any]

ROLE_PREFIX, ROLE = "node-role.kubernetes.io/", "kubernetes.io/role"


def node_cells(node: Json, now: datetime) -> Cells:
    status, info = part(node, "status"), part(node, "status", "nodeInfo")
    addresses = status.get("addresses") or ()
    return [
        *(name(node), _node_status(node), _roles(node), age(node, now), info.get("kubeletVersion", "")),
        *(_address(addresses, "InternalIP"), _address(addresses, "ExternalIP")),
        *(info.get(field) or UNKNOWN for field in ("osImage", "kernelVersion", "containerRuntimeVersion")),
    ]


def _node_status(node: Json) -> str:
    conditions = {one.get("type"): one.get("status") for one in part(node, "status").get("conditions") or ()}
    shown = "Unknown"
    if "Ready" in conditions:
        shown = "Ready" if conditions["Ready"] == "True" else "NotReady"
    return shown + (",SchedulingDisabled" if part(node, "spec").get("unschedulable") else "")


def _roles(node: Json) -> str:
    labels = node["metadata"].get("labels") or {}
    roles = {key.removeprefix(ROLE_PREFIX) for key in labels if key.startswith(ROLE_PREFIX)}
    return joined(sorted((roles | {labels.get(ROLE, "")}) - {""})) or NONE


def _address(addresses: Sequence[Json], kind: str) -> str:
    return next((one.get("address", "") for one in addresses if one.get("type") == kind), NONE)


def namespace_cells(item: Json, now: datetime) -> Cells:
    return [name(item), part(item, "status").get("phase", ""), age(item, now)]


def event_cells(event: Json, now: datetime) -> Cells:
    """An event of the old style has first and last, one of the new style a moment and perhaps a series."""
    series = event.get("series")
    first = since(event.get("firstTimestamp") or event.get("eventTime"), now)
    last = since(event["lastTimestamp"], now) if event.get("lastTimestamp") else first
    count = event.get("count") or 1
    if series:
        last, count = since(series.get("lastObservedTime"), now), series.get("count", 1)
    about, source = part(event, "involvedObject"), part(event, "source")
    kind = about.get("kind", "").lower()
    sources = [
        source.get("component") or event.get("reportingComponent") or "",
        source.get("host") or event.get("reportingInstance") or "",
    ]
    return [
        *(last, event.get("type", ""), event.get("reason", "")),
        f"{kind}/{about['name']}" if about.get("name") else kind,
        *(about.get("fieldPath", ""), ", ".join(one for one in sources if one), event.get("message", "").strip()),
        *(first, count, name(event)),
    ]


def config_map_cells(item: Json, now: datetime) -> Cells:
    return [name(item), len(item.get("data") or ()) + len(item.get("binaryData") or ()), age(item, now)]


def secret_cells(item: Json, now: datetime) -> Cells:
    return [name(item), item.get("type", ""), len(item.get("data") or ()), age(item, now)]


def service_account_cells(item: Json, now: datetime) -> Cells:
    return [name(item), len(item.get("secrets") or ()), age(item, now)]


def pod_template_cells(item: Json, now: datetime) -> Cells:
    template = part(item, "template")
    return [name(item), *container_cells(template), labels_text(part(template, "metadata").get("labels"))]


def claim_cells(item: Json, now: datetime) -> Cells:
    spec, status = part(item, "spec"), part(item, "status")
    short = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}
    modes = joined(short.get(mode, mode) for mode in status.get("accessModes") or ())
    return [
        *(name(item), status.get("phase", ""), spec.get("volumeName", "")),
        *(part(status, "capacity").get("storage", ""), modes, spec.get("storageClassName", "")),
        *(spec.get("volumeAttributesClassName") or UNSET_CLASS, age(item, now), spec.get("volumeMode") or UNSET_CLASS),
    ]


UNSET_CLASS = "<unset>"


def quota_cells(item: Json, now: datetime) -> Cells:
    status = part(item, "status")
    hard, used = part(status, "hard"), part(status, "used")
    shown = {kind: f"{kind}: {used.get(kind, '0')}/{hard[kind]}" for kind in sorted(hard)}
    limits = ", ".join(text for kind, text in shown.items() if kind.startswith("limits"))
    requests = ", ".join(text for kind, text in shown.items() if not kind.startswith("limits"))
    return [name(item), requests, limits, age(item, now)]


def disruption_budget_cells(item: Json, now: datetime) -> Cells:
    spec = part(item, "spec")
    bounds = (spec.get(field) for field in ("minAvailable", "maxUnavailable"))
    shown = ("N/A" if bound is None else str(bound) for bound in bounds)
    return [name(item), *shown, part(item, "status").get("disruptionsAllowed", 0), age(item, now)]


def lease_cells(item: Json, now: datetime) -> Cells:
    return [name(item), part(item, "spec").get("holderIdentity") or "", age(item, now)]


def role_binding_cells(item: Json, now: datetime) -> Cells:
    role, subjects = part(item, "roleRef"), item.get("subjects") or ()
    by_kind = {
        kind: ", ".join(
            f"{one.get('namespace')}/{one.get('name')}" if kind == "ServiceAccount" else one.get("name", "")
            for one in subjects
            if one.get("kind") == kind
        )
        for kind in ("User", "Group", "ServiceAccount")
    }
    return [name(item), f"{role.get('kind')}/{role.get('name')}", age(item, now), *by_kind.values()]


def created_cells(item: Json, now: datetime) -> Cells:
    """Kinds whose table says when they were made, not how long ago."""
    return [name(item), item["metadata"].get("creationTimestamp", "")]
