"""One look at a node through its kube-proxy pod: what it brings, and what it could not."""

import time
from collections.abc import Callable, Mapping

from msgspec import Struct

from ..model.pod import Pod
from ..model.snapshot import Gap
from . import websocket
from .api import Api, Silence
from .websocket import CannotRun, Ran, Refused

MOST = 32 << 20
"""Bytes of one program's output: some 200,000 rules."""


class Read(Struct, frozen=True):
    """What one look at a node brought: files by name, and the gaps."""

    files: Mapping[str, bytes] = {}
    gaps: tuple[Gap, ...] = ()


class Look:
    """Gathers files and gaps of one node until its time is up."""

    def __init__(self, api: Api, node: str, pod: Pod, container: str, limit: float) -> None:
        self.api, self.node, self.pod, self.container = api, node, pod, container
        self.until = time.monotonic() + limit
        self.files: dict[str, bytes] = {}
        self.gaps: list[Gap] = []

    @property
    def left(self) -> float:
        left = self.until - time.monotonic()
        if left <= 0:
            raise Silence("timeout")
        return left

    def gap(self, file: str, why: str, permission: str | None = None) -> None:
        self.gaps.append(Gap(f"nodes/{self.node}/{file}" if file else f"nodes/{self.node}", why, permission))

    def keep(self, file: str, text: str) -> None:
        if text.strip():
            self.files[file] = text.encode()

    def run(self, file: str, *argv: str, optional: bool = False) -> Ran | None:
        """What the program printed; None and a gap where it did not do well, no gap if that is nothing unusual.

        Raises Refused, and Silence where the time is up.
        """
        try:
            ran = websocket.run(self.api, self.pod.namespace, self.pod.name, self.container, argv, self.left, most=MOST)
        except CannotRun as error:
            if not optional:
                self.gap(file, f"{argv[0]}: {error}")
            return None
        if ran.cut:
            self.gap(file, f"{argv[0]} prints more than {MOST >> 20} MiB")
        elif ran.code and not optional:
            self.gap(file, last_line(ran.stderr) or f"{argv[0]} ended with exit code {ran.code}")
        return ran

    def text(self, file: str, *argv: str, optional: bool = False) -> str:
        """All that the program printed, kept as ``file``; nothing where it did not do well, or said too much."""
        ran = self.run(file, *argv, optional=optional)
        if ran is None or ran.code or ran.cut:
            return ""
        self.keep(file, ran.stdout)
        return ran.stdout

    def done(self) -> Read:
        return Read(self.files, tuple(self.gaps))


def last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def until_refused(look: Look, subresource: str, *parts: Callable[[Look], None]) -> Read:
    """One part after the other: what was read before the node fell silent stays."""
    try:
        for part in parts:
            part(look)
    except Refused as refused:
        where = f"create pods/{subresource} in namespace {look.pod.namespace}"
        look.gap("", refused.why, where if refused.status == 403 else None)
    except Silence as silence:
        look.gap("", f"{subresource} in {look.pod.namespace}/{look.pod.name}: {silence.why}")
    return look.done()
