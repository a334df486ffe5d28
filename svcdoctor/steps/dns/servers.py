"""The name servers themselves: whether there are any, and if they don't answer, why."""

from collections.abc import Iterator

from ...model.diagnosis import Effect, Evidence, Finding, Fix, Rule, RuledOut, Severity
from ...model.service import Service
from ...model.snapshot import Gap
from ..step import find
from ..words import count, kubectl, labels, quote, some, source, subject
from .server_logs import broken, loop, rights
from .telling import state, told_by
from .tokens import BadCorefile
from .view import View

DNS_DOWN = Rule(
    "SVC401",
    "dns-down",
    Severity.ERROR,
    "dns",
    "No name server answers, so no name of the cluster resolves; connections by address still work.",
    "The pods of CoreDNS are gone, not ready, can't read the API, or their Service selects nobody.",
    "Bring the name servers back: look at their pods and at the log of their last run.",
)
RULES = (DNS_DOWN,)


def blind(view: View) -> Iterator[Gap]:
    """What had to be known of the servers and could not be read."""
    servers, behind = view.servers, view.servers.case
    if not servers.kubelets:
        yield Gap(
            "the kubelets' clusterDNS",
            "neither a kubelet's /configz nor the ConfigMap kube-system/kubelet-config was read",
        )
    if behind is None or servers.service is None:
        if not _known_absent(view):
            yield view.snapshot.gap("services", "kube-system")
        return
    namespace = servers.service.namespace
    if servers.told and not servers.certain and not any(_settled(view, address) for address in servers.told):
        yield view.snapshot.gap("services")  # whose address pods are told to ask
    if not behind.slices_known and not behind.usable:
        yield view.snapshot.gap("endpointslices", namespace)
    if servers.service.spec.selector and not behind.pods_known:
        yield view.snapshot.gap("pods", namespace)
    if servers.config_map is None and not _other_product(view):
        unread = [gap for gap in view.snapshot.gaps if f"{namespace}/configmaps" in gap.what]
        yield unread[0] if unread else Gap(f"the Corefile of {namespace}", "no ConfigMap of the name servers was read")


def _settled(view: View, address: str) -> bool:
    """Whether it is known what has this address."""
    servers = view.servers
    return servers.is_local(address) or servers.owner(address) is not None or servers.owned_by_nobody(address)


def _other_product(view: View) -> bool:
    """Whether the name servers are known to be something else than CoreDNS."""
    images = [container.image for pod in view.servers.pods for container in pod.spec.containers]
    return bool(images) and not any("coredns" in image or "openshift" in image for image in images)


def check(view: View) -> Iterator[Finding]:
    """The first reason why names can't be served, if there is one; else what is wrong beside that."""
    servers = view.servers
    if servers.service is None or servers.case is None:
        if servers.told and _known_absent(view):
            yield _no_service(view)
        return
    down = servers.case.slices_known and not servers.case.usable
    if down and _is_target(view, servers.service):
        return  # the steps before say why no pod is ready behind it
    if down:
        yield loop(view, True) or rights(view, True) or _down(view, servers.service)
        return
    for found in (loop(view, False), rights(view, False), broken(view)):
        if found is not None:
            yield found


def _is_target(view: View, service: Service) -> bool:
    return (service.namespace, service.name) == (view.service.namespace, view.service.name)


def _known_absent(view: View) -> bool:
    """Whether all Services are known that could be the name servers'."""
    reading = view.snapshot.services
    by_label = any(not namespace and "k8s-app=kube-dns" in query for namespace, query in reading.selected)
    return reading.covers() or (by_label and all(view.servers.owned_by_nobody(a) for a in view.servers.told))


def _no_service(view: View) -> Finding:
    told = some(view.servers.told)
    return find(
        DNS_DOWN,
        subject(view.service),
        f"pods are told to ask {told} for names, and no Service has that address",
        [
            Evidence("Kubelets: clusterDNS", told),
            Evidence("API: services with that clusterIP", "none"),
            Evidence("API: services labelled k8s-app=kube-dns", "none"),
        ],
        Fix("Install the cluster's DNS again, its Service with that clusterIP.", "kubectl get services -A"),
        effect=Effect.OUTAGE,
        ruled_out=[RuledOut("wrong-nameserver", "there is no other Service of name servers either")],
    )


# -------------------------------------------------------------------------------------------------------- down, and why


def _down(view: View, service: Service) -> Finding:
    pods = view.servers.pods
    evidence = [Evidence(f"EndpointSlices of {service.namespace}/{service.name}", "no ready endpoint with port 53")]
    evidence += [Evidence(source(pod), state(pod)) for pod in pods[:3]]
    for pattern in ("bad-corefile", "unsynced", "not-ready", "panic"):
        if said := view.sign(pattern):
            evidence.append(told_by(view, *said))
    if isinstance(view.corefile, BadCorefile):
        evidence.append(quote("Corefile", str(view.corefile)))
    if not pods:
        evidence.append(Evidence(source(service, "spec.selector"), _selects(view, service)))
    who = (
        f"none of {count(len(pods), 'pod')} behind {service.namespace}/{service.name} is ready"
        if pods
        else (f"no pod stands behind {service.namespace}/{service.name}")
    )
    return find(
        DNS_DOWN,
        subject(service),
        f"no name server answers: {who}",
        evidence,
        Fix(
            "Bring the name servers back." if not isinstance(view.corefile, BadCorefile) else "Mend the Corefile.",
            kubectl(service.namespace, "get", "pods,deployments,endpointslices", "-o", "wide"),
        ),
        effect=Effect.OUTAGE,
        ruled_out=[
            RuledOut("coredns-loop", "no log tells of a loop")
            if view.signs
            else RuledOut("wrong-nameserver", f"{service.namespace}/{service.name} has the address that pods are told"),
        ],
    )


def _selects(view: View, service: Service) -> str:
    said = labels(service.spec.selector) or "none"
    known = view.servers.case is not None and view.servers.case.pods_known
    return f"{said}: matches no pod" if known and service.spec.selector else said
