"""What stands behind a name of the cluster: the addresses of a Service, of its endpoints, of a pod."""

from collections.abc import Iterator

from msgspec import Struct

from ...model.meta import each
from ...model.service import EndpointSlice, Service
from ...model.snapshot import CLUSTER, Gap, Snapshot
from . import names
from .kubernetes_plugin import KubernetesPlugin
from .label_selector import matches
from .objects import Objects, cluster_ips, dashed
from .question import Absent, Question, Unread, parse


class Entry(Struct, frozen=True):
    """One address, or one alias, behind a name."""

    host: str  # an IP address; of an ExternalName, a name
    labels: tuple[str, ...]  # the name of what has the address, up to the zone: ("web-0", "web", "shop", "svc")
    port: int | None = None

    @property
    def type(self) -> str:
        return names.family(self.host)

    @property
    def alias(self) -> bool:
        return not self.type


class Found(Struct, frozen=True):
    """What a name that exists has behind it, and how that is put."""

    why: str
    entries: tuple[Entry, ...] = ()
    complete: bool = True  # False: more may stand behind it, in namespaces that were not read


class Lookup:
    """The look-ups of one kubernetes plugin in one snapshot. All raise Absent or Unread."""

    def __init__(self, snapshot: Snapshot, plugin: KubernetesPlugin) -> None:
        self.snapshot = snapshot
        self.plugin = plugin
        self.objects = Objects(snapshot, plugin)

    def entries(self, name: str, zone: str) -> Found:
        """What stands behind a forward name."""
        if zone in self.plugin.multicluster:
            raise Unread(Gap(zone, "a multicluster zone"), "its answers are not computed")
        question = parse(names.split(name, zone)[0])
        if not question.namespace:
            return Found("a name above those of Services and pods")
        if question.kind == "pod" and self.plugin.pods == "disabled":
            raise Absent("the kubernetes plugin answers no pod names (pods disabled)")
        self.objects.expose(question.namespace)
        if not question.service:
            self.objects.namespace_exists(question.namespace)
            return Found(f"namespace {question.namespace} exists; it has no addresses itself")
        return self._pod(question) if question.kind == "pod" else self._service(question)

    # -------------------------------------------------------------------------------------------------------- services

    def _service(self, question: Question) -> Found:
        service = self.objects.service(question.namespace, question.service)
        if self.plugin.zonal and question.protocol == "zone":
            raise Unread(Gap(question.service, "a zone-scoped name"), "its answers are not computed")
        if service.spec.type == "ExternalName":
            return _external(service, question)
        headless = service.spec.cluster_ip == "None"
        if headless or question.endpoint:
            return self._endpoints(service, question, headless)
        if self.plugin.ignore_empty and not any(self.objects.addresses(service)):
            whole = f"{service.namespace}/{service.name}"
            raise Absent(f"Service {whole} has no ready endpoint, and ignore empty_service hides it")
        return _cluster_ip(service, question)

    def _endpoints(self, service: Service, question: Question, headless: bool) -> Found:
        if not self.plugin.endpoints:
            raise Absent("the noendpoints option of the kubernetes plugin hides all endpoints")
        ready = list(self.objects.addresses(service))
        found = [
            Entry(address, (label, service.name, service.namespace, "svc"), number)
            for address, label, endpoint_slice in ready
            if not question.endpoint or label.lower() == question.endpoint
            for port, protocol, number in _ports(endpoint_slice)
            if _asks(question, port, protocol)
        ]
        whole = f"{'headless ' if headless else ''}Service {service.namespace}/{service.name}"
        if found:
            count = len({entry.host for entry in found})
            return Found(
                f"{count} {'endpoint is' if count == 1 else 'endpoints are'} ready behind {whole}", tuple(found)
            )
        if question.endpoint:
            raise Absent(f"no ready endpoint of {whole} is called {question.endpoint}")
        if ready:
            raise Absent(f"the endpoints of {whole} have no port {_port(question)}")
        raise Absent(f"no endpoint of {whole} is ready")

    # --------------------------------------------------------------------------------------------------- pods, reverse

    def _pod(self, question: Question) -> Found:
        namespace, label = question.namespace, question.service
        self.objects.namespace_exists(namespace)
        dotted = label.count("-") == 3 and "--" not in label
        address = label.replace("-", "." if dotted else ":")
        entry = Entry(address, (label, namespace, "pod"))
        if self.plugin.pods == "insecure":
            if not names.family(address):
                raise Absent(f"{label} is no address with dashes")
            return Found("the name's own address, unchecked (pods insecure)", (entry,))
        if not self.snapshot.pods.covers(namespace):
            raise Unread(self.snapshot.gap("pods", namespace), f"pods of {namespace} were not read")
        for pod in self.snapshot.pods.within(namespace):
            served = not pod.terminal and not pod.terminating and matches(self.plugin.labels, pod.labels)
            if served and pod.status.pod_ip == address:
                return Found(f"pod {namespace}/{pod.name} has that address", (entry,))
        raise Absent(f"no pod of namespace {namespace} has the address {address}")

    def names_of(self, address: str) -> Found:
        """The names that a reverse look-up of ``address`` gives: a Service's, else those of the endpoints."""
        for service in self.objects.services():
            if address in cluster_ips(service):
                labels = (service.name, service.namespace, "svc")
                return Found(f"{address} is the ClusterIP of {service.namespace}/{service.name}", (Entry("", labels),))
        entries = tuple(self._endpoint_names(address)) if self.plugin.endpoints else ()
        for resource in ("services", "endpointslices"):
            if not getattr(self.snapshot, resource).covers(CLUSTER):
                if entries:
                    return Found(f"an endpoint has the address {address}", entries, complete=False)
                raise Unread(self.snapshot.gap(resource), f"not all {resource} were read")
        if not entries:
            raise Absent(f"no Service and no ready endpoint has the address {address}")
        return Found(f"{'an endpoint has' if len(entries) == 1 else 'endpoints have'} the address {address}", entries)

    def _endpoint_names(self, address: str) -> Iterator[Entry]:
        for namespace, service, (found, label, _) in self.objects.all_addresses():
            if names.canonical(found) == address and (label != dashed(found) or not self.plugin.hostnames_only):
                yield Entry("", (label, service, namespace, "svc"))


