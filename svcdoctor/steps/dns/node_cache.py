"""NodeLocal DNSCache: a name server on every node, at a link-local address."""

from collections.abc import Iterator

from ...model.diagnosis import Confidence, Effect, Evidence, Finding, Fix, Rule, RuledOut, Severity
from ..step import find
from ..words import kubectl, some, source, subject
from .telling import state
from .view import View

NODELOCAL_BROKEN = Rule(
    "SVC405",
    "nodelocal-broken",
    Severity.ERROR,
    "dns",
    "NodeLocal DNSCache does not run on a node whose pods are told to ask it.",
    "Its pod on that node is missing or not ready; a link-local address has no other server to go to.",
    "Restart its pod on that node.",
)
RULES = (NODELOCAL_BROKEN,)

USUAL_LOCAL = "169.254.20.10"


def check(view: View) -> Iterator[Finding]:
    """The cache of the client's node; without a client, the nodes that have none that works."""
    cache = view.servers.node_cache
    node = view.client.spec.node_name if view.client else ""
    local = [address for address in view.servers.told if view.servers.is_local(address)]
    if cache is None:
        if local == [USUAL_LOCAL] and view.snapshot.daemonsets.knows("kube-system", "node-local-dns"):
            yield _no_cache(view, local[0])
        return
    pods = view.servers.node_cache_pods(node)
    sick = [pod for pod in pods if not pod.ready and not pod.terminating]
    if not sick or (view.client is not None and view.client.spec.host_network and not local):
        return
    everywhere = len(sick) == len(pods)
    hurt = everywhere and (bool(local) or node != "")
    yield find(
        NODELOCAL_BROKEN,
        subject(sick[0]),
        f"NodeLocal DNSCache does not run on {some(pod.spec.node_name for pod in sick)}"
        + (f": nobody else has {local[0]}" if local else ", and the DNS address may lead to it there"),
        [
            Evidence("Kubelets: clusterDNS", some(view.servers.told)),
            *(Evidence(source(pod), state(pod)) for pod in sick[:3]),
        ],
        Fix("Restart it there, and read what it last said.", kubectl(sick[0].namespace, "delete", "pod", sick[0].name)),
        effect=(Effect.OUTAGE if node or everywhere else Effect.PARTIAL) if local else Effect.PARTIAL,
        severity=Severity.ERROR if hurt and local else Severity.WARNING,
        confidence=Confidence.CERTAIN if local else Confidence.LIKELY,
        ruled_out=[RuledOut("dns-down", "the name servers themselves have ready endpoints")],
    )


def _no_cache(view: View, address: str) -> Finding:
    return find(
        NODELOCAL_BROKEN,
        subject(view.service),
        f"pods are told to ask {address}, NodeLocal DNSCache's address, but there is no DaemonSet node-local-dns",
        [
            Evidence("Kubelets: clusterDNS", some(view.servers.told)),
            Evidence("API: daemonset kube-system/node-local-dns", "does not exist"),
        ],
        Fix("Install NodeLocal DNSCache again, or set clusterDNS to the address of the name servers' Service."),
        effect=Effect.OUTAGE,
        confidence=Confidence.LIKELY,
        ruled_out=[RuledOut("dns-down", "the name servers themselves have ready endpoints")],
    )
