"""Service ports held against what the pods behind them say of themselves.

A containerPort is information, not proof (k/k#73049). So a finding here needs witnesses besides a missing declaration,
and a pod that leaves anything unsaid is believed to listen.
"""

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from ...model.case import Case
from ...model.diagnosis import Confidence, Effect, Evidence, Finding, Fix, Rule, Severity
from ...model.pod import ContainerPort, Pod
from ...model.service import Service, ServicePort
from ..listening import AUXILIARY, Word, declared, mentions, proven, resolve, speaks
from ..step import find
from ..words import count, kubectl, kubectl_json_patch, source, subject
from . import protocol

TARGETPORT_WRONG = Rule(
    "SVC106",
    "targetport-wrong",
    Severity.ERROR,
    "service",
    "The targetPort is a port on which the pods do not listen, so connections are refused at once.",
    "The number differs from the one that the container serves.",
    "Point targetPort at the container's port, best by its name.",
)
SIDECAR_PORT_ONLY = Rule(
    "SVC107",
    "sidecar-port-only",
    Severity.ADVICE,
    "service",
    "The targetPort belongs to a native sidecar (an init container with restartPolicy Always). This works.",
    "Some linters look at plain containers only and call it a missing port.",
    "Nothing needs to be done.",
)
HEADLESS_PORT_REMAP = Rule(
    "SVC108",
    "headless-port-remap",
    Severity.WARNING,
    "service",
    "A headless Service has port and targetPort apart, but no proxy translates for it: clients reach pods directly.",
    "DNS answers with pod addresses, so a client that dials the Service port finds nobody listening there.",
    "Make port equal to targetPort, dial the targetPort, or read the port from the SRV record.",
)
RULES = (TARGETPORT_WRONG, SIDECAR_PORT_ONLY, HEADLESS_PORT_REMAP)

HTTPS = 443
TLS = re.compile(r"https|tls|ssl", re.IGNORECASE)
ENOUGH = 3
"""Points that witnesses against a targetPort must bring for an error; fewer make it a warning."""


def check(case: Case) -> Iterator[Finding]:
    """Findings about each port of a Service that has pods behind it."""
    service = case.service
    pods = tuple(pod for pod in case.backends if not pod.terminating)
    if service is None or case.external_name or not pods:
        return
    for index, port in enumerate(service.spec.ports):
        if case.headless and any(speaks(pod, port.port, port.protocol) is Word.FOR for pod in pods):
            continue  # clients dial the port itself, and it is served
        finding = protocol.mismatch(service, port, index, pods) or _targetport_wrong(service, port, index, pods)
        if finding is not None:
            yield finding
        elif case.headless:
            yield from _headless_port_remap(service, port, index, pods)
        yield from _sidecar_port(service, port, pods)


# --------------------------------------------------------------------------------------------------------- targetPort


class Suspicion(Struct, frozen=True):
    """The port that was probably meant, and who speaks for that."""

    meant: ContainerPort
    pod: Pod
    points: int
    witnesses: tuple[Evidence, ...]


def _suspicion(service: Service, port: ServicePort, pod: Pod) -> Suspicion | None:
    """Which declared port ``port`` should have led to, when the pod never speaks of its targetPort."""
    if not isinstance(port.target, int) or speaks(pod, port.target, port.protocol) is not Word.AGAINST:
        return None
    led_to = {resolve(pod, other.target, other.protocol) for other in service.spec.ports}
    free = [p for _, p in declared(pod) if p.protocol == port.protocol and p.container_port not in led_to]
    return max(
        (_weigh(service, port, pod, candidate, len(free) == 1) for candidate in free),
        key=lambda suspicion: suspicion.points,
        default=None,
    )


def _weigh(service: Service, port: ServicePort, pod: Pod, candidate: ContainerPort, only: bool) -> Suspicion:
    number = candidate.container_port
    where = source(pod, "spec.containers[].ports")
    points, witnesses = (
        0,
        [Evidence(where, f"{candidate.name} {number}/{candidate.protocol}, never {port.target}".lstrip())],
    )
    if candidate.name and candidate.name == port.name:
        points += 2
        witnesses.append(Evidence(where, f"its port {candidate.name} has the Service port's name, and is {number}"))
    if number == port.port:
        points += 2
        witnesses.append(Evidence(where, f"it declares {number}, the number of the Service port itself"))
    if number in proven(pod):
        points += 1
        witnesses.append(Evidence(source(pod, "readinessProbe"), f"the kubelet reaches {number}: the probe passes"))
    if mentions(pod, number):
        points += 1
        witnesses.append(Evidence(source(pod, "command line"), f"speaks of {number}, not of {port.target}"))
    points += only
    return Suspicion(candidate, pod, min(points, _most(port, candidate)), tuple(witnesses))