def _external(service: Service, question: Question) -> Found:
    whole, target = f"{service.namespace}/{service.name}", service.spec.external_name
    if question.endpoint or question.port or question.protocol:
        raise Absent(f"ExternalName {whole} is an alias: no name stands below it")
    if names.family(target):
        raise Absent(f"ExternalName {whole} points at {target}, an address, where only a name makes a record")
    return Found(f"ExternalName {whole} points at {target}", (Entry(target, (service.name, service.namespace, "svc")),))


def _cluster_ip(service: Service, question: Question) -> Found:
    whole = f"{service.namespace}/{service.name}"
    ports = [port for port in service.spec.ports if _asks(question, port.name, port.protocol)]
    if not ports:
        raise Absent(f"Service {whole} has no port {_port(question)}")
    addresses = cluster_ips(service)
    labels = (service.name, service.namespace, "svc")
    entries = tuple(Entry(address, labels, port.port) for port in ports for address in addresses)
    return Found(f"Service {whole} has ClusterIP {', '.join(addresses) or 'none'}", entries)


def _port(question: Question) -> str:
    return f"{question.port} over {question.protocol.upper()}" if question.port else "at all"


def _ports(endpoint_slice: EndpointSlice) -> Iterator[tuple[str, str, int | None]]:
    """Name, protocol and number of a slice's ports; one without any for a slice that has none."""
    ports = tuple(each(endpoint_slice.ports))
    for port in ports:
        yield port.name or "", port.protocol or "TCP", port.port
    if not ports:
        yield "", "", None


def _asks(question: Question, port: str, protocol: str) -> bool:
    named = not question.port or port.lower() == question.port
    return named and (not question.protocol or protocol.lower() == question.protocol)
