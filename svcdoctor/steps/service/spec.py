"""What a Service's own fields get wrong, no pod needed."""

from collections.abc import Iterator
from ipaddress import ip_address

from ...model.case import Case
from ...model.diagnosis import Effect, Evidence, Finding, Fix, Rule, Severity
from ...model.service import Service, ServicePort
from ..listening import resolve
from ..near import nearest
from ..step import find
from ..words import kubectl, kubectl_json_patch, kubectl_patch, quote, some, source, subject

PORT_NOT_IN_SERVICE = Rule(
    "SVC103",
    "port-not-in-service",
    Severity.ERROR,
    "service",
    "The port that was asked for is not among the Service's ports.",
    "A virtual IP has rules for its declared ports only; others hang in iptables mode, and nftables mode rejects them.",
    "Dial a port that the Service has, or add this one to spec.ports.",
)
QUOTED_NUMBER_PORT = Rule(
    "SVC105",
    "quoted-number-port",
    Severity.ERROR,
    "service",
    "A targetPort is a string of digits, so it is looked up as a port name that no container can have.",
    'In YAML "8080" is a string and 8080 a number. Port names need a letter, so API servers reject such a manifest.',
    "Write the number without quotes.",
)
EXTERNALNAME_IP = Rule(
    "SVC109",
    "externalname-ip",
    Severity.ERROR,
    "service",
    "The externalName is an IP address; DNS serves it as a CNAME to a name made of digits, which does not exist.",
    "ExternalName Services lead to names only.",
    "Use a Service without selector, with an EndpointSlice that holds the address.",
)
NODEPORT_RANGE = Rule(
    "SVC110",
    "nodeport-range",
    Severity.WARNING,
    "service",
    "A nodePort lies outside the API server's --service-node-port-range.",
    "The range was changed after the Service was made. It works on, but can't be created again as it is.",
    "Give the port a nodePort inside the range, or widen the range.",
)
RULES = (PORT_NOT_IN_SERVICE, QUOTED_NUMBER_PORT, EXTERNALNAME_IP, NODEPORT_RANGE)


def check(case: Case) -> Iterator[Finding]:
    """Findings about the Service's own fields."""
    service = case.service
    if service is None:
        return
    if case.external_name:
        if is_ip(service.spec.external_name):
            yield _externalname_ip(service)
        return
    if case.target.port is not None and asked_port(service, case.target.port) is None:
        yield _port_not_in_service(case, service, case.target.port)
    for index, port in enumerate(service.spec.ports):
        if isinstance(port.target_port, str) and port.target_port.isdecimal():
            yield _quoted_number(service, port, index)
    for event in case.events_of("Service", service.name, "PortOutOfRange"):
        yield _nodeport_range(service, event.message)
        break


def asked_port(service: Service, asked: str) -> ServicePort | None:
    """The port of ``service`` that a user calls by number or by name."""
    return next((port for port in service.spec.ports if asked in (str(port.port), port.name)), None)


def is_ip(text: str) -> bool:
    try:
        ip_address(text.rstrip("."))
    except ValueError:
        return False
    return True


def _spoken(port: ServicePort) -> str:
    return f"{port.name} {port.port}/{port.protocol}".lstrip()


def _port_not_in_service(case: Case, service: Service, asked: str) -> Finding:
    ports = service.spec.ports
    has = some([_spoken(port) for port in ports], 6) or "none"
    meant = next((port for port in ports if asked in _behind(case, port)), None)
    near = nearest(asked, [port.name for port in ports if port.name])
    evidence = [Evidence(source(service, "spec.ports"), has)]
    if meant:
        kind = "nodePort" if asked == str(meant.node_port) else "targetPort"
        evidence.append(Evidence(source(service, "spec.ports"), f"{asked} is the {kind} of {_spoken(meant)}"))
        text = f"Dial {meant.port}: {asked} is its {kind}."
    elif near:
        text = f"Did you mean port {some(near)}?"
    else:
        text = "Dial one of its ports, or declare this one."
    alternatives: tuple[Fix, ...] = ()
    if asked.isdecimal():
        port = {"name": f"port-{asked}", "port": int(asked), "targetPort": meant.target if meant else int(asked)}
        change = [{"op": "add", "path": "/spec/ports/-", "value": port}]
        command = kubectl_json_patch(service.namespace, "Service", service.name, change)
        alternatives = (Fix("Or declare it too (every port of the Service must then have a name).", command),)
    return find(
        PORT_NOT_IN_SERVICE,
        subject(service),
        f"Service {service.namespace}/{service.name} has no port {asked}; it has {has}",
        evidence,
        Fix(text, kubectl(service.namespace, "get", "service", service.name), alternatives=alternatives),
        effect=Effect.OUTAGE,
    )


def _behind(case: Case, port: ServicePort) -> set[str]:
    """The other numbers by which ``port`` is known: its nodePort, and where it leads on the pods."""
    resolved = {str(resolve(pod, port.target, port.protocol)) for pod in case.backends}
    return {str(port.target), str(port.node_port), *resolved}


def _quoted_number(service: Service, port: ServicePort, index: int) -> Finding:
    number = int(str(port.target_port))
    change = [{"op": "replace", "path": f"/spec/ports/{index}/targetPort", "value": number}]
    return find(
        QUOTED_NUMBER_PORT,
        subject(service),
        f'targetPort of port {_spoken(port)} is the string "{port.target_port}", not the number',
        [Evidence(source(service, f"spec.ports[{index}].targetPort"), f'"{port.target_port}" (a string)')],
        Fix(
            f"Make it the number {number}.",
            kubectl_json_patch(service.namespace, "Service", service.name, change),
            f"targetPort: {number}",
        ),
        effect=Effect.OUTAGE if len(service.spec.ports) == 1 else Effect.PARTIAL,
    )


def _externalname_ip(service: Service) -> Finding:
    address = service.spec.external_name.rstrip(".")
    number = service.spec.ports[0].port if service.spec.ports else 443
    port = {} if service.spec.ports else {"ports": [{"port": number}]}
    change = {"spec": {"type": "ClusterIP", "externalName": None, **port}}
    family = "IPv6" if ":" in address else "IPv4"
    manifest = (
        "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata:\n"
        f"  name: {service.name}-1\n  namespace: {service.namespace}\n"
        f"  labels: {{kubernetes.io/service-name: {service.name}}}\n"
        f'addressType: {family}\nendpoints:\n- addresses: ["{address}"]\n'
        f"ports:\n- port: {number}  # the port that the address serves\n"
    )
    return find(
        EXTERNALNAME_IP,
        subject(service),
        f"externalName {address} is an IP address; DNS can only serve it as a name, which does not exist",
        [Evidence(source(service, "spec.externalName"), service.spec.external_name)],
        Fix(
            "Make it a Service without selector, and put the address in an EndpointSlice. "
            f"{number} stands for the port that the address serves.",
            kubectl_patch(service.namespace, "Service", service.name, change),
            manifest,
        ),
        effect=Effect.OUTAGE,
    )


def _nodeport_range(service: Service, message: str) -> Finding:
    return find(
        NODEPORT_RANGE,
        subject(service),
        "a nodePort lies outside the API server's range; it works now but can't be created again",
        [quote(f"Event PortOutOfRange on Service {service.namespace}/{service.name}", message)],
        Fix(
            "Remove the nodePort, so that the API server picks one inside the range.",
            kubectl(service.namespace, "edit", "service", service.name),
        ),
        effect=Effect.NONE,
    )
