"""What the API server asks of kubelets."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from .streams.process import Process

Json = dict[str, Any]


class Kubelets(Protocol):
    """All kubelets of the cluster. Pods and nodes are the API's objects."""

    def log(self, pod: Json, container: str, previous: bool) -> list[tuple[datetime, str]]:
        """The lines so far. Raises Refusal (400) in the kubelet's words."""

    def start(self, pod: Json, container: str, argv: Sequence[str], tty: bool) -> Process:
        """A process that can be run in the container. Raises CannotStart."""

    async def connect(self, pod: Json, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection to a port of the pod. Raises ConnectionRefusedError."""

    def http(self, target: Json, port: int, path: str, headers: Mapping[str, str]) -> tuple[int, str, bytes]:
        """(status, content type, body) of a GET to a pod or node. Raises ConnectionRefusedError, TimeoutError."""

    def configz(self, node: str) -> Json:
        """The kubelet's configuration, as /configz shows it."""
