"""ControllerRevisions: the templates that a StatefulSet or DaemonSet has had.

Source: pkg/controller/history/controller_history.go of Kubernetes 1.36.
"""

from collections.abc import Sequence
from typing import Any

from ..store import Store
from .deletion import delete
from .objects import REVISIONS, owner_reference, stable_hash

Json = dict[str, Any]

HASH_LABEL = "controller-revision-hash"


def sync_revisions(store: Store, owner: Json, hash_label: str) -> tuple[Json, list[Json]]:
    """The revision of the owner's present template, made where there is none, and all others, oldest first.

    ``hash_label`` is the label by which a revision tells its hash; a template that comes back is numbered anew.
    """
    meta = owner["metadata"]
    known = sorted((stored.load() for stored in store.owned(REVISIONS, meta["uid"])), key=lambda one: one["revision"])
    data = {"spec": {"template": {**owner["spec"]["template"], "$patch": "replace"}}}
    latest = known[-1]["revision"] if known else 0
    same = next((one for one in known if one["data"] == data), None)
    if same is None:
        same = store.create(REVISIONS, _revision(owner, data, latest + 1, hash_label))
    elif same["revision"] < latest:
        same = store.replace(REVISIONS, {**same, "revision": latest + 1})
    return same, [one for one in known if one["metadata"]["name"] != same["metadata"]["name"]]


def _revision(owner: Json, data: Json, number: int, hash_label: str) -> Json:
    meta = owner["metadata"]
    digest = stable_hash([data, meta["name"]])
    labels = {**((owner["spec"]["template"].get("metadata") or {}).get("labels") or {}), hash_label: digest}
    made = {
        "name": f"{meta['name']}-{digest}",
        "namespace": meta["namespace"],
        "labels": labels,
        "ownerReferences": [owner_reference(owner)],
    }
    return {"metadata": made, "data": data, "revision": number}


def forget(store: Store, others: Sequence[Json], used: set[str], limit: int) -> None:
    """Deletes the oldest of those that no pod is of, beyond ``limit``."""
    idle = [one for one in others if one["metadata"]["name"] not in used]
    for one in idle[: max(len(idle) - limit, 0)]:
        delete(store, REVISIONS, one["metadata"]["namespace"], one["metadata"]["name"])


def template_of(revision: Json) -> Json:
    return {key: value for key, value in revision["data"]["spec"]["template"].items() if key != "$patch"}
