"""Who plausibly calls a Service, where nobody said from whom to look: pods that speak its name."""

import re
from collections.abc import Iterator

from msgspec import Struct

from ...model.case import Case
from ...model.diagnosis import Evidence
from ...model.pod import Container, Pod
from ...model.service import Service
from ..listening import command_line
from ..words import quote, source

POINTERS = ("HOST", "URL", "URI", "ADDR", "ADDRESS", "ENDPOINT", "SERVER", "SERVICE", "BASE_URL", "SERVICE_URL")
"""How the names of variables end that hold a Service's address. Their values are never read."""

MOST = 5


class Caller(Struct, frozen=True):
    """A pod, and what shows that it calls the Service."""

    pod: Pod
    evidence: Evidence


def callers(case: Case, service: Service) -> tuple[Caller, ...]:
    """One pod of each workload that speaks the Service's name, at most MOST of them."""
    found: dict[tuple[str, tuple[tuple[str, str], ...]], Caller] = {}
    backends = {(pod.namespace, pod.name) for pod in case.backends}
    for pod in case.snapshot.pods.items:
        key = pod.namespace, tuple(sorted(pod.labels.items()))
        own = (pod.namespace, pod.name) in backends
        if own or key in found or pod.terminal or pod.spec.host_network or not pod.addresses:
            continue
        evidence = next(_spoken(pod, service), None)
        if evidence is not None:
            found[key] = Caller(pod, evidence)
        if len(found) == MOST:
            break
    return tuple(found.values())


def _spoken(pod: Pod, service: Service) -> Iterator[Evidence]:
    """In another namespace a Service is called by its name and its namespace; a bare name may be anything's."""
    for container in pod.spec.servers:
        place = source(pod, f"spec.containers[{container.name}]")
        if match := _in_command(container, pod, service):
            yield quote(f"{place} command line", match)
        elif name := _in_environment(container, pod, service):
            yield quote(f"{place}.env", name)


def _in_command(container: Container, pod: Pod, service: Service) -> str:
    """``http://web``, ``web:80``, ``web.shop``; not a word that happens to be the same."""
    name, namespace = re.escape(service.name), re.escape(service.namespace)
    qualified = rf"{name}\.{namespace}(?:\.svc[\w.]*)?(?::\d+)?"
    near = (
        rf"|(?<=://){name}(?::\d+)?(?=[/?\s\"']|$)|(?<![\w./-]){name}:\d+" if pod.namespace == service.namespace else ""
    )
    line = command_line(container)
    match = service.name in line and re.search(rf"(?<![\w.-])(?:{qualified}){near}", line)
    return match[0] if match else ""


def _in_environment(container: Container, pod: Pod, service: Service) -> str:
    """``WEB_URL`` for Service web of the same namespace."""
    if pod.namespace != service.namespace:
        return ""
    stem = re.sub(r"\W", "_", service.name).upper()
    wanted = {f"{stem}_{ending}" for ending in POINTERS}
    return next((variable.name for variable in container.env if variable.name in wanted), "")
