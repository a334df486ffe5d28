"""A loop whose keys are the owners of other objects: what happens to a part makes its owner due.

Adoption and release by selector: pkg/controller/controller_ref_manager.go of Kubernetes 1.36.
"""

from collections.abc import Iterator
from typing import Any, ClassVar

from ..api.selectors import matcher_of
from ..resources import Resource
from ..store import Change, Key, Store, Stored
from .loop import Controller
from .objects import owner_reference

Json = dict[str, Any]


class Owners(Controller):
    """Subclasses say what owns what, and reconcile an owner by its key."""

    owners: ClassVar[Resource]
    parts: ClassVar[Resource]

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._keys: dict[str, Key] = {}  # owners by uid
        self._orphans: dict[str, dict[Key, Stored]] = {}  # parts that nobody controls, by namespace

    def concerns(self, change: Change) -> Iterator[Key]:
        if change.resource == self.owners:
            self._keys[change.last.uid] = change.last.key
            if change.new is None:
                del self._keys[change.last.uid]
            yield change.last.key
        elif change.resource == self.parts:
            self._note_orphan(change.last, gone=change.new is None)
            uids = {stored.owner for stored in (change.old, change.new) if stored is not None}
            yield from (self._keys[uid] for uid in sorted(uids) if uid in self._keys)
            if change.new is not None and not change.new.owner:
                yield from self._that_want(change.new)

    def everything(self) -> Iterator[Key]:
        for stored in self.store.list(self.owners):
            yield stored.key

    def start(self, look: bool = True) -> None:
        self._keys = {stored.uid: stored.key for stored in self.store.list(self.owners)}
        self._orphans.clear()
        for stored in self.store.list(self.parts):
            self._note_orphan(stored)
        super().start(look)

    def claim(self, owner: Json) -> list[Stored]:
        """Its parts, after those that match and nobody controls were adopted, and those that match no more let go."""
        meta = owner["metadata"]
        matches = matcher_of(owner["spec"]["selector"])
        mine = self.store.owned(self.parts, meta["uid"])
        kept = [stored for stored in mine if matches(stored.labels)]
        for stored in mine:
            if not matches(stored.labels):
                self._give(stored, None)
        if not meta.get("deletionTimestamp"):
            for stored in tuple(self._orphans.get(meta["namespace"], {}).values()):
                if matches(stored.labels) and self._may_adopt(stored.load()):
                    kept.append(self._give(stored, owner_reference(owner)))
        return kept

    def _may_adopt(self, orphan: Json) -> bool:
        ended = (orphan.get("status") or {}).get("phase") in ("Succeeded", "Failed")
        return not orphan["metadata"].get("deletionTimestamp") and not ended

    def _give(self, stored: Stored, reference: Json | None) -> Stored:
        """Puts a part under another controller, or none; the part as it then is."""
        part = stored.load()
        others = [ref for ref in part["metadata"].get("ownerReferences") or () if not ref.get("controller")]
        references = [*others, *([reference] if reference else [])]
        meta = {key: value for key, value in part["metadata"].items() if key != "ownerReferences"}
        meta |= {"ownerReferences": references} if references else {}
        self.store.replace(self.parts, {**part, "metadata": meta})
        return self.store.find(self.parts, *stored.key) or stored

    def _note_orphan(self, stored: Stored, gone: bool = False) -> None:
        held = self._orphans.setdefault(stored.namespace, {})
        if stored.owner or gone:
            held.pop(stored.key, None)
        else:
            held[stored.key] = stored

    def _that_want(self, orphan: Stored) -> Iterator[Key]:
        """The owners that would adopt it."""
        for stored in self.store.list(self.owners, orphan.namespace):
            if matcher_of(stored.load()["spec"]["selector"])(orphan.labels):
                yield stored.key
