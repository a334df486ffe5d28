"""Image names, as the kubelet and containerd read them (distribution/reference)."""

import re

from msgspec import Struct

DEFAULT_REGISTRY = "registry.lab"
"""Where the lab's nodes look for an image whose name has no registry."""

_DOMAIN = r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*(?::[0-9]+)?"
_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_PATH = re.compile(rf"{_PART}(?:/{_PART})*")
_WHOLE = re.compile(rf"(?:{_DOMAIN}/)?{_PART}(?:/{_PART})*(?::[\w][\w.-]{{0,127}})?(?:@[a-z0-9]+:[0-9a-f]{{32,}})?")


class InvalidName(Exception):
    """No image can have that name. Its text is the parser's."""


class Reference(Struct, frozen=True):
    """A whole name: ``registry.lab/server``, ``1``."""

    repository: str
    tag: str
    digest: str = ""

    @property
    def registry(self) -> str:
        return self.repository.partition("/")[0]

    def __str__(self) -> str:
        return f"{self.repository}@{self.digest}" if self.digest else f"{self.repository}:{self.tag}"


def parse(name: str) -> Reference:
    """The name in full: registry and tag are filled in as containerd does. Raises InvalidName."""
    if not _WHOLE.fullmatch(name):
        upper = _WHOLE.fullmatch(name.lower())
        raise InvalidName("repository name must be lowercase" if upper else "invalid reference format")
    plain, _, digest = name.partition("@")
    first, slash, rest = plain.partition("/")
    if not slash or not (set(first) & {".", ":"} or first == "localhost"):
        first, rest = DEFAULT_REGISTRY, plain if slash else f"library/{plain}"
    path, _, tag = rest.partition(":")
    if not _PATH.fullmatch(path):
        raise InvalidName("invalid reference format")
    return Reference(f"{first}/{path}", tag or ("" if digest else "latest"), digest)
