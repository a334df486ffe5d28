"""What stands around pods: workloads, nodes, namespaces, settings, events."""

from datetime import datetime

from msgspec import field

from .meta import Base, Condition, LabelSelector, Object, ObjectMeta, Time
from .pod import PodSpec
from .service import ObjectReference

ZONE_LABEL = "topology.kubernetes.io/zone"


class PodTemplate(Base, frozen=True):
    """core/v1 PodTemplateSpec."""

    metadata: ObjectMeta = ObjectMeta()
    spec: PodSpec = PodSpec()


class WorkloadSpec(Base, frozen=True):
    """What the specs of Deployment, ReplicaSet, StatefulSet and DaemonSet share."""

    replicas: int | None = None
    selector: LabelSelector = LabelSelector()
    template: PodTemplate = PodTemplate()
    paused: bool = False
    service_name: str = ""


class WorkloadStatus(Base, frozen=True):
    """What their statuses share; desiredNumberScheduled is the DaemonSet's."""

    replicas: int = 0
    ready_replicas: int = 0
    desired_number_scheduled: int = 0
    conditions: tuple[Condition, ...] = ()


class Workload(Object, frozen=True):
    """What Deployment, ReplicaSet, StatefulSet and DaemonSet (apps/v1) share. The class name is the kind."""

    spec: WorkloadSpec = WorkloadSpec()
    status: WorkloadStatus = WorkloadStatus()


class Deployment(Workload, frozen=True):
    """apps/v1 Deployment."""


class ReplicaSet(Workload, frozen=True):
    """apps/v1 ReplicaSet."""


class StatefulSet(Workload, frozen=True):
    """apps/v1 StatefulSet."""


class DaemonSet(Workload, frozen=True):
    """apps/v1 DaemonSet."""


class NodeAddress(Base, frozen=True):
    """core/v1 NodeAddress; of type Hostname it may be a name."""

    type: str = ""
    address: str = ""


class NodeSystemInfo(Base, frozen=True):
    """core/v1 NodeSystemInfo."""

    kernel_version: str = ""


class NodeStatus(Base, frozen=True):
    """core/v1 NodeStatus."""

    addresses: tuple[NodeAddress, ...] = ()
    conditions: tuple[Condition, ...] = ()
    allocatable: dict[str, int | str] = {}
    node_info: NodeSystemInfo = NodeSystemInfo()


class NodeSpec(Base, frozen=True):
    """core/v1 NodeSpec."""

    pod_cidrs: tuple[str, ...] | None = field(default=None, name="podCIDRs")


class Node(Object, frozen=True):
    """core/v1 Node."""

    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()

    def condition(self, type: str) -> Condition | None:
        return next((c for c in self.status.conditions if c.type == type), None)


class KubeletConfiguration(Base, frozen=True):
    """kubelet.config.k8s.io/v1beta1 KubeletConfiguration: what pods are told of DNS."""

    cluster_dns: tuple[str, ...] = field(default=(), name="clusterDNS")
    cluster_domain: str = ""
    resolv_conf: str | None = "/etc/resolv.conf"  # a file of the node; empty: no file at all


class KubeletConfigz(Base, frozen=True):
    """What a kubelet says at ``/configz``."""

    kubeletconfig: KubeletConfiguration = KubeletConfiguration()


class ConfigMap(Object, frozen=True):
    """core/v1 ConfigMap: texts by name, such as the Corefile."""

    data: dict[str, str] = {}


class PolicyRule(Base, frozen=True):
    """rbac/v1 PolicyRule."""

    api_groups: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ()


class ClusterRole(Object, frozen=True):
    """rbac/v1 ClusterRole. ``rules`` may be null."""

    rules: tuple[PolicyRule, ...] | None = None

    def allows(self, group: str, resource: str, verb: str) -> bool:
        return any(
            {group, "*"} & set(rule.api_groups)
            and {resource, "*"} & set(rule.resources)
            and {verb, "*"} & set(rule.verbs)
            for rule in self.rules or ()
        )


class Namespace(Object, frozen=True):
    """core/v1 Namespace."""


class EventSeries(Base, frozen=True):
    """core/v1 EventSeries."""

    count: int = 0
    last_observed_time: Time | None = None


class Event(Object, frozen=True):
    """core/v1 Event, of the old form (first/lastTimestamp, count) or the new one (eventTime, series)."""

    involved_object: ObjectReference = ObjectReference()
    type: str = ""
    reason: str = ""
    message: str = ""
    count: int | None = None
    first_timestamp: Time | None = None
    last_timestamp: Time | None = None
    event_time: Time | None = None
    series: EventSeries | None = None

    @property
    def last_seen(self) -> datetime | None:
        """When it was last observed, whichever form it has."""
        series = self.series.last_observed_time if self.series else None
        return (
            series or self.last_timestamp or self.event_time or self.first_timestamp or self.metadata.creation_timestamp
        )

    @property
    def times(self) -> int:
        """How often it was observed."""
        return max(self.count or 1, self.series.count if self.series else 0)
