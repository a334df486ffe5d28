"""Numeric targetPorts: they hold for every pod that the selector matches, whether it listens there or not."""

from collections.abc import Iterator, Mapping, Sequence

from ...model.case import WorkloadRef
from ...model.diagnosis import Confidence, Effect, Evidence, Finding, Fix, Rule, RuledOut, Severity
from ...model.pod import Pod
from ...model.service import Service, ServicePort
from ..listening import Word, declared, speaks
from ..step import find
from ..words import count, kubectl, kubectl_json_patch, labels, some, source, subject
from .groups import SELECTOR_POLLUTED, Groups, expose, images, port_list, spoken

SHARED_NUMERIC_PORTS = Rule(
    "SVC213",
    "shared-svc-numeric-ports",
    Severity.ERROR,
    "endpoints",
    "Several workloads share the Service, and each serves only some of its numeric targetPorts: on every port, the "
    "connections that reach the others are refused.",
    "A numeric targetPort holds for every pod, whether it listens there or not.",
    "Name the containerPorts and use the names as targetPorts, or make one Service a workload.",
)
RULES = (SHARED_NUMERIC_PORTS,)


def check(service: Service, groups: Groups) -> Iterator[Finding]:
    """Workloads that speak of ports, but never of one that the Service sends them traffic for."""
    ports = [port for port in service.spec.ports if isinstance(port.target, int)]
    if len(groups) < 2 or not ports:
        return
    word = {(port.port, port.protocol, group): _word(port, pods) for port in ports for group, pods in groups.items()}
    served = {g: [p for p in ports if word[p.port, p.protocol, g] is Word.FOR] for g in groups}
    refused = {g: [p for p in ports if word[p.port, p.protocol, g] is Word.AGAINST] for g in groups}
    hit = [
        port for port in ports if any(port in s for s in served.values()) and any(port in r for r in refused.values())
    ]
    if not hit:
        yield from _mute_strangers(service, groups, ports, served, refused)
        return
    if len(ports) > 1 and all(served[group] for group in groups):
        yield _shared(service, groups, hit, served, refused)
        return
    for group, pods in groups.items():
        if not served[group] and any(port in hit for port in refused[group]):
            yield _polluted(service, groups, group, pods, [port for port in refused[group] if port in hit])


def _mute_strangers(
    service: Service,
    groups: Groups,
    ports: Sequence[ServicePort],
    served: Mapping[WorkloadRef | None, Sequence[ServicePort]],
    refused: Mapping[WorkloadRef | None, Sequence[ServicePort]],
) -> Iterator[Finding]:
    """Workloads of another image that speak of no port at all, beside ones that speak of the Service's."""
    servers = [pod for group, pods in groups.items() if served[group] for pod in pods]
    for group, pods in groups.items():
        mute = not served[group] and not refused[group]
        if mute and servers and not images(pods) & images(servers):
            yield _polluted(service, groups, group, pods, ports)


def _word(port: ServicePort, pods: Sequence[Pod]) -> Word:
    """What a workload says: the most favourable word of any of its pods."""
    words = {speaks(pod, int(port.target), port.protocol) for pod in pods}
    return next(word for word in Word if word in words)


