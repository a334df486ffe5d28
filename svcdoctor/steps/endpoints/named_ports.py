"""Named targetPorts: looked up on each pod, so that pods can be left out one by one."""

from collections.abc import Iterator, Sequence

from ...model.case import WorkloadRef
from ...model.diagnosis import Confidence, Effect, Evidence, Finding, Fix, Rule, RuledOut, Severity
from ...model.pod import Pod
from ...model.service import Service, ServicePort
from ..listening import declared, resolve
from ..near import nearest
from ..step import find
from ..words import count, kubectl, kubectl_json_patch, labels, source, subject
from .groups import SELECTOR_POLLUTED, Groups, images, port_list, spoken

NAMED_PORT_ABSENT = Rule(
    "SVC210",
    "named-port-absent",
    Severity.ERROR,
    "endpoints",
    "The targetPort is a name that no container of the pods has, so their addresses are listed without this port.",
    "The containerPort has no name, another name, or another protocol.",
    "Name the containerPort as the targetPort says, or use its name or number in the Service.",
)
NAMED_PORT_SPLIT = Rule(
    "SVC211",
    "named-port-split",
    Severity.ERROR,
    "endpoints",
    "Some workloads behind the Service lack the named port, so their pods never get traffic for it.",
    "The named targetPort is looked up on each pod; workloads that call the port otherwise are left out.",
    "Give the port the same name on every workload.",
)
NAMED_PORT_FIRST_WINS = Rule(
    "SVC212",
    "named-port-first-wins",
    Severity.WARNING,
    "endpoints",
    "Two containers of a pod give a port the same name; the Service leads to the first one only.",
    "The endpoint controller takes the first containerPort of that name.",
    "Give the ports names of their own.",
)
RULES = (NAMED_PORT_ABSENT, NAMED_PORT_SPLIT, NAMED_PORT_FIRST_WINS)


def check(service: Service, pods: Sequence[Pod], groups: Groups) -> Iterator[Finding]:
    """Findings about the named targetPorts of ``service`` on its live ``pods``."""
    absent = list(_absent(service, pods))
    yield from absent or _split(service, groups)
    yield from _first_wins(service, pods)


def _index(service: Service, port: ServicePort) -> int:
    return next(index for index, other in enumerate(service.spec.ports) if other is port)


def _named(service: Service) -> Iterator[ServicePort]:
    for port in service.spec.ports:
        if isinstance(port.target, str) and not port.target.isdecimal():
            yield port


def _absent(service: Service, pods: Sequence[Pod]) -> Iterator[Finding]:
    for port in _named(service):
        if any(resolve(pod, port.target, port.protocol) is not None for pod in pods):
            continue
        if all(any(p.name == port.target for _, p in declared(pod)) for pod in pods):
            continue  # every pod has it over another protocol: that is protocol-mismatch
        yield _named_port_absent(service, port, pods)


def _meant(port: ServicePort, pod: Pod) -> int | str | None:
    """The port of ``pod`` that a missing name probably meant."""
    ports = [p for _, p in declared(pod) if p.protocol == port.protocol]
    near = nearest(str(port.target), [p.name for p in ports if p.name], 1)
    if near:
        return near[0]
    chosen = ports[0] if len(ports) == 1 else next((p for p in ports if p.container_port == port.port), None)
    return (chosen.name or chosen.container_port) if chosen else None


def _named_port_absent(service: Service, port: ServicePort, pods: Sequence[Pod]) -> Finding:
    pod = next((pod for pod in pods if pod.ready), pods[0])
    index = _index(service, port)
    meant = _meant(port, pod)
    if meant is None:
        fix = Fix(
            f"Name a containerPort {port.target}, or put the port's number in the Service.",
            kubectl(service.namespace, "edit", "service", service.name),
        )
    else:
        change = [{"op": "replace", "path": f"/spec/ports/{index}/targetPort", "value": meant}]
        fix = Fix(
            f"Point the Service at {meant}, which the pods have; or name that containerPort {port.target}.",
            kubectl_json_patch(service.namespace, "Service", service.name, change),
            f"targetPort: {meant}",
        )
    whole = len(service.spec.ports) == 1
    headless = _headless(service)
    return find(
        NAMED_PORT_ABSENT,
        subject(service),
        f"targetPort {port.target} is a name that no container of its {count(len(pods), 'pod')} has"
        + (": SRV records miss the port, addresses resolve" if headless else ""),
        [
            Evidence(source(service, f"spec.ports[{index}].targetPort"), f"{port.target} ({port.protocol})"),
            Evidence(source(pod, "spec.containers[].ports"), port_list(pod)),
        ],
        fix,
        effect=Effect.NONE if headless else Effect.OUTAGE if whole else Effect.PARTIAL,
        severity=Severity.WARNING if headless else Severity.ERROR,
        ruled_out=[RuledOut("selector-typo", f"the selector matches {count(len(pods), 'pod')}")],
    )


def _headless(service: Service) -> bool:
    """Whether clients get the pods' addresses from DNS, with or without the port."""
    return service.spec.cluster_ip == "None"


