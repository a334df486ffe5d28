"""One node, as its kubelet and container runtime have it: addresses, images, and who shares the node's network."""

import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from ..controllers.events import EventRecorder
from ..images import Image, Images
from ..store import Store
from .ippool import IpPool

if TYPE_CHECKING:
    from .worker import PodWorker

Json = dict[str, Any]

RELIST = timedelta(seconds=1)
"""How often the kubelet looks at what its runtime does (PLEG)."""


class Node:
    """What all pods of one node share."""

    def __init__(self, store: Store, obj: Json, images: Images) -> None:
        self.store, self.images = store, images
        self.name: str = obj["metadata"]["name"]
        self.running = True
        self.events = EventRecorder(store, "kubelet", self.name)
        spec, status = obj["spec"], obj.get("status") or {}
        self.addresses: list[str] = [
            one["address"] for one in status.get("addresses") or () if one["type"] == "InternalIP"
        ]
        self.pool = IpPool(spec.get("podCIDRs") or ([spec["podCIDR"]] if spec.get("podCIDR") else []))
        self.workers: dict[str, PodWorker] = {}  # by pod uid
        self._present = {image.repository for image in images if image.preloaded}
        self._random = random.Random(self.name)
        self._phase = timedelta(milliseconds=self._random.randrange(1000))

    def jitter(self, seconds: float) -> float:
        """Up to half as long again, as the kubelet's workers wait."""
        return seconds * (1 + 0.5 * self._random.random())

    def relist_after(self, moment: datetime) -> datetime:
        """When the kubelet will notice what happened at ``moment``."""
        start = datetime(2020, 1, 1, tzinfo=moment.tzinfo) + self._phase
        return start + ((moment - start) // RELIST + 1) * RELIST

    def has(self, image: Image) -> bool:
        return image.repository in self._present

    def keep(self, image: Image) -> None:
        """The image was pulled."""
        self._present.add(image.repository)

    def in_host_network(self) -> "Iterator[PodWorker]":
        return (worker for worker in self.workers.values() if worker.pod["spec"].get("hostNetwork"))

    def host_addresses(self) -> Sequence[str]:
        """One of each family, as a pod's hostIPs has them."""
        return self.addresses or ["127.0.0.1"]
