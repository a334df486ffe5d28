"""What else to ask, given what is known by now: of the cluster's name servers, and of its policies.

Pure: each planner looks at a Case and names the questions whose answers it lacks. Once they are answered, it looks
again, until it lacks nothing.
"""

from collections.abc import Iterator, Mapping, Set

from msgspec import Struct

from ..model.case import Case, selector_query
from ..model.name_service import KUBELET_CONFIG as KUBEADM
from ..model.name_service import NODE_CACHE, SYSTEM, USUAL_CONFIG, USUAL_LABEL, USUAL_NAME, NameService, address_query
from ..model.pod import Pod
from ..model.service import SERVICE_NAME_LABEL, Service

ROLE = "system:coredns"
"""What CoreDNS may read, in Kubernetes's own manifest and in those made after it."""

CLUSTER_POLICIES = ("clusternetworkpolicies", "adminnetworkpolicies", "baselineadminnetworkpolicies")
FOREIGN_POLICIES = "policies of other kinds"
"""In the place of a plural: all that there are of `model.foreign`."""
CACHES = 500
"""Pods of NodeLocal DNSCache that are looked at; there is one per node."""


class Question(Struct, frozen=True):
    """One object by its name, a list, or (``plural`` empty) a node's kubelet configuration."""

    plural: str
    namespace: str = ""
    name: str = ""
    query: str = ""
    pages: int | None = None

    @property
    def pairs(self) -> Mapping[str, str]:
        return dict(part.split("=", 1) for part in self.query.split("&") if part)


def first_guess(case: Case) -> Iterator[Question]:
    """What can be asked before anything is known: the name servers' Service under its usual name."""
    if (case.target.namespace, case.target.name) != (SYSTEM, USUAL_NAME):
        yield Question("services", SYSTEM, USUAL_NAME)


def further(case: Case, asked: Set[Question]) -> Iterator[Question]:
    """Everything that is not known yet; ``asked`` are the questions that were put, whatever came of them."""
    if case.service is None:
        return
    servers = NameService(case.snapshot)
    yield from _kubelets(case, servers, asked)
    yield from _service(servers, asked)
    yield from _servers(servers)
    yield from _names(case)
    yield from _policies(case, servers)


def client_pod(case: Case) -> Pod | None:
    client = case.target.client
    return case.snapshot.pods.get(client.namespace, client.name) if client and client.kind == "Pod" else None


# -------------------------------------------------------------------------------------------------------- name servers


def _kubelets(case: Case, servers: NameService, asked: Set[Question]) -> Iterator[Question]:
    """One kubelet's settings: the client's, else that of a pod behind the Service; kubeadm's where it won't say."""
    node = _node(case)
    if node and not servers.kubelets:
        yield Question("", name=node)
    if not servers.kubelets and (not node or Question("", name=node) in asked):
        yield Question("configmaps", SYSTEM, KUBEADM)


def _node(case: Case) -> str:
    client = case.target.client
    if client and client.kind == "Node":
        return client.name
    pods = (client_pod(case), *case.backends)
    placed = next((pod.spec.node_name for pod in pods if pod and pod.spec.node_name), "")
    ready = (n.name for n in case.nodes.values() if (c := n.condition("Ready")) and c.status == "True")
    return placed or next(ready, "")


def _service(servers: NameService, asked: Set[Question]) -> Iterator[Question]:
    """The Service that owns the address which pods are told."""
    unowned = [address for address in servers.told if not servers.owner(address)]
    for address in unowned:
        if not servers.is_local(address):
            yield Question("services", query=address_query(address))
    guessed = Question("configmaps", SYSTEM, KUBEADM) in asked or servers.told
    if servers.service is None and guessed:
        yield Question("services", query=f"labelSelector={'='.join(USUAL_LABEL)}")


def _servers(servers: NameService) -> Iterator[Question]:
    """What stands behind that Service, and how it is set up."""
    service, behind = servers.service, servers.case
    if service is None or behind is None:
        return
    if not behind.slices_known:
        yield _slices_of(service)
    if service.spec.selector and not behind.pods_known:
        yield Question("pods", service.namespace, query=selector_query(service.spec.selector))
    for name in dict.fromkeys((*(name for pod in servers.pods for name in pod.spec.config_maps), USUAL_CONFIG)):
        if servers.config_map is None:
            yield Question("configmaps", service.namespace, name)
    pods = {(pod.namespace, pod.name) for pod in servers.pods}
    if any((ns, pod) in pods and "forbidden" in log for (ns, pod, _), log in servers.snapshot.logs.items()):
        yield Question("clusterroles", name=ROLE)
    yield Question("daemonsets", SYSTEM, NODE_CACHE)
    labels = servers.node_cache.spec.selector.match_labels if servers.node_cache else {}
    if labels and not servers.snapshot.pods.covers(SYSTEM):
        yield Question("pods", SYSTEM, query=f"{selector_query(labels)}&limit={CACHES}", pages=1)


def _slices_of(service: Service) -> Question:
    return Question("endpointslices", service.namespace, query=f"labelSelector={SERVICE_NAME_LABEL}={service.name}")


def _names(case: Case) -> Iterator[Question]:
    """The Services that this one's names depend on: a StatefulSet's own, and the target of an ExternalName."""
    home = case.target.namespace
    owners = {ref.name for pod in case.matched if (ref := case.workload_of(pod)) and ref.kind == "StatefulSet"}
    for name in sorted(owners):
        stateful = case.snapshot.statefulsets.get(home, name)
        governing = stateful.spec.service_name if stateful else ""
        if governing and not case.snapshot.services.knows(home, governing):
            yield Question("services", home, governing)
    if case.external_name and case.service:
        name, _, rest = case.service.spec.external_name.partition(".")
        namespace, _, domain = rest.partition(".")
        if name and namespace and (not domain or domain.startswith("svc")):
            target = case.snapshot.services.get(namespace, name)
            yield Question("services", namespace, name)
            if target is not None and target.spec.cluster_ip == "None":
                yield _slices_of(target)


# ------------------------------------------------------------------------------------------------------------ policies


def _policies(case: Case, servers: NameService) -> Iterator[Question]:
    """The policies that the client, the pods behind the Service, or the name servers may be under."""
    client = case.target.client
    ends = [case.target.namespace, *([client.namespace] if client and client.namespace else [])]
    places = [*ends, *([servers.service.namespace] if servers.service else [])]
    for namespace in dict.fromkeys(places):
        yield Question("networkpolicies", namespace)
        if not case.snapshot.namespaces.knows("", namespace):
            yield Question("namespaces", name=namespace)
    for plural in CLUSTER_POLICIES:
        yield Question(plural)
    for namespace in dict.fromkeys(("", *ends)):
        yield Question(FOREIGN_POLICIES, namespace)
    if any(case.snapshot.networkpolicies.within(namespace) for namespace in places):
        yield Question("namespaces")  # selectors go by their labels
        yield Question("daemonsets", SYSTEM)  # whether a network plugin is there that enforces them
