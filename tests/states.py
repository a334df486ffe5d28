"""What can befall a pod, as the kubelet and the controllers write it into the API: states for `build.Cluster`."""

from typing import Any

from .build import CONDITIONS, Cluster, Json, State, ago


def set_condition(pod: Json, kind: str, status: str, since: float, **more: str) -> None:
    conditions = [c for c in pod["status"]["conditions"] if c["type"] != kind]
    pod["status"]["conditions"] = [
        *conditions,
        {"type": kind, "status": status, "lastTransitionTime": ago(since), **more},
    ]


def _unready(pod: Json, names: list[str], since: float) -> None:
    said = {"reason": "ContainersNotReady", "message": f"containers with unready status: [{' '.join(names)}]"}
    for kind in ("Ready", "ContainersReady"):
        set_condition(pod, kind, "False", since, **said)


def _status_of(pod: Json, name: str) -> Json:
    statuses = pod["status"]["containerStatuses"] + pod["status"].get("initContainerStatuses", [])
    found: Json = next(status for status in statuses if status["name"] == name)
    return found


def failing_probe(
    message: str | None, name: str = "app", since: float = 3598, seen: float = 5, count: int = 300
) -> State:
    """Runs, and its readiness probe fails; ``message`` is what follows ``Readiness probe failed: `` in the event."""

    def apply(cluster: Cluster, pod: Json) -> None:
        _status_of(pod, name)["ready"] = False
        _unready(pod, [name], since)
        if message is not None:
            said = f"Readiness probe failed: {message.replace('IP', pod['status']['podIP'])}"
            path = f"spec.containers{{{name}}}"
            cluster.event("Pod", pod, "Unhealthy", said, seen=seen, count=count, path=path)

    return apply


def refused(port: int, path: str = "/healthz", **more: Any) -> State:
    dial = f"dial tcp IP:{port}: connect: connection refused"
    return failing_probe(f'Get "http://IP:{port}{path}": {dial}', **more)


def waiting(reason: str, message: str = "", name: str = "app", *, restarts: int = 0, exit_code: int = 1) -> State:
    """A container that waits: for its image, its configuration, or the end of its back-off."""

    def apply(cluster: Cluster, pod: Json) -> None:
        status = _status_of(pod, name)
        init = name in [c["name"] for c in pod["spec"].get("initContainers", ())]
        status |= {"ready": False, "started": False, "restartCount": restarts}
        status["state"] = {"waiting": {"reason": reason, "message": message}}
        if restarts:
            ended = {"exitCode": exit_code, "reason": "OOMKilled" if exit_code == 137 else "Error"}
            status["lastState"] = {"terminated": {**ended, "finishedAt": ago(40), "startedAt": ago(42)}}
        if init or not restarts:
            pod["status"]["phase"] = "Pending"
        if init:
            set_condition(pod, "Initialized", "False", 3500)
            for other in pod["status"]["containerStatuses"]:
                other |= {"ready": False, "started": False, "state": {"waiting": {"reason": "PodInitializing"}}}
        _unready(pod, [name], 3500)

    return apply


def crash_loop(name: str = "app", exit_code: int = 1, restarts: int = 6) -> State:
    """CrashLoopBackOff, with the kubelet's event."""

    def apply(cluster: Cluster, pod: Json) -> None:
        said = f"back-off 2m40s restarting failed container={name} pod={pod['metadata']['name']}"
        waiting("CrashLoopBackOff", said, name, restarts=restarts, exit_code=exit_code)(cluster, pod)
        cluster.event("Pod", pod, "BackOff", f"Back-off restarting failed container {name} in pod", count=30)

    return apply


def image_pull(reason: str = "ImagePullBackOff", name: str = "app") -> State:
    def apply(cluster: Cluster, pod: Json) -> None:
        image = next(c["image"] for c in pod["spec"]["containers"] if c["name"] == name)
        waiting(reason, f'Back-off pulling image "{image}": ErrImagePull: not found', name)(cluster, pod)
        cluster.event("Pod", pod, "Failed", f'Failed to pull image "{image}": not found')

    return apply


