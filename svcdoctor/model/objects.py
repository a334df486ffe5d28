"""The Kubernetes objects that svcdoctor reads, one name each, and where the API keeps them."""

from msgspec import Struct

from .cluster import DaemonSet, Deployment, Event, Namespace, Node, ReplicaSet, StatefulSet, Workload
from .meta import Object
from .pod import Pod
from .service import Endpoints, EndpointSlice, Service

__all__ = [
    "RESOURCES",
    "DaemonSet",
    "Deployment",
    "EndpointSlice",
    "Endpoints",
    "Event",
    "Namespace",
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


RESOURCES: dict[str, Resource] = {
    resource.plural: resource
    for resource in (
        Resource("", "v1", "services", Service),
        Resource("", "v1", "endpoints", Endpoints),
        Resource("", "v1", "pods", Pod),
        Resource("", "v1", "events", Event),
        Resource("", "v1", "nodes", Node, namespaced=False),
        Resource("", "v1", "namespaces", Namespace, namespaced=False),
        Resource("discovery.k8s.io", "v1", "endpointslices", EndpointSlice),
        Resource("apps", "v1", "deployments", Deployment),
        Resource("apps", "v1", "replicasets", ReplicaSet),
        Resource("apps", "v1", "statefulsets", StatefulSet),
        Resource("apps", "v1", "daemonsets", DaemonSet),
    )
}
"""By plural name; the plural is also the name of the Snapshot's field."""