def _shared(
    service: Service,
    groups: Groups,
    hit: Sequence[ServicePort],
    served: Mapping[WorkloadRef | None, Sequence[ServicePort]],
    refused: Mapping[WorkloadRef | None, Sequence[ServicePort]],
) -> Finding:
    evidence = [
        Evidence(
            source(service, "spec.ports"),
            ", ".join(f"{port.port} -> {port.target}" for port in service.spec.ports),
        )
    ]
    for group, pods in groups.items():
        missing = f", not {some(port.target for port in refused[group])}" if refused[group] else ""
        serves = some(port.target for port in served[group])
        evidence.append(Evidence(f"{spoken(group, pods)} ({count(len(pods), 'pod')})", f"serves {serves}{missing}"))
    total = sum(len(pods) for pods in groups.values())
    for port in hit:
        wrong = sum(len(pods) for group, pods in groups.items() if port in refused[group])
        evidence.append(Evidence(f"Port {port.port}", f"{wrong} of {total} endpoints do not listen on {port.target}"))
    return find(
        SHARED_NUMERIC_PORTS,
        subject(service),
        f"{len(groups)} workloads share the Service, but each serves only some of its targetPorts: part of the "
        f"connections to {'port' if len(hit) == 1 else 'ports'} {some(port.port for port in hit)} is refused",
        evidence,
        Fix(
            "Give each containerPort a name of its own and use the names as targetPorts: then each port leads to the "
            "pods that have it.",
            kubectl(service.namespace, "edit", "service", service.name),
            alternatives=tuple(_own_services(service, served)),
        ),
        effect=Effect.PARTIAL,
        confidence=Confidence.LIKELY,
        ruled_out=[RuledOut("targetport-wrong", "each targetPort is served by one of the workloads")],
    )


def _own_services(service: Service, served: Mapping[WorkloadRef | None, Sequence[ServicePort]]) -> Iterator[Fix]:
    """A Service for each workload that serves one of the ports alone."""
    for group, ports in served.items():
        if group is not None and len(ports) == 1:
            command = expose(
                group, service, ports[0], service.namespace, f"{service.name}-{group.name}"[:63].rstrip("-")
            )
            if command:
                yield Fix(f"Or make a Service for {group} alone.", command)


def _polluted(
    service: Service, groups: Groups, group: WorkloadRef | None, pods: Sequence[Pod], hit: Sequence[ServicePort]
) -> Finding:
    servers = {g: p for g, p in groups.items() if g != group}
    ready = sum(pod.ready for pod in pods)
    stranger = not images(pods) & images(pod for members in servers.values() for pod in members)
    sure = stranger and any(True for pod in pods for _ in declared(pod))
    who = spoken(group, pods)
    apart = _own_label(service, servers, pods)
    if apart:
        key, value = apart
        body = [{"op": "add", "path": f"/spec/selector/{key.replace('~', '~0').replace('/', '~1')}", "value": value}]
        fix = Fix(
            f"Add {key}={value} to the selector, which {who} does not carry.",
            kubectl_json_patch(service.namespace, "Service", service.name, body),
        )
    else:
        fix = Fix(f"Give the serving pods a label that {who} lacks, and select by it.")
    return find(
        SELECTOR_POLLUTED,
        subject(service),
        f"the selector also matches {who}, which does not speak of port {some(port.target for port in hit)}: "
        f"{ready} of {sum(len(p) for p in groups.values())} endpoints are probably the wrong application",
        [
            Evidence(source(service, "spec.selector"), labels(service.spec.selector)),
            Evidence(source(pods[0], "spec.containers[].ports"), port_list(pods[0])),
            *(Evidence(f"{spoken(g, p)} ({count(len(p), 'pod')})", port_list(p[0])) for g, p in servers.items()),
        ],
        fix,
        severity=Severity.ERROR if sure and ready else Severity.WARNING,
        effect=Effect.PARTIAL if ready else Effect.NONE,
        confidence=Confidence.LIKELY if sure else Confidence.POSSIBLE,
        ruled_out=[RuledOut("targetport-wrong", "the other workload serves the port")],
    )


def _own_label(service: Service, servers: Groups, strangers: Sequence[Pod]) -> tuple[str, str] | None:
    """A label that all serving pods share and no stranger has."""
    pods = [pod for group in servers.values() for pod in group]
    shared = set(pods[0].labels.items()).intersection(*(pod.labels.items() for pod in pods))
    for key, value in sorted(shared):
        taken = key.endswith("-hash") or key in service.spec.selector
        if not taken and all(pod.labels.get(key) != value for pod in strangers):
            return key, value
    return None
