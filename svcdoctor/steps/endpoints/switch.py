"""A blue/green switch to a side that has nobody ready."""

import re
from collections.abc import Iterator, Mapping

import msgspec

from ...model.case import Case, WorkloadRef, matches
from ...model.cluster import Workload
from ...model.diagnosis import Confidence, Effect, Evidence, Finding, Fix, RuledOut
from ...model.pod import Pod
from ...model.service import LAST_APPLIED_ANNOTATION, Service
from ..step import find
from ..words import ago, count, kubectl_patch, labels, patch, some, source, subject
from .candidates import IDENTITY
from .pods import workloads_meant
from .selector import SWITCH_EMPTY, endpoints_of

SIDES = re.compile(r"colou?r|version|release|track|slot|variant|revision|stage|live|active|blue|green", re.IGNORECASE)
"""Keys by which people tell the sides of a switch apart."""


def switched_to_nobody(case: Case, service: Service) -> Finding | None:
    """The switch to a side that exists and has no ready pod, when its sibling serves and something shows the switch."""
    side = next(workloads_meant(case), None)
    if side is None:  # nobody carries the labels: that is a near miss, whoever wrote them
        return None
    for key in service.spec.selector:
        if key in IDENTITY:
            continue
        siblings = _siblings(case, key)
        witness = next(_witnesses(case, service, key, *side), None) if siblings else None
        if witness is not None:
            return _finding(case, service, key, siblings, witness)
    return None


def _siblings(case: Case, key: str) -> tuple[Pod, ...]:
    """The ready pods that match all of the selector but ``key``, of which they carry another value."""
    rest = {k: v for k, v in case.selector.items() if k != key}
    return tuple(
        pod
        for pod in case.pods
        if pod.ready
        and not pod.terminating
        and matches(rest, pod.labels)
        and pod.labels.get(key, case.selector[key]) != case.selector[key]
    )


def _witnesses(case: Case, service: Service, key: str, ref: WorkloadRef, workload: Workload) -> Iterator[Evidence]:
    """What shows that the selector was switched, and not its workload scaled away."""
    before = _applied_selector(service)
    if before and before.get(key) not in (None, service.spec.selector[key]):
        yield Evidence(source(service, "last applied selector"), f"{labels(before)}: it was changed since")
    for field in service.metadata.managed_fields:
        created, wrote = service.metadata.creation_timestamp, bytes(field.fields_v1)
        only_selector = b'"f:selector"' in wrote and b'"f:ports"' not in wrote
        if only_selector and field.time and created and field.time > created:
            when = ago(case.age(field.time))
            yield Evidence(source(service, "managedFields"), f"{field.manager} wrote the selector {when} ago")
    scaled_down = any(" to 0" in event.message for event in case.events_of(ref.kind, ref.name, "ScalingReplicaSet"))
    if SIDES.search(key) and not scaled_down:
        yield Evidence(source(workload), f"{ref} is the side that was switched to: {_standing(case)}")


def _standing(case: Case) -> str:
    if not case.backends:
        return "it has no pod"
    return f"{count(len(case.backends), 'pod')}, none ready"


def _applied_selector(service: Service) -> Mapping[str, str] | None:
    """The selector of the manifest that was applied last, if kubectl left it."""
    applied = service.metadata.annotations.get(LAST_APPLIED_ANNOTATION, "")
    try:
        return msgspec.json.decode(applied, type=_Applied).spec.selector
    except (msgspec.DecodeError, RecursionError):
        return None


class _AppliedSpec(msgspec.Struct, frozen=True):
    selector: dict[str, str] | None = None


class _Applied(msgspec.Struct, frozen=True):
    spec: _AppliedSpec = _AppliedSpec()


def _finding(case: Case, service: Service, key: str, siblings: tuple[Pod, ...], witness: Evidence) -> Finding:
    back = siblings[0].labels[key]
    others = sorted({pod.labels[key] for pod in siblings})
    body = {"spec": {"selector": {key: back}}}
    merged = {**service.spec.selector, key: back}
    return find(
        SWITCH_EMPTY,
        subject(service),
        f"the selector was switched to {key}={service.spec.selector[key]}, which has no ready pod; "
        f"{key}={some(others)} has",
        [
            Evidence(source(service, "spec.selector"), labels(service.spec.selector)),
            witness,
            Evidence(
                f"API: pods in namespace {service.namespace}", f"{key}={back}: {count(len(siblings), 'ready pod')}"
            ),
        ],
        Fix(
            f"Roll back to {key}={back} now: the Service then has {endpoints_of(service, merged, case.pods)}. "
            f"Switch again once {key}={service.spec.selector[key]} is ready.",
            kubectl_patch(service.namespace, "Service", service.name, body),
            patch(body),
        ),
        effect=Effect.OUTAGE,
        confidence=Confidence.LIKELY,
        ruled_out=[RuledOut("selector-typo", f"pods with the rest of the selector serve under another {key}")],
    )
