"""Names of the cluster taken apart.

Counted from the zone leftwards (specification 2.3, 2.4; plugin/kubernetes/parse.go)::

    SERVICE.NAMESPACE.svc             ENDPOINT.SERVICE.NAMESPACE.svc
    _PORT._PROTOCOL.SERVICE.NAMESPACE.svc          1-2-3-4.NAMESPACE.pod
"""

from msgspec import Struct

from ...model.snapshot import Gap


class Absent(Exception):
    """The name does not exist; the message says why."""


class Unread(Exception):
    """What decides whether the name exists was not read."""

    def __init__(self, gap: Gap, what: str) -> None:
        super().__init__(f"{what}: {gap.why}")
        self.gap = gap


class Question(Struct, frozen=True):
    """A name taken apart, in lower case."""

    kind: str = ""  # svc, pod, or nothing for the zone itself
    namespace: str = ""
    service: str = ""  # of a pod name: the dashed address
    endpoint: str = ""
    port: str = ""
    protocol: str = ""


def parse(labels: tuple[str, ...]) -> Question:
    """The labels before the zone. Raises Absent for what no cluster name looks like."""
    parts = [label.lower() for label in labels]
    if parts and parts[-1] not in ("svc", "pod"):
        raise Absent(f"cluster names end in svc or pod before the zone, not in {parts[-1]}")
    kind, namespace, service = (*reversed(parts[-3:]), "", "", "")[:3]
    match parts[:-3]:
        case []:
            return Question(kind, namespace, service)
        case [endpoint]:
            return Question(kind, namespace, service, endpoint)
        case [port, protocol]:
            return Question(kind, namespace, service, "", port.removeprefix("_"), protocol.removeprefix("_"))
    raise Absent("a cluster name has no more than four labels before svc")
