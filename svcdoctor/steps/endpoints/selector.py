"""Why no pod stands behind a selector: the rules of near misses, and what each says."""

from collections.abc import Iterator, Mapping

from ...model.case import Case, matches, selector_query
from ...model.diagnosis import Confidence, Effect, Evidence, Finding, Fix, Rule, RuledOut, Severity
from ...model.pod import Pod
from ...model.service import Service
from ..listening import resolve
from ..step import find
from ..words import count, kubectl, kubectl_patch, labels, patch, some, source, subject
from .candidates import Candidate, Kind, NearMiss, near_misses
from .groups import expose

SELECTOR_NO_MATCH = Rule(
    "SVC201",
    "selector-no-match",
    Severity.ERROR,
    "endpoints",
    "No pod carries the selector's labels, and no workload comes near.",
    "The workload was never deployed here, was deleted, or is labelled quite differently.",
    "Deploy the workload, or select the labels that its pods carry.",
)
SELECTOR_EXTRA_KEY = Rule(
    "SVC202",
    "selector-extra-key",
    Severity.ERROR,
    "endpoints",
    "Pods match all of the selector but one pair, which they lack or carry with another value.",
    "A version, track or release in the selector no longer says what the pods say.",
    "Drop the pair from the selector, give it the pods' value, or relabel the pods.",
)
SELECTOR_TYPO = Rule(
    "SVC203",
    "selector-typo",
    Severity.ERROR,
    "endpoints",
    "The selector matches no pod, but a workload differs from it by a slip: a letter, the case, a key.",
    "A label was misspelt on one of the two sides.",
    "Correct the selector, or the labels.",
)
SELECTOR_OTHER_NS = Rule(
    "SVC204",
    "selector-other-ns",
    Severity.ERROR,
    "endpoints",
    "The pods that the selector matches live in another namespace. A Service selects in its own namespace only.",
    "The Service or the workload was applied to the wrong namespace.",
    "Move one of them, or make this Service an ExternalName for one beside the pods.",
)
SWITCH_EMPTY = Rule(
    "SVC209",
    "switch-empty",
    Severity.ERROR,
    "endpoints",
    "The selector was switched to a version that has no ready pod, while the other version still serves.",
    "A blue/green switch was made before the new side was ready.",
    "Roll the selector back, get the new side ready, then switch.",
)
WORKLOADS = ("deployments", "statefulsets", "daemonsets")
RULES = (SELECTOR_NO_MATCH, SELECTOR_EXTRA_KEY, SELECTOR_TYPO, SELECTOR_OTHER_NS, SWITCH_EMPTY)


def why_no_match(case: Case, service: Service) -> Finding:
    """The cause of a selector that matches no pod and no workload of its namespace."""
    misses = near_misses(case)
    if misses:
        return _near(case, service, misses)
    elsewhere = _elsewhere(case)
    if elsewhere:
        return _other_namespace(case, service, elsewhere)
    return _no_match(case, service)


def looked_elsewhere(case: Case) -> bool:
    """Whether the selector was tried on the pods of all namespaces."""
    query = selector_query(case.selector)
    pods = case.snapshot.pods
    return pods.covers() or any(not scope and asked.split("&")[0] == query for scope, asked in pods.selected)


def endpoints_of(service: Service, selector: Mapping[str, str], pods: tuple[Pod, ...]) -> str:
    """The ready endpoints that ``selector`` would give, in a few words."""
    chosen = [pod for pod in pods if matches(selector, pod.labels) and not pod.terminal and not pod.terminating]
    ready = [pod for pod in chosen if pod.ready and pod.addresses]
    port = service.spec.ports[0] if service.spec.ports else None
    spoken = [_address(pod, resolve(pod, port.target, port.protocol) if port else None) for pod in ready]
    if not spoken:
        return f"{count(len(chosen), 'pod')}, none of them ready yet"
    rest = f", and {count(len(chosen) - len(ready), 'pod')} not ready" if len(chosen) > len(ready) else ""
    return f"{count(len(ready), 'ready endpoint')} ({some(spoken)}){rest}"


def _address(pod: Pod, port: int | None) -> str:
    address = pod.addresses[0]
    host = f"[{address}]" if ":" in address else address
    return f"{host}:{port}" if port else host


# -------------------------------------------------------------------------------------------------------- near misses


