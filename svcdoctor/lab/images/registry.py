"""Which images there are, and what a node hears when it pulls one."""

import hashlib
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from msgspec import Struct

from .program import Program
from .reference import InvalidName, Reference, parse

__all__ = ["Call", "Command", "Image", "Images", "InvalidName", "Launch", "PullFailed", "Stream"]

Json = dict[str, Any]

BANDWIDTH = 40e6
"""Bytes per second at which a node pulls."""
HANDSHAKE = 0.3
"""Seconds to ask the registry, pulled or not."""


class Launch(Struct, frozen=True):
    """How one container is started: its whole command line and environment."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    pod: Json
    container: str

    @property
    def hostname(self) -> str:
        """What the container calls itself: the node's name with hostNetwork, else the pod's (cut to 63 letters)."""
        spec = self.pod["spec"]
        if spec.get("hostNetwork"):
            return str(spec.get("nodeName", ""))
        return str(spec.get("hostname") or self.pod["metadata"]["name"])[:63].rstrip("-.")


class Stream(Protocol):
    """Where a command's output goes."""

    async def write(self, data: bytes, /) -> None: ...


class Call(Struct, frozen=True):
    """One command that is run in a container: its words, where it runs, and where its output goes."""

    argv: tuple[str, ...]
    launch: Launch
    stdout: Stream
    stderr: Stream
    age: float = 0.0  # of the container's main process


Command = Callable[[Call], Awaitable[int]]
"""Runs to the end, and returns the exit code."""


class Image(Struct, frozen=True):
    """What is behind a name. ``commands`` are programs of its own that exec finds in it, beside the shell's."""

    repository: str
    tags: tuple[str, ...]
    run: Callable[[Launch], Program]
    entrypoint: tuple[str, ...] = ()
    default_args: tuple[str, ...] = ()
    size: int = 24_000_000
    preloaded: bool = False  # on every node from the beginning
    has_shell: bool = True
    commands: Mapping[str, Command] = {}
    files: Callable[[Launch, str], bytes | None] | None = None

    def argv(self, command: Sequence[str], args: Sequence[str]) -> tuple[str, ...]:
        """command replaces the entrypoint, and the image's own arguments with it; args replace those alone."""
        if command:
            return (*command, *args)
        return (*self.entrypoint, *(args or self.default_args))

    def digest(self, tag: str) -> str:
        return "sha256:" + hashlib.sha256(f"{self.repository}:{tag}".encode()).hexdigest()


class PullFailed(Exception):
    """The registry has no such image, or is not there. Its text is containerd's."""


class Images:
    """All images, by name."""

    def __init__(self, images: Iterable[Image]) -> None:
        self._images = {image.repository: image for image in images}
        self._registries = {name.partition("/")[0] for name in self._images}

    def __iter__(self) -> Any:
        return iter(self._images.values())

    def add(self, image: Image) -> None:
        """A further image, or another one under a known name."""
        self._images[image.repository] = image
        self._registries.add(image.repository.partition("/")[0])

    def find(self, name: str) -> tuple[Image, Reference]:
        """The image that ``name`` stands for. Raises InvalidName and PullFailed."""
        wanted = parse(name)
        image = self._images.get(wanted.repository)
        known = image is not None and (wanted.tag in image.tags or wanted.digest in map(image.digest, image.tags))
        if image is None or not known:
            raise PullFailed(self._refusal(wanted, image))
        return image, wanted

    def _refusal(self, wanted: Reference, image: Image | None) -> str:
        pulling = f'failed to pull and unpack image "{wanted}": failed to resolve reference "{wanted}"'
        if wanted.registry not in self._registries:
            path = wanted.repository.partition("/")[2]
            head = f'Head "https://{wanted.registry}/v2/{path}/manifests/{wanted.digest or wanted.tag}"'
            host = wanted.registry.partition(":")[0]
            return f"{pulling}: failed to do request: {head}: dial tcp: lookup {host} on 172.30.0.1:53: no such host"
        if image is None:
            return (
                f"{pulling}: pull access denied, repository does not exist or may require authorization: "
                "server message: insufficient_scope: authorization failed"
            )
        return f"rpc error: code = NotFound desc = {pulling}: {wanted}: not found"


def pull_seconds(image: Image) -> float:
    return HANDSHAKE + image.size / BANDWIDTH
