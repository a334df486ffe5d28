"""What Deployments, ReplicaSets, StatefulSets, DaemonSets and Jobs may say, and what of them may change.

Source: pkg/apis/apps/validation, pkg/apis/batch/validation.
"""

import re
from collections.abc import Iterator
from typing import Any

from .selectors import matcher_of
from .validate_errors import FieldError, forbidden, immutable, invalid, not_supported, required
from .validate_meta import label_selector, labels
from .validate_pod import NOT_NEGATIVE, pod_spec

Json = dict[str, Any]

PERCENT = (
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for "
    "validation is '[0-9]+%')"
)
MISMATCH = "`selector` does not match template `labels`"
STATEFUL_FIELDS = (
    *("replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit"),
    *("persistentVolumeClaimRetentionPolicy", "minReadySeconds"),
)
STATEFUL_UPDATE = (
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
    "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
)


def deployment(item: Json) -> list[FieldError]:
    spec = item.get("spec") or {}
    errors = [*_counts(spec, "replicas"), *_selector(spec, "deployment"), *_template(spec)]
    errors += _rollout("spec.strategy", spec.get("strategy") or {}, ("Recreate", "RollingUpdate"))
    errors += _counts(spec, "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds")
    if (spec.get("progressDeadlineSeconds") or 600) <= (spec.get("minReadySeconds") or 0):
        why = "must be greater than minReadySeconds"
        errors.append(invalid("spec.progressDeadlineSeconds", spec.get("progressDeadlineSeconds"), why))
    return errors


def replica_set(item: Json) -> list[FieldError]:
    spec = item.get("spec") or {}
    return [*_counts(spec, "replicas", "minReadySeconds"), *_selector(spec, "deployment"), *_template(spec)]


def stateful_set(item: Json) -> list[FieldError]:
    spec = item.get("spec") or {}
    errors: list[FieldError] = []
    if spec.get("podManagementPolicy") not in ("OrderedReady", "Parallel"):
        why = f'must be "OrderedReady" or "Parallel", not {spec.get("podManagementPolicy")}'
        errors.append(invalid("spec.podManagementPolicy", spec.get("podManagementPolicy"), why))
    kind = (spec.get("updateStrategy") or {}).get("type")
    if kind not in ("RollingUpdate", "OnDelete"):
        why = "must be 'RollingUpdate' or 'OnDelete'"
        errors.append(invalid("spec.updateStrategy", spec.get("updateStrategy"), why))
    counts = _counts(spec, "replicas", "minReadySeconds")
    return [*errors, *counts, *_selector(spec, "statefulset"), *_template(spec)]


def daemon_set(item: Json) -> list[FieldError]:
    spec = item.get("spec") or {}
    errors = [*_selector(spec, "daemonset"), *_template(spec), *_counts(spec, "minReadySeconds")]
    strategy = spec.get("updateStrategy") or {}
    return [*errors, *_rollout("spec.updateStrategy", strategy, ("OnDelete", "RollingUpdate"))]


def job(item: Json) -> list[FieldError]:
    return _job_spec("spec", item.get("spec") or {})


def cron_job(item: Json) -> list[FieldError]:
    spec = item.get("spec") or {}
    errors = [] if spec.get("schedule") else [required("spec.schedule")]
    return errors + _job_spec("spec.jobTemplate.spec", (spec.get("jobTemplate") or {}).get("spec") or {})


def _job_spec(place: str, spec: Json) -> list[FieldError]:
    template = (spec.get("template") or {}).get("spec") or {}
    errors = list(_counts(spec, "parallelism", "completions", "backoffLimit", place=place))
    errors += pod_spec(f"{place}.template.spec", template)
    if template.get("restartPolicy") == "Always":
        errors.append(required(f"{place}.template.spec.restartPolicy", 'valid values: "OnFailure", "Never"'))
    return errors


def selector_update(old: Json, new: Json) -> list[FieldError]:
    """Which pods a workload means is settled when it is made."""
    before, after = (item.get("spec", {}).get("selector") for item in (old, new))
    return [] if before == after else [immutable("spec.selector", after)]


def stateful_set_update(old: Json, new: Json) -> list[FieldError]:
    before, after = (
        {key: value for key, value in item.get("spec", {}).items() if key not in STATEFUL_FIELDS} for item in (old, new)
    )
    return [] if before == after else [forbidden("spec", STATEFUL_UPDATE)]


def job_update(old: Json, new: Json) -> list[FieldError]:
    before, after = old.get("spec", {}), new.get("spec", {})
    fields = ("selector", "template", "completionMode")
    return [immutable(f"spec.{field}", after.get(field)) for field in fields if before.get(field) != after.get(field)]


def _counts(spec: Json, *fields: str, place: str = "spec") -> Iterator[FieldError]:
    for field in fields:
        if (spec.get(field) or 0) < 0:
            yield invalid(f"{place}.{field}", spec[field], NOT_NEGATIVE)


def _selector(spec: Json, kind: str) -> Iterator[FieldError]:
    selector = spec.get("selector")
    if selector is None:
        yield required("spec.selector")
        return
    wrong = label_selector("spec.selector", selector)
    yield from wrong
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        yield invalid("spec.selector", selector, f"empty selector is invalid for {kind}")
    elif not wrong:
        found = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
        if not matcher_of(selector)(found):
            yield invalid("spec.template.metadata.labels", found, MISMATCH)


def _template(spec: Json) -> Iterator[FieldError]:
    template = spec.get("template") or {}
    yield from labels("spec.template.labels", (template.get("metadata") or {}).get("labels"))
    found = template.get("spec") or {}
    yield from pod_spec("spec.template.spec", found)
    if found.get("restartPolicy") in ("Never", "OnFailure"):
        yield not_supported("spec.template.spec.restartPolicy", found["restartPolicy"], ("Always",))


def _rollout(place: str, strategy: Json, known: tuple[str, ...]) -> Iterator[FieldError]:
    kind, rolling = strategy.get("type", ""), strategy.get("rollingUpdate")
    if kind not in known:
        yield not_supported(f"{place}.type", kind, known)
    if kind != "RollingUpdate":
        if rolling is not None:
            why = f"may not be specified when strategy `type` is '{kind}'"
            yield forbidden(f"{place}.rollingUpdate", why)
        return
    found = [(field, (rolling or {}).get(field, 0)) for field in ("maxUnavailable", "maxSurge")]
    for field, value in found:
        if isinstance(value, str) and not re.fullmatch(r"[0-9]+%", value):
            yield invalid(f"{place}.rollingUpdate.{field}", value, PERCENT)
        elif isinstance(value, int) and value < 0:
            yield invalid(f"{place}.rollingUpdate.{field}", value, NOT_NEGATIVE)
    if all(value in (0, "0%") for _, value in found):
        yield invalid(f"{place}.rollingUpdate.maxUnavailable", found[0][1], "may not be 0 when `maxSurge` is 0")
