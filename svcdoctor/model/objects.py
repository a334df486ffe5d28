"""The Kubernetes objects that svcdoctor reads, one name each, and where the API keeps them."""

from msgspec import Struct

from .cluster import (
    ClusterRole,
    ConfigMap,
    DaemonSet,
    Deployment,
    Event,
    Namespace,
    Node,
    ReplicaSet,
    StatefulSet,
    Workload,
)
from .meta import Object
from .pod import Pod
from .policy import AdminNetworkPolicy, BaselineAdminNetworkPolicy, ClusterNetworkPolicy, NetworkPolicy
from .service import Endpoints, EndpointSlice, Service

__all__ = [
    "RESOURCES",
    "AdminNetworkPolicy",
    "BaselineAdminNetworkPolicy",
    "ClusterNetworkPolicy",
    "ClusterRole",
    "ConfigMap",
    "DaemonSet",
    "Deployment",
    "EndpointSlice",
    "Endpoints",
    "Event",
    "Namespace",
    "NetworkPolicy",
    "Node",
    "Object",
    "Pod",
    "ReplicaSet",
    "Resource",
    "Service",
    "StatefulSet",
    "Workload",
]


class Resource(Struct, frozen=True):
    """Where the API keeps objects of one kind, e.g. ``/apis/apps/v1/namespaces/NS/deployments``."""

    group: str  # "" is the core group
    version: str
    plural: str
    type: type[Object]
    namespaced: bool = True
    optional: bool = False  # served only where its CRD is installed: 404 means that there are none

    @property
    def kind(self) -> str:
        return self.type.__name__

    def path(self, namespace: str = "", name: str = "") -> str:
        """The raw API path without its leading slash: of one object, a namespace's list or the whole cluster's."""
        root = f"apis/{self.group}/{self.version}" if self.group else f"api/{self.version}"
        place = f"/namespaces/{namespace}" if namespace and self.namespaced else ""
        return f"{root}{place}/{self.plural}" + (f"/{name}" if name else "")

    def permission(self, verb: str, namespace: str = "") -> str:
        """What RBAC must allow, in kubectl's words: ``list endpointslices.discovery.k8s.io in namespace shop``."""
        what = f"{self.plural}.{self.group}" if self.group else self.plural
        return f"{verb} {what} " + (
            f"in namespace {namespace}" if namespace and self.namespaced else "at the cluster scope"
        )


def _cluster_policy(version: str, plural: str, type: type[Object]) -> Resource:
    """A kind of network-policy-api, which few clusters serve."""
    return Resource("policy.networking.k8s.io", version, plural, type, namespaced=False, optional=True)


RESOURCES: dict[str, Resource] = {
    resource.plural: resource
    for resource in (
        Resource("", "v1", "services", Service),
        Resource("", "v1", "endpoints", Endpoints),
        Resource("", "v1", "pods", Pod),
        Resource("", "v1", "events", Event),
        Resource("", "v1", "nodes", Node, namespaced=False),
        Resource("", "v1", "namespaces", Namespace, namespaced=False),
        Resource("", "v1", "configmaps", ConfigMap),
        Resource("discovery.k8s.io", "v1", "endpointslices", EndpointSlice),
        Resource("apps", "v1", "deployments", Deployment),
        Resource("apps", "v1", "replicasets", ReplicaSet),
        Resource("apps", "v1", "statefulsets", StatefulSet),
        Resource("apps", "v1", "daemonsets", DaemonSet),
        Resource("rbac.authorization.k8s.io", "v1", "clusterroles", ClusterRole, namespaced=False),
        Resource("networking.k8s.io", "v1", "networkpolicies", NetworkPolicy),
        _cluster_policy("v1alpha2", "clusternetworkpolicies", ClusterNetworkPolicy),
        _cluster_policy("v1alpha1", "adminnetworkpolicies", AdminNetworkPolicy),
        _cluster_policy("v1alpha1", "baselineadminnetworkpolicies", BaselineAdminNetworkPolicy),
    )
}
"""By plural name; the plural is also the name of the Snapshot's field."""
