"""Rows of workloads.

Source: pkg/printers/internalversion/printers.go.
"""

from datetime import datetime
from typing import Any

from ..clock import parse_stamp
from .table_cells import (
    NONE,
    UNSET,
    Cells,
    age,
    container_cells,
    human_duration,
    joined,
    labels_text,
    name,
    part,
    selector_cell,
    since,
)

Json = dict[str, Any]


def deployment_cells(item: Json, now: datetime) -> Cells:
    spec, status = part(item, "spec"), part(item, "status")
    return [
        *(name(item), _ready(spec, status), status.get("updatedReplicas", 0), status.get("availableReplicas", 0)),
        *(age(item, now), *container_cells(part(spec, "template")), _selector(spec)),
    ]


def replica_set_cells(item: Json, now: datetime) -> Cells:
    """Of a ReplicationController too, whose selector is a plain map."""
    spec, status = part(item, "spec"), part(item, "status")
    return [
        *(name(item), spec.get("replicas", 0), status.get("replicas", 0), status.get("readyReplicas", 0)),
        *(age(item, now), *container_cells(part(spec, "template")), _selector(spec)),
    ]


def stateful_set_cells(item: Json, now: datetime) -> Cells:
    spec = part(item, "spec")
    ready = _ready(spec, part(item, "status"))
    return [name(item), ready, age(item, now), *container_cells(part(spec, "template"))]


def daemon_set_cells(item: Json, now: datetime) -> Cells:
    spec, status = part(item, "spec"), part(item, "status")
    counts = (
        *("desiredNumberScheduled", "currentNumberScheduled", "numberReady"),
        *("updatedNumberScheduled", "numberAvailable"),
    )
    template = part(spec, "template")
    nodes = labels_text(part(template, "spec").get("nodeSelector"))
    shown = [status.get(count, 0) for count in counts]
    return [name(item), *shown, nodes, age(item, now), *container_cells(template), _selector(spec)]


def job_cells(item: Json, now: datetime) -> Cells:
    spec, status = part(item, "spec"), part(item, "status")
    succeeded, parallel = status.get("succeeded", 0), spec.get("parallelism", 0)
    if spec.get("completions") is not None:
        done = f"{succeeded}/{spec['completions']}"
    else:
        done = f"{succeeded}/1 of {parallel}" if parallel > 1 else f"{succeeded}/1"
    lasted = ""
    if status.get("startTime"):
        end = parse_stamp(status["completionTime"]) if status.get("completionTime") else now
        lasted = human_duration(end - parse_stamp(status["startTime"]))
    cells = [name(item), _job_status(item), done, lasted, age(item, now)]
    return [*cells, *container_cells(part(spec, "template")), _selector(spec)]


def _job_status(item: Json) -> str:
    conditions = part(item, "status").get("conditions") or ()
    true = {one.get("type") for one in conditions if one.get("status") == "True"}
    for kind in ("Complete", "Failed"):
        if kind in true:
            return kind
    if item["metadata"].get("deletionTimestamp"):
        return "Terminating"
    return next((kind for kind in ("Suspended", "FailureTarget", "SuccessCriteriaMet") if kind in true), "Running")


def cron_job_cells(item: Json, now: datetime) -> Cells:
    spec, status = part(item, "spec"), part(item, "status")
    last = since(status["lastScheduleTime"], now) if status.get("lastScheduleTime") else NONE
    job = part(spec, "jobTemplate", "spec")
    return [
        *(name(item), spec.get("schedule", ""), spec.get("timeZone") or NONE, str(bool(spec.get("suspend")))),
        *(len(status.get("active") or ()), last, age(item, now)),
        *(*container_cells(part(job, "template")), _selector(job)),
    ]


def controller_revision_cells(item: Json, now: datetime) -> Cells:
    owners = (owner for owner in item["metadata"].get("ownerReferences") or () if owner.get("controller"))
    owner = next(owners, None)
    shown = NONE
    if owner:
        group = owner.get("apiVersion", "").rpartition("/")[0]
        kind = owner.get("kind", "").lower()
        shown = f"{kind}{'.' + group if group else ''}/{owner.get('name')}"
    return [name(item), shown, item.get("revision", 0), age(item, now)]


def autoscaler_cells(item: Json, now: datetime) -> Cells:
    spec, status = part(item, "spec"), part(item, "status")
    target = part(spec, "scaleTargetRef")
    measured = [part(one, "resource") for one in status.get("currentMetrics") or ()]
    current = {one.get("name", ""): part(one, "current") for one in measured}
    shown = [_metric(one, current) for one in spec.get("metrics") or ()]
    return [
        *(name(item), f"{target.get('kind')}/{target.get('name')}", joined(shown) or NONE),
        *(spec.get("minReplicas") or UNSET, spec.get("maxReplicas", 0), status.get("currentReplicas", 0)),
        age(item, now),
    ]


def _metric(metric: Json, current: Json) -> str:
    """Of a resource, as ``cpu: 12%/80%``."""
    resource = part(metric, "resource")
    target, now = part(resource, "target"), part(current, resource.get("name", ""))
    if target.get("averageUtilization") is None:
        return f"{now.get('averageValue') or '<unknown>'}/{target.get('averageValue') or '<auto>'}"
    used = now.get("averageUtilization")
    shown = "<unknown>" if used is None else f"{used}%"
    return f"{resource.get('name')}: {shown}/{target['averageUtilization']}%"


def _ready(spec: Json, status: Json) -> str:
    return f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 1)}"


def _selector(spec: Json) -> str:
    selector = spec.get("selector") or {}
    plain = all(isinstance(value, str) for value in selector.values())
    return labels_text(selector) if plain else selector_cell(selector)
