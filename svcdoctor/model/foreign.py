"""Policies that network plugins and meshes have beside the Kubernetes ones: that they are there, and about whom.

What they allow or deny is not read. Derived objects (PolicyEndpoint), drafts (Staged...), and views of Kubernetes' own
policies (Calico's ``knp.default.``) are none.
"""

import re
from collections.abc import Mapping

from msgspec import structs

from .decode import Kind, ObjectList, decode
from .meta import Base, LabelSelector, Object

GROUPS: Mapping[str, frozenset[str]] = {
    "cilium.io": frozenset({"ciliumnetworkpolicies", "ciliumclusterwidenetworkpolicies"}),
    "projectcalico.org": frozenset({"networkpolicies", "globalnetworkpolicies"}),
    "crd.projectcalico.org": frozenset({"networkpolicies", "globalnetworkpolicies"}),
    "crd.antrea.io": frozenset({"networkpolicies", "clusternetworkpolicies"}),
    "networking.k8s.aws": frozenset({"applicationnetworkpolicies", "clusternetworkpolicies"}),
    "networking.gke.io": frozenset({"fqdnnetworkpolicies"}),
    "k8s.ovn.org": frozenset({"egressfirewalls"}),
    "security.istio.io": frozenset({"authorizationpolicies"}),
    "policy.linkerd.io": frozenset({"authorizationpolicies", "serverauthorizations"}),
}
"""API group -> the plurals of its policies."""

DERIVED = re.compile(r"knp\.(default|baselineadmin|admin)\..*|kanp\..*")
"""Names under which Calico shows Kubernetes' own policies."""

PATH = re.compile(r"apis/(?P<group>[^/]+)/[^/]+/(?:namespaces/[^/]+/)?(?P<plural>[^/]+)")
CALICO_LABEL = re.compile(r"""([\w./-]+)\s*==\s*(?:'([^']*)'|"([^"]*)")""")
CALICO_MORE = re.compile(r"\|\||!|\bin\b|\b(has|starts|ends|contains)\b|\ball\(")
SOURCE = re.compile(r"^(any|k8s)[:.]")
"""Where Cilium says that a label comes from."""
CILIUM_NAMESPACE = "io.kubernetes.pod.namespace"


class ForeignSpec(Base, frozen=True):
    """The parts that say to whom a policy applies; each kind has its own."""

    endpoint_selector: LabelSelector | None = None  # Cilium
    selector: LabelSelector | str | None = None  # Istio; Calico as an expression
    pod_selector: LabelSelector | None = None  # AWS, GKE


class ForeignPolicy(Object, frozen=True):
    """One policy of another kind."""

    kind: str = ""
    api_version: str = ""
    spec: ForeignSpec = ForeignSpec()

    @property
    def key(self) -> tuple[str, str, str]:
        """What it is, the same in both of Calico's API groups."""
        return self.kind, self.namespace, self.name.removeprefix("default.")

    @property
    def api_group(self) -> str:
        return self.api_version.partition("/")[0]

    def may_select(self, namespace: str, labels: Mapping[str, str]) -> bool:
        """False only where its namespace or its selector's labels say so."""
        if self.namespace and self.namespace != namespace:
            return False
        return all({**labels, CILIUM_NAMESPACE: namespace}.get(key) == value for key, value in self._wanted())

    def _wanted(self) -> list[tuple[str, str]]:
        selector = self.spec.endpoint_selector or self.spec.selector or self.spec.pod_selector
        if isinstance(selector, LabelSelector):
            return [(SOURCE.sub("", key), value) for key, value in selector.match_labels.items()]
        if isinstance(selector, str) and not CALICO_MORE.search(selector):
            return [(key, single or double) for key, single, double in CALICO_LABEL.findall(selector)]
        return []


def holds_policies(path: str) -> bool:
    """Whether a raw API path is that of a list of such policies."""
    place = PATH.fullmatch(path)
    return place is not None and place["plural"] in GROUPS.get(place["group"], ())


def read_policies(path: str, body: bytes, source: str) -> tuple[ForeignPolicy, ...]:
    """The policies of a list; of other paths, and of a refusal, none.

    Raises BadData, which names ``source``.
    """
    if not holds_policies(path):
        return ()
    said = decode(body, Kind, source)
    if said.kind == "Status":
        return ()
    items = decode(body, ObjectList[ForeignPolicy], source).items or ()
    kind = said.kind.removesuffix("List")  # items of a list do not say what they are
    version = said.api_version
    told = (structs.replace(i, kind=i.kind or kind, api_version=i.api_version or version) for i in items)
    return tuple(item for item in told if not DERIVED.fullmatch(item.name))
