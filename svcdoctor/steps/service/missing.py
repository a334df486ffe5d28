"""The Service is not there: was its name or its namespace meant to be another?"""

from ...model.case import Case
from ...model.diagnosis import Confidence, Effect, Evidence, Fix, Rule, RuledOut, Severity, Subject
from ..near import nearest
from ..step import Answer, find
from ..words import kubectl, some

SVC_MISSING = Rule(
    "SVC101",
    "svc-missing",
    Severity.ERROR,
    "service",
    "No Service of that name exists in the namespace, and none in another that was looked at.",
    "It was never created, was deleted, or is called something else. Its name resolves to NXDOMAIN everywhere.",
    "Use the right name, or create the Service.",
)
WRONG_NAMESPACE = Rule(
    "SVC102",
    "wrong-namespace",
    Severity.ERROR,
    "service",
    "No Service of that name exists in this namespace, but one does in another.",
    "A short name is looked up in the client's own namespace; the Service lives elsewhere.",
    "Call it by NAME.NAMESPACE, or give the namespace a Service of type ExternalName that leads there.",
)
RULES = (SVC_MISSING, WRONG_NAMESPACE)


def ask(case: Case) -> Answer:
    """Why there is no Service; if its absence itself is unsure, only that."""
    namespace, name = case.target.namespace, case.target.name
    services = case.snapshot.services
    if case.unread is not None:
        return Answer("the Service could not be read", gaps=(case.unread,))
    elsewhere = sorted({s.namespace for s in services.items if s.name == name and s.namespace != namespace})
    asked = f"Service {namespace}/{name}"
    subject = Subject("Service", namespace, name)
    if elsewhere:
        found = some(elsewhere)
        summary = f"{asked} does not exist; a Service of that name lives in {found}"
        alias = Fix(
            f"Or give namespace {namespace} an alias for it.",
            kubectl(namespace, "create", "service", "externalname", name)
            + f" --external-name {name}.{elsewhere[0]}.svc.cluster.local",
        )
        fix = Fix(
            f"Call it {name}.{elsewhere[0]}, or look there.",
            kubectl(elsewhere[0], "get", "service", name),
            alternatives=(alias,),
        )
        evidence = (
            Evidence(f"API: services in namespace {namespace}", f"none is named {name}"),
            Evidence("API: services in all namespaces", f"{name} exists in {found}"),
        )
        finding = find(WRONG_NAMESPACE, subject, summary, evidence, fix, effect=Effect.OUTAGE)
        return Answer(summary, (finding,))
    return _missing(case, asked, subject)


def _missing(case: Case, asked: str, subject: Subject) -> Answer:
    namespace, name = subject.namespace, subject.name
    services = case.snapshot.services
    evidence = [Evidence(f"API: services in namespace {namespace}", f"none is named {name}")]
    ruled_out: tuple[RuledOut, ...] = ()
    looked_everywhere = services.covers() or ("", f"fieldSelector=metadata.name={name}") in services.selected
    if looked_everywhere:
        ruled_out = (RuledOut(WRONG_NAMESPACE.name, "no other namespace has a Service of that name"),)
    elif not services.covers(namespace):
        evidence.append(Evidence("API: services in other namespaces", "not looked at"))
    near = nearest(name, [service.name for service in services.within(namespace)])
    namespaces = case.snapshot.namespaces
    if (namespaces.knows("", namespace)) and namespaces.get("", namespace) is None:
        evidence.append(Evidence("API: namespaces", f"namespace {namespace} does not exist"))
        near_ns = nearest(namespace, [n.name for n in namespaces.items])
        hint = f" Did you mean namespace {some(near_ns)}?" if near_ns else ""
        text = f"Name an existing namespace with -n.{hint}"
        fix = Fix(text, "kubectl get namespaces")
        summary = f"{asked} does not exist, because namespace {namespace} does not"
    elif near:
        evidence.append(Evidence(f"API: services in namespace {namespace}", f"near names: {some(near)}"))
        fix = Fix(f"Did you mean {some(near)}?", kubectl(namespace, "get", "service", near[0]))
        summary = f"{asked} does not exist; the nearest name is {near[0]}"
    else:
        fix = Fix(
            "Look at what is there, and create the Service if it is missing.", kubectl(namespace, "get", "services")
        )
        summary = f"{asked} does not exist"
    confidence = Confidence.CERTAIN if looked_everywhere else Confidence.LIKELY
    finding = find(
        SVC_MISSING, subject, summary, evidence, fix, effect=Effect.OUTAGE, confidence=confidence, ruled_out=ruled_out
    )
    gaps = () if looked_everywhere else (case.snapshot.gap("services"),)
    return Answer(summary, (finding,), gaps)