def unscheduled(message: str = "0/2 nodes are available: 2 Insufficient cpu.", since: float = 600) -> State:
    """No node: as the scheduler leaves it."""

    def apply(cluster: Cluster, pod: Json) -> None:
        del pod["spec"]["nodeName"]
        scheduled = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
        pod["status"] = {"phase": "Pending", "conditions": [{**scheduled, "lastTransitionTime": ago(since)}]}
        cluster.event("Pod", pod, "FailedScheduling", message)

    return apply


def ended(phase: str = "Succeeded", reason: str = "") -> State:
    """Run to its end: a Job's pod, or an evicted one."""

    def apply(cluster: Cluster, pod: Json) -> None:
        pod["status"]["phase"] = phase
        if reason:
            pod["status"]["reason"] = reason
        code = 0 if phase == "Succeeded" else 1
        for status in pod["status"]["containerStatuses"]:
            status |= {"ready": False, "started": False}
            status["state"] = {"terminated": {"exitCode": code, "reason": "Completed", "finishedAt": ago(300)}}
        _unready(pod, [], 300)

    return apply


def leaving(seconds: float = 5, ready: bool = True) -> State:
    """Deleted ``seconds`` ago, still within its grace period."""

    def apply(cluster: Cluster, pod: Json) -> None:
        pod["metadata"] |= {"deletionTimestamp": ago(seconds - 30), "deletionGracePeriodSeconds": 30}
        if not ready:
            _unready(pod, [], seconds)

    return apply


def gated(gate: str, status: str | None = None, message: str = "") -> State:
    """Containers ready, but a readiness gate's condition is missing (None) or not True."""

    def apply(cluster: Cluster, pod: Json) -> None:
        pod["spec"]["readinessGates"] = [{"conditionType": gate}]
        if status is not None:
            set_condition(pod, gate, status, 3000, message=message)
        set_condition(pod, "Ready", "False", 3500, reason="ReadinessGatesNotReady")

    return apply


def young(seconds: float, ready: bool = False, name: str = "app") -> State:
    """Started ``seconds`` ago: its first probes are still due, or have just passed."""

    def apply(cluster: Cluster, pod: Json) -> None:
        pod["metadata"]["creationTimestamp"] = pod["status"]["startTime"] = ago(seconds)
        for kind in CONDITIONS:
            set_condition(pod, kind, "True", seconds)
        for status in pod["status"]["containerStatuses"]:
            status["state"] = {"running": {"startedAt": ago(seconds)}}
        if not ready:
            _status_of(pod, name)["ready"] = False
            _unready(pod, [name], seconds)

    return apply


def starting(seconds: float, name: str = "app") -> State:
    """Its startup probe has not passed yet."""

    def apply(cluster: Cluster, pod: Json) -> None:
        young(seconds, name=name)(cluster, pod)
        _status_of(pod, name)["started"] = False

    return apply


def on_dead_node(cluster: Cluster, pod: Json) -> None:
    """What the node controller writes once a node has been silent: only Ready turns False."""
    set_condition(pod, "Ready", "False", 300)


def restarted(seconds: float, count: int = 1) -> State:
    """Ready now, after a restart some time ago."""

    def apply(cluster: Cluster, pod: Json) -> None:
        for status in pod["status"]["containerStatuses"]:
            status["restartCount"] = count
            status["state"] = {"running": {"startedAt": ago(seconds)}}
            status["lastState"] = {"terminated": {"exitCode": 1, "reason": "Error", "finishedAt": ago(seconds + 5)}}

    return apply


def dual(cluster: Cluster, pod: Json) -> None:
    """An IPv6 address beside the IPv4 one."""
    last = pod["status"]["podIP"].rpartition(".")[2]
    pod["status"]["podIPs"].append({"ip": f"fd00:10:244::{int(last):x}"})
