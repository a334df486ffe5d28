"""The client's own resolver: whom its pod is told to ask, and which name it asks for first."""

from collections.abc import Iterator

from ...model.diagnosis import Confidence, Effect, Evidence, Finding, Fix, Rule, RuledOut, Severity
from ...model.name_service import serves_dns
from ...model.objects import RESOURCES
from ...model.pod import Pod
from ...model.snapshot import Gap
from ..step import find
from ..words import kubectl, some, source, subject
from . import names
from .answer import Kind
from .resolv_conf import ResolvConf
from .search import Candidate, Fate, walk
from .view import View, is_name

DNS_POLICY = Rule(
    "SVC409",
    "dns-policy",
    Severity.ERROR,
    "dns",
    "The client does not ask the cluster's name servers, or not for the cluster's names.",
    "Its dnsPolicy is Default or None, or it has hostNetwork with ClusterFirst, which then means Default.",
    "Set dnsPolicy ClusterFirst, or ClusterFirstWithHostNet for a pod with hostNetwork.",
)
SEARCH_HIJACK = Rule(
    "SVC410",
    "search-hijack",
    Severity.ERROR,
    "dns",
    "Another name answers before the Service's: a search domain has an address for everything.",
    "A wildcard record in a domain of the client's search list, which is tried before the name as it stands.",
    "Call the Service by its whole name with a dot at the end, or take that domain out of the search list.",
)
RULES = (DNS_POLICY, SEARCH_HIJACK)

LITERAL = ("template", "hosts", "file", "auto")
"""Plugins that answer out of themselves."""


def blind(view: View) -> Iterator[Gap]:
    """A client that was not read."""
    asked = view.case.target.client
    if asked is not None and asked.kind == "Pod" and view.client is None:
        known = view.snapshot.pods.knows(asked.namespace, asked.name)
        what = f"{RESOURCES['pods'].path(asked.namespace, asked.name)}"
        gap = next((gap for gap in view.snapshot.gaps if gap.what == what), view.snapshot.gap("pods", asked.namespace))
        yield Gap(what, "there is no such pod") if known else gap


def check(view: View) -> Iterator[Finding]:
    """Only with a client: what concerns one alone is no fault of the Service."""
    pod, told = view.client, view.told
    if pod is None or told is None:
        return
    conf = view.conf or told.conf
    asks = asks_cluster(view, conf)
    if not view.wants_cluster_dns and not asks:
        yield _policy(view, pod, conf)
        return
    if not asks or view.specified.kind in (Kind.UNKNOWN, Kind.NXDOMAIN):
        return
    hijacked = next(_hijacks(view, pod, conf), None)
    if hijacked is not None:
        yield hijacked
    elif view.answered.expected.kind is Kind.ANSWER and not _searched(view, conf):
        yield _unsearched(view, pod, conf)


def asks_cluster(view: View, conf: ResolvConf) -> bool:
    """Whether any server that is asked is one of the cluster's."""
    return any(_leads(view, server) for server in conf.asked)


def _leads(view: View, address: str) -> bool:
    """Whether ``address`` leads to the name servers."""
    owner = view.servers.owner(address)
    if owner is not None and serves_dns(owner):
        return True
    pods = {names.canonical(ip) for pod in view.servers.pods for ip in pod.addresses}
    return names.canonical(address) in pods or (
        view.servers.is_local(address) and names.canonical(address) in view.servers.told
    )


# ----------------------------------------------------------------------------------------------------------- dns-policy


def _policy(view: View, pod: Pod, conf: ResolvConf) -> Finding:
    told = view.told
    assert told is not None
    known = view.real is not None or not told.open_nameservers
    spec = pod.spec
    host = ", hostNetwork" if spec.host_network else ""
    servers = some(conf.nameservers) if known else "servers of the node that were not read"
    where = "/etc/resolv.conf" if view.real is not None else "resolv.conf, computed"
    file = f"nameserver {some(conf.nameservers) or 'none'}; search {' '.join(conf.search) or 'none'}"
    evidence = [
        Evidence(source(pod, "spec.dnsPolicy"), f"{spec.dns_policy}{host}"),
        Evidence("What that means", told.why),
        Evidence(source(pod, where), file if known else "; ".join(told.unknown)),
    ]
    if view.servers.told:
        evidence.append(Evidence("Kubelets: clusterDNS", some(view.servers.told)))
    return find(
        DNS_POLICY,
        subject(pod),
        f"client {pod.name} asks {servers}, which {'do' if ',' in servers else 'does'} not know the cluster's names: "
        f"dnsPolicy {spec.dns_policy}{' with hostNetwork' if spec.host_network else ''}",
        evidence,
        _policy_fix(view, pod),
        effect=Effect.OUTAGE,
        confidence=Confidence.CERTAIN if known else Confidence.LIKELY,
        ruled_out=[
            RuledOut("dns-down", "the name servers have ready endpoints"),
            RuledOut("wrong-nameserver", "the pod's own policy keeps the kubelet's clusterDNS from it"),
        ],
    )


