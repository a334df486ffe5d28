"""Slices that another hand than the endpoint controller's writes: a person, the mirror, a foreign controller."""

from collections.abc import Iterator

from ...model.case import Case, slice_port
from ...model.diagnosis import Effect, Evidence, Finding, Fix, Rule, RuledOut, Severity
from ...model.meta import each
from ...model.service import (
    MANAGED_BY_LABEL,
    SERVICE_NAME_LABEL,
    SKIP_MIRROR_LABEL,
    SLICE_CONTROLLER,
    EndpointSlice,
    Service,
    ServicePort,
)
from ..near import nearest
from ..step import find
from ..words import count, kubectl, kubectl_json_patch, some, source, subject
from . import leftovers

SELECTORLESS_EMPTY = Rule(
    "SVC220",
    "selectorless-empty",
    Severity.ERROR,
    "endpoints",
    "The Service has no selector, and no EndpointSlice gives it addresses.",
    "Without a selector nobody fills the endpoints: whoever makes the Service must make its slices.",
    "Create an EndpointSlice with the Service's label, or give the Service a selector.",
)
SLICE_UNLABELLED = Rule(
    "SVC221",
    "slice-unlabelled",
    Severity.ERROR,
    "endpoints",
    "An EndpointSlice meant for the Service lacks the label that ties it to the Service, or has another name in it.",
    "kube-proxy finds slices by the label kubernetes.io/service-name only, never by their names.",
    "Set the label.",
)
SLICE_PORTNAME_MISMATCH = Rule(
    "SVC222",
    "slice-portname-mismatch",
    Severity.ERROR,
    "endpoints",
    "The slice has addresses, but no port of the name and protocol that the Service port has.",
    "kube-proxy joins slices and Services by port name and protocol; targetPort plays no part for slices made by hand.",
    "Give the slice's port the name of the Service port.",
)
RULES = (SELECTORLESS_EMPTY, SLICE_UNLABELLED, SLICE_PORTNAME_MISMATCH)


def check(case: Case, service: Service) -> Iterator[Finding]:
    """Findings about a Service's slices as they stand."""
    yield from _portname_mismatch(case, service)
    yield from leftovers.check(case, service)


def why_no_slice(case: Case, service: Service) -> Finding:
    """The cause of a Service without selector that has no usable address in any slice."""
    strays = list(_strays(case, service))
    if strays:
        return _unlabelled(service, strays)
    return _selectorless_empty(case, service)


def _address_count(endpoint_slice: EndpointSlice) -> int:
    return sum(len(entry.addresses) for entry in each(endpoint_slice.endpoints))


# --------------------------------------------------------------------------------------------------- made by hand


def _strays(case: Case, service: Service) -> Iterator[EndpointSlice]:
    """Slices of the namespace that have addresses, no owner, and a name or a label near the Service's."""
    known = {other.name for other in case.snapshot.services.within(service.namespace)}
    for stray in case.snapshot.endpointslices.within(service.namespace):
        tied = stray.service_name
        if tied == service.name or tied in known or stray.metadata.controller or not _address_count(stray):
            continue
        named = stray.name == service.name or stray.name.startswith((f"{service.name}-", f"{service.name}."))
        misspelt = bool(tied and nearest(tied, [service.name]))
        other_key = any("service" in key and value == service.name for key, value in stray.labels.items())
        if (not tied and (named or other_key)) or misspelt:
            yield stray


def _unlabelled(service: Service, strays: list[EndpointSlice]) -> Finding:
    stray = strays[0]
    said = f"{SERVICE_NAME_LABEL}={stray.service_name}" if stray.service_name else f"no label {SERVICE_NAME_LABEL}"
    return find(
        SLICE_UNLABELLED,
        subject(stray),
        f"EndpointSlice {stray.name} has {count(_address_count(stray), 'address', 'addresses')}, but {said}: "
        "it belongs to no Service",
        [
            Evidence(source(service, "spec.selector"), "none"),
            Evidence(source(stray, "metadata.labels"), said),
            Evidence(f"API: endpointslices labelled {SERVICE_NAME_LABEL}={service.name}", "none has an address"),
        ],
        Fix(
            "Label it." if len(strays) == 1 else f"Label the {len(strays)} slices.",
            kubectl(
                service.namespace,
                "label",
                "--overwrite",
                *(f"endpointslice/{each_stray.name}" for each_stray in strays[:10]),
                f"{SERVICE_NAME_LABEL}={service.name}",
            ),
        ),
        effect=Effect.OUTAGE,
        ruled_out=[RuledOut(SELECTORLESS_EMPTY.name, f"slice {stray.name} exists and has addresses")],
    )


def _selectorless_empty(case: Case, service: Service) -> Finding:
    old = case.snapshot.endpoints.get(service.namespace, service.name)
    skipped = old is not None and old.labels.get(SKIP_MIRROR_LABEL) == "true"
    evidence = [
        Evidence(source(service, "spec.selector"), "none: nobody fills its endpoints"),
        Evidence(f"API: endpointslices labelled {SERVICE_NAME_LABEL}={service.name}", _held(case)),
    ]
    if case.endpoints:
        return _none_ready(case, service, evidence)
    if old is not None and old.subsets:
        why = f", and label {SKIP_MIRROR_LABEL} keeps it from being mirrored" if skipped else ", but no mirrored slice"
        evidence.append(Evidence(source(old), f"{count(len(old.subsets), 'subset')}{why}"))
    ports = "".join(f"\n- name: {port.name!r}\n  port: {port.target}" for port in service.spec.ports)
    manifest = (
        "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata:\n"
        f"  name: {service.name}-1\n  namespace: {service.namespace}\n"
        f"  labels:\n    {SERVICE_NAME_LABEL}: {service.name}\n    {MANAGED_BY_LABEL}: manual\n"
        f"addressType: {(service.spec.ip_families or ('IPv4',))[0]}\nports:{ports or ' []'}\n"
        'endpoints:\n- addresses: ["..."]\n'
    )
    return find(
        SELECTORLESS_EMPTY,
        subject(service),
        "the Service has no selector, and no EndpointSlice gives it an address",
        evidence,
        Fix(
            "Apply an EndpointSlice with the addresses that should serve, or give the Service a selector.",
            kubectl(service.namespace, "apply", "-f", "-"),
            manifest,
        ),
        effect=Effect.OUTAGE,
    )


