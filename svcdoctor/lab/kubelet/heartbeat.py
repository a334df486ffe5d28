"""What a kubelet says of its node: a lease that is renewed, conditions that are posted.

Source: component-helpers' lease controller, pkg/kubelet/kubelet_node_status.go and nodestatus/setters.go of
Kubernetes 1.36.
"""

from datetime import timedelta
from typing import Any

from ..clock import micro_stamp, parse_stamp, stamp
from ..controllers.events import EventRecorder
from ..controllers.node_lifecycle import LEASE_NAMESPACE
from ..controllers.objects import LEASES, NODES, find_condition
from ..images import Images
from ..store import Store

Json = dict[str, Any]

EVERY = 10.0
"""Seconds between two renewals of the lease (a quarter of nodeLeaseDurationSeconds)."""
REPORT = timedelta(minutes=5)
"""How often the status is posted when nothing in it changed (nodeStatusReportFrequency)."""
DURATION = 40
_CONDITIONS = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
)


def beat(store: Store, node: Json, images: Images, events: EventRecorder) -> None:
    """One heartbeat."""
    _renew(store, node)
    now = store.clock.now
    ready = find_condition(node, "Ready")
    due = ready is None or ready["status"] != "True" or parse_stamp(ready["lastHeartbeatTime"]) + REPORT <= now
    if not due:
        return
    conditions = _posted(node, stamp(now))
    status = {**(node.get("status") or {}), "conditions": conditions}
    status.setdefault("images", _images(images))
    node = store.replace(NODES, {**node, "status": status})
    if ready is None or ready["status"] != "True":
        about = {**node, "metadata": {**node["metadata"], "uid": node["metadata"]["name"]}}
        name = node["metadata"]["name"]
        events.record(about, "Normal", "NodeReady", f"Node {name} status is now: NodeReady")


def _renew(store: Store, node: Json) -> None:
    name = node["metadata"]["name"]
    lease = store.get(LEASES, LEASE_NAMESPACE, name)
    spec = {"holderIdentity": name, "leaseDurationSeconds": DURATION, "renewTime": micro_stamp(store.clock.now)}
    if lease is not None:
        store.replace(LEASES, {**lease, "spec": {**lease["spec"], **spec}})
        return
    owner = {"apiVersion": "v1", "kind": "Node", "name": name, "uid": node["metadata"]["uid"]}
    meta = {"name": name, "namespace": LEASE_NAMESPACE, "ownerReferences": [owner]}
    store.create(LEASES, {"metadata": meta, "spec": spec})


def _posted(node: Json, now: str) -> list[Json]:
    """All conditions as the kubelet has them; those of others stay where they are."""
    before = {one["type"]: one for one in (node.get("status") or {}).get("conditions") or ()}
    own = {kind for kind, *_ in _CONDITIONS}
    made = [one for one in before.values() if one["type"] not in own]
    for kind, value, reason, message in _CONDITIONS:
        known = before.get(kind)
        since = known["lastTransitionTime"] if known and known["status"] == value else now
        one = {"type": kind, "status": value, "reason": reason, "message": message}
        made.append({**one, "lastHeartbeatTime": now, "lastTransitionTime": since})
    return made


def _images(images: Images) -> list[Json]:
    """What lies on the node's disk, the largest first."""
    held = sorted((image for image in images if image.preloaded), key=lambda image: -image.size)
    return [{"names": [f"{image.repository}:{image.tags[0]}"], "sizeBytes": image.size} for image in held]
