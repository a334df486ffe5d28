"""endpoints.kubernetes.io/last-change-trigger-time: since when the endpoints should have been what they are.

The earliest of the moments that are new since the last look: the Service's creation, a pod's last change of Ready.
Source: k8s.io/endpointslice/util/trigger_time_tracker.go.
"""

from collections.abc import Iterable
from typing import Any

from ..store import Key

Json = dict[str, Any]


class TriggerTimes:
    """What was seen of each Service at the last look."""

    def __init__(self) -> None:
        self._pods: dict[Key, dict[str, str]] = {}
        self._services: dict[Key, str] = {}

    def trigger(self, key: Key, service: Json, pods: Iterable[Json]) -> str:
        """The annotation's value for this look; empty where nothing that counts has changed."""
        times = {pod["metadata"]["name"]: _ready_since(pod) for pod in pods}
        before = self._pods.get(key, {})
        new = [moment for name, moment in times.items() if moment > before.get(name, "")]
        created = service["metadata"]["creationTimestamp"]
        if created > self._services.get(key, ""):
            new.append(created)
        self._pods[key] = times
        self._services[key] = created
        return min(new, default="")

    def forget(self, key: Key) -> None:
        self._pods.pop(key, None)
        self._services.pop(key, None)


def _ready_since(pod: Json) -> str:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return next((c.get("lastTransitionTime") or "" for c in conditions if c["type"] == "Ready"), "")
