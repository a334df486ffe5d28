"""Defaults of a pod's spec, as pods and pod templates get them.

Source: pkg/apis/core/v1/defaults.go; the admission plugins Priority and DefaultTolerationSeconds. Functions here fill
in objects that are the caller's own.
"""

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

SYSTEM_PRIORITIES = {"system-node-critical": 2_000_001_000, "system-cluster-critical": 2_000_000_000}
EVICTING_TAINTS = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
MODE = 0o644
_SOURCES_WITH_MODE = ("configMap", "secret", "downwardAPI", "projected")


def fill(target: Json, **defaults: Any) -> None:
    """Sets what is absent or the empty string."""
    for key, value in defaults.items():
        if target.get(key) in (None, ""):
            target[key] = value


def fill_zero(target: Json, **defaults: Any) -> None:
    """Sets what is absent or Go's zero value: numbers that are no pointers."""
    for key, value in defaults.items():
        if not target.get(key):
            target[key] = value


def default_template(template: Json) -> None:
    """A pod template; its metadata stay as they are."""
    fill(template, metadata={}, spec={})
    default_spec(template["spec"])


def default_pod(pod: Json) -> None:
    """A pod of its own: it also gets what admission adds."""
    fill(pod, spec={})
    spec = pod["spec"]
    default_spec(spec)
    fill(spec, enableServiceLinks=True)
    for container in _containers(spec):
        _requests_from_limits(container["resources"])
        if spec.get("hostNetwork"):
            for port in container.get("ports") or ():
                fill_zero(port, hostPort=port.get("containerPort"))


def admit_pod(pod: Json) -> None:
    """What the admission plugins of a new pod add: its priority, and how long it stays on a node that is gone."""
    spec = pod["spec"]
    fill(spec, priority=SYSTEM_PRIORITIES.get(spec.get("priorityClassName", ""), 0))
    fill(spec, preemptionPolicy="PreemptLowerPriority")
    tolerations = list(spec.get("tolerations") or ())
    for taint in EVICTING_TAINTS:
        if not any(_tolerates_eviction(one, taint) for one in tolerations):
            tolerations.append({"key": taint, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300})
    spec["tolerations"] = tolerations


def default_spec(spec: Json) -> None:
    fill(spec, restartPolicy="Always", dnsPolicy="ClusterFirst", schedulerName="default-scheduler")
    fill(spec, terminationGracePeriodSeconds=30, securityContext={})
    if spec.get("serviceAccountName"):
        spec["serviceAccount"] = spec["serviceAccountName"]
    elif spec.get("serviceAccount"):
        spec["serviceAccountName"] = spec["serviceAccount"]
    for container in _containers(spec):
        _default_container(container)
    for volume in spec.get("volumes") or ():
        _default_volume(volume)


def qos_class(spec: Json) -> str:
    """Source: pkg/apis/core/v1/helper/qos. By what the containers ask for of CPU and memory."""
    found = [container.get("resources") or {} for container in _containers(spec)]
    asked = [(one.get("requests") or {}, one.get("limits") or {}) for one in found]
    named = [{*requests, *limits} & {"cpu", "memory"} for requests, limits in asked]
    if not any(named):
        return "BestEffort"
    for requests, limits in asked:
        if any(limits.get(kind) is None or requests.get(kind) != limits[kind] for kind in ("cpu", "memory")):
            return "Burstable"
    return "Guaranteed"


def _containers(spec: Json) -> Iterator[Json]:
    for field in ("initContainers", "containers", "ephemeralContainers"):
        yield from spec.get(field) or ()


def _default_container(container: Json) -> None:
    fill(container, imagePullPolicy=_pull_policy(container.get("image") or ""), resources={})
    fill(container, terminationMessagePath="/dev/termination-log", terminationMessagePolicy="File")
    for port in container.get("ports") or ():
        fill(port, protocol="TCP")
    for variable in container.get("env") or ():
        field = (variable.get("valueFrom") or {}).get("fieldRef")
        if field is not None:
            fill(field, apiVersion="v1")
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if container.get(name) is not None:
            _default_probe(container[name])
    for hook in (container.get("lifecycle") or {}).values():
        if isinstance(hook, dict) and hook.get("httpGet") is not None:
            fill(hook["httpGet"], path="/", scheme="HTTP")


def _pull_policy(image: str) -> str:
    """Always for :latest and for what names neither tag nor digest."""
    last = image.rpartition("/")[2]
    tagged = "@" in last or (":" in last and not last.endswith(":latest"))
    return "IfNotPresent" if tagged else "Always"


def _default_probe(probe: Json) -> None:
    fill_zero(probe, timeoutSeconds=1, periodSeconds=10, successThreshold=1, failureThreshold=3)
    if probe.get("httpGet") is not None:
        fill(probe["httpGet"], path="/", scheme="HTTP")
    if probe.get("grpc") is not None:
        fill(probe["grpc"], service="")


def _default_volume(volume: Json) -> None:
    if set(volume) <= {"name"}:
        volume["emptyDir"] = {}
    for source in _SOURCES_WITH_MODE:
        if volume.get(source) is not None:
            fill(volume[source], defaultMode=MODE)
    for part in (volume.get("projected") or {}).get("sources") or ():
        if part.get("serviceAccountToken") is not None:
            fill(part["serviceAccountToken"], expirationSeconds=3600)
    if volume.get("hostPath") is not None:
        volume["hostPath"].setdefault("type", "")


def _requests_from_limits(resources: Json) -> None:
    """What is limited and not asked for is asked for as far as it is limited."""
    if resources.get("limits"):
        resources["requests"] = {**resources["limits"], **(resources.get("requests") or {})}


def _tolerates_eviction(toleration: Json, taint: str) -> bool:
    effect, key = toleration.get("effect"), toleration.get("key")
    return key in (taint, None, "") and effect in ("NoExecute", None, "")
