"""What the API server reaches through kubelets, with what only the whole lab knows: logs, name servers, settings."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from .api.kubelets import Kubelets
from .api.streams.process import Process
from .clock import parse_stamp
from .faults.fault import Log
from .nameservers import NameServers

Json = dict[str, Any]
Line = tuple[datetime, str]

DNS = 53


class Insides:
    """`api.kubelets.Kubelets` of a whole lab."""

    def __init__(self, kubelets: Kubelets, names: NameServers) -> None:
        self._kubelets = kubelets
        self._names = names
        self.dns_port = 0  # where the name server listens on loopback
        self.settings: dict[str, Json] = {}  # node -> fields of its KubeletConfiguration that differ
        self._said: list[tuple[datetime, Log]] = []

    def say(self, at: datetime, said: Log) -> None:
        """From now on a container's log has further lines."""
        self._said.append((at, said))

    def heal(self) -> None:
        self._said.clear()
        self.settings.clear()

    def log(self, pod: Json, container: str, previous: bool) -> list[Line]:
        lines = self._kubelets.log(pod, container, previous)
        if container == "coredns":  # it knows better than its image what it serves, and how it fares
            since = lines[0][0] if lines else parse_stamp(pod["status"]["startTime"])
            lines = [(since, line) for line in self._names.log(pod, since)]
        return sorted([*lines, *self._further(pod, container)], key=lambda line: line[0])

    def _further(self, pod: Json, container: str) -> list[Line]:
        meta = pod["metadata"]
        return [
            (at, line)
            for at, said in self._said
            if (said.namespace, said.container) == (meta["namespace"], container) and meta["name"].startswith(said.pod)
            if said.node in ("", pod["spec"].get("nodeName"))
            for line in said.lines
        ]

    def start(self, pod: Json, container: str, argv: Sequence[str], tty: bool) -> Process:
        return self._kubelets.start(pod, container, argv, tty)

    async def connect(self, pod: Json, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if port == DNS and (pod["metadata"].get("labels") or {}).get("k8s-app") == "kube-dns" and self.dns_port:
            return await asyncio.open_connection("127.0.0.1", self.dns_port)
        return await self._kubelets.connect(pod, port)

    def http(self, target: Json, port: int, path: str, headers: Mapping[str, str]) -> tuple[int, str, bytes]:
        return self._kubelets.http(target, port, path, headers)

    def configz(self, node: str) -> Json:
        found = self._kubelets.configz(node)
        return {**found, "kubeletconfig": {**found["kubeletconfig"], **self.settings.get(node, {})}}