def _near(case: Case, service: Service, misses: tuple[NearMiss, ...]) -> Finding:
    miss = misses[0]
    candidate = miss.candidate
    rule = SELECTOR_TYPO if miss.kind is Kind.SLIP else SELECTOR_EXTRA_KEY
    apart = "; ".join(difference.spoken for difference in miss.differences)
    rivals = [other for other in misses[1:] if (other.kind, other.cost) == (miss.kind, miss.cost)]
    far = miss.cost > 3 and miss.kind is Kind.SLIP
    confidence = (
        Confidence.POSSIBLE if rivals else Confidence.LIKELY if far or miss.kind is Kind.DRIFT else Confidence.CERTAIN
    )
    evidence = [
        Evidence(source(service, "spec.selector"), labels(service.spec.selector)),
        Evidence(f"API: pods in namespace {service.namespace}", f"none of {len(case.pods)} matches"),
        Evidence(_where(candidate, service.namespace), f"{_standing(candidate)}: {apart}"),
    ]
    if rivals:
        evidence.append(Evidence("Equally near", some(other.candidate.spoken for other in rivals)))
    return find(
        rule,
        subject(service),
        f"no pod matches {labels(service.spec.selector)}; the nearest, {candidate.spoken}, has {apart}",
        evidence,
        _selector_fix(case, service, miss),
        effect=Effect.OUTAGE,
        confidence=confidence,
        ruled_out=tuple(_ruled_out(case, rule)),
    )


def _standing(candidate: Candidate) -> str:
    return f"{count(len(candidate.pods), 'pod')}, {candidate.ready} ready" if candidate.pods else "no pod"


def _where(candidate: Candidate, namespace: str) -> str:
    if candidate.workload is None:
        return f"Pod {namespace}/{candidate.pods[0].name}: labels"
    field = "pod labels" if candidate.pods else "spec.template labels"
    return f"{candidate.workload.kind} {namespace}/{candidate.workload.name}: {field}"


def _ruled_out(case: Case, rule: Rule) -> Iterator[RuledOut]:
    if not any(case.need(kind) for kind in WORKLOADS):
        yield RuledOut("scaled-to-zero", "no workload whose pods would match is scaled to zero")
    if rule is not SELECTOR_OTHER_NS and looked_elsewhere(case) and not _elsewhere(case):
        yield RuledOut(SELECTOR_OTHER_NS.name, "the selector matches no pod in any other namespace")


def _selector_fix(case: Case, service: Service, miss: NearMiss) -> Fix:
    change = miss.selector_change
    merged = {key: value for key, value in {**service.spec.selector, **change}.items() if value is not None}
    body = {"spec": {"selector": change}}
    return Fix(
        f"Change the selector to {labels(merged)}. It then has {endpoints_of(service, merged, case.pods)}.",
        kubectl_patch(service.namespace, "Service", service.name, body),
        patch(body),
        tuple(_label_fix(case, service, miss)),
    )


def _label_fix(case: Case, service: Service, miss: NearMiss) -> Iterator[Fix]:
    """The other side: give the pods the labels that the selector wants."""
    candidate, namespace = miss.candidate, service.namespace
    wanted = {difference.key: difference.wanted for difference in miss.differences}
    gives = f"It then has {count(len(candidate.pods), 'endpoint')} of {candidate.spoken}"
    if candidate.workload is None:
        names = [f"pod/{pod.name}" for pod in candidate.pods[:10]]
        pairs = [f"{key}={value}" for key, value in wanted.items()]
        yield Fix(f"Or relabel the pods. {gives}.", kubectl(namespace, "label", "--overwrite", *names, *pairs))
        return
    fixed = candidate.template.spec.selector.match_labels if candidate.template else wanted
    if any(key in fixed for key in wanted):
        if candidate.template is not None:
            yield Fix(
                f"The labels can't be changed instead: {candidate.spoken} selects its pods by "
                f"{some(key for key in wanted if key in fixed)}, and that is immutable."
            )
        return
    body = {"spec": {"template": {"metadata": {"labels": wanted}}}}
    command = kubectl_patch(namespace, candidate.workload.kind, candidate.workload.name, body)
    yield Fix(f"Or relabel the workload, which replaces its pods. {gives}.", command, patch(body))


# ---------------------------------------------------------------------------------------------------- other namespaces


