"""Three answers, never two: what could not be read is never a pass, and never a wrong cause."""

import pytest

from svcdoctor.diagnose import diagnose
from svcdoctor.model.case import Case
from svcdoctor.model.diagnosis import Diagnosis, Severity, Status, Target, Verdict
from svcdoctor.model.snapshot import Snapshot
from tests.build import NOW, Cluster, container, http_probe
from tests.states import crash_loop, refused

from .judging import blamed, explain, names

WEB = {"app": "web"}
HTTP = container("app", "http:8080", readinessProbe=http_probe("http"))
WORKLOADS = ("deployments", "replicasets", "statefulsets", "daemonsets")


def status(diagnosis: Diagnosis, step: str) -> Status:
    return next(outcome.status for outcome in diagnosis.outcomes if outcome.step == step)


def web(state=(), selector=WEB, **more) -> Cluster:
    made = Cluster()
    made.service("web", selector, "http 80>http")
    made.deployment("web", WEB, HTTP, state=state, **more)
    return made


@pytest.mark.parametrize("state", [(), refused(8080), crash_loop()])
def test_pods_forbidden(state):
    made = web(state)
    made.forbid("pods")
    diagnosis = made.diagnose("web")
    assert not names(diagnosis, Severity.ERROR), explain(diagnosis)
    assert diagnosis.verdict is Verdict.UNKNOWN, explain(diagnosis)
    assert {status(diagnosis, step) for step in ("service", "endpoints", "readiness")} == {Status.UNKNOWN}
    permissions = {gap.permission for outcome in diagnosis.outcomes for gap in outcome.gaps}
    assert "list pods in namespace shop" in permissions


def test_slices_forbidden_and_pods_well():
    made = web()
    made.forbid("endpointslices")
    diagnosis = made.diagnose("web")
    assert not names(diagnosis, Severity.ERROR), explain(diagnosis)
    assert status(diagnosis, "endpoints") is Status.UNKNOWN
    assert diagnosis.verdict is Verdict.UNKNOWN


def test_slices_forbidden_and_pods_ill():
    made = web(crash_loop())
    made.forbid("endpointslices")
    blamed(made.diagnose("web"), "crash-loop")


def test_slices_forbidden_and_no_selector():
    made = Cluster()
    made.service("erp", None, "443")
    made.forbid("endpointslices")
    diagnosis = made.diagnose("erp")
    assert not diagnosis.findings, explain(diagnosis)
    assert diagnosis.verdict is Verdict.UNKNOWN


def test_events_forbidden_and_a_failing_probe():
    made = web(refused(8080))
    made.forbid("events")
    diagnosis = made.diagnose("web")
    blamed(diagnosis, "probe-failing")
    assert any("could not be read" in evidence.fact for evidence in diagnosis.findings[0].evidence)


def test_workloads_forbidden_and_nothing_matches():
    made = web(replicas=0)
    made.forbid(*WORKLOADS)
    diagnosis = made.diagnose("web", everywhere=True)
    assert diagnosis.root == "selector-no-match", explain(diagnosis)
    finding = diagnosis.findings[0]
    assert finding.confidence == "possible"
    gaps = {gap.permission for outcome in diagnosis.outcomes for gap in outcome.gaps}
    assert "list deployments.apps in namespace shop" in gaps


def test_workloads_forbidden_and_a_near_miss():
    made = web(selector={"app": "wbe"}, replicas=3)
    made.forbid(*WORKLOADS)
    blamed(made.diagnose("web"), "selector-typo")


def test_workloads_forbidden_and_all_well():
    made = web()
    made.forbid(*WORKLOADS)
    assert made.diagnose("web").verdict is Verdict.HEALTHY


def test_other_namespaces_not_looked_at():
    made = web(selector={"app": "ledger"})
    diagnosis = made.diagnose("web")
    finding = blamed(diagnosis, "selector-no-match")
    assert finding.confidence == "possible"
    assert any("could not be looked at" in evidence.fact for evidence in finding.evidence)
    gaps = {gap.what for outcome in diagnosis.outcomes for gap in outcome.gaps}
    assert "api/v1/pods" in gaps


def test_services_forbidden():
    made = web()
    made.forbid("services")
    diagnosis = made.diagnose("web")
    assert not diagnosis.findings
    assert diagnosis.verdict is Verdict.UNKNOWN
    assert diagnosis.root is None


def test_nothing_read_at_all():
    diagnosis = diagnose(Case(Snapshot(taken_at=NOW), Target("shop", "web")))
    assert not diagnosis.findings
    assert diagnosis.verdict is Verdict.UNKNOWN


def test_all_but_the_service_forbidden():
    made = web()
    made.names_served = False
    made.forbid("pods", "endpointslices", "events", "nodes", *WORKLOADS)
    diagnosis = made.diagnose("web")
    assert not diagnosis.findings, explain(diagnosis)
    assert diagnosis.verdict is Verdict.UNKNOWN
    assert Status.PASS not in {outcome.status for outcome in diagnosis.outcomes}


def test_a_missing_service_when_other_namespaces_were_not_looked_at():
    made = web()
    made.add("services", "other", {"spec": {"ports": [{"port": 1}]}})
    diagnosis = made.diagnose("ledger")
    finding = blamed(diagnosis, "svc-missing")
    assert finding.confidence == "likely"
