"""A Service and what stands behind it: EndpointSlices and the old Endpoints."""

from msgspec import field

from .meta import Base, IntOrString, Object, ServiceMeta

SERVICE_NAME_LABEL = "kubernetes.io/service-name"
MANAGED_BY_LABEL = "endpointslice.kubernetes.io/managed-by"
SLICE_CONTROLLER = "endpointslice-controller.k8s.io"
MIRRORING_CONTROLLER = "endpointslicemirroring-controller.k8s.io"
TRIGGER_TIME_ANNOTATION = "endpoints.kubernetes.io/last-change-trigger-time"
OVER_CAPACITY_ANNOTATION = "endpoints.kubernetes.io/over-capacity"
SKIP_MIRROR_LABEL = "endpointslice.kubernetes.io/skip-mirror"
LAST_APPLIED_ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"


class ServicePort(Base, frozen=True):
    """core/v1 ServicePort."""

    name: str = ""
    protocol: str = "TCP"
    port: int = 0
    target_port: IntOrString | None = None
    node_port: int = 0
    app_protocol: str | None = None

    @property
    def target(self) -> IntOrString:
        """targetPort with the API's default: the Service port itself."""
        return self.port if self.target_port in (None, 0, "") else self.target_port


class ServiceSpec(Base, frozen=True):
    """core/v1 ServiceSpec."""

    type: str = "ClusterIP"
    selector: dict[str, str] = {}
    ports: tuple[ServicePort, ...] = ()
    cluster_ip: str = field(default="", name="clusterIP")
    cluster_ips: tuple[str, ...] = field(default=(), name="clusterIPs")
    ip_families: tuple[str, ...] = ()
    ip_family_policy: str = ""
    external_name: str = ""
    external_ips: tuple[str, ...] = field(default=(), name="externalIPs")
    publish_not_ready_addresses: bool = False
    internal_traffic_policy: str = "Cluster"
    external_traffic_policy: str = "Cluster"
    session_affinity: str = "None"
    traffic_distribution: str = ""
    load_balancer_source_ranges: tuple[str, ...] | None = None
    health_check_node_port: int = 0


class LoadBalancerIngress(Base, frozen=True):
    """core/v1 LoadBalancerIngress. A nil ``ip_mode`` means VIP (KEP-1860)."""

    ip: str = ""
    hostname: str = ""
    ip_mode: str | None = None


class LoadBalancerStatus(Base, frozen=True):
    """core/v1 LoadBalancerStatus."""

    ingress: tuple[LoadBalancerIngress, ...] | None = None


class ServiceStatus(Base, frozen=True):
    """core/v1 ServiceStatus."""

    load_balancer: LoadBalancerStatus = LoadBalancerStatus()


class Service(Object, frozen=True):
    """core/v1 Service."""

    metadata: ServiceMeta = ServiceMeta()
    spec: ServiceSpec = ServiceSpec()
    status: ServiceStatus = ServiceStatus()


class ObjectReference(Base, frozen=True):
    """core/v1 ObjectReference."""

    kind: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""
    field_path: str = ""  # of events: which container, as spec.containers{app}


class EndpointConditions(Base, frozen=True):
    """discovery/v1 EndpointConditions; a nil ``ready`` or ``serving`` means true (KEP-1672)."""

    ready: bool | None = None
    serving: bool | None = None
    terminating: bool | None = None


class ForZone(Base, frozen=True):
    """discovery/v1 ForZone and ForNode."""

    name: str = ""


class EndpointHints(Base, frozen=True):
    """discovery/v1 EndpointHints: whose clients should use the endpoint."""

    for_zones: tuple[ForZone, ...] | None = None
    for_nodes: tuple[ForZone, ...] | None = None


class SliceEndpoint(Base, frozen=True):
    """discovery/v1 Endpoint."""

    addresses: tuple[str, ...] = ()
    hostname: str = ""
    conditions: EndpointConditions = EndpointConditions()
    node_name: str | None = None
    zone: str | None = None
    target_ref: ObjectReference | None = None
    hints: EndpointHints | None = None


class SlicePort(Base, frozen=True):
    """discovery/v1 EndpointPort; a nil ``port`` means all ports."""

    name: str | None = None
    protocol: str | None = None
    port: int | None = None


class EndpointSlice(Object, frozen=True):
    """discovery/v1 EndpointSlice."""

    address_type: str = "IPv4"
    endpoints: tuple[SliceEndpoint, ...] | None = None
    ports: tuple[SlicePort, ...] | None = None

    @property
    def service_name(self) -> str:
        return self.labels.get(SERVICE_NAME_LABEL, "")

    @property
    def managed_by(self) -> str:
        return self.labels.get(MANAGED_BY_LABEL, "")


class EndpointAddress(Base, frozen=True):
    """core/v1 EndpointAddress."""

    ip: str = ""
    target_ref: ObjectReference | None = None


class EndpointSubset(Base, frozen=True):
    """core/v1 EndpointSubset."""

    addresses: tuple[EndpointAddress, ...] = ()
    not_ready_addresses: tuple[EndpointAddress, ...] = ()


class Endpoints(Object, frozen=True):
    """core/v1 Endpoints: deprecated since 1.33, but what people without a selector still write by hand."""

    subsets: tuple[EndpointSubset, ...] | None = None
