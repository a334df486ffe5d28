"""A Case as its names see it: who serves them, what the client is told, what must be answered and what was."""

from collections.abc import Iterator
from functools import cached_property

from ...model.case import Case, slice_port
from ...model.cluster import KubeletConfiguration
from ...model.meta import each
from ...model.name_service import COREFILE, NameService
from ...model.observation import DnsAnswer
from ...model.pod import Pod
from ...model.service import Service
from . import names, query_log
from .answer import Expected, Kind, Record
from .authority import Answered, Authority
from .corefile import Corefile, parse
from .kubelet import Told, node_file
from .kubelet import told as kubelet_tells
from .kubernetes_plugin import KubernetesPlugin, read
from .logs import Sign, signs
from .resolv_conf import ResolvConf
from .resolv_conf import parse as parse_resolv_conf
from .tokens import BadCorefile

USUAL_ZONE = "cluster.local"
DNS_PORT = 53


class View:
    """``case`` must have its Service."""

    def __init__(self, case: Case, service: Service) -> None:
        self.case = case
        self.service = service
        self.snapshot = case.snapshot
        self.servers = NameService(case.snapshot)

    # ------------------------------------------------------------------------------------------------------ the servers

    @cached_property
    def corefile(self) -> Corefile | BadCorefile | None:
        """What the servers are told; the error where that can't be read, None where it was not had."""
        found = self.servers.config_map
        if found is None:
            return None
        try:
            return parse(found.data[COREFILE], f"ConfigMap {found.namespace}/{found.name}")
        except BadCorefile as error:
            return error

    @property
    def parsed(self) -> Corefile | None:
        return self.corefile if isinstance(self.corefile, Corefile) else None

    @cached_property
    def signs(self) -> dict[str, tuple[Sign, ...]]:
        """What the log of each name server's pod proves."""
        pods = {(pod.namespace, pod.name) for pod in self.servers.pods}
        return {pod: signs(text) for (ns, pod, _), text in sorted(self.snapshot.logs.items()) if (ns, pod) in pods}

    def sign(self, pattern: str) -> tuple[str, Sign] | None:
        """The pod and the first sign of that pattern."""
        found = ((pod, sign) for pod, all_signs in self.signs.items() for sign in all_signs if sign.pattern == pattern)
        return next(found, None)

    @cached_property
    def server_port(self) -> int | None:
        """The port on which the pods answer, as the slices say."""
        behind = self.servers.case
        service_port = (
            next((port for port in self.servers.service.spec.ports if port.port == DNS_PORT), None)
            if (self.servers.service)
            else None
        )
        if behind is None or service_port is None:
            return None
        ports = (slice_port(endpoint_slice, service_port) for endpoint_slice in behind.slices)
        return next((port.port for port in ports if port), None)

    @cached_property
    def plugins(self) -> tuple[KubernetesPlugin, ...]:
        """The kubernetes directives of the Corefile."""
        blocks = self.parsed.blocks if self.parsed else ()
        return tuple(read(directive, block.zones) for block in blocks for directive in block.plugin("kubernetes"))

    @cached_property
    def served_zones(self) -> tuple[str, ...]:
        """The zones of cluster names that the Corefile serves, without the reverse ones."""
        return tuple(zone for plugin in self.plugins for zone in plugin.zones if not zone.endswith("arpa."))

    @cached_property
    def authority(self) -> Authority:
        served = self.server_port
        ports = {key.port for block in (self.parsed.blocks if self.parsed else ()) for key in block.keys}
        return Authority(self.snapshot, self.parsed, self.zone, served if served in ports else None)

    # ------------------------------------------------------------------------------------------------------- the client

    @cached_property
    def client(self) -> Pod | None:
        asked = self.case.target.client
        return self.snapshot.pods.get(asked.namespace, asked.name) if asked and asked.kind == "Pod" else None

    @cached_property
    def kubelet(self) -> KubeletConfiguration | None:
        """The client's kubelet; without a client, what kubelets say."""
        if self.client is not None:
            return self.servers.kubelet(self.client.spec.node_name)
        return next(iter(self.servers.kubelets.values()), None)

    @cached_property
    def zone(self) -> str:
        """The cluster's domain as clients are told."""
        told = self.kubelet.cluster_domain if self.kubelet else ""
        return (told or next(iter(self.served_zones), "") or USUAL_ZONE).strip(".").lower()

    @cached_property
    def told(self) -> Told | None:
        """What the client's kubelet writes into its resolv.conf."""
        if self.client is None:
            return None
        return kubelet_tells(self.client, self.kubelet, self._node_file(self.client.spec.node_name))

    def _node_file(self, node: str) -> ResolvConf | None:
        """The node's own file, or what a pod with dnsPolicy Default was given of it."""
        text = self.snapshot.node_files.get(node)
        for (namespace, name), real in self.snapshot.resolv_confs.items():
            pod = self.snapshot.pods.get(namespace, name)
            if text is None and pod and pod.spec.node_name == node and _has_node_file(pod):
                text = real
        return node_file(text) if text is not None else None

    @cached_property
    def real(self) -> ResolvConf | None:
        """The client's resolv.conf as it is."""
        if self.client is None:
            return None
        text = self.snapshot.resolv_confs.get((self.client.namespace, self.client.name))
        return parse_resolv_conf(text) if text else None

    @cached_property
    def conf(self) -> ResolvConf | None:
        """What the client's resolver goes by: the real file, else the computed one.

        Search domains of the node that were not read come after the cluster's: they decide no name of the cluster.
        """
        if self.real is not None or self.told is None:
            return self.real
        return None if self.told.open_nameservers else self.told.conf

    @property
    def wants_cluster_dns(self) -> bool:
        """Whether the client's dnsPolicy means the cluster's name servers; without a client, pods in general do."""
        if self.client is None:
            return True
        policy, host = self.client.spec.dns_policy, self.client.spec.host_network
        return policy == "ClusterFirstWithHostNet" or (policy == "ClusterFirst" and not host)

    # -------------------------------------------------------------------------------------------------------- the names

    @cached_property
    def fqdn(self) -> str:
        return f"{self.service.name}.{self.service.namespace}.svc.{self.zone}."

    @property
    def name(self) -> str:
        """The same, as people write it."""
        return self.fqdn.rstrip(".")

    @cached_property
    def short(self) -> str:
        """What the client calls the Service."""
        same = self.client is None or self.client.namespace == self.service.namespace
        return self.service.name if same else f"{self.service.name}.{self.service.namespace}"

    @cached_property
    def type(self) -> str:
        """A, or AAAA where the Service has IPv6 only."""
        families = self.service.spec.ip_families
        if families:
            return "A" if "IPv4" in families else "AAAA"
        return "AAAA" if names.family(self.service.spec.cluster_ip) == "AAAA" else "A"

    @cached_property
    def specified(self) -> Expected:
        """What the specification says the Service's name gives."""
        return Authority(self.snapshot, None, self.zone).expect(self.fqdn, self.type)

    @cached_property
    def answered(self) -> Answered:
        """What the servers make of it, by their Corefile."""
        return self.authority.ask(self.fqdn, self.type)

    # ------------------------------------------------------------------------------------------------ what was observed

    def ask(self, name: str, type: str) -> Expected:
        """What a name gives: by what decides here, else by what was seen."""
        expected = self.authority.expect(name, type)
        if expected.kind not in (Kind.ELSEWHERE, Kind.UNKNOWN):
            return expected
        return self.seen(name, type) or expected

    def seen(self, name: str, type: str) -> Expected | None:
        """The last answer that was observed to a question."""
        for answer in reversed(self.snapshot.dns_answers):
            if is_name(answer.name, name) and answer.type == type and answer.rcode in ("NOERROR", "NXDOMAIN"):
                records = tuple(records_of(answer))
                kind = Kind.NXDOMAIN if answer.rcode == "NXDOMAIN" else Kind.ANSWER if records else Kind.NODATA
                return Expected(kind, f"observed, of {answer.server or 'its own resolver'}", records)
        return None

    @cached_property
    def queries(self) -> tuple[DnsAnswer, ...]:
        """The questions that the name servers wrote down, where their Corefile has the log plugin."""
        pods = {(pod.namespace, pod.name) for pod in self.servers.pods}
        texts = (text for (ns, pod, _), text in sorted(self.snapshot.logs.items()) if (ns, pod) in pods)
        return tuple(query for text in texts for query in query_log.queries(text))


def records_of(answer: DnsAnswer) -> Iterator[Record]:
    for record in each(answer.answers):
        yield Record.read(record.name, record.type, record.data)


def is_name(one: str, other: str) -> bool:
    """Whether two names are the same, in any case, with or without the last dot."""
    return names.absolute(one).lower() == names.absolute(other).lower()


def _has_node_file(pod: Pod) -> bool:
    return pod.spec.dns_policy == "Default" and pod.spec.dns_config is None