def _split(service: Service, groups: Groups) -> Iterator[Finding]:
    """Pods that lack a port's name while others have it."""
    for port in _named(service):
        having: dict[WorkloadRef | None, Sequence[Pod]] = {}
        lacking: dict[WorkloadRef | None, Sequence[Pod]] = {}
        for group, members in groups.items():
            for pile, has in ((having, True), (lacking, False)):
                chosen = [pod for pod in members if (resolve(pod, port.target, port.protocol) is not None) is has]
                if chosen:
                    pile[group] = chosen
        if not having:
            continue  # every pod has the name over another protocol: that is protocol-mismatch
        for group, pods in lacking.items():
            if any(resolve(pod, other.target, other.protocol) for pod in pods for other in service.spec.ports):
                continue  # it serves another of the ports: sharing a Service by named ports is a pattern
            yield _bystanders(service, port, group, pods, having)
        if lacking:
            return


def _bystanders(
    service: Service, port: ServicePort, group: WorkloadRef | None, pods: Sequence[Pod], having: Groups
) -> Finding:
    """Pods that serve no port of the Service: a workload with a misnamed port, or somebody who is no server at all."""
    where = f"spec.ports[{_index(service, port)}].targetPort"
    servers = "; ".join(spoken(*pair) for pair in having.items())
    evidence = [
        Evidence(source(service, where), f"{port.target}, which {servers} has"),
        Evidence(source(pods[0], "spec.containers[].ports"), port_list(pods[0])),
    ]
    who = spoken(group, pods)
    if not any(True for pod in pods for _ in declared(pod)):
        return find(
            SELECTOR_POLLUTED,
            subject(service),
            f"the selector also matches {who}, which declares no port; it gets no traffic",
            [Evidence(source(service, "spec.selector"), labels(service.spec.selector)), *evidence],
            Fix(f"If {who} should not stand behind the Service, give the selector a label that it lacks."),
            severity=Severity.ADVICE,
            effect=Effect.NONE,
        )
    if _stranger(port, pods, having):
        return find(
            SELECTOR_POLLUTED,
            subject(service),
            f"the selector also matches {who}, another application without a port {port.target}; it gets no traffic",
            [Evidence(source(service, "spec.selector"), labels(service.spec.selector)), *evidence],
            Fix(f"Give the selector a label that {who} lacks."),
            effect=Effect.NONE,
            confidence=Confidence.LIKELY,
            ruled_out=[RuledOut(NAMED_PORT_SPLIT.name, f"{who} runs another image, and no port of that number")],
        )
    ready = sum(pod.ready for pod in pods)
    fix = Fix(f"Name the containerPort {port.target} on {who} too.")
    if group is not None and group.kind in ("Deployment", "StatefulSet", "DaemonSet"):
        command = kubectl(service.namespace, "edit", group.kind.lower(), group.name)
        fix = Fix(fix.text, command, f"ports:\n- name: {port.target}\n  containerPort: {_first_port(pods[0])}\n")
    return find(
        NAMED_PORT_SPLIT,
        subject(service),
        f"{who} has no port named {port.target}, so its {count(len(pods), 'pod')} ({ready} ready) never get traffic",
        evidence,
        fix,
        effect=Effect.NONE if _headless(service) else Effect.PARTIAL,
        severity=Severity.WARNING if _headless(service) else Severity.ERROR,
        confidence=Confidence.LIKELY,
        ruled_out=[RuledOut("named-port-absent", f"{servers} has the port")],
    )


def _stranger(port: ServicePort, pods: Sequence[Pod], having: Groups) -> bool:
    """Whether pods have neither image nor port number in common with those that serve the port."""
    servers = [pod for members in having.values() for pod in members]
    numbers = {resolve(pod, port.target, port.protocol) for pod in servers}
    same_number = any(p.container_port in numbers for pod in pods for _, p in declared(pod))
    return not same_number and not images(pods) & images(servers)


def _first_port(pod: Pod) -> int:
    return next(port.container_port for _, port in declared(pod))


def _first_wins(service: Service, pods: Sequence[Pod]) -> Iterator[Finding]:
    for port in _named(service):
        for pod in pods:
            found = [(c, p) for c, p in declared(pod) if p.name == port.target and p.protocol == port.protocol]
            numbers = {p.container_port for _, p in found}
            if len(numbers) < 2:
                continue
            first, wins = found[0]
            second, loses = next(pair for pair in found if pair[1].container_port != wins.container_port)
            yield find(
                NAMED_PORT_FIRST_WINS,
                subject(service),
                f"two containers name a port {port.target}: all traffic goes to {first.name} on {wins.container_port}, "
                f"none to {second.name} on {loses.container_port}",
                [
                    Evidence(source(pod, f"spec.containers[{c.name}].ports"), f"{p.name} {p.container_port}")
                    for c, p in found
                ],
                Fix(
                    f"Rename the port of {second.name}; or that of {first.name}, if it should not get this traffic.",
                    kubectl(service.namespace, "get", "pod", pod.name, "-o", "jsonpath={.spec.containers[*].ports}"),
                ),
                effect=Effect.NONE,
            )
            return
