"""Labs for the tests of faults: booted in simulated time, not served."""

from datetime import UTC, datetime
from functools import cache

from msgspec import structs

from svcdoctor.lab.base import Shape
from svcdoctor.lab.cluster import Cluster
from svcdoctor.lab.faults import BY_NAME, HEALTHY, client, exposure, path, proxy
from svcdoctor.lab.faults.fault import Fault, Rules

NOW = datetime(2026, 11, 25, 12, 0, 0, tzinfo=UTC)
FAULTS = (*proxy.FAULTS, *path.FAULTS, *exposure.FAULTS, *client.FAULTS)
NODES = ("node1", "node2")


def boot(fault: Fault = HEALTHY, mode: str = "iptables", nodes: int = 2) -> Cluster:
    made = Cluster(Shape(nodes, mode), NOW, "token")
    made.boot(fault)
    return made


@cache
def ill(name: str, mode: str) -> Cluster:
    """A lab that is ill; to look at only."""
    return boot(BY_NAME[name], mode)


@cache
def untouched(name: str, mode: str) -> Cluster:
    """The same before somebody's hands change files; to look at only."""
    fault = BY_NAME[name]
    return boot(structs.replace(fault, acts=tuple(act for act in fault.acts if not isinstance(act, Rules))), mode)
