"""The kinds that the lab's API server serves, in the order in which discovery lists them.

Verbs, short names and subresources are those of Kubernetes 1.36; the custom resources are the network-policy-api's and
the Gateway API's, as their CustomResourceDefinitions declare them.
"""

from collections.abc import Iterable

from msgspec import Struct

READ_WRITE = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
CUSTOM = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")
"""The same verbs in the order of the custom resources' discovery controller."""
CREATE_ONLY = ("create",)
CHANGE = ("get", "patch", "update")
PROXY = ("create", "delete", "get", "patch", "update")
STREAM = ("create", "get")


class Subresource(Struct, frozen=True):
    """What lies under an object's path. ``group`` and ``version`` only where the kind is of another group's version."""

    name: str
    kind: str
    verbs: tuple[str, ...] = CHANGE
    group: str = ""
    version: str = ""


class Resource(Struct, frozen=True, cache_hash=True):
    """One kind under one group and version, as discovery describes it."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = READ_WRITE
    subresources: tuple[Subresource, ...] = ()
    storage_hash: str = ""

    @property
    def singular(self) -> str:
        return self.kind.lower()

    @property
    def api_version(self) -> str:
        """As in an object's apiVersion."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def list_kind(self) -> str:
        return f"{self.kind}List"

    @property
    def group_resource(self) -> str:
        """As in error messages: ``services``, ``deployments.apps``."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def prefix(self) -> str:
        """The path of its group and version."""
        return f"/apis/{self.api_version}" if self.group else f"/api/{self.version}"

    def path(self, namespace: str = "", name: str = "") -> str:
        """The path of one object, or of the list; of all namespaces where none is given."""
        place = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        return f"{self.prefix}{place}/{self.plural}" + (f"/{name}" if name else "")

    def subresource(self, name: str) -> Subresource | None:
        return next((sub for sub in self.subresources if sub.name == name), None)


def _status(kind: str) -> Subresource:
    return Subresource("status", kind)


def _with_status(group: str, version: str, plural: str, kind: str, *short_names: str, all: bool = False) -> Resource:
    categories = ("all",) if all else ()
    return Resource(group, version, plural, kind, True, short_names, categories, subresources=(_status(kind),))


def _scaled(plural: str, kind: str, short_name: str) -> Resource:
    return Resource("apps", "v1", plural, kind, True, (short_name,), ("all",), subresources=(SCALE, _status(kind)))


def _custom(
    group: str, version: str, plural: str, kind: str, namespaced: bool, short_names: Iterable[str], status: bool = True
) -> Resource:
    categories = ("gateway-api",) if group == "gateway.networking.k8s.io" else ()
    subresources = (_status(kind),) if status else ()
    return Resource(group, version, plural, kind, namespaced, tuple(short_names), categories, CUSTOM, subresources)


SCALE = Subresource("scale", "Scale", CHANGE, "autoscaling", "v1")

_POD_PARTS = (
    Subresource("attach", "PodAttachOptions", STREAM),
    Subresource("binding", "Binding", CREATE_ONLY),
    Subresource("ephemeralcontainers", "Pod"),
    Subresource("eviction", "Eviction", CREATE_ONLY, "policy", "v1"),
    Subresource("exec", "PodExecOptions", STREAM),
    Subresource("log", "Pod", ("get",)),
    Subresource("portforward", "PodPortForwardOptions", STREAM),
    Subresource("proxy", "PodProxyOptions", PROXY),
    Subresource("resize", "Pod"),
    _status("Pod"),
)

_CORE = (
    Resource("", "v1", "configmaps", "ConfigMap", True, ("cm",), storage_hash="qFsyl6wFWjQ="),
    Resource("", "v1", "endpoints", "Endpoints", True, ("ep",), storage_hash="fWeeMqaN/OA="),
    Resource("", "v1", "events", "Event", True, ("ev",), storage_hash="r2yiGXH7wu8="),
    Resource("", "v1", "limitranges", "LimitRange", True, ("limits",), storage_hash="EBKMFVe6cwo="),
    Resource(
        *("", "v1", "namespaces", "Namespace", False, ("ns",)),
        verbs=tuple(verb for verb in READ_WRITE if verb != "deletecollection"),
        subresources=(Subresource("finalize", "Namespace", ("update",)), _status("Namespace")),
        storage_hash="Q3oi5N2YM8M=",
    ),
    Resource(
        *("", "v1", "nodes", "Node", False, ("no",)),
        subresources=(Subresource("proxy", "NodeProxyOptions", PROXY), _status("Node")),
        storage_hash="XwShjMxG9Fs=",
    ),
    Resource(
        *("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", True, ("pvc",)),
        subresources=(_status("PersistentVolumeClaim"),),
        storage_hash="QWTyNDq0dC4=",
    ),
    Resource("", "v1", "pods", "Pod", True, ("po",), ("all",), subresources=_POD_PARTS, storage_hash="xPOwRZ+Yhw8="),
    Resource("", "v1", "podtemplates", "PodTemplate", storage_hash="LIXB2x4IFpk="),
    Resource(
        *("", "v1", "replicationcontrollers", "ReplicationController", True, ("rc",), ("all",)),
        subresources=(SCALE, _status("ReplicationController")),
        storage_hash="Jond2If31h0=",
    ),
    Resource(
        *("", "v1", "resourcequotas", "ResourceQuota", True, ("quota",)),
        subresources=(_status("ResourceQuota"),),
        storage_hash="8uhSgffRX6w=",
    ),
    Resource("", "v1", "secrets", "Secret", storage_hash="S6u1pOWzb84="),
    Resource(
        *("", "v1", "serviceaccounts", "ServiceAccount", True, ("sa",)),
        subresources=(Subresource("token", "TokenRequest", CREATE_ONLY, "authentication.k8s.io", "v1"),),
        storage_hash="pbx9ZvyFpBE=",
    ),
    Resource(
        *("", "v1", "services", "Service", True, ("svc",), ("all",)),
        subresources=(Subresource("proxy", "ServiceProxyOptions", PROXY), _status("Service")),
        storage_hash="0/CO1lhkEBI=",
    ),
)

_APPS = (
    Resource("apps", "v1", "controllerrevisions", "ControllerRevision"),
    _with_status("apps", "v1", "daemonsets", "DaemonSet", "ds", all=True),
    _scaled("deployments", "Deployment", "deploy"),
    _scaled("replicasets", "ReplicaSet", "rs"),
    _scaled("statefulsets", "StatefulSet", "sts"),
)

_NETWORKING = (
    Resource("networking.k8s.io", "v1", "ingressclasses", "IngressClass", False),
    _with_status("networking.k8s.io", "v1", "ingresses", "Ingress", "ing"),
    Resource("networking.k8s.io", "v1", "ipaddresses", "IPAddress", False, ("ip",)),
    Resource("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", True, ("netpol",)),
    Resource(
        *("networking.k8s.io", "v1", "servicecidrs", "ServiceCIDR", False), subresources=(_status("ServiceCIDR"),)
    ),
)

_RBAC = tuple(
    Resource("rbac.authorization.k8s.io", "v1", plural, kind, namespaced)
    for plural, kind, namespaced in (
        ("clusterrolebindings", "ClusterRoleBinding", False),
        ("clusterroles", "ClusterRole", False),
        ("rolebindings", "RoleBinding", True),
        ("roles", "Role", True),
    )
)

_REVIEWS = tuple(
    Resource(group, "v1", f"{kind.lower()}s", kind, namespaced, verbs=CREATE_ONLY)
    for group, kind, namespaced in (
        ("authentication.k8s.io", "SelfSubjectReview", False),
        ("authorization.k8s.io", "LocalSubjectAccessReview", True),
        ("authorization.k8s.io", "SelfSubjectAccessReview", False),
        ("authorization.k8s.io", "SelfSubjectRulesReview", False),
        ("authorization.k8s.io", "SubjectAccessReview", False),
    )
)

_CUSTOM_RESOURCES = (
    _custom("gateway.networking.k8s.io", "v1", "gatewayclasses", "GatewayClass", False, ["gc"]),
    _custom("gateway.networking.k8s.io", "v1", "gateways", "Gateway", True, ["gtw"]),
    _custom("gateway.networking.k8s.io", "v1", "httproutes", "HTTPRoute", True, []),
    _custom("gateway.networking.k8s.io", "v1beta1", "referencegrants", "ReferenceGrant", True, ["refgrant"], False),
    _custom("policy.networking.k8s.io", "v1alpha2", "clusternetworkpolicies", "ClusterNetworkPolicy", False, ["cnp"]),
    _custom("policy.networking.k8s.io", "v1alpha1", "adminnetworkpolicies", "AdminNetworkPolicy", False, ["anp"]),
    _custom(
        *("policy.networking.k8s.io", "v1alpha1", "baselineadminnetworkpolicies", "BaselineAdminNetworkPolicy"),
        *(False, ["banp"]),
    ),
    _custom("cilium.io", "v2", "ciliumnetworkpolicies", "CiliumNetworkPolicy", True, ["ciliumnp"]),
)

RESOURCES: tuple[Resource, ...] = (
    *_CORE,
    *_APPS,
    *_REVIEWS,
    _with_status("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", "hpa", all=True),
    _with_status("batch", "v1", "cronjobs", "CronJob", "cj", all=True),
    _with_status("batch", "v1", "jobs", "Job", all=True),
    *_NETWORKING,
    _with_status("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", "pdb"),
    *_RBAC,
    Resource(
        *("apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", False),
        *(("crd", "crds"), ("api-extensions",)),
        subresources=(_status("CustomResourceDefinition"),),
    ),
    Resource("coordination.k8s.io", "v1", "leases", "Lease"),
    Resource("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice", storage_hash="qgS0xkrxYAI="),
    *_CUSTOM_RESOURCES,
)

_BY_PLURAL = {(resource.group, resource.version, resource.plural): resource for resource in RESOURCES}
_BY_KIND = {(resource.api_version, resource.kind): resource for resource in RESOURCES}
_CORE_AND_UNIQUE = {resource.plural: resource for resource in reversed(RESOURCES)}


def find_resource(group: str, version: str, plural: str) -> Resource | None:
    """What a path names; None where it is not served."""
    return _BY_PLURAL.get((group, version, plural))


def of_kind(api_version: str, kind: str) -> Resource | None:
    """What an object's apiVersion and kind name; None where it is not served."""
    return _BY_KIND.get((api_version, kind))


def named(plural: str) -> Resource:
    """The lab's own short way to one: ``named("services")``. Raises KeyError."""
    return _CORE_AND_UNIQUE[plural]
