"""Which API groups a server has. Everybody may ask that (system:discovery), whatever RBAC says of the objects in them.

A list of a kind that is not served is refused like any other to those who may not read it: only this tells "there are
none" from "you may not look".
"""

import threading
from http import HTTPStatus
from typing import TypeVar

from msgspec import Struct

from ..errors import BadData
from ..model.decode import decode
from ..model.foreign import GROUPS
from .api import Api, Silence

T = TypeVar("T")


class _Version(Struct, frozen=True):
    version: str = ""


class _Group(Struct, frozen=True, rename="camel"):
    name: str = ""
    preferred_version: _Version = _Version()


class _GroupList(Struct, frozen=True):
    groups: tuple[_Group, ...] | None = None


class _Kind(Struct, frozen=True):
    name: str = ""
    namespaced: bool = False


class _KindList(Struct, frozen=True):
    resources: tuple[_Kind, ...] | None = None


class Groups:
    """Asked for once, when first needed."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._lock = threading.Lock()
        self._found: dict[str, str] | None = None
        self._asked = False
        self._kinds: dict[str, tuple[_Kind, ...]] = {}

    def lacks(self, group: str) -> bool:
        """Whether it is known that the server does not have ``group``."""
        served = self._versions()
        return served is not None and group not in served

    def policies(self, namespace: str) -> list[str]:
        """The paths of lists of policies of other kinds: those of ``namespace``, or (empty) the cluster-wide ones."""
        paths = []
        for group, version in (self._versions() or {}).items():
            if group in GROUPS:
                root = f"apis/{group}/{version}"
                wanted = [kind for kind in self._served(root) if kind.name in GROUPS[group]]
                place = f"/namespaces/{namespace}" if namespace else ""
                paths += [f"{root}{place}/{kind.name}" for kind in wanted if kind.namespaced is bool(namespace)]
        return paths

    def _versions(self) -> dict[str, str] | None:
        """Each group's preferred version; None where the server does not say."""
        with self._lock:
            if not self._asked:
                self._asked = True
                said = self._get("apis", _GroupList)
                if said is not None and said.groups:
                    self._found = {group.name: group.preferred_version.version for group in said.groups}
            return self._found

    def _served(self, root: str) -> tuple[_Kind, ...]:
        with self._lock:
            if root not in self._kinds:
                said = self._get(root, _KindList)
                self._kinds[root] = (said.resources or ()) if said else ()
            return self._kinds[root]

    def _get(self, path: str, type: type[T]) -> T | None:
        try:
            reply = self._api.get(path)
            return decode(reply.body, type, path) if reply.status == HTTPStatus.OK else None
        except (Silence, BadData):
            return None
