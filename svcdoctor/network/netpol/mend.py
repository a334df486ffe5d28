"""The smallest change of NetworkPolicies that lets packets pass, found by trying: each is evaluated before it is told.

Either the rule that came nearest gets one peer or port more, or a new policy allows just these ends on just these
ports. A new policy never isolates a pod that was not isolated before.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from .changes import Change, Denial, allow, widen
from .compiled import Compiled, with_policy
from .evaluate import evaluate
from .question import Question
from .sides import sides
from .verdict import Basis, Direction, Status

MENDABLE = (Basis.NETWORK_POLICY, Basis.OWN_NODE)  # the latter of a pod on its node's network: undefined
BOTH = (Direction.EGRESS, Direction.INGRESS)


def mend(
    compiled: Compiled, questions: Sequence[Question], directions: Sequence[Direction] = BOTH
) -> tuple[Change, ...] | None:
    """The changes after which every packet may pass in ``directions``, one at most for each of them and a namespace.

    None if no change of NetworkPolicies can bring that about: cluster-wide policies deny, or the answer would remain
    undefined. Give all questions that belong together at once, as both protocols of DNS to each of its pods.
    """
    changes: list[Change] = []
    for direction in directions:
        denials = list(_denials(compiled, direction, questions))
        for namespace, group in groupby(sorted(denials, key=_namespace), key=_namespace):
            change = _change(compiled, direction, namespace, list(group))
            if change is None:
                return None
            compiled = with_policy(compiled, change.policy)
            changes.append(change)
    return tuple(changes)


def _namespace(denial: Denial) -> str:
    return denial.subject.namespace


def _denials(compiled: Compiled, direction: Direction, questions: Iterable[Question]) -> Iterator[Denial]:
    for question in questions:
        ruling = getattr(evaluate(compiled, question), direction.value)
        if not ruling.passes:
            ends = sides(compiled.cluster, question)
            subject, peer = ends if direction is Direction.EGRESS else ends[::-1]
            yield Denial(question, subject, peer, ruling)


def _change(compiled: Compiled, direction: Direction, namespace: str, denials: list[Denial]) -> Change | None:
    if any(denial.ruling.basis not in MENDABLE for denial in denials):
        return None
    candidates = (*widen(compiled, direction, denials), *allow(compiled, direction, namespace, denials))
    return next((change for change in candidates if _helps(compiled, change, direction, denials)), None)


def _helps(compiled: Compiled, change: Change, direction: Direction, denials: Iterable[Denial]) -> bool:
    changed = with_policy(compiled, change.policy)
    rulings = (getattr(evaluate(changed, denial.question), direction.value) for denial in denials)
    return all(ruling.status is Status.ALLOWED for ruling in rulings)
