"""How readiness is used: published regardless, never asked, or passing away while endpoints terminate."""

from collections.abc import Iterator

from ...model.case import Case
from ...model.diagnosis import Confidence, Effect, Evidence, Finding, Fix, Rule, RuledOut, Severity
from ...model.pod import Container, Pod
from ...model.service import Service
from ..listening import resolve
from ..step import find
from ..words import count, kubectl, kubectl_patch, patch, some, source, subject

NO_READINESS_PROBE = Rule(
    "SVC306",
    "no-readiness-probe",
    Severity.ADVICE,
    "readiness",
    "The serving container has no readiness probe, so its pod gets traffic as soon as the process starts.",
    "Without a probe a running container counts as ready; each rollout begins with refused connections.",
    "Add a readiness probe.",
)
PUBLISH_NOT_READY = Rule(
    "SVC307",
    "publish-not-ready",
    Severity.WARNING,
    "readiness",
    "publishNotReadyAddresses is true, so pods that are not ready get traffic too.",
    "The field is meant for peers that must find each other before they are ready, not for a Service with clients.",
    "Set it to false, unless the Service is for peer discovery.",
)
TERMINATION_RACE = Rule(
    "SVC309",
    "termination-race",
    Severity.WARNING,
    "readiness",
    "Pods are terminating without a preStop delay: they stop serving before every proxy has stopped sending to them.",
    "A pod's end and its removal from the rules of all nodes happen side by side (k/k#43576).",
    "Add a preStop sleep of some seconds, and let the server drain.",
)
ALL_TERMINATING = Rule(
    "SVC310",
    "all-terminating",
    Severity.ERROR,
    "readiness",
    "Every endpoint is terminating: traffic goes to pods that are on their way out, as long as they last.",
    "All replicas were drained or deleted at once.",
    "Bring up new pods before the old ones go (surge, PodDisruptionBudget).",
)
RULES = (NO_READINESS_PROBE, PUBLISH_NOT_READY, TERMINATION_RACE, ALL_TERMINATING)


def check(case: Case, service: Service) -> Iterator[Finding]:
    """Findings about a Service whose pods were read."""
    live = [pod for pod in case.backends if not pod.terminating]
    leaving = [pod for pod in case.backends if pod.terminating]
    if leaving and not live:
        yield _all_terminating(case, service, leaving)
    elif leaving:
        yield from _termination_race(service, leaving)
    yield from _published(case, service, live)
    yield from _unprobed(service, live)


def _published(case: Case, service: Service, live: list[Pod]) -> Iterator[Finding]:
    """Headless Services use the field for peer discovery; there it is no fault."""
    unready = [pod for pod in live if not pod.ready and pod.addresses]
    if not service.spec.publish_not_ready_addresses or case.headless or not unready:
        return
    body = {"spec": {"publishNotReadyAddresses": False}}
    yield find(
        PUBLISH_NOT_READY,
        subject(service),
        f"{count(len(unready), 'pod')} of {len(live)} not ready, but published all the same: traffic goes there too",
        [
            Evidence(source(service, "spec.publishNotReadyAddresses"), "true"),
            Evidence("Pods that are not Ready", some(pod.name for pod in unready)),
        ],
        Fix(
            "Publish ready addresses only.",
            kubectl_patch(service.namespace, "Service", service.name, body),
            patch(body),
        ),
        effect=Effect.PARTIAL,
        confidence=Confidence.LIKELY,
    )


def _serving(pod: Pod, service: Service) -> Container | None:
    """The container that declares a port of the Service; of a pod with one container, that one."""
    numbers = {resolve(pod, port.target, port.protocol) for port in service.spec.ports}
    for container in pod.spec.servers:
        if any(port.container_port in numbers for port in container.ports):
            return container
    return pod.spec.containers[0] if len(pod.spec.containers) == 1 and numbers != {None} else None


def _unprobed(service: Service, live: list[Pod]) -> Iterator[Finding]:
    for pod in live:
        container = _serving(pod, service)
        if not pod.ready or container is None or container.readiness_probe is not None or pod.spec.readiness_gates:
            continue
        yield find(
            NO_READINESS_PROBE,
            subject(pod),
            f"container {container.name} has no readiness probe: each rollout may begin with refused connections",
            [Evidence(source(pod, f"spec.containers[{container.name}].readinessProbe"), "none")],
            Fix("Add a readiness probe that asks what clients need."),
            effect=Effect.NONE,
        )
        return


def _termination_race(service: Service, leaving: list[Pod]) -> Iterator[Finding]:
    hasty = [
        (pod, container)
        for pod in leaving
        if (container := _serving(pod, service)) and not (container.lifecycle and container.lifecycle.pre_stop)
    ]
    if not hasty:
        return
    pod, container = hasty[0]
    yield find(
        TERMINATION_RACE,
        subject(pod),
        f"{count(len(hasty), 'pod')} terminating without a preStop delay: connections may be refused for some seconds",
        [
            Evidence(source(pod, "metadata.deletionTimestamp"), str(pod.metadata.deletion_timestamp)),
            Evidence(source(pod, f"spec.containers[{container.name}].lifecycle.preStop"), "none"),
        ],
        Fix(
            "Let the container linger before it stops.",
            patch="lifecycle:\n  preStop:\n    sleep:\n      seconds: 10\n",
        ),
        effect=Effect.NONE,
        confidence=Confidence.POSSIBLE,
    )


def _all_terminating(case: Case, service: Service, leaving: list[Pod]) -> Finding:
    serving = {e.address for e in case.endpoints if e.terminating and e.serving}
    owners = sorted({str(case.workload_of(pod) or "no owner") for pod in leaving})
    who = "the only pod behind the Service is" if len(leaving) == 1 else f"all {len(leaving)} pods of the Service are"
    left = f"{count(len(serving), 'address', 'addresses')} still serving" if serving else "none of them serves any more"
    return find(
        ALL_TERMINATING,
        subject(service),
        f"{who} terminating, {left}",
        [
            Evidence("Pods behind the Service", some(f"{p.name}, terminating" for p in leaving)),
            Evidence("EndpointSlices", left),
            Evidence("Their owners", some(owners)),
        ],
        Fix(
            "Bring new pods up: look at their owner.",
            kubectl(service.namespace, "get", "pods,deployments,statefulsets"),
        ),
        effect=Effect.PARTIAL if serving else Effect.OUTAGE,
        severity=Severity.WARNING if serving else Severity.ERROR,
        ruled_out=[RuledOut("selector-typo", f"the selector matches {count(len(leaving), 'pod')}")],
    )
