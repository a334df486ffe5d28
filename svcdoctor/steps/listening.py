"""Where a pod listens, as far as its spec tells.

A containerPort is only information, so its absence proves nothing. What a pod says in other ways counts too: the ports
that its probes dial, and the numbers in its command line. Only a pod that speaks of ports, and never of this one,
speaks against it.
"""

import re
from collections.abc import Iterator
from enum import Enum
from functools import lru_cache

from ..model.meta import IntOrString, each
from ..model.pod import Container, ContainerPort, Pod, Probe

PORT_ANNOTATION = "prometheus.io/port"
AUXILIARY = re.compile(r"metric|health|admin|probe|prom|debug|manag|monitor|status|live|ready|pprof", re.IGNORECASE)
"""Names of ports that serve operators rather than clients."""


class Word(Enum):
    """What a pod says of a port."""

    FOR = "for"  # declared, probed or in the command line
    SILENT = "silent"  # some container speaks of no port at all
    AGAINST = "against"  # every container names its ports, and this is not one of them


def declared(pod: Pod) -> Iterator[tuple[Container, ContainerPort]]:
    """Every containerPort in the order of the endpoint controller's look-up: containers, then native sidecars."""
    for container in pod.spec.servers:
        for port in container.ports:
            yield container, port


def resolve(pod: Pod, target: IntOrString, protocol: str) -> int | None:
    """The number of a targetPort on ``pod`` (podutil.FindPort): the first containerPort of that name and protocol."""
    if isinstance(target, int):
        return target
    for _, port in declared(pod):
        if port.name == target and port.protocol == protocol:
            return port.container_port
    return None


def probe_port(container: Container, probe: Probe) -> int | None:
    """The number of the port that a probe dials; None for exec probes and for names that the container lacks."""
    if isinstance(probe.port, str):
        named = (port.container_port for port in container.ports if port.name == probe.port)
        return next(named, int(probe.port) if probe.port.isdecimal() else None)
    return probe.port or None


def probes(container: Container) -> Iterator[Probe]:
    for probe in (container.readiness_probe, container.liveness_probe, container.startup_probe):
        if probe is not None:
            yield probe


def proven(pod: Pod) -> frozenset[int]:
    """The TCP ports that the kubelet reaches now: the readiness probes of a pod that is Ready."""
    if not pod.ready:
        return frozenset()
    return frozenset(
        number
        for container in pod.spec.servers
        if (probe := container.readiness_probe) and not probe_host(probe) and (number := probe_port(container, probe))
    )


def probe_host(probe: Probe) -> str:
    """The host that a probe dials instead of the pod's IP."""
    action = probe.http_get or probe.tcp_socket
    return action.host if action else ""


def command_line(container: Container) -> str:
    return " ".join([*each(container.command), *each(container.args)])


def mentions(pod: Pod, number: int) -> bool:
    """Whether a command line, a probe's command or a scrape annotation names the port."""
    return str(number) in pod.metadata.annotations.get(PORT_ANNOTATION, "").split() or any(
        number in _numbers(text) for container in pod.spec.servers for text in _spoken(container)
    )


def _spoken(container: Container) -> Iterator[str]:
    yield command_line(container)
    for probe in probes(container):
        if probe.exec:
            yield " ".join(each(probe.exec.command))


@lru_cache(maxsize=1024)
def _numbers(text: str) -> frozenset[int]:
    return frozenset(int(number) for number in re.findall(r"(?<![\d.])\d{2,5}(?![\d.])", text))


def speaks(pod: Pod, number: int, protocol: str) -> Word:
    """What ``pod`` says of listening on ``number``/``protocol``."""
    ports = {(port.container_port, port.protocol) for _, port in declared(pod)}
    if (number, protocol) in ports or mentions(pod, number):
        return Word.FOR
    probed = {probe_port(container, probe) for container in pod.spec.servers for probe in probes(container)}
    if protocol == "TCP" and number in probed:
        return Word.FOR
    talkative = pod.spec.servers and all(container.ports for container in pod.spec.servers)
    return Word.AGAINST if talkative else Word.SILENT
