"""A fault: what somebody, or something, did to a well cluster. Data only; `cluster.Cluster` carries it out.

A fault does what happens in life - somebody edits a Service, a controller stops, a node goes silent - and the lab's
controllers do the rest. `Plant` is for what no controller here would write.
"""

from collections.abc import Callable
from typing import Any

from msgspec import Struct

Json = dict[str, Any]

AGE = 900.0
"""Seconds before now at which a fault began in a lab that starts with it; its waits come out of these."""


class Apply(Struct, frozen=True):
    """``kubectl apply`` of whole objects: defaulted, validated, allocated."""

    objects: tuple[Json, ...]


class Patch(Struct, frozen=True):
    """``kubectl patch --type merge``."""

    resource: str
    name: str
    patch: Json
    namespace: str = "default"


class Edit(Struct, frozen=True):
    """``kubectl edit``: ``change`` gets the object and returns it changed."""

    resource: str
    name: str
    change: Callable[[Json], Json]
    namespace: str = "default"


class Delete(Struct, frozen=True):
    """``kubectl delete``."""

    resource: str
    name: str
    namespace: str = "default"


class Plant(Struct, frozen=True):
    """Written as it stands, status and all, past all checks: what something outside this lab, or an older one, left."""

    objects: tuple[Json, ...]


class Doctor(Struct, frozen=True):
    """Objects as they are then, changed past all checks: every one of ``resource`` in ``namespace`` that ``change``
    returns anew; None leaves it alone. For what a controller or a kubelet would have written in a world that has more
    in it than this one."""

    resource: str
    change: Callable[[Json], Json | None]
    namespace: str = "default"


class Stop(Struct, frozen=True):
    """A part that runs no more: a controller by name, ``kubelet/NODE``, or ``kube-proxy/NODE``, whose rules stay as
    they are while its pod still counts as running."""

    part: str


class Rules(Struct, frozen=True):
    """A node's file in the snapshot's layout (iptables-save.txt, sysctl.json ...), changed by somebody else's hand."""

    node: str
    file: str
    change: Callable[[str], str]


class Dns(Struct, frozen=True):
    """How the name servers behave: fields of `dns.Behaviour`."""

    behaviour: Json


class Log(Struct, frozen=True):
    """Lines that a container has written: of the pods whose name begins with ``pod``."""

    namespace: str
    pod: str
    container: str
    lines: tuple[str, ...]


class Wait(Struct, frozen=True):
    """Lab time that passes before the next act."""

    seconds: float


Act = Apply | Patch | Edit | Delete | Plant | Doctor | Stop | Rules | Dns | Log | Wait


class Fault(Struct, frozen=True):
    """One way to be ill. ``name`` is that of reference/failure-modes.md and of the finding."""

    name: str
    line: str  # what is wrong, in one line
    acts: tuple[Act, ...]
    ask: str = "web"  # what to diagnose, as on the command line
    client: str = ""  # the client that is ill, where not everybody is

    @property
    def waits(self) -> float:
        """Seconds of lab time that it needs until it shows."""
        return sum(act.seconds for act in self.acts if isinstance(act, Wait))
