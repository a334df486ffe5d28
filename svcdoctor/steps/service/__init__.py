"""1xx: Is the Service itself well formed, and is it there?"""

from ...model.case import Case
from ..step import Answer, Step
from ..words import count
from . import missing, protocol, spec, target_ports


def ask(case: Case) -> Answer:
    """The Service as an object, then its ports held against what the pods behind it say."""
    if case.service is None:
        return missing.ask(case)
    findings = (*spec.check(case), *target_ports.check(case))
    wants_pods = bool(case.selector) and not case.external_name
    gap = case.need("pods") if wants_pods and not case.pods_known else None
    if findings:
        return Answer(findings[0].summary, findings, (gap,) if gap else ())
    if case.external_name:
        return Answer(f"a CNAME to {case.service.spec.external_name}")
    ports = count(len(case.service.spec.ports), "port")
    if gap:
        return Answer(f"{ports}, but its pods could not be read to hold them against", gaps=(gap,))
    return Answer(f"well formed, {ports}")


STEP = Step(
    "service",
    "Is the Service itself well formed, and is it there?",
    missing.RULES + spec.RULES + protocol.RULES + target_ports.RULES,
    ask,
)
