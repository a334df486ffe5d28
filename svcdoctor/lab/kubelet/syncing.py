"""The syncs of one pod: an attempt to have everything run that should, and the way to its end.

Source: pkg/kubelet/kubelet.go (SyncPod, SyncTerminatingPod, SyncTerminatedPod) of Kubernetes 1.36.
"""

from collections.abc import Generator
from typing import TYPE_CHECKING

from ..controllers.deletion import delete
from ..controllers.objects import PODS
from .environment import missing_volume
from .ippool import Exhausted
from .starting import Failed, start, stop

if TYPE_CHECKING:
    from .worker import PodWorker

Sync = Generator[float, None, float | None]
"""Yields the seconds that its steps take; returns in how many it wants to be repeated."""

SANDBOX = 0.4
"""Seconds that the runtime needs for a pod's sandbox and network."""
RETRY = 10.0
RESYNC = 60.0
MOUNT_RETRY, MOUNT_RETRY_MAX = 0.5, 122.0
FINISHED = ("Succeeded", "Failed")


def keep(worker: "PodWorker") -> Sync:
    """SyncPod: one attempt to have everything run that should."""
    worker.write_status()
    if (worker.pod.get("status") or {}).get("phase") in FINISHED:
        worker.end_sandbox()
        worker.write_status()
        return None
    lacking = missing_volume(worker.node.store, worker.pod) if not worker.sandbox else None
    if lacking:
        return _mount_failed(worker, *lacking)
    if not worker.sandbox:
        yield SANDBOX
        try:
            worker.addresses = worker.addresses or worker.node.pool.allocate()
        except Exhausted as error:
            return _sandbox_failed(worker, str(error))
        worker.sandbox = True
        worker.again = True  # the runtime's own event of it
    yield from _restart_unhealthy(worker)
    failures: list[Failed] = []
    begun = False
    for one in list(worker.containers.to_start(worker.now)):
        failed = yield from start(worker, one)
        failures += [failed] if failed else []
        begun = begun or failed is None
    if begun:
        worker.write_status()
    if worker.containers.done(worker.now):
        yield from _end_sidecars(worker)
    return _next_sync(worker, failures)


def _restart_unhealthy(worker: "PodWorker") -> Sync:
    """Ends what its liveness or startup probe gave up, or whose image is another now; it starts again right after."""
    for one in list(worker.containers):
        kind = one.failed_probe(worker.now)
        if kind:
            why = f"failed {kind} probe"
        elif one.changed and one.running(worker.now):
            why = "definition changed"
        else:
            continue
        worker.tell(one, "Normal", "Killing", f"Container {one.name} {why}, will be restarted")
        grace = one.spec.get(f"{kind}Probe", {}).get("terminationGracePeriodSeconds", _grace(worker))
        end = stop(one, worker.now, grace)
        if end is not None:
            yield max((end - worker.now).total_seconds(), 0)
    return None


def _end_sidecars(worker: "PodWorker") -> Sync:
    """Sidecars go when there is nothing left to help."""
    ends = [stop(one, worker.now, _grace(worker)) for one in worker.containers.inits if one.sidecar]
    known = [end for end in ends if end is not None]
    if known:
        yield max((max(known) - worker.now).total_seconds(), 0)
        worker.again = True
    return None


def _next_sync(worker: "PodWorker", failures: list[Failed]) -> float | None:
    """When to try again: after the shortest back-off, or the usual while."""
    if not failures:
        return None
    untils = [failed.until for failed in failures if failed.until is not None]
    wait = min((min(untils) - worker.now).total_seconds(), RESYNC) if untils else RETRY
    return worker.node.jitter(max(wait, 0.0))


def _mount_failed(worker: "PodWorker", volume: str, why: str) -> float:
    message = f'MountVolume.SetUp failed for volume "{volume}" : {why}'
    worker.node.events.record(worker.pod, "Warning", "FailedMount", message)
    worker.mounts += 1
    return float(min(MOUNT_RETRY * 2 ** min(worker.mounts, 10), MOUNT_RETRY_MAX))


def _sandbox_failed(worker: "PodWorker", why: str) -> float:
    plugin = f'plugin type="bridge" name="lab" failed (add): {why}'
    sandbox = worker.uid.replace("-", "") * 2
    message = f'Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "{sandbox}": {plugin}'  # noqa: E501
    worker.node.events.record(worker.pod, "Warning", "FailedCreatePodSandBox", message)
    return worker.node.jitter(RETRY)


def terminate(worker: "PodWorker") -> Sync:
    """SyncTerminatingPod and SyncTerminatedPod: ends all that runs, says so, and lets the pod go."""
    worker.write_status()
    mains = [one for one in worker.containers if not one.sidecar]
    for group in (mains, [one for one in worker.containers if one.sidecar]):
        for one in group:
            run = one.running(worker.now)
            if run is not None and not run.killed:
                worker.tell(one, "Normal", "Killing", f"Stopping container {one.name}")
        ends = [end for one in group if (end := stop(one, worker.now, _grace(worker))) is not None]
        if ends:
            yield max((max(ends) - worker.now).total_seconds(), 0)
    yield (worker.node.relist_after(worker.now) - worker.now).total_seconds() / 2
    worker.end_sandbox()
    worker.write_status()
    worker.close()
    meta = worker.pod["metadata"]
    delete(worker.node.store, PODS, meta["namespace"], meta["name"], grace=0)
    return None


def _grace(worker: "PodWorker") -> int:
    """Seconds between SIGTERM and SIGKILL."""
    meta = worker.pod["metadata"]
    own = worker.pod["spec"].get("terminationGracePeriodSeconds", 30)
    return int(meta.get("deletionGracePeriodSeconds", own) if meta.get("deletionTimestamp") else own)