def _elsewhere(case: Case) -> tuple[Pod, ...]:
    return tuple(
        pod
        for pod in case.snapshot.pods.items
        if pod.namespace != case.target.namespace and not pod.terminal and matches(case.selector, pod.labels)
    )


def _other_namespace(case: Case, service: Service, pods: tuple[Pod, ...]) -> Finding:
    namespaces = sorted({pod.namespace for pod in pods})
    there = namespaces[0]
    first = [pod for pod in pods if pod.namespace == there]
    beside = next(
        (s.name for s in case.snapshot.services.within(there) if matches(s.spec.selector, first[0].labels)),
        service.name,
    )
    body = {
        "spec": {
            "type": "ExternalName",
            "externalName": f"{beside}.{there}.svc.cluster.local",
            "selector": None,
            "clusterIP": None,
            "clusterIPs": None,
        }
    }
    return find(
        SELECTOR_OTHER_NS,
        subject(service),
        f"{labels(service.spec.selector)} matches no pod in {service.namespace}, "
        f"but {count(len(first), 'pod')} in {there}",
        [
            Evidence(source(service, "spec.selector"), labels(service.spec.selector)),
            Evidence(
                f"API: pods in namespace {service.namespace}", f"none of {len(case.pods)} matches, none comes near"
            ),
            *(
                Evidence(f"API: pods in namespace {name}", some(pod.name for pod in pods if pod.namespace == name))
                for name in namespaces[:3]
            ),
        ],
        Fix(
            f"Create the Service in {there}, beside its pods, and call it {service.name}.{there}.",
            expose(case.workload_of(first[0]), service, service.spec.ports[0], there)
            if len(service.spec.ports) == 1
            else kubectl(service.namespace, "get", "service", service.name, "-o", "yaml"),
            alternatives=(
                Fix(
                    f"Or keep the name here as an alias for a Service in {there}.",
                    kubectl_patch(service.namespace, "Service", service.name, body),
                    patch(body),
                ),
            ),
        ),
        effect=Effect.OUTAGE,
        ruled_out=[RuledOut(SELECTOR_TYPO.name, f"no workload in {service.namespace} comes near the selector")],
    )


def _no_match(case: Case, service: Service) -> Finding:
    looked = looked_elsewhere(case)
    namespace = service.namespace
    everywhere = "and none in another namespace" if looked else "and other namespaces could not be looked at"
    evidence = [Evidence(source(service, "spec.selector"), labels(service.spec.selector))]
    said = f"none of {len(case.pods)} matches or comes near, {everywhere}"
    if case.need("pods"):
        said = f"none matches; the others were not read, {everywhere}"
    evidence.append(Evidence(f"API: pods in namespace {namespace}", said))
    unread = [kind for kind in WORKLOADS if case.need(kind)]
    if unread:
        evidence.append(Evidence(f"API: {', '.join(unread)} in namespace {namespace}", "could not be read"))
    near = f", and nothing in {namespace} comes near"
    if unread:
        near = f"; the {some(unread)} that it may mean could not be read"
    return find(
        SELECTOR_NO_MATCH,
        subject(service),
        f"no pod matches {labels(service.spec.selector)}{near}",
        evidence,
        _namesake_fix(case, service)
        or Fix(
            "Find the workload that should serve, and select the labels of its pods.",
            kubectl(namespace, "get", "pods", "--show-labels"),
        ),
        effect=Effect.OUTAGE,
        confidence=Confidence.LIKELY if looked and not unread and not case.need("pods") else Confidence.POSSIBLE,
        ruled_out=[] if case.need("pods") else [RuledOut(SELECTOR_TYPO.name, "no label differs by a slip")],
    )


def _namesake_fix(case: Case, service: Service) -> Fix | None:
    """The workload that bears the Service's name may be the one that is meant, however it is labelled."""
    for ref, workload in case.workloads.items():
        wanted = workload.spec.selector.match_labels
        if ref.name == service.name and workload.metadata.controller is None and wanted:
            body = {"spec": {"selector": {**dict.fromkeys(service.spec.selector), **wanted}}}
            return Fix(
                f"If {ref} is meant, which bears the Service's name, select its pods by {labels(wanted)}. "
                f"The Service then has {endpoints_of(service, wanted, case.pods)}.",
                kubectl_patch(service.namespace, "Service", service.name, body),
                patch(body),
            )
    return None
