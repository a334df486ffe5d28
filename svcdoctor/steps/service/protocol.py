"""Service ports whose pods speak another protocol."""

from collections.abc import Sequence

from ...model.diagnosis import Confidence, Effect, Evidence, Finding, Fix, Rule, RuledOut, Severity
from ...model.pod import ContainerPort, Pod
from ...model.service import Service, ServicePort
from ..listening import Word, declared, probe_port, probes, proven, resolve, speaks
from ..step import find
from ..words import kubectl_json_patch, source, subject

PROTOCOL_MISMATCH = Rule(
    "SVC104",
    "protocol-mismatch",
    Severity.ERROR,
    "service",
    "The pods serve the port over another protocol than the Service offers.",
    "protocol defaults to TCP; a UDP (or SCTP) port must say so in the Service too.",
    "Give the Service port the protocol of the containerPort, or add a port of that protocol beside it.",
)
RULES = (PROTOCOL_MISMATCH,)


def _other_protocol(pod: Pod, port: ServicePort) -> ContainerPort | None:
    """The containerPort that ``port`` would mean, were it not for the protocol."""
    if isinstance(port.target, int) and speaks(pod, port.target, port.protocol) is Word.FOR:
        ports = [p for _, p in declared(pod) if p.container_port == port.target]
        if not ports or any(p.protocol == port.protocol for p in ports) or port.target in proven(pod):
            return None
    elif resolve(pod, port.target, port.protocol) is not None and isinstance(port.target, str):
        return None
    for _, candidate in declared(pod):
        if port.target in (candidate.name, candidate.container_port) and candidate.protocol != port.protocol:
            return candidate
    return None


def mismatch(service: Service, port: ServicePort, index: int, pods: Sequence[Pod]) -> Finding | None:
    """The protocol that all of ``pods`` say instead of the one of ``port``."""
    found = [(pod, other) for pod in pods if (other := _other_protocol(pod, port))]
    if len(found) < len(pods):
        return None
    pod, other = found[0]
    twin = any(p is not port and p.target == port.target and p.protocol == other.protocol for p in service.spec.ports)
    if twin:  # the pods' protocol is offered too; whether they also serve this one is not said
        return None
    spoken = f"{port.name} {port.port}".lstrip()
    change = [{"op": "replace", "path": f"/spec/ports/{index}/protocol", "value": other.protocol}]
    beside = {
        **_manifest(port),
        "protocol": other.protocol,
        "name": f"{port.name or 'port'}-{other.protocol.lower()}"[:15].rstrip("-"),
    }
    add = [{"op": "add", "path": "/spec/ports/-", "value": beside}]
    name = f" ({other.name})" if other.name else ""
    sure = service.spec.cluster_ip != "None" and _means_it(port, pods, other)
    whole = Effect.OUTAGE if len(service.spec.ports) == 1 else Effect.PARTIAL
    return find(
        PROTOCOL_MISMATCH,
        subject(service),
        f"port {spoken} offers {port.protocol}, but its pods serve {other.container_port} over {other.protocol}",
        [
            Evidence(source(service, f"spec.ports[{index}]"), f"{port.port}/{port.protocol} -> {port.target}"),
            Evidence(source(pod, "spec.containers[].ports"), f"{other.container_port}/{other.protocol}{name}"),
            Evidence(
                "Pods behind the Service",
                f"all {len(pods)} say {other.protocol} only"
                if len(pods) > 1
                else f"the only one says {other.protocol} only",
            ),
        ],
        Fix(
            f"Change the port's protocol to {other.protocol}.",
            kubectl_json_patch(service.namespace, "Service", service.name, change),
            alternatives=(
                Fix(
                    f"Or keep {port.protocol} and add a {other.protocol} port beside it, if the pods serve both.",
                    kubectl_json_patch(service.namespace, "Service", service.name, add),
                ),
            )
            if port.name
            else (),
        ),
        effect=whole if sure else Effect.NONE,
        severity=Severity.ERROR if sure else Severity.WARNING,
        confidence=Confidence.LIKELY if sure else Confidence.POSSIBLE,
        ruled_out=[
            RuledOut("targetport-wrong", f"{other.container_port} is the number that the pods declare"),
        ],
    )


def _means_it(port: ServicePort, pods: Sequence[Pod], other: ContainerPort) -> bool:
    """Whether the pods' protocol was meant. TCP is what a containerPort says that was left at its default."""
    if isinstance(port.target, str) or other.protocol != "TCP":
        return True
    number = other.container_port
    return all(
        number in proven(pod) or any(number == probe_port(c, probe) for c in pod.spec.servers for probe in probes(c))
        for pod in pods
    )


def _manifest(port: ServicePort) -> dict[str, str | int]:
    return {"port": port.port, "targetPort": port.target}
