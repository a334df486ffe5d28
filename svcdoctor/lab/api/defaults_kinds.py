"""Defaults of workloads, network kinds and the rest, and the status that a new object of each kind has.

Source: pkg/apis/*/v1/defaults.go and each kind's registry strategy. Functions here fill in objects that are the
caller's own.
"""

import base64
from collections.abc import Callable, Mapping
from typing import Any

from .defaults_pod import default_pod, default_template, fill
from .defaults_service import default_service

Json = dict[str, Any]

TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"


def _deployment(item: Json) -> None:
    spec = item["spec"]
    fill(spec, replicas=1, revisionHistoryLimit=10, progressDeadlineSeconds=600, strategy={})
    strategy = spec["strategy"]
    fill(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        fill(strategy, rollingUpdate={})
        fill(strategy["rollingUpdate"], maxUnavailable="25%", maxSurge="25%")
    _template(spec)


def _replica_set(item: Json) -> None:
    fill(item["spec"], replicas=1)
    _template(item["spec"])


def _replication_controller(item: Json) -> None:
    _replica_set(item)
    labels = item["spec"]["template"]["metadata"].get("labels")
    if labels:
        fill(item["spec"], selector=dict(labels))


def _stateful_set(item: Json) -> None:
    spec = item["spec"]
    fill(spec, replicas=1, revisionHistoryLimit=10, podManagementPolicy="OrderedReady", updateStrategy={})
    strategy = spec["updateStrategy"]
    fill(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        fill(strategy, rollingUpdate={})
        fill(strategy["rollingUpdate"], partition=0)
    fill(spec, persistentVolumeClaimRetentionPolicy={})
    fill(spec["persistentVolumeClaimRetentionPolicy"], whenDeleted="Retain", whenScaled="Retain")
    for claim in spec.get("volumeClaimTemplates") or ():
        fill(claim, apiVersion="v1", kind="PersistentVolumeClaim", spec={}, status={"phase": "Pending"})
        fill(claim["spec"], volumeMode="Filesystem")
    _template(spec)


def _daemon_set(item: Json) -> None:
    spec = item["spec"]
    fill(spec, revisionHistoryLimit=10, updateStrategy={})
    fill(spec["updateStrategy"], type="RollingUpdate")
    if spec["updateStrategy"]["type"] == "RollingUpdate":
        fill(spec["updateStrategy"], rollingUpdate={})
        fill(spec["updateStrategy"]["rollingUpdate"], maxUnavailable=1, maxSurge=0)
    _template(spec)


def _job(item: Json) -> None:
    _job_spec(item["spec"])


def _job_spec(spec: Json) -> None:
    if spec.get("completions") is None and spec.get("parallelism") is None:
        fill(spec, completions=1, parallelism=1)
    fill(spec, parallelism=1, backoffLimit=6, completionMode="NonIndexed", suspend=False)
    fill(spec, podReplacementPolicy="TerminatingOrFailed")
    _template(spec)


def _cron_job(item: Json) -> None:
    spec = item["spec"]
    fill(spec, concurrencyPolicy="Allow", suspend=False, successfulJobsHistoryLimit=3, failedJobsHistoryLimit=1)
    fill(spec, jobTemplate={})
    fill(spec["jobTemplate"], metadata={}, spec={})
    _template(spec["jobTemplate"]["spec"])


def _template(spec: Json) -> None:
    fill(spec, template={})
    default_template(spec["template"])


def _endpoints(item: Json) -> None:
    for subset in item.get("subsets") or ():
        for port in subset.get("ports") or ():
            fill(port, protocol="TCP")


def _endpoint_slice(item: Json) -> None:
    item.setdefault("endpoints", None)
    item.setdefault("ports", None)
    for port in item.get("ports") or ():
        port["name"] = port.get("name") or ""
        fill(port, protocol="TCP")


def _network_policy(item: Json) -> None:
    """Ingress always, Egress where the policy has rules for it."""
    spec = item["spec"]
    fill(spec, podSelector={})
    if not spec.get("policyTypes"):
        spec["policyTypes"] = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]
    for rule in (*(spec.get("ingress") or ()), *(spec.get("egress") or ())):
        for port in rule.get("ports") or ():
            fill(port, protocol="TCP")


def _ingress_class(item: Json) -> None:
    parameters = item["spec"].get("parameters")
    if parameters is not None:
        fill(parameters, scope="Cluster")


def _binding(item: Json) -> None:
    if item.get("roleRef"):
        fill(item["roleRef"], apiGroup="rbac.authorization.k8s.io")
    for subject in item.get("subjects") or ():
        if subject.get("kind") in ("User", "Group"):
            fill(subject, apiGroup="rbac.authorization.k8s.io")


def _secret(item: Json) -> None:
    """stringData is how a client may write; it is never read back."""
    fill(item, type="Opaque")
    written = item.pop("stringData", None)
    if written:
        encoded = {key: base64.b64encode(text.encode()).decode() for key, text in written.items()}
        item["data"] = {**(item.get("data") or {}), **encoded}


def _node(item: Json) -> None:
    if item["spec"].get("podCIDR"):
        fill(item["spec"], podCIDRs=[item["spec"]["podCIDR"]])


def _claim(item: Json) -> None:
    fill(item["spec"], volumeMode="Filesystem")


def _autoscaler(item: Json) -> None:
    target = {"type": "Utilization", "averageUtilization": 80}
    fill(item["spec"], minReplicas=1, metrics=[{"type": "Resource", "resource": {"name": "cpu", "target": target}}])


DEFAULTS: Mapping[str, Callable[[Json], None]] = {
    "services": default_service,
    "pods": default_pod,
    "podtemplates": _template,
    "replicationcontrollers": _replication_controller,
    "endpoints": _endpoints,
    "nodes": _node,
    "secrets": _secret,
    "persistentvolumeclaims": _claim,
    "deployments.apps": _deployment,
    "replicasets.apps": _replica_set,
    "statefulsets.apps": _stateful_set,
    "daemonsets.apps": _daemon_set,
    "jobs.batch": _job,
    "cronjobs.batch": _cron_job,
    "horizontalpodautoscalers.autoscaling": _autoscaler,
    "endpointslices.discovery.k8s.io": _endpoint_slice,
    "networkpolicies.networking.k8s.io": _network_policy,
    "ingressclasses.networking.k8s.io": _ingress_class,
    "rolebindings.rbac.authorization.k8s.io": _binding,
    "clusterrolebindings.rbac.authorization.k8s.io": _binding,
}
"""By group resource."""

NEW_STATUS: Mapping[str, Json] = {
    "services": {"loadBalancer": {}},
    "pods": {"phase": "Pending"},
    "namespaces": {"phase": "Active"},
    "persistentvolumeclaims": {"phase": "Pending"},
    "replicationcontrollers": {"replicas": 0},
    "resourcequotas": {},
    "deployments.apps": {},
    "replicasets.apps": {"replicas": 0},
    "statefulsets.apps": {"replicas": 0, "availableReplicas": 0},
    "daemonsets.apps": {
        "currentNumberScheduled": 0,
        "numberMisscheduled": 0,
        "desiredNumberScheduled": 0,
        "numberReady": 0,
    },
    "jobs.batch": {},
    "cronjobs.batch": {},
    "horizontalpodautoscalers.autoscaling": {"desiredReplicas": 0, "currentMetrics": None},
    "ingresses.networking.k8s.io": {"loadBalancer": {}},
    "servicecidrs.networking.k8s.io": {},
    "poddisruptionbudgets.policy": {
        "disruptionsAllowed": 0,
        "currentHealthy": 0,
        "desiredHealthy": 0,
        "expectedPods": 0,
    },
}
"""By group resource: what takes the place of a status that came with a new object. Nodes keep theirs."""