def _policy_fix(view: View, pod: Pod) -> Fix:
    right = "ClusterFirstWithHostNet" if pod.spec.host_network else "ClusterFirst"
    snapshot_case = view.case
    owner = snapshot_case.workload_of(pod) if pod.namespace == snapshot_case.target.namespace else None
    change = f"Set dnsPolicy {right}"
    patch = f"spec:\n  dnsPolicy: {right}\n"
    if owner is None:
        return Fix(
            f"{change} in the pod's manifest and make it anew: the field can't be changed in place.", patch=patch
        )
    body = f'{{"spec":{{"template":{{"spec":{{"dnsPolicy":"{right}"}}}}}}}}'
    command = kubectl(pod.namespace, "patch", owner.kind.lower(), owner.name, "--type", "merge", "-p", body)
    return Fix(f"{change} in the pod template of {owner}.", command, patch)


def _searched(view: View, conf: ResolvConf) -> bool:
    """Whether the short name comes to the Service's own, or to anything that answers."""
    candidates = walk(view.short, conf, view.ask).candidates
    return any(is_name(c.name, view.fqdn) or c.fate is Fate.ANSWERS for c in candidates)


def _unsearched(view: View, pod: Pod, conf: ResolvConf) -> Finding:
    """The right servers, but the short name is not among the names that they are asked for."""
    walked = walk(view.short, conf, view.ask)
    tried = some((candidate.name for candidate in walked.candidates), 5)
    return find(
        DNS_POLICY,
        subject(pod),
        f"client {pod.name} finds {view.name}, but not by the name {view.short}: its search list lacks the domain",
        [
            Evidence(source(pod, "spec.dnsPolicy"), pod.spec.dns_policy),
            Evidence(source(pod, "resolv.conf"), f"search {' '.join(conf.search) or 'none'}, ndots:{conf.ndots}"),
            Evidence(f"Tried for {view.short}", tried),
        ],
        Fix(f"Call it {view.fqdn.rstrip('.')}, or add {pod.namespace}.svc.{view.zone} to the pod's search list."),
        effect=Effect.PARTIAL,
        severity=Severity.WARNING,
        ruled_out=[RuledOut("wrong-nameserver", f"{some(conf.asked)} leads to the name servers")],
    )


# -------------------------------------------------------------------------------------------------------- search-hijack


def _hijacks(view: View, pod: Pod, conf: ResolvConf) -> Iterator[Finding]:
    """The ways to call the Service, the client's own first, that end at another name."""
    service = view.service
    forms = (
        view.short,
        f"{service.name}.{service.namespace}",
        f"{service.name}.{service.namespace}.svc",
        view.fqdn[:-1],
    )
    for form in dict.fromkeys(forms):
        for candidate in walk(form, conf, view.ask).candidates:
            if is_name(candidate.name, view.fqdn) or candidate.fate is Fate.UNREACHED:
                break
            if stranger := _answers(view, candidate):
                yield _hijack(view, pod, conf, form, candidate, stranger)
                return


def _answers(view: View, candidate: Candidate) -> str:
    """Who gives ``candidate`` an address that is not the Service's; "" for nobody."""
    given = [r.data for r in (*candidate.a.records, *candidate.aaaa.records) if r.type in ("A", "AAAA")]
    right = {record.data for record in view.specified.records}
    if candidate.fate is Fate.ANSWERS:
        return "" if right & set(given) or not given else some(given)
    owner = view.authority.ask(candidate.name, "A").owner
    literal = candidate.a.kind is Kind.ELSEWHERE and owner is not None and owner.plugin in LITERAL and owner.final
    return f"what {owner} makes up" if literal else ""


def _hijack(view: View, pod: Pod, conf: ResolvConf, form: str, candidate: Candidate, stranger: str) -> Finding:
    own = form == view.short
    proven = candidate.fate is Fate.ANSWERS
    return find(
        SEARCH_HIJACK,
        subject(pod),
        f"client {pod.name} gets {stranger} for {form}: {candidate.name} answers first",
        [
            Evidence(source(pod, "resolv.conf"), f"search {' '.join(conf.search)}, ndots:{conf.ndots}"),
            Evidence(f"Tried for {form}", f"{candidate.name} before {view.name}"),
            Evidence(candidate.name, candidate.a.why if not proven else f"{stranger}: {candidate.a.why}"),
            Evidence(view.fqdn, view.specified.why),
        ],
        Fix(f"Call it {view.fqdn} with the dot, or take {candidate.suffix or 'that name'} out of the search list."),
        effect=Effect.OUTAGE if own else Effect.NONE,
        severity=Severity.ERROR if own else Severity.WARNING,
        confidence=Confidence.CERTAIN if proven else Confidence.LIKELY,
        ruled_out=[RuledOut("corefile-override", f"{view.name} itself is answered as it must be")],
    )
