"""Policies of other kinds: the network plugin's own. They are named, never judged."""

from collections.abc import Iterable

from ...model.foreign import ForeignPolicy
from ...model.pod import Pod
from ...model.snapshot import Snapshot


def concerning(snapshot: Snapshot, pods: Iterable[Pod]) -> tuple[ForeignPolicy, ...]:
    """Those that may apply to one of ``pods``: by namespace, and by labels where their selector can be read."""
    around = list(pods)
    return tuple(
        policy for policy in snapshot.foreign_policies if any(policy.may_select(p.namespace, p.labels) for p in around)
    )
