"""The ports of a rule, compiled. Names are looked up on the destination pod, whichever the direction."""

from msgspec import Struct

from .question import Question
from .sides import Side
from .verdict import Lack, Miss

PROTOCOLS = ("TCP", "UDP", "SCTP")
ALL = (0, 65535)


class PortMatch(Struct, frozen=True):
    """One item of a rule's ports.

    ``cluster_wide``: policy.networking.k8s.io gives names no meaning for what is not a pod with an address of its own;
    NetworkPolicy leaves it open.
    """

    protocol: str = ""  # empty: any
    low: int = 0
    high: int = 65535
    name: str = ""  # of a containerPort; low and high do not count then
    cluster_wide: bool = False
    understood: bool = True

    def misses(self, question: Question, destination: Side) -> tuple[Miss, ...]:
        """What the packet lacks to go to one of these ports."""
        if not self.understood:
            return (Miss(Lack.NOT_UNDERSTOOD, "a valid port", str(question.port), doubt=True),)
        found: tuple[Miss, ...] = ()
        if self.protocol and self.protocol != question.protocol:
            found = (Miss(Lack.PROTOCOL, self.protocol, question.protocol),)
        if self.name:
            return found + self._name_misses(question, destination)
        if self.low <= question.port <= self.high:
            return found
        service = question.service
        of_service = service is not None and self.low <= service.port <= self.high
        return (*found, Miss(Lack.SERVICE_PORT if of_service else Lack.PORT, self.numbers, str(question.port)))

    @property
    def numbers(self) -> str:
        return str(self.low) if self.low == self.high else f"{self.low}-{self.high}"

    def _name_misses(self, question: Question, destination: Side) -> tuple[Miss, ...]:
        if destination.pod is None or (destination.host_network and self.cluster_wide):
            return (Miss(Lack.NAMED_PORT_NO_POD, self.name, destination.words, doubt=not self.cluster_wide),)
        ports = [port for server in destination.pod.spec.servers for port in server.ports if port.name == self.name]
        if not ports:
            return (Miss(Lack.NAMED_PORT_ABSENT, self.name),)
        numbers = [port.container_port for port in ports if (port.protocol or "TCP") == question.protocol]
        if question.port in numbers:
            like_node = (Miss(Lack.HOST_NETWORK, "a pod with an address of its own", doubt=True),)
            return like_node if destination.host_network else ()
        if numbers:
            declared = ", ".join(map(str, numbers))
            return (Miss(Lack.NAMED_PORT_NUMBER, f"{self.name} ({declared})", str(question.port)),)
        declared = ", ".join(port.protocol for port in ports)
        return (Miss(Lack.NAMED_PORT_PROTOCOL, f"{self.name} ({declared})", question.protocol),)
