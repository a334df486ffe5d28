"""Who serves the cluster's names: the Service that owns the address which kubelets tell pods, whatever it is called.

The names differ: kube-dns, dns-default (OpenShift), rke2-coredns-rke2-coredns. Where the kubelets' configuration was
not read, the label and the name that Kubernetes itself uses stand in.
"""

from functools import cached_property
from ipaddress import ip_address

from .case import Case
from .cluster import ConfigMap, DaemonSet, KubeletConfiguration
from .decode import decode_yaml
from .diagnosis import Target
from .pod import Pod
from .service import Service
from .snapshot import CLUSTER, Snapshot

SYSTEM = "kube-system"
USUAL_NAME = "kube-dns"
USUAL_LABEL = ("k8s-app", "kube-dns")
KUBELET_CONFIG = "kubelet-config"
"""The ConfigMap in which kubeadm keeps what every kubelet is told."""

COREFILE = "Corefile"
USUAL_CONFIG = "coredns"
NODE_CACHE = "node-local-dns"
"""NodeLocal DNSCache's DaemonSet; its Corefile is in the ConfigMap of the same name."""


class NameService:
    """The name servers of ``snapshot``'s cluster, as far as they were read."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot

    # ----------------------------------------------------------------------------------------------------- the kubelets

    @cached_property
    def usual_kubelet(self) -> KubeletConfiguration | None:
        """What kubeadm tells every kubelet; None where that was not read."""
        found = self.snapshot.configmaps.get(SYSTEM, KUBELET_CONFIG)
        text = found.data.get("kubelet") if found else None
        return decode_yaml(text, KubeletConfiguration) if text else None

    def kubelet(self, node: str) -> KubeletConfiguration | None:
        """The configuration of the kubelet of ``node``; kubeadm's where its own was not read."""
        return self.snapshot.kubelets.get(node) or self.usual_kubelet

    @cached_property
    def kubelets(self) -> dict[str, KubeletConfiguration]:
        """By node, all that were read; kubeadm's under the empty name where none was."""
        if self.snapshot.kubelets:
            return dict(self.snapshot.kubelets)
        return {"": self.usual_kubelet} if self.usual_kubelet else {}

    @cached_property
    def told(self) -> tuple[str, ...]:
        """The addresses that kubelets tell pods to ask (clusterDNS), each once."""
        return tuple(dict.fromkeys(plain(address) for k in self.kubelets.values() for address in k.cluster_dns))

    # ------------------------------------------------------------------------------------------------------ the Service

    @cached_property
    def service(self) -> Service | None:
        """The Service of the name servers."""
        owners = [service for address in self.told if (service := self.owner(address))]
        return next((owner for owner in owners if serves_dns(owner)), None) or self._by_name

    @property
    def _by_name(self) -> Service | None:
        services = self.snapshot.services.items
        labelled = [s for s in services if s.labels.get(USUAL_LABEL[0]) == USUAL_LABEL[1] and serves_dns(s)]
        return self.snapshot.services.get(SYSTEM, USUAL_NAME) or (labelled[0] if labelled else None)

    @property
    def certain(self) -> bool:
        """Whether the Service was found by its address."""
        return self.service is not None and bool(set(addresses(self.service)) & set(self.told))

    def owner(self, address: str) -> Service | None:
        """The Service that has this virtual address."""
        wanted = plain(address)
        return next((s for s in self.snapshot.services.items if wanted in addresses(s)), None)

    def owned_by_nobody(self, address: str) -> bool:
        """Whether it is known that no Service has this address."""
        reading = self.snapshot.services
        asked = (CLUSTER, address_query(address)) in reading.selected or reading.covers()
        return asked and self.owner(address) is None

    @cached_property
    def case(self) -> Case | None:
        """The Service as a Case of its own: its slices, endpoints and pods."""
        found = self.service
        return Case(self.snapshot, Target(found.namespace, found.name)) if found else None

    @property
    def pods(self) -> tuple[Pod, ...]:
        """The pods behind the Service, in any state but run to their end."""
        return self.case.backends if self.case else ()

    # --------------------------------------------------------------------------------------------------- their settings

    @cached_property
    def config_map(self) -> ConfigMap | None:
        """The ConfigMap that holds the Corefile: one that the pods mount, else the one of the usual name."""
        if self.service is None:
            return None
        namespace = self.service.namespace
        mounted = dict.fromkeys(name for pod in self.pods for name in pod.spec.config_maps)
        for name in (*mounted, USUAL_CONFIG):
            found = self.snapshot.configmaps.get(namespace, name)
            if found is not None and COREFILE in found.data:
                return found
        return None

    # --------------------------------------------------------------------------------------------- NodeLocal DNSCache

    @cached_property
    def node_cache(self) -> DaemonSet | None:
        return self.snapshot.daemonsets.get(SYSTEM, NODE_CACHE)

    def is_local(self, address: str) -> bool:
        """Whether ``address`` is one that every node has for itself: link-local, as NodeLocal DNSCache binds it."""
        try:
            return ip_address(address).is_link_local
        except ValueError:
            return False

    def node_cache_pods(self, node: str = "") -> tuple[Pod, ...]:
        """The cache's pods, all or those of one node."""
        cache = self.node_cache
        if cache is None:
            return ()
        wanted = cache.spec.selector.match_labels
        pods = (pod for pod in self.snapshot.pods.within(SYSTEM) if wanted and wanted.items() <= pod.labels.items())
        return tuple(pod for pod in pods if not node or pod.spec.node_name == node)


def addresses(service: Service) -> tuple[str, ...]:
    """The virtual addresses of a Service, of either family, as they are compared."""
    given = service.spec.cluster_ips or (service.spec.cluster_ip,)
    return tuple(plain(address) for address in given if address not in ("", "None"))


def plain(address: str) -> str:
    """An IP address in its one spelling; other text as it is."""
    try:
        return str(ip_address(address))
    except ValueError:
        return address


def address_query(address: str) -> str:
    """The list query that asks, in all namespaces, for the Service of an address."""
    return f"fieldSelector=spec.clusterIP={address}"


def serves_dns(service: Service) -> bool:
    """Whether it has DNS's own port."""
    return any(port.port == 53 for port in service.spec.ports)