def _most(port: ServicePort, candidate: ContainerPort) -> int:
    """The points that a candidate can have at all: a port that goes by another name may well be another port.

    So may one whose targetPort is the port itself: nobody translated anything. What serves operators is never meant.
    """
    if candidate.name == port.name != "" or candidate.container_port == port.port:
        return 2 * ENOUGH
    plain = port.port == HTTPS and not TLS.search(candidate.name)
    apart = bool(port.name and candidate.name) or plain
    untranslated = port.target == port.port
    if AUXILIARY.search(candidate.name) or (apart and untranslated):
        return 0
    return ENOUGH - 1 if apart or untranslated else 2 * ENOUGH


def _targetport_wrong(service: Service, port: ServicePort, index: int, pods: Sequence[Pod]) -> Finding | None:
    suspicions = [suspicion for pod in pods if (suspicion := _suspicion(service, port, pod))]
    if len(suspicions) < len(pods):  # someone is silent or speaks for it: not wrong, or not wrong for all
        return None
    weakest = min(suspicions, key=lambda suspicion: suspicion.points)
    if weakest.points < 1:
        return None
    sure = weakest.points >= ENOUGH
    meant = weakest.meant
    target = meant.name or meant.container_port
    change = [{"op": "replace", "path": f"/spec/ports/{index}/targetPort", "value": target}]
    spoken = f"{port.name} {port.port}".lstrip()
    whole = len(service.spec.ports) == 1
    return find(
        TARGETPORT_WRONG,
        subject(service),
        f"port {spoken} leads to {port.target}, of which its pods never speak; they serve {meant.container_port}",
        [
            Evidence(source(service, f"spec.ports[{index}]"), f"{port.port}/{port.protocol} -> {port.target}"),
            *weakest.witnesses,
            Evidence("Pods behind the Service", f"the same holds for {count(len(pods), 'pod')} of {len(pods)}"),
        ],
        Fix(
            f"Point it at {target}. To be sure first, dial the pod itself: a refusal on {port.target} proves it.",
            kubectl_json_patch(service.namespace, "Service", service.name, change),
            alternatives=(
                Fix(
                    "The check that decides:",
                    kubectl(
                        service.namespace, "port-forward", f"pod/{weakest.pod.name}", f"{port.target}:{port.target}"
                    ),
                ),
            ),
        ),
        effect=(Effect.OUTAGE if whole else Effect.PARTIAL) if sure else Effect.NONE,
        severity=Severity.ERROR if sure else Severity.WARNING,
        confidence=Confidence.LIKELY if sure else Confidence.POSSIBLE,
    )


# ----------------------------------------------------------------------------------------------- headless, and sidecars


def _headless_port_remap(service: Service, port: ServicePort, index: int, pods: Sequence[Pod]) -> Iterator[Finding]:
    numbers = {number for pod in pods if (number := resolve(pod, port.target, port.protocol))}
    if not numbers or port.port in numbers or any(speaks(pod, port.port, port.protocol) is Word.FOR for pod in pods):
        return
    number = min(numbers)
    change = [{"op": "replace", "path": f"/spec/ports/{index}/port", "value": number}]
    yield find(
        HEADLESS_PORT_REMAP,
        subject(service),
        f"the Service is headless, so port {port.port} is not translated to {number}: clients must dial {number}",
        [
            Evidence(source(service, "spec.clusterIP"), "None"),
            Evidence(
                source(service, f"spec.ports[{index}]"), f"{port.port}/{port.protocol} -> {port.target} ({number})"
            ),
            Evidence("Pods behind the Service", f"none speaks of listening on {port.port}"),
        ],
        Fix(
            f"Make the Service port {number}, or dial {number}. SRV look-ups give the right port already.",
            kubectl_json_patch(service.namespace, "Service", service.name, change),
        ),
        effect=Effect.PARTIAL,
        confidence=Confidence.LIKELY,
    )


def _sidecar_port(service: Service, port: ServicePort, pods: Sequence[Pod]) -> Iterator[Finding]:
    for pod in pods:
        plain = {(p.name, p.container_port) for c in pod.spec.containers for p in c.ports}
        for container in pod.spec.servers[len(pod.spec.containers) :]:
            for owned in container.ports:
                ours = port.target in (owned.name, owned.container_port) and owned.protocol == port.protocol
                if ours and not any(port.target in pair for pair in plain):
                    yield find(
                        SIDECAR_PORT_ONLY,
                        subject(service),
                        f"targetPort {port.target} belongs to the native sidecar {container.name}; that works",
                        [Evidence(source(pod, f"spec.initContainers[{container.name}].ports"), str(port.target))],
                        Fix("Nothing needs to be done: native sidecars serve like any container."),
                        effect=Effect.NONE,
                    )
                    return
