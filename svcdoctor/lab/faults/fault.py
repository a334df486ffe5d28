"""A fault: what somebody, or something, did to a well cluster. Data only; `cluster.Cluster` carries it out.

A fault does what happens in life - somebody edits a Service, a controller stops, a node goes silent - and the lab's
controllers do the rest. `Plant` is for what no controller here would write.
"""

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from ..base import PROXY_MODES

Json = dict[str, Any]

AGE = 900.0
"""Seconds that a fault is old in a lab that starts with it, its waits among them."""


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


class Event(Struct, frozen=True):
    """What a component outside of this lab - a cloud's controller, an ingress controller - reports of an object."""

    resource: str
    name: str
    reason: str
    message: str
    component: str
    times: int = 1
    type: str = "Warning"
    namespace: str = "default"


class Stop(Struct, frozen=True):
    """A part that runs no more: a controller by name, ``kubelet/NODE``, or ``kube-proxy/NODE``, whose rules stay as
    they are while its pod still counts as running. ``kube-proxy/*`` is every node's."""

    part: str


class Rules(Struct, frozen=True):
    """A node's file in the snapshot's layout (iptables-save.txt, sysctl.json ...), changed by somebody else's hand. The
    node ``*`` is every one. ``change`` gets "" where there is no such file; where it gives "", there is none."""

    node: str
    file: str
    change: Callable[[str], str]


class Flow(Struct, frozen=True):
    """Connections that stand in the conntrack table of the client's node.

    ``client`` is a pod, or an address outside of the cluster, which comes in by ``node``. ``to`` is a Service's name,
    or an address; ``backend`` the beginning of pods' names, or an address. They go by turns to all those pods, or to
    the first ``among`` of them.
    """

    client: str
    to: str
    backend: str
    count: int = 1
    among: int = 0
    port: int = 80
    target_port: int = 8080
    protocol: str = "tcp"
    state: str = "ESTABLISHED"  # of TCP
    replied: bool = True  # whether anything has come back
    node: str = ""


class Configure(Struct, frozen=True):
    """Settings of ``kubelet/NODE`` (fields of its KubeletConfiguration) or ``kube-proxy/NODE`` (fields of
    `proxy.ProxyConfig`), or of ``kernel/NODE`` (fields of `proxy.NodeView`). ``kube-proxy/*`` and ``kernel/*`` are
    those of every node."""

    part: str
    settings: Json


class Dns(Struct, frozen=True):
    """How the name servers behave: fields of `dns.Behaviour`. ``at`` says who sees it: ``pods`` everybody who asks,
    ``vip`` only those who ask by the Service's address."""

    behaviour: Json
    at: str = "pods"


class Log(Struct, frozen=True):
    """Lines that a container has written: of the pods whose name begins with ``pod``, on ``node`` or anywhere, in one
    ``mode`` of kube-proxy or in all."""

    namespace: str
    pod: str
    container: str
    lines: tuple[str, ...]
    node: str = ""
    mode: str = ""


class Wait(Struct, frozen=True):
    """Lab time that passes before the next act."""

    seconds: float


Deed = Apply | Patch | Edit | Delete | Plant | Doctor | Event | Stop | Rules | Flow | Configure | Dns | Log
Act = Deed | Wait


class Fault(Struct, frozen=True):
    """One way to be ill. ``name`` is that of reference/failure-modes.md and of the finding."""

    name: str
    line: str  # what is wrong, in one line
    acts: tuple[Act, ...]
    ask: str = "web"  # what to diagnose, as on the command line
    client: str = ""  # the client that is ill, where not everybody is
    active: bool = False  # shows only to those who ask (--active): objects and rules are well
    age: float = AGE  # seconds before now at which it began, or more where it needs more
    modes: tuple[str, ...] = PROXY_MODES  # those of kube-proxy in which it can be; the first one is its home

    @property
    def waits(self) -> float:
        """Seconds of lab time that it needs until it shows."""
        return sum(act.seconds for act in self.acts if isinstance(act, Wait))
