"""The pods behind a Service, by the workload that made them."""

from collections.abc import Iterable, Mapping, Sequence

from ...model.case import Case, WorkloadRef
from ...model.diagnosis import Rule, Severity
from ...model.pod import Pod
from ...model.service import Service, ServicePort
from ..listening import declared
from ..words import kubectl, some

SELECTOR_POLLUTED = Rule(
    "SVC205",
    "selector-polluted",
    Severity.WARNING,
    "endpoints",
    "The selector matches pods of more than one workload, and some of them do not serve the Service's port.",
    "A label that several applications share is all that the selector asks for.",
    "Add a label to the selector that only the serving workload carries.",
)
RULES = (SELECTOR_POLLUTED,)

Groups = Mapping[WorkloadRef | None, Sequence[Pod]]


def by_workload(case: Case, pods: Sequence[Pod]) -> Groups:
    """``pods`` by their topmost controller; bare pods stand together under None."""
    groups: dict[WorkloadRef | None, list[Pod]] = {}
    for pod in pods:
        groups.setdefault(case.workload_of(pod), []).append(pod)
    return groups


def spoken(group: WorkloadRef | None, pods: Sequence[Pod]) -> str:
    return str(group) if group else f"Pod {some(pod.name for pod in pods)}"


def images(pods: Iterable[Pod]) -> set[str]:
    """The images of ``pods`` without tags: a canary runs another tag, a stranger another image."""
    return {_repository(container.image) for pod in pods for container in pod.spec.containers}


def _repository(image: str) -> str:
    """An image without its tag or digest."""
    name = image.split("@", maxsplit=1)[0]
    head, _, tail = name.rpartition(":")
    return head if head and "/" not in tail else name


def expose(
    workload: WorkloadRef | None, service: Service, port: ServicePort, namespace: str, name: str = ""
) -> str | None:
    """The command that gives a Deployment a Service of its own with one port of ``service``."""
    if workload is None or workload.kind != "Deployment":
        return None
    called = [f"--name={name or service.name}", f"--type={service.spec.type}"]
    ports = [f"--port={port.port}", f"--target-port={port.target}", f"--protocol={port.protocol}"]
    return kubectl(namespace, "expose", "deployment", workload.name, *called, *ports)


def port_list(pod: Pod) -> str:
    """The declared ports of ``pod`` in a few words."""
    return some((f"{p.name} {p.container_port}/{p.protocol}".lstrip() for _, p in declared(pod)), 6) or "no ports"
