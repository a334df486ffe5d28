"""All controllers of workloads and nodes: what kube-controller-manager and the scheduler do for pods."""

from ..store import Store
from .daemonset import DaemonSetController
from .deployment import DeploymentController
from .expiry import EventExpiry
from .garbage import GarbageCollector
from .loop import Controller
from .namespace import NamespaceController
from .node_lifecycle import NodeLifecycleController
from .replicaset import ReplicaSetController
from .scheduler import Scheduler
from .statefulset import StatefulSetController
from .taint_eviction import TaintEvictionController

_ALL = (
    DeploymentController,
    ReplicaSetController,
    StatefulSetController,
    DaemonSetController,
    Scheduler,
    NodeLifecycleController,
    TaintEvictionController,
    GarbageCollector,
    NamespaceController,
    EventExpiry,
)


def workload_controllers(store: Store) -> tuple[Controller, ...]:
    """One of each, not started."""
    return tuple(make(store) for make in _ALL)
