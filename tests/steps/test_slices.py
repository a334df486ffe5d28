"""2xx: slices of other hands, and the endpoint controller's held against the pods."""

import pytest

from svcdoctor.model.diagnosis import Confidence, Severity, Verdict
from tests.build import MIRROR, Cluster, ago, container, http_probe
from tests.endpoint_controller import CONTROLLER
from tests.states import refused, young

from .judging import blamed, explain, names, well

WEB = {"app": "web"}
HTTP = container("app", "http:8080", readinessProbe=http_probe("http"))
PORT = {"name": "http", "port": 8080, "protocol": "TCP"}


def served() -> Cluster:
    """A Service with two Ready pods, its slices written."""
    made = Cluster()
    made.service("web", WEB, "http 80>http")
    made.deployment("web", WEB, HTTP)
    made.follow()
    return made


# --------------------------------------------------------------------------------------------------- selectorless-empty


@pytest.mark.parametrize("empty", [True, False])
def test_no_selector_and_no_address(empty):
    made = Cluster("bridge")
    made.service("erp", None, "https 443>8443")
    if empty:
        made.slice("erp-1", "erp", [], PORT)
    blamed(made.diagnose("erp"), "selectorless-empty")


def test_no_selector_and_no_address_that_is_ready():
    made = Cluster("bridge")
    made.service("erp", None, "http 443>8443")
    down = [{"addresses": [f"192.0.2.{n}"], "conditions": {"ready": False}} for n in (1, 2)]
    made.slice("erp-1", "erp", down, PORT)
    finding = blamed(made.diagnose("erp"), "selectorless-empty")
    assert "2 addresses" in finding.summary


def test_no_selector_and_endpoints_that_are_not_mirrored():
    made = Cluster("bridge")
    made.service("erp", None, "http 80")
    subset = {"addresses": [{"ip": "192.0.2.1"}], "ports": [{"name": "http", "port": 80}]}
    made.add("endpoints", "erp", {"subsets": [subset]}, labels={"endpointslice.kubernetes.io/skip-mirror": "true"})
    finding = blamed(made.diagnose("erp"), "selectorless-empty")
    assert any("skip-mirror" in evidence.fact for evidence in finding.evidence)


# ----------------------------------------------------------------------------------------------------- slice-unlabelled


@pytest.mark.parametrize(
    ("name", "label"),
    [("erp", None), ("erp-1", None), ("erp-manual", "epr"), ("anything", "erp-svc"), ("erp.v4", ""), ("ext", "Erp")],
)
def test_a_slice_that_is_not_tied_to_the_service(name, label):
    made = Cluster("bridge")
    made.service("erp", None, "http 443>8443")
    made.service("other", WEB, "80")
    made.slice(name, label, ["192.0.2.1"], PORT)
    finding = blamed(made.diagnose("erp"), "slice-unlabelled")
    assert f"endpointslice/{name}" in (finding.fix.command or "")


@pytest.mark.parametrize("key", ["kubernetes.io/servicename", "kubernetes.io/service", "service-name"])
def test_a_slice_whose_label_is_spelt_otherwise(key):
    made = Cluster("bridge")
    made.service("erp", None, "http 443>8443")
    made.slice("addresses", None, ["192.0.2.1"], PORT)["metadata"]["labels"] = {key: "erp"}
    blamed(made.diagnose("erp"), "slice-unlabelled")


# ---------------------------------------------------------------------------------------------- slice-portname-mismatch


@pytest.mark.parametrize(
    ("port", "written"),
    [
        ("https 443>8443", {"name": "", "port": 8443, "protocol": "TCP"}),
        ("https 443>8443", {"name": None, "port": 8443, "protocol": None}),
        ("443>8443", {"name": "https", "port": 8443, "protocol": "TCP"}),
        ("http 80>8080", {"name": "web", "port": 8080, "protocol": "TCP"}),
        ("dns 53/UDP", {"name": "dns", "port": 53, "protocol": "TCP"}),
    ],
)
@pytest.mark.parametrize("hand", [None, "staff", MIRROR])
def test_a_slice_that_names_its_port_otherwise(port, written, hand):
    made = Cluster("partner")
    made.service("erp", None, port)
    made.slice("erp-1", "erp", ["192.0.2.1", "192.0.2.2"], written, managed_by=hand)
    blamed(made.diagnose("erp"), "slice-portname-mismatch")


