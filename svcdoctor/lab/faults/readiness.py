"""Faults by which the pods are there but not ready, or ready too early (S2)."""

from typing import Any

from ..base import REGISTRY, deployment, pod_spec, server
from .fault import Act, Apply, Delete, Fault, Patch, Stop, Wait

Json = dict[str, Any]

LISTEN = ["--http=8080", "--health=/healthz"]


def workload(*containers: Json, replicas: int = 3, **more: Any) -> tuple[Act, ...]:
    """The Deployment behind the Service made anew, of these containers."""
    return Delete("deployments", "web"), Apply(
        (deployment("web", replicas, {"app": "web"}, pod_spec(*containers, **more)),)
    )


def args(*more: str) -> list[str]:
    return [*LISTEN, *more]


def probe(path: str = "/healthz", port: int = 8080, **more: Any) -> Json:
    return {"httpGet": {"path": path, "port": port}, "periodSeconds": 5, **more}


def image(reference: str, policy: str = "IfNotPresent") -> tuple[Act, ...]:
    return workload(server(image=reference, imagePullPolicy=policy))


def lingering() -> tuple[Act, ...]:
    """Pods that take an hour to end."""
    return workload(server(args=args("--stop-after=1h")), terminationGracePeriodSeconds=3600)


FAULTS = (
    Fault(
        "probe-failing",
        "the app answers its health check with 500",
        workload(server(args=args("--status=500"))),
    ),
    Fault(
        "probe-misconfigured",
        "the readiness probe asks a port on which nothing listens",
        workload(server(readinessProbe=probe(port=8081))),
    ),
    Fault(
        "probe-too-tight",
        "now and then the health check takes longer than the probe waits: pods come and go",
        workload(
            server(
                args=args("--answer-after=1200ms", "--slow-for=12s", "--slow-every=60s"),
                readinessProbe=probe(timeoutSeconds=1, failureThreshold=2),
            )
        ),
    ),
    Fault(
        "readiness-gate",
        "a readiness gate's condition is set by nobody",
        workload(server(), readinessGates=[{"conditionType": "target-health.example.com/web"}]),
    ),
    Fault(
        "startup-pending",
        "the app takes long to start, and its startup probe still waits",
        workload(
            server(args=args("--start-after=40m"), startupProbe=probe(periodSeconds=10, failureThreshold=360)),
        ),
    ),
    Fault(
        "no-readiness-probe",
        "without a readiness probe pods count as ready before they listen",
        workload(server(args=args("--start-after=20s"), readinessProbe=None)),
    ),
    Fault(
        "publish-not-ready",
        "publishNotReadyAddresses sends traffic to pods that are not ready",
        (
            *workload(server(args=args("--status=500"))),
            Patch("services", "web", {"spec": {"publishNotReadyAddresses": True}}),
        ),
    ),
    Fault(
        "node-notready",
        "the node that runs all the pods has gone silent",
        (
            *workload(server(), nodeSelector={"kubernetes.io/hostname": "node2"}, tolerations=[{"operator": "Exists"}]),
            Wait(60),
            Stop("kubelet/node2"),
            Wait(240),
        ),
    ),
    Fault(
        "termination-race",
        "a pod leaves without a preStop delay while nodes still send to it",
        (*lingering(), Wait(60), Patch("deployments", "web", {"spec": {"replicas": 2}}), Wait(20)),
    ),
    Fault(
        "all-terminating",
        "every pod behind the Service is on its way out",
        (*lingering(), Wait(60), Patch("deployments", "web", {"spec": {"replicas": 0}}), Wait(20)),
    ),
    Fault(
        "sidecar-port-clash",
        "two containers of the pod want the same port",
        workload(server(), server("metrics", port_name="metrics")),
    ),
    Fault(
        "loopback-bind",
        "the app listens on 127.0.0.1 only",
        workload(server(args=args("--bind=127.0.0.1"))),
    ),
    Fault(
        "family-bind",
        "the Service has both IP families, the app listens on IPv4 only",
        (
            *workload(server(args=args("--bind=0.0.0.0"))),
            Patch("services", "web", {"spec": {"ipFamilyPolicy": "PreferDualStack"}}),
        ),
    ),
    Fault(
        "crash-loop",
        "the app ends with an error two seconds after its start",
        workload(server(args=args("--exit-after=2s", "--exit-code=1", "--log=fatal: no DATABASE_URL given"))),
    ),
    Fault("image-pull", "the image's tag does not exist", image(f"{REGISTRY}/server:1-typo")),
    Fault(
        "container-not-starting",
        "the container's environment names a ConfigMap that does not exist",
        workload(
            server(env=[{"name": "MODE", "valueFrom": {"configMapKeyRef": {"name": "web-settings", "key": "mode"}}}])
        ),
    ),
)
