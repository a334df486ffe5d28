"""Slices beside the endpoint controller's own that nobody keeps up to date, and Endpoints that were cut."""

from collections.abc import Iterator

from ...model.case import Case
from ...model.diagnosis import Confidence, Effect, Evidence, Finding, Fix, Rule, Severity
from ...model.meta import each
from ...model.service import (
    MIRRORING_CONTROLLER,
    OVER_CAPACITY_ANNOTATION,
    SERVICE_NAME_LABEL,
    SLICE_CONTROLLER,
    EndpointSlice,
    Service,
)
from ..step import find
from ..words import count, kubectl, some, source, subject

STALE_MIRROR_SLICE = Rule(
    "SVC223",
    "stale-mirror-slice",
    Severity.ERROR,
    "endpoints",
    "A mirrored slice of an old Endpoints object still adds addresses to a Service that has a selector.",
    "The Service once had no selector; the Endpoints written then were never deleted (k/k#103804).",
    "Delete the orphaned slice, and the Endpoints object if it was written by hand.",
)
FOREIGN_SLICE_STALE = Rule(
    "SVC224",
    "foreign-slice-stale",
    Severity.ERROR,
    "endpoints",
    "A slice that is not the endpoint controller's keeps addresses of pods that do not exist.",
    "The controller or person that wrote it does not keep it up to date.",
    "Repair that controller, or delete the slice.",
)
ENDPOINTS_TRUNCATED = Rule(
    "SVC225",
    "endpoints-truncated",
    Severity.WARNING,
    "endpoints",
    "The old Endpoints object holds only the first 1000 addresses; whoever still reads it misses the rest.",
    "core/v1 Endpoints has a limit that EndpointSlices do not have.",
    "Make its readers use EndpointSlices.",
)
RULES = (STALE_MIRROR_SLICE, FOREIGN_SLICE_STALE, ENDPOINTS_TRUNCATED)


def check(case: Case, service: Service) -> Iterator[Finding]:
    """Findings about addresses that outlived their pods, and about Endpoints that do not hold all."""
    if case.selector:
        yield from _leftovers(case, service)
    else:
        yield from _gone_targets(case, service)
    yield from _truncated(case, service)


def _leftovers(case: Case, service: Service) -> Iterator[Finding]:
    """Slices beside the endpoint controller's own: mirrored ones, and ones of foreign hands."""
    if not case.pods_known:
        return
    live = {address for pod in case.backends for address in pod.addresses}
    for other in case.slices:
        strange = [e.address for e in case.endpoints if e.slice is other and e.address not in live]
        if other.managed_by == SLICE_CONTROLLER or not strange:
            continue
        if other.managed_by == MIRRORING_CONTROLLER:
            yield _stale(case, service, other, strange, STALE_MIRROR_SLICE)
        elif gone := _gone(case, other):
            yield _stale(case, service, other, gone, FOREIGN_SLICE_STALE)
        else:  # a multi-cluster controller may well know addresses that this cluster has no pod for
            yield _stale(case, service, other, strange, FOREIGN_SLICE_STALE, sure=False)


def _gone_targets(case: Case, service: Service) -> Iterator[Finding]:
    """Without a selector only a targetRef tells whom an address means."""
    for other in case.slices:
        if gone := _gone(case, other):
            yield _stale(case, service, other, gone, FOREIGN_SLICE_STALE)


def _gone(case: Case, other: EndpointSlice) -> list[str]:
    """The addresses whose targetRef names a pod of the namespace that does not exist, or is another one by now."""
    if case.need("pods"):
        return []
    return [
        endpoint.address
        for endpoint in case.endpoints
        if endpoint.slice is other
        and (ref := endpoint.entry.target_ref)
        and endpoint.pod_name
        and ref.namespace in ("", case.target.namespace)
        and endpoint.pod is None
    ]


def _stale(
    case: Case, service: Service, other: EndpointSlice, dead: list[str], rule: Rule, sure: bool = True
) -> Finding:
    hand = f"managed by {other.managed_by}" if other.managed_by else "managed by nobody (no label says so)"
    share = "all" if len(dead) >= len(case.endpoints) else "part of the"
    alternatives: tuple[Fix, ...] = ()
    if rule is STALE_MIRROR_SLICE:
        alternatives = (
            Fix(
                "If the slice comes back, delete the Endpoints object; the controller writes it anew.",
                kubectl(service.namespace, "delete", "endpoints", service.name),
            ),
        )
    return find(
        rule,
        subject(other),
        f"slice {other.name}, {hand}, sends {share} traffic to {some(dead)}, where no pod of the Service is",
        [
            Evidence(source(other, "metadata.labels"), hand),
            Evidence(source(other, "endpoints"), some(dead, 5)),
            Evidence("Pods behind the Service", some(a for pod in case.backends for a in pod.addresses) or "none"),
        ],
        Fix(
            "Delete the slice, unless another controller is meant to own it: then repair that one.",
            kubectl(service.namespace, "delete", "endpointslice", other.name),
            alternatives=alternatives,
        ),
        severity=Severity.ERROR if sure else Severity.WARNING,
        effect=Effect.OUTAGE if len(dead) >= len(case.endpoints) else Effect.PARTIAL if sure else Effect.NONE,
        confidence=Confidence.LIKELY if sure else Confidence.POSSIBLE,
    )


def _truncated(case: Case, service: Service) -> Iterator[Finding]:
    old = case.snapshot.endpoints.get(service.namespace, service.name)
    if old is None or old.metadata.annotations.get(OVER_CAPACITY_ANNOTATION) != "truncated":
        return
    held = sum(len(subset.addresses) + len(subset.not_ready_addresses) for subset in each(old.subsets))
    yield find(
        ENDPOINTS_TRUNCATED,
        subject(old),
        f"the Endpoints object holds {held} of {len(case.endpoints)} addresses; the slices hold all",
        [
            Evidence(source(old, f"metadata.annotations[{OVER_CAPACITY_ANNOTATION}]"), "truncated"),
            Evidence("EndpointSlices", count(len(case.endpoints), "address", "addresses")),
        ],
        Fix(
            "Make whoever still reads Endpoints read EndpointSlices.",
            kubectl(service.namespace, "get", "endpointslices", "-l", f"{SERVICE_NAME_LABEL}={service.name}"),
        ),
        effect=Effect.NONE,
    )