def test_one_of_two_ports_is_named_otherwise():
    made = Cluster("partner")
    made.service("erp", None, "http 80", "https 443")
    ports = [{"name": "http", "port": 80, "protocol": "TCP"}, {"name": "tls", "port": 443, "protocol": "TCP"}]
    made.slice("erp-1", "erp", ["192.0.2.1", "192.0.2.2"], *ports)
    blamed(made.diagnose("erp"), "slice-portname-mismatch", Verdict.DEGRADED)


def test_a_slice_without_ports_beside_a_service_with_one():
    made = Cluster("partner")
    made.service("erp", None, "http 80")
    made.slice("erp-1", "erp", ["192.0.2.1"])
    diagnosis = made.diagnose("erp")
    assert diagnosis.verdict is Verdict.BROKEN, explain(diagnosis)


# ------------------------------------------------------------------------------ stale-mirror-slice, foreign-slice-stale


@pytest.mark.parametrize("dead", [["10.244.1.200"], ["10.244.1.200", "10.244.2.201"]])
def test_a_mirrored_slice_of_former_times(dead):
    made = served()
    subset = {"addresses": [{"ip": ip} for ip in dead], "ports": [{"name": "http", "port": 8080}]}
    made.add("endpoints", "web", {"subsets": [subset]})
    made.slice("web-old", "web", dead, PORT, managed_by=MIRROR)
    finding = blamed(made.diagnose("web"), "stale-mirror-slice", Verdict.DEGRADED)
    assert "endpointslice" in (finding.fix.command or "")


@pytest.mark.parametrize("hand", ["talos", None, "custom-controller.example"])
@pytest.mark.parametrize("selector", [True, False])
def test_a_foreign_slice_of_pods_that_are_gone(hand, selector):
    made = served()
    if not selector:
        del made.objects["services"][0]["spec"]["selector"]
        made.objects["endpointslices"].clear()
    ref = {"kind": "Pod", "name": "web-gone", "namespace": "shop", "uid": "u"}
    gone = {"addresses": ["10.244.1.200"], "conditions": {"ready": True}, "targetRef": ref}
    made.slice("web-own", "web", [gone], PORT, managed_by=hand)
    verdict = Verdict.DEGRADED if selector else Verdict.BROKEN
    blamed(made.diagnose("web"), "foreign-slice-stale", verdict)


def test_a_pod_that_came_back_under_its_old_name():
    made = served()
    ref = {"kind": "Pod", "name": made.objects["pods"][0]["metadata"]["name"], "namespace": "shop", "uid": "former"}
    gone = {"addresses": ["10.244.1.200"], "conditions": {"ready": True}, "targetRef": ref}
    made.slice("web-own", "web", [gone], PORT, managed_by="db-operator")
    blamed(made.diagnose("web"), "foreign-slice-stale", Verdict.DEGRADED)


# -------------------------------------------------------------------------------------------------- endpoints-truncated


def test_endpoints_that_are_cut_at_a_thousand():
    made = served()
    subset = {"addresses": [{"ip": "10.244.1.1"}], "ports": [PORT]}
    annotations = {"endpoints.kubernetes.io/over-capacity": "truncated"}
    made.add("endpoints", "web", {"subsets": [subset]}, annotations=annotations)
    diagnosis = made.diagnose("web")
    assert diagnosis.root == "endpoints-truncated", explain(diagnosis)
    assert not names(diagnosis, Severity.ERROR)


# ------------------------------------------------------------------------------------------------------- controller-lag


@pytest.mark.parametrize("slices", ["none", "empty", "old"])
def test_a_controller_that_has_stopped(slices):
    made = Cluster()
    made.service("web", WEB, "http 80>http")
    if slices != "none":
        if slices == "old":
            made.deployment("web", WEB, HTTP, state=refused(8080))
        made.follow()
        made.objects["pods"].clear()
        made.objects["events"].clear()
    made.slices_follow = False
    made.deployment("web-new" if slices == "old" else "web", WEB, HTTP, created=600)
    blamed(made.diagnose("web"), "controller-lag")


