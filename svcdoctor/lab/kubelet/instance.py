"""One run of a container, as the container runtime knows it."""

import hashlib
from datetime import datetime, timedelta

from ..images import Launch, Program

KILLED = 137
LEAST = 0.05
"""Seconds that any process lives: long enough for the kubelet to say once that it runs."""


class Instance:
    """Begins when it is started; when it ends is known as soon as anybody knows (`end`)."""

    def __init__(self, uid: str, launch: Launch, program: Program, image_id: str, restarts: int, now: datetime) -> None:
        self.launch, self.program, self.image_id, self.restarts = launch, program, image_id, restarts
        digest = hashlib.sha256(f"{uid}/{launch.container}/{restarts}".encode()).hexdigest()
        self.id = f"containerd://{digest}"
        self.started = now
        self.end: datetime | None = None
        self.code, self.reason, self.message = 0, "", ""
        self.seen_running = self.seen_ended = False
        self.killed = False
        if program.cannot_start:
            self._ends(now, 128, "StartError", program.cannot_start)
        elif program.end is not None:
            self._ends(now + timedelta(seconds=max(program.end.after, LEAST)), program.end.code, program.end.reason)

    def runs(self, now: datetime) -> bool:
        return self.end is None or now < self.end

    def age(self, now: datetime) -> float:
        return (now - self.started).total_seconds()

    def moment(self, age: float) -> datetime:
        """When it is ``age`` seconds old. Far ages are cut off, datetime knows no more."""
        return self.started + timedelta(seconds=min(age, 1e9))

    def kill(self, term: datetime, kill: datetime) -> None:
        """SIGTERM and, if that does not end it, SIGKILL; an earlier end stays, a later SIGKILL changes nothing."""
        self.killed = True
        after = self.program.stops_after
        gentle = None if after is None else term + timedelta(seconds=after)
        end, code = (gentle, self.program.stop_code) if gentle is not None and gentle < kill else (kill, KILLED)
        if self.end is None or end < self.end:
            self._ends(end, code, "")

    def _ends(self, end: datetime, code: int, reason: str, message: str = "") -> None:
        self.end, self.code, self.message = end, code, message
        self.reason = reason or ("Completed" if code == 0 else "Error")
