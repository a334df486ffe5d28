"""How sure a verdict of the specification is to be what happens: who enforces it, and what else may decide."""

from collections.abc import Iterable

from msgspec import Struct

from ...model.diagnosis import Confidence
from ...model.foreign import ForeignPolicy
from .enforcement import Enforced, Enforcement
from .passages import Refusal

LEVELS = (Confidence.CERTAIN, Confidence.LIKELY, Confidence.POSSIBLE)


class Sureness(Struct, frozen=True):
    """What stands between a verdict and the packet."""

    enforcement: Enforcement
    foreign: tuple[ForeignPolicy, ...] = ()

    @property
    def without_effect(self) -> bool:
        """Whether the network is known to enforce nothing."""
        return self.enforcement.enforced is Enforced.NO

    def of(self, refusals: Iterable[Refusal], doubts: int = 0) -> Confidence:
        """Certain, less ``doubts``, less one for each thing that may make it otherwise."""
        doubts += self.enforcement.enforced is Enforced.UNKNOWN
        doubts += bool(self.foreign)
        doubts += any(refusal.ruling.caveats for refusal in refusals)
        return Confidence.POSSIBLE if self.without_effect else LEVELS[min(doubts, 2)]
