"""Discovery without DNS: the variables that a container was started with."""

import re
from collections.abc import Iterator

from ...model.diagnosis import Confidence, Effect, Evidence, Finding, Fix, Rule, RuledOut, Severity
from ...model.pod import Container, Pod
from ..listening import command_line
from ..step import find
from ..words import ago, kubectl, quote, some, source, subject
from .environment import Collision, Injection, collisions, injection, started_at, upper, variables
from .view import View

ENV_NOT_INJECTED = Rule(
    "SVC425",
    "env-not-injected",
    Severity.WARNING,
    "dns",
    "The client reads the Service's address from a variable that it was not given.",
    "The kubelet sets *_SERVICE_HOST when a container starts: for Services that exist then, in the pod's namespace, "
    "unless enableServiceLinks is false.",
    "Use the Service's name; or restart the client, now that the Service is there.",
)
ENV_COLLISION = Rule(
    "SVC426",
    "env-collision",
    Severity.WARNING,
    "dns",
    "A variable of the Service has the name of a setting of the application: NAME_PORT=tcp://...",
    "The kubelet names variables after Services; an application that is configured by the same name reads them.",
    "Set enableServiceLinks: false, rename the Service, or set the variable in the container.",
)
RULES = (ENV_NOT_INJECTED, ENV_COLLISION)

WHY = {
    Injection.YOUNGER: "the Service is younger than the container",
    Injection.OTHER_NAMESPACE: "the Service is in another namespace",
    Injection.DISABLED: "enableServiceLinks is false",
    Injection.NO_ADDRESS: "the Service has no address of its own",
}


def check(view: View) -> Iterator[Finding]:
    """The client's variables; and those of the pods behind the Service, where one of them broke on them."""
    if view.client is not None:
        yield from _missing(view, view.client)
    pods = [pod for pod in (view.client, *view.case.backends) if pod is not None]
    found = (finding for pod in pods if (finding := _collision(view, pod)))
    yield from list(found)[:1]


# ----------------------------------------------------------------------------------------------------- env-not-injected


def _missing(view: View, pod: Pod) -> Iterator[Finding]:
    for container in pod.spec.containers:
        state = injection(view.service, pod, container)
        used = _mentions(container, upper(view.service.name))
        if state in WHY and (used or state is Injection.YOUNGER):
            yield _not_injected(view, pod, container, WHY[state], used)
            return


def _mentions(container: Container, prefix: str) -> tuple[str, ...]:
    """The Service's variables that a command line names: ``$(WEB_SERVICE_HOST)``, ``$WEB_PORT_80_TCP_ADDR``."""
    pattern = rf"\$[({{]?({re.escape(prefix)}_(?:SERVICE_HOST|SERVICE_PORT|PORT)(?:_[A-Z0-9_]+)?)\b"
    own = {variable.name for variable in container.env}
    found = dict.fromkeys(re.findall(pattern, command_line(container)))
    return tuple(name for name in found if name not in own)


def _not_injected(view: View, pod: Pod, container: Container, why: str, used: tuple[str, ...]) -> Finding:
    started = started_at(pod, container)
    made = view.service.metadata.creation_timestamp
    name = used[0] if used else f"{upper(view.service.name)}_SERVICE_HOST"
    evidence = [Evidence("Why", why)]
    if started and made:
        evidence.append(Evidence(source(pod, container.name), f"started {ago(view.case.age(started))} ago"))
        evidence.append(Evidence(source(view.service), f"made {ago(view.case.age(made))} ago"))
    if used:
        evidence.append(Evidence(source(pod, f"spec.containers[{container.name}].command"), f"reads {some(used)}"))
    return find(
        ENV_NOT_INJECTED,
        subject(pod),
        f"container {container.name} of {pod.name} has no {name}: {why}",
        evidence,
        Fix(
            f"Let it use the name {view.short}"
            + (", or make the pod anew." if why == WHY[Injection.YOUNGER] else ": no restart brings the variable."),
            kubectl(pod.namespace, "delete", "pod", pod.name) if why == WHY[Injection.YOUNGER] else None,
        ),
        effect=Effect.OUTAGE if used else Effect.NONE,
        severity=Severity.ERROR if used else Severity.ADVICE,
        confidence=Confidence.CERTAIN if used else Confidence.POSSIBLE,
        ruled_out=[RuledOut("dns-down", "its name resolves all the same")],
    )


# -------------------------------------------------------------------------------------------------------- env-collision


def _collision(view: View, pod: Pod) -> Finding | None:
    """A variable of the Service that ``pod`` broke on, by its log; or that stands in a family of its own settings."""
    said = _broke_on(view, pod)
    if said is not None:
        return _collided(view, pod, *said)
    if pod is not view.client:
        return None
    near = next((c for c in collisions(pod, [view.service]) if not c.declared), None)
    return _collided(view, pod, near, "") if near else None


def _broke_on(view: View, pod: Pod) -> tuple[Collision, str] | None:
    """The variable whose value the log of a container that ended quotes, and the line."""
    values = {v.value: v for v in variables(view.service) if "://" in v.value and v.name.endswith("_PORT")}
    for container in pod.spec.containers:
        status = pod.container_status(container.name)
        if status is None or (status.restart_count == 0 and status.state.terminated is None):
            continue
        if injection(view.service, pod, container) not in (Injection.PRESENT, Injection.UNKNOWN):
            continue
        log = view.snapshot.logs.get((pod.namespace, pod.name, container.name), "")
        for line in log.splitlines():
            if value := next((value for value in values if value in line), None):
                return Collision(values[value], container.name, False), line
    return None


def _collided(view: View, pod: Pod, collision: Collision, line: str) -> Finding:
    variable = collision.variable
    crashed = bool(line)
    others = _rename(view.service.name)
    evidence = [
        Evidence(f"Kubelet: environment of {collision.container}", f"{variable.name}={variable.value}"),
        Evidence(source(pod, "spec.enableServiceLinks"), str(pod.spec.enable_service_links is not False).lower()),
    ]
    if collision.beside:
        evidence.append(Evidence(source(pod, f"spec.containers[{collision.container}].env"), some(collision.beside)))
    if crashed:
        evidence.append(quote(f"Log of {pod.name}/{collision.container}", line))
    return find(
        ENV_COLLISION,
        subject(pod),
        f"container {collision.container} of {pod.name} is given {variable.name}={variable.value}"
        + (", and ends over it" if crashed else f", beside its own {some(collision.beside)}"),
        evidence,
        Fix(
            f"Set enableServiceLinks: false in the pod template, or call the Service {others}.",
            patch="spec:\n  enableServiceLinks: false\n",
        ),
        effect=Effect.OUTAGE if crashed else Effect.NONE,
        severity=Severity.ERROR if crashed else Severity.WARNING,
        confidence=Confidence.CERTAIN if crashed else Confidence.POSSIBLE,
        ruled_out=[RuledOut("env-not-injected", "the variable is there")],
    )


def _rename(name: str) -> str:
    return f"{name}-svc"
