"""Commands that exec runs in a container: the shell's scripts with real streams, in lab time."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

from ..api.streams.process import CannotStart, Reader, Size, Writer
from ..clock import Clock
from ..images import Image, Launch
from ..images.effects import Extern, File, NotFound, Output, Read, Script, Sleep, World
from ..images.registry import Call
from ..images.shell import interpret
from .instance import Instance


class ShellProcess:
    """One command line in a running container."""

    def __init__(self, image: Image, run: Instance, argv: Sequence[str], file: File, clock: Clock) -> None:
        """Raises CannotStart where the image has no such program."""
        self._image, self._run, self._clock = image, run, clock
        launch = run.launch
        world = World(launch.env, launch.hostname, file, image.commands.keys())
        name = argv[0] if argv else ""
        try:
            if name not in image.commands and not image.has_shell:
                raise NotFound(name)
            self._script: Script = interpret(argv, world)
        except NotFound:
            raise CannotStart(no_such_program(name, run.id)) from None

    async def run(self, stdin: Reader, stdout: Writer, stderr: Writer, resize: AsyncIterator[Size]) -> int:
        """Runs to the end; the exit code."""
        answer: Any = None
        while True:
            try:
                effect = self._script.send(answer)
            except StopIteration as stop:
                return int(stop.value)
            answer = None
            if isinstance(effect, Output):
                await (stderr if effect.error else stdout).write(effect.data)
            elif isinstance(effect, Read):
                answer = await stdin.read(1 << 15)
            elif isinstance(effect, Sleep):
                await self._sleep(effect.seconds)
            elif isinstance(effect, Extern):
                answer = await self._extern(effect.argv, stdout, stderr)

    async def _extern(self, argv: tuple[str, ...], stdout: Writer, stderr: Writer) -> int:
        age = self._run.age(self._clock.now)
        return await self._image.commands[argv[0]](Call(argv, self._run.launch, stdout, stderr, age))

    async def _sleep(self, seconds: float) -> None:
        woken = asyncio.Event()
        timer = self._clock.after(min(seconds, 1e9), woken.set)
        try:
            await woken.wait()
        finally:
            timer.cancel()


def no_such_program(name: str, container: str) -> str:
    """What containerd and runc say."""
    digest = hashlib.sha256(f"{container}/{name}".encode()).hexdigest()
    why = f"stat {name}: no such file or directory" if "/" in name else f'"{name}": executable file not found in $PATH'
    return (
        f'failed to exec in container: failed to start exec "{digest}": OCI runtime exec failed: exec failed: '
        f"unable to start container process: exec: {why}: unknown"
    )


def container_file(image: Image, run: Instance, path: str, now: datetime) -> bytes | None:
    """A file as the container sees it: what the image has, what the program wrote, what the runtime puts there."""
    found = image.files(run.launch, path) if image.files is not None else None
    if found is None:
        found = run.program.file(path, run.age(now))
    if found is None and path == "/etc/hostname":
        found = f"{run.launch.hostname}\n".encode()
    if found is None and path == "/etc/hosts":
        found = _hosts(run.launch)
    return found


def _hosts(launch: Launch) -> bytes:
    addresses = [one["ip"] for one in (launch.pod.get("status") or {}).get("podIPs") or ()]
    lines = ["# Kubernetes-managed hosts file.", "127.0.0.1\tlocalhost", "::1\tlocalhost ip6-localhost ip6-loopback"]
    lines += [f"{address}\t{launch.hostname}" for address in addresses]
    for alias in launch.pod["spec"].get("hostAliases") or ():
        lines.append(f"{alias['ip']}\t{' '.join(alias.get('hostnames') or ())}")
    return "".join(f"{line}\n" for line in lines).encode()
