"""Name servers that say themselves what ails them: in their log, or by a Corefile that nobody can load."""

from ...model.diagnosis import Confidence, Effect, Evidence, Finding, Fix, Rule, RuledOut, Severity
from ..step import find
from ..words import kubectl, quote, some, source, subject
from .telling import state, told_by
from .tokens import BadCorefile
from .view import View

COREDNS_LOOP = Rule(
    "SVC402",
    "coredns-loop",
    Severity.ERROR,
    "dns",
    "CoreDNS stops itself, for a question that it forwards comes back to it.",
    "Its upstream is the node's resolv.conf, and that names a local stub (127.0.0.53) or the cluster's DNS itself.",
    "Set the kubelet's resolvConf to the file with the real upstreams, or name them in the Corefile's forward.",
)
COREDNS_RBAC = Rule(
    "SVC403",
    "coredns-rbac",
    Severity.ERROR,
    "dns",
    "CoreDNS may not read objects that it makes records of.",
    "Its ClusterRole is older than its image: since 1.8 it lists EndpointSlices. Headless names fail, and a pod that "
    "starts anew never gets ready.",
    "Let its ClusterRole list and watch endpointslices of discovery.k8s.io.",
)
COREFILE_BROKEN = Rule(
    "SVC404",
    "corefile-broken",
    Severity.WARNING,
    "dns",
    "The Corefile can't be read: running servers keep the one before it, a server that starts anew fails.",
    "A brace, a zone or an argument is wrong, or two blocks serve the same zone.",
    "Mend the line that is named.",
)
RULES = (COREDNS_LOOP, COREDNS_RBAC, COREFILE_BROKEN)

RIGHTS = """\
- apiGroups: ["discovery.k8s.io"]
  resources: ["endpointslices"]
  verbs: ["list", "watch"]
"""
ROLE = "system:coredns"


def loop(view: View, down: bool) -> Finding | None:
    said = view.sign("loop")
    pod = next((p for p in view.servers.pods if said and p.name == said[0]), None)
    if said is None or pod is None or pod.ready:
        return None
    kubelet = view.servers.kubelet(pod.spec.node_name)
    evidence = [told_by(view, *said), Evidence(source(pod), state(pod))]
    if kubelet is not None:
        evidence.append(Evidence(f"Kubelet of {pod.spec.node_name}: resolvConf", kubelet.resolv_conf or "empty"))
    file = view.snapshot.node_files.get(pod.spec.node_name)
    evidence += [quote(f"Node {pod.spec.node_name}: resolv.conf", " | ".join(file.splitlines()))] if file else []
    return find(
        COREDNS_LOOP,
        subject(pod),
        f"CoreDNS ({pod.name}) stops: what it forwards comes back to it ({said[1].first})",
        evidence,
        Fix(
            "Give CoreDNS upstreams that are not itself: set resolvConf of the kubelet on "
            f"{pod.spec.node_name or 'its node'} to a file that names them (with systemd-resolved: "
            "/run/systemd/resolve/resolv.conf) and make its pods anew, or name the upstreams in the Corefile.",
            kubectl(pod.namespace, "edit", "configmap", _config_name(view)),
        ),
        effect=Effect.OUTAGE if down else Effect.NONE,
        severity=Severity.ERROR if down else Severity.WARNING,
        ruled_out=[RuledOut("dns-down", "the log says why it does not stay up")],
    )


def _config_name(view: View) -> str:
    return view.servers.config_map.name if view.servers.config_map else "coredns"


def rights(view: View, down: bool) -> Finding | None:
    """What the servers may not read; how bad that is depends on whether this Service needs it."""
    said = view.sign("forbidden")
    role = view.snapshot.clusterroles.get("", ROLE)
    kinds = set(said[1].details) if said else set()
    if said is None or (role is not None and role.allows("discovery.k8s.io", "endpointslices", "list") and not down):
        return None
    pod, sign = said
    slices = not kinds or "endpointslices" in kinds
    hurt = down or (slices and view.case.headless) or "services" in kinds
    evidence = [told_by(view, pod, sign)]
    if role is not None:
        rules = [f"{'/'.join(rule.resources)}: {','.join(rule.verbs)}" for rule in role.rules or ()]
        evidence.append(Evidence(f"ClusterRole {ROLE}: rules", "; ".join(rules) or "none"))
    lost = some(sorted(kinds)) or "endpointslices"
    return find(
        COREDNS_RBAC,
        subject(view.servers.service or view.service),
        f"CoreDNS may not list {lost}: "
        + ("headless names" if slices else "names")
        + (" fail" if hurt else " fail, though not this Service's"),
        evidence,
        Fix(
            f"Add what is missing to the rules of ClusterRole {ROLE}.",
            f"kubectl edit clusterrole {ROLE}",
            RIGHTS,
        ),
        effect=Effect.OUTAGE if hurt else Effect.NONE,
        severity=Severity.ERROR if hurt else Severity.WARNING,
        confidence=Confidence.CERTAIN if down or role is not None else Confidence.LIKELY,
        ruled_out=[RuledOut("headless-none-ready", "endpoints are ready")] if view.case.headless and hurt else [],
    )


def broken(view: View) -> Finding | None:
    """A Corefile that nobody can load, which the running servers have not noticed or have refused."""
    broken = view.corefile if isinstance(view.corefile, BadCorefile) else None
    said = view.sign("bad-corefile")
    if broken is None or view.servers.config_map is None:
        return None
    return find(
        COREFILE_BROKEN,
        subject(view.servers.config_map),
        f"the Corefile can't be loaded: {broken.why}; the servers run with the one before it",
        [quote(f"ConfigMap {broken.source}", str(broken)), *([told_by(view, *said)] if said else [])],
        Fix(
            f"Mend line {broken.line}.",
            kubectl(view.servers.config_map.namespace, "edit", "configmap", _config_name(view)),
        ),
        effect=Effect.NONE,
        confidence=Confidence.CERTAIN if said else Confidence.LIKELY,
    )