def _held(case: Case) -> str:
    if not case.slices:
        return "none"
    addresses = count(len(case.endpoints), "address", "addresses") if case.endpoints else "no address"
    return f"{count(len(case.slices), 'slice')}, {addresses}" + (", none ready" if case.endpoints else "")


def _none_ready(case: Case, service: Service, evidence: list[Evidence]) -> Finding:
    """Addresses there are, but whoever wrote them says of each that it is not ready."""
    addresses = count(len(case.endpoints), "address", "addresses")
    first = case.endpoints[0]
    return find(
        SELECTORLESS_EMPTY,
        subject(service),
        f"the Service has no selector, and none of the {addresses} in its slices is ready",
        [*evidence, Evidence(source(first.slice, "endpoints"), f"{first.address}: conditions.ready is false")],
        Fix(
            "See why the writer of the slice holds them for not ready; if they serve, set conditions.ready to true.",
            kubectl(service.namespace, "get", "endpointslice", first.slice.name, "-o", "yaml"),
        ),
        effect=Effect.OUTAGE,
    )


def _portname_mismatch(case: Case, service: Service) -> Iterator[Finding]:
    """Slices of other hands than the endpoint controller's; it writes the Service's own port names.

    Of a headless Service only SRV records know port names, so clients do not miss them.
    """
    if case.headless:
        return
    strangers = [s for s in case.slices if s.managed_by != SLICE_CONTROLLER and _address_count(s)]
    for stranger in strangers:
        lost = [port for port in service.spec.ports if not any(slice_port(s, port) for s in case.slices)]
        free = [
            index
            for index, port in enumerate(each(stranger.ports))
            if not any(
                (port.name or "") == own.name and (port.protocol or "TCP") == own.protocol for own in service.spec.ports
            )
        ]
        if lost and (free or not stranger.ports):
            yield _mismatch(service, stranger, free[0], lost) if free else _portless(service, stranger)
            return


def _mismatch(service: Service, stranger: EndpointSlice, index: int, lost: list[ServicePort]) -> Finding:
    port = tuple(each(stranger.ports))[index]
    wanted = next((own for own in service.spec.ports if own in lost and own.target == port.port), None)
    wanted = wanted or next(own for own in service.spec.ports if own in lost)
    change: list[dict[str, object]] = [{"op": "add", "path": f"/ports/{index}/name", "value": wanted.name}]
    if (port.protocol or "TCP") != wanted.protocol:
        change.append({"op": "add", "path": f"/ports/{index}/protocol", "value": wanted.protocol})
    return find(
        SLICE_PORTNAME_MISMATCH,
        subject(stranger),
        f"the slice calls its port {_port_name(port.name, port.protocol)}, the Service calls it "
        f"{_port_name(wanted.name, wanted.protocol)}: kube-proxy joins them by name and protocol",
        [
            Evidence(source(service, "spec.ports"), some(_port_name(p.name, p.protocol) for p in service.spec.ports)),
            Evidence(
                source(stranger, "ports"),
                some(f"{_port_name(p.name, p.protocol)} -> {p.port}" for p in each(stranger.ports)),
            ),
            Evidence(source(stranger, "endpoints"), count(_address_count(stranger), "address", "addresses")),
        ],
        Fix(
            f"Give the slice's port the Service port's name {wanted.name!r}.",
            kubectl_json_patch(service.namespace, "EndpointSlice", stranger.name, change),
        ),
        effect=Effect.OUTAGE if len(lost) == len(service.spec.ports) else Effect.PARTIAL,
        ruled_out=[RuledOut(SELECTORLESS_EMPTY.name, "the slice carries the Service's label and has addresses")],
    )


def _portless(service: Service, stranger: EndpointSlice) -> Finding:
    ports = [{"name": p.name, "port": p.target, "protocol": p.protocol} for p in service.spec.ports]
    change = [{"op": "add", "path": "/ports", "value": ports}]
    return find(
        SLICE_PORTNAME_MISMATCH,
        subject(stranger),
        "the slice has addresses, but no port at all: kube-proxy joins it to the Service by the names of its ports",
        [
            Evidence(source(service, "spec.ports"), some(_port_name(p.name, p.protocol) for p in service.spec.ports)),
            Evidence(source(stranger, "ports"), "none"),
        ],
        Fix(
            "Give the slice the Service's ports, each with the number that the addresses serve.",
            kubectl_json_patch(service.namespace, "EndpointSlice", stranger.name, change),
        ),
        effect=Effect.OUTAGE,
        ruled_out=[RuledOut(SELECTORLESS_EMPTY.name, "the slice carries the Service's label and has addresses")],
    )


def _port_name(name: str | None, protocol: str | None) -> str:
    return f"{name or '(no name)'}/{protocol or 'TCP'}"