def test_a_controller_that_missed_the_last_pod():
    made = served()
    made.deployment("web-more", {**WEB, "more": "1"}, HTTP, replicas=1, created=600)
    diagnosis = made.diagnose("web")
    assert diagnosis.root == "controller-lag", explain(diagnosis)
    blamed(diagnosis, "controller-lag", Verdict.DEGRADED)


def test_a_controller_that_missed_that_pods_became_ready():
    made = Cluster()
    made.service("web", WEB, "http 80>http")
    pods = made.deployment("web", WEB, HTTP, state=young(5))
    made.follow()
    for pod in pods:
        for condition in pod["status"]["conditions"]:
            condition |= {"status": "True", "lastTransitionTime": ago(900)}
        pod["status"]["containerStatuses"][0]["ready"] = True
    blamed(made.diagnose("web"), "controller-lag")


def test_a_controller_that_missed_that_pods_became_unready():
    made = served()
    for pod in made.objects["pods"]:
        refused(8080, since=600)(made, pod)
    diagnosis = made.diagnose("web")
    assert diagnosis.root in ("probe-failing", "controller-lag"), explain(diagnosis)


@pytest.mark.parametrize("changed", [{"name": "web"}, {"targetPort": 9000}, {"protocol": "UDP", "targetPort": 8080}])
def test_a_controller_that_missed_a_change_of_the_ports(changed):
    made = served()
    made.objects["services"][0]["spec"]["ports"][0] |= changed
    for pod in made.objects["pods"]:
        pod["spec"]["containers"][0]["ports"] += [{"containerPort": 9000, "protocol": "TCP"}]
        pod["spec"]["containers"][0]["ports"] += [{"containerPort": 8080, "protocol": "UDP"}]
    blamed(made.diagnose("web"), "controller-lag")


def test_ready_pods_that_no_slice_has_yet_within_the_grace():
    made = Cluster()
    made.service("web", WEB, "http 80>http")
    made.follow()
    made.deployment("web", WEB, HTTP, state=young(7, ready=True))
    diagnosis = made.diagnose("web")
    assert diagnosis.root == "controller-lag", explain(diagnosis)
    assert not names(diagnosis, Severity.ERROR)
    finding = diagnosis.findings[0]
    assert (finding.severity, finding.confidence) == (Severity.WARNING, Confidence.POSSIBLE)
    assert "7 s" in finding.summary
    assert diagnosis.verdict is not Verdict.HEALTHY


# ------------------------------------------------------------------------------------------------------------ ip-reused


@pytest.mark.parametrize("hand", [CONTROLLER, "operator.example"])
def test_one_address_of_two_pods(hand):
    made = served()
    first = made.objects["pods"][0]
    ref = {"kind": "Pod", "name": "web-former", "namespace": "shop", "uid": "former"}
    twin = {"addresses": [first["status"]["podIP"]], "conditions": {"ready": True}, "targetRef": ref}
    made.slice("web-zzz", "web", [twin], PORT, managed_by=hand)
    diagnosis = made.diagnose("web")
    assert diagnosis.root in ("ip-reused", "foreign-slice-stale"), explain(diagnosis)
    blamed(diagnosis, diagnosis.root, Verdict.DEGRADED)


# ----------------------------------------------------------------------------------------------------------- zone-hints


def hinted(made: Cluster, *zones: str) -> None:
    endpoints = [e for s in made.objects["endpointslices"] for e in s["endpoints"]]
    for endpoint, zone in zip(endpoints, zones, strict=True):
        if zone:
            endpoint["hints"] = {"forZones": [{"name": zone}]}


def test_one_endpoint_has_no_hint():
    made = served()
    hinted(made, "zone-1", "")
    blamed(made.diagnose("web"), "zone-hints", Verdict.HEALTHY)


def test_a_zone_with_many_clients_and_few_endpoints():
    made = Cluster()
    for number in range(3, 12):
        made.node(f"node{number}")["metadata"]["labels"]["topology.kubernetes.io/zone"] = "zone-1"
    made.service("web", WEB, "http 80>http", trafficDistribution="PreferClose")
    made.deployment("web", WEB, HTTP, replicas=6)
    made.follow()
    hinted(made, "zone-1", *["zone-2"] * 5)
    blamed(made.diagnose("web"), "zone-hints", Verdict.HEALTHY)


def test_hints_that_are_spread_as_the_clients_are():
    made = served()
    hinted(made, "zone-1", "zone-2")
    well(made.diagnose("web"))
