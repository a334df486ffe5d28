"""What can be asked: may this end reach that end, by this protocol, on this port of the destination itself?"""

from collections.abc import Mapping
from typing import TypeAlias

from msgspec import Struct

from ...model.pod import Pod


class AtPod(Struct, frozen=True):
    """A pod, by one of its addresses (empty: the one of the family in use, else its first)."""

    pod: Pod
    ip: str = ""


class AnyPod(Struct, frozen=True):
    """A pod that need not exist: in this namespace, with just these labels and no address."""

    namespace: str
    labels: Mapping[str, str] = {}


class AtNode(Struct, frozen=True):
    """A node itself: its kubelet, its proxy, or traffic that it has masqueraded."""

    name: str
    ip: str = ""  # empty: the node's first


class AtAddress(Struct, frozen=True):
    """An address. If a pod or a node has it, it is that one."""

    ip: str


End: TypeAlias = AtPod | AnyPod | AtNode | AtAddress


class ThroughService(Struct, frozen=True):
    """The Service that the client dials: policies do not see it, but people write them with its numbers in mind."""

    name: str = ""
    port: int = 0
    addresses: tuple[str, ...] = ()  # its cluster IPs
    selector: Mapping[str, str] = {}


class Question(Struct, frozen=True):
    """``port`` is the destination's own (after DNAT), ``protocol`` TCP, UDP, SCTP or another name."""

    source: End
    destination: End
    port: int
    protocol: str = "TCP"
    service: ThroughService | None = None
