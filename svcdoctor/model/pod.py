"""Pods: their containers, probes, states and conditions. Of their environment the names, never the values."""

from msgspec import field

from .meta import Base, Condition, IntOrString, Object, Time


class ContainerPort(Base, frozen=True):
    """core/v1 ContainerPort: informational, unless a targetPort or a probe calls it by name."""

    name: str = ""
    container_port: int = 0
    protocol: str = "TCP"
    host_port: int = 0


class HTTPGetAction(Base, frozen=True):
    """core/v1 HTTPGetAction."""

    path: str = "/"
    port: IntOrString = 0
    scheme: str = "HTTP"
    host: str = ""


class TCPSocketAction(Base, frozen=True):
    """core/v1 TCPSocketAction."""

    port: IntOrString = 0
    host: str = ""


class GRPCAction(Base, frozen=True):
    """core/v1 GRPCAction."""

    port: int = 0
    service: str | None = None


class ExecAction(Base, frozen=True):
    """core/v1 ExecAction."""

    command: tuple[str, ...] | None = None


class Probe(Base, frozen=True):
    """core/v1 Probe; periods and time-outs in seconds."""

    http_get: HTTPGetAction | None = None
    tcp_socket: TCPSocketAction | None = None
    grpc: GRPCAction | None = None
    exec: ExecAction | None = None
    initial_delay_seconds: int = 0
    timeout_seconds: int = 1
    period_seconds: int = 10
    success_threshold: int = 1
    failure_threshold: int = 3

    @property
    def port(self) -> IntOrString | None:
        """The port that the kubelet dials, None for exec probes."""
        action = self.http_get or self.tcp_socket or self.grpc
        return action.port if action else None


class LifecycleHandler(Base, frozen=True):
    """core/v1 LifecycleHandler: only that it is there."""


class Lifecycle(Base, frozen=True):
    """core/v1 Lifecycle: only whether there is a preStop hook."""

    pre_stop: LifecycleHandler | None = None


class EnvVar(Base, frozen=True):
    """core/v1 EnvVar: only that it is there. Values may be secrets, so they are not read."""

    name: str = ""


class EnvFromSource(Base, frozen=True):
    """core/v1 EnvFromSource: that a ConfigMap or a Secret adds variables, whose names are not read."""

    prefix: str = ""


class Container(Base, frozen=True):
    """core/v1 Container, also as a native sidecar (an init container with restartPolicy Always)."""

    name: str = ""
    image: str = ""
    command: tuple[str, ...] | None = None
    args: tuple[str, ...] | None = None
    ports: tuple[ContainerPort, ...] = ()
    env: tuple[EnvVar, ...] = ()
    env_from: tuple[EnvFromSource, ...] = ()
    readiness_probe: Probe | None = None
    liveness_probe: Probe | None = None
    startup_probe: Probe | None = None
    lifecycle: Lifecycle | None = None
    restart_policy: str | None = None


class ReadinessGate(Base, frozen=True):
    """core/v1 PodReadinessGate (KEP-580)."""

    condition_type: str = ""


class PodDNSConfigOption(Base, frozen=True):
    """core/v1 PodDNSConfigOption: ``ndots`` and ``2``, or a name alone."""

    name: str = ""
    value: str | None = None


class PodDNSConfig(Base, frozen=True):
    """core/v1 PodDNSConfig: what is added to the resolv.conf that the dnsPolicy makes."""

    nameservers: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    options: tuple[PodDNSConfigOption, ...] = ()


class ConfigMapVolume(Base, frozen=True):
    """core/v1 ConfigMapVolumeSource."""

    name: str = ""


class Volume(Base, frozen=True):
    """core/v1 Volume: only which ConfigMap it shows."""

    config_map: ConfigMapVolume | None = None


class PodSpec(Base, frozen=True):
    """core/v1 PodSpec."""

    containers: tuple[Container, ...] = ()
    init_containers: tuple[Container, ...] = ()
    volumes: tuple[Volume, ...] = ()
    node_name: str = ""
    host_network: bool = False
    readiness_gates: tuple[ReadinessGate, ...] = ()
    restart_policy: str = "Always"
    dns_policy: str = "ClusterFirst"
    dns_config: PodDNSConfig | None = None
    hostname: str = ""
    subdomain: str = ""
    service_account_name: str = ""
    enable_service_links: bool | None = None
    termination_grace_period_seconds: int | None = None

    @property
    def config_maps(self) -> tuple[str, ...]:
        """The ConfigMaps that are mounted."""
        return tuple(volume.config_map.name for volume in self.volumes if volume.config_map)

    @property
    def servers(self) -> tuple[Container, ...]:
        """The containers that run beside each other: the plain ones and the native sidecars (KEP-753)."""
        return self.containers + tuple(c for c in self.init_containers if c.restart_policy == "Always")


class ContainerStateWaiting(Base, frozen=True):
    """core/v1 ContainerStateWaiting."""

    reason: str = ""
    message: str = ""


class ContainerStateRunning(Base, frozen=True):
    """core/v1 ContainerStateRunning."""

    started_at: Time | None = None


class ContainerStateTerminated(Base, frozen=True):
    """core/v1 ContainerStateTerminated."""

    exit_code: int = 0
    reason: str = ""
    message: str = ""
    started_at: Time | None = None
    finished_at: Time | None = None


class ContainerState(Base, frozen=True):
    """core/v1 ContainerState: at most one of the three."""

    waiting: ContainerStateWaiting | None = None
    running: ContainerStateRunning | None = None
    terminated: ContainerStateTerminated | None = None


class ContainerStatus(Base, frozen=True):
    """core/v1 ContainerStatus."""

    name: str = ""
    ready: bool = False
    started: bool | None = None
    restart_count: int = 0
    state: ContainerState = ContainerState()
    last_state: ContainerState = ContainerState()


class PodIP(Base, frozen=True):
    """core/v1 PodIP."""

    ip: str = ""


class PodStatus(Base, frozen=True):
    """core/v1 PodStatus."""

    phase: str = ""
    reason: str = ""
    message: str = ""
    pod_ip: str = field(default="", name="podIP")
    pod_ips: tuple[PodIP, ...] = field(default=(), name="podIPs")
    conditions: tuple[Condition, ...] = ()
    container_statuses: tuple[ContainerStatus, ...] = ()
    init_container_statuses: tuple[ContainerStatus, ...] = ()
    start_time: Time | None = None


class Pod(Object, frozen=True):
    """core/v1 Pod."""

    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()

    @property
    def terminal(self) -> bool:
        """Run to its end: no endpoint controller lists it."""
        return self.status.phase in ("Succeeded", "Failed")

    @property
    def terminating(self) -> bool:
        return self.metadata.deletion_timestamp is not None

    @property
    def ready(self) -> bool:
        condition = self.condition("Ready")
        return condition is not None and condition.status == "True"

    @property
    def addresses(self) -> tuple[str, ...]:
        """All pod IPs, the primary one first."""
        ips = tuple(entry.ip for entry in self.status.pod_ips if entry.ip)
        return ips or ((self.status.pod_ip,) if self.status.pod_ip else ())

    def condition(self, type: str) -> Condition | None:
        return next((c for c in self.status.conditions if c.type == type), None)

    def container_status(self, name: str) -> ContainerStatus | None:
        statuses = self.status.container_statuses + self.status.init_container_statuses
        return next((status for status in statuses if status.name == name), None)
