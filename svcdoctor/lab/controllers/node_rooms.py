"""What is taken on each node: kept up to date change by change, so that scheduling one pod decodes no other."""

from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Struct

from ..store import Change, Store
from .fitting import Room, host_ports, requests
from .objects import PODS

Json = dict[str, Any]


class _Spec(Struct, frozen=True, rename="camel"):
    node_name: str = ""


class _Status(Struct, frozen=True):
    phase: str = ""


class _Where(Struct, frozen=True):
    spec: _Spec
    status: _Status = _Status()


class _Need(Struct, frozen=True, gc=False):
    node: str
    owner: str
    ports: tuple[tuple[str, str, int], ...]
    requested: tuple[tuple[str, Decimal], ...]


_where = msgspec.json.Decoder(_Where)


class NodeRooms:
    """All pods that are bound and have not ended."""

    def __init__(self) -> None:
        self._needs: dict[str, _Need] = {}  # by pod uid
        self._rooms: dict[str, Room] = {}
        self._owned: dict[tuple[str, str], int] = {}  # (node, owner) -> pods

    def refill(self, store: Store) -> None:
        """Begins anew with what there is."""
        self.__init__()  # type: ignore[misc]
        for stored in store.list(PODS):
            where = _where.decode(stored.body)
            if where.spec.node_name:
                self.put(stored.uid, stored.owner, stored.load())

    def note(self, change: Change) -> None:
        new = change.new
        if new is None:
            self._drop(change.last.uid)
            return
        where = _where.decode(new.body)
        if where.spec.node_name and where.status.phase not in ("Succeeded", "Failed"):
            known = self._needs.get(new.uid)
            if known is None or known.node != where.spec.node_name:
                self.put(new.uid, new.owner, new.load())
        else:
            self._drop(new.uid)

    def put(self, uid: str, owner: str, pod: Json) -> None:
        """A pod on its node."""
        self._drop(uid)
        spec = pod["spec"]
        if (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
            return
        need = _Need(spec["nodeName"], owner, tuple(host_ports(spec)), tuple(requests(spec).items()))
        self._needs[uid] = need
        self._count(need, 1)
        self.on(need.node).ports.extend(need.ports)

    def on(self, node: str) -> Room:
        return self._rooms.setdefault(node, Room({}, []))

    def of_owner(self, node: str, owner: str) -> int:
        """How many pods of one controller are there."""
        return self._owned.get((node, owner), 0)

    def _drop(self, uid: str) -> None:
        need = self._needs.pop(uid, None)
        if need is not None:
            self._count(need, -1)
            for port in need.ports:
                self.on(need.node).ports.remove(port)

    def _count(self, need: _Need, sign: int) -> None:
        room = self.on(need.node)
        room.pods += sign
        for name, amount in need.requested:
            room.requested[name] = room.requested.get(name, Decimal()) + sign * amount
        if need.owner:
            key = (need.node, need.owner)
            self._owned[key] = self._owned.get(key, 0) + sign
