"""1xx: the Service as an object, and its ports held against the pods."""

import pytest

from svcdoctor.model.diagnosis import Severity, Verdict
from tests.build import Cluster, container, http_probe
from tests.states import refused

from .judging import blamed, explain, names, well

WEB = {"app": "web"}
LABELS = {"app.kubernetes.io/name": "ledger", "app.kubernetes.io/instance": "ledger-prod"}


# ---------------------------------------------------------------------------------------------------------- svc-missing


@pytest.mark.parametrize(
    ("asked", "meant"), [("web-svc", "web"), ("wbe", "web"), ("web-backend", "web-back"), ("inventory", None)]
)
def test_no_such_service(asked, meant):
    made = Cluster()
    for name in ("web", "web-back", "ledger", "redis"):
        made.service(name, {"app": name}, "80")
    finding = blamed(made.diagnose(asked, everywhere=True), "svc-missing")
    assert meant is None or meant in finding.fix.text
    assert meant is not None or "Did you mean" not in finding.fix.text


def test_no_such_service_in_an_empty_namespace():
    made = Cluster("payments")
    made.add("namespaces", "payments", {})
    blamed(made.diagnose("gateway", everywhere=True), "svc-missing")


@pytest.mark.parametrize("there", [["staging"], ["staging", "prod"]])
def test_the_service_lives_in_another_namespace(there):
    made = Cluster("shop")
    for namespace in there:
        made.service("ledger", LABELS, "80", namespace=namespace)
    made.service("ledgers", LABELS, "80")
    finding = blamed(made.diagnose("ledger"), "wrong-namespace")
    assert f"ledger.{sorted(there)[0]}" in finding.fix.text


# -------------------------------------------------------------------------------------------------- port-not-in-service


@pytest.mark.parametrize("asked", ["8080", "443", "grpc", "31000"])
def test_a_port_that_the_service_does_not_have(asked):
    made = Cluster()
    made.service("web", WEB, {"name": "http", "port": 80, "protocol": "TCP", "targetPort": 8080, "nodePort": 31000})
    made.deployment("web", WEB, container("app", "http:8080"))
    blamed(made.diagnose("web", asked), "port-not-in-service")


@pytest.mark.parametrize("asked", ["80", "http"])
def test_a_port_that_the_service_has(asked):
    made = Cluster()
    made.service("web", WEB, "http 80>8080")
    made.deployment("web", WEB, container("app", "http:8080"))
    well(made.diagnose("web", asked))


# ---------------------------------------------------------------------------------------------------- protocol-mismatch


@pytest.mark.parametrize(
    ("port", "declared"),
    [
        ("8125", ["statsd:8125/UDP"]),
        ("statsd 8125>statsd", ["statsd:8125/UDP"]),
        ("53/UDP>dns", ["dns:53/TCP", "metrics:9153"]),
        ("514>5514", ["syslog:5514/UDP", "http:8080"]),
        ("sip 5060>5060", ["5060/SCTP"]),
        ("5060/UDP>sip", ["sip:5060", "sip-metrics:9100"]),
    ],
)
def test_the_pods_serve_another_protocol(port, declared):
    made = Cluster("metrics")
    made.service("ledger", LABELS, port)
    made.workload("StatefulSet", "ledger", LABELS, container("app", *declared), replicas=2)
    finding = blamed(made.diagnose("ledger"), "protocol-mismatch")
    assert finding.fix.command and "/spec/ports/0/protocol" in finding.fix.command


# --------------------------------------------------------------------------------------------------- quoted-number-port


@pytest.mark.parametrize("ports", [[{"port": 80, "protocol": "TCP", "targetPort": "8080"}],
                                   ["admin 81>9000", {"name": "http", "port": 80, "targetPort": "8080"}]])  # fmt: skip
def test_a_target_port_in_quotes(ports):
    made = Cluster()
    made.service("web", WEB, *ports)
    for port in made.objects["services"][0]["spec"]["ports"]:
        port.setdefault("protocol", "TCP")
    made.deployment("web", WEB, container("app", "http:8080", "admin:9000"))
    verdict = Verdict.BROKEN if len(ports) == 1 else Verdict.DEGRADED
    finding = blamed(made.diagnose("web"), "quoted-number-port", verdict)
    assert finding.fix.patch == "targetPort: 8080"


# ----------------------------------------------------------------------------------------------------- targetport-wrong


@pytest.mark.parametrize(
    ("port", "app"),
    [
        ("80", container("app", "http:8080", readinessProbe=http_probe("http"))),
        ("http 80>8000", container("app", "http:8080", readinessProbe=http_probe(8080))),
        ("8080>80", container("app", "8080", readinessProbe=http_probe(8080))),
        ("http 80>9090", container("app", "http:8080", "metrics:9100")),
        ("http 80>8081", container("app", "web:8080", args=["serve", "--port=8080"], readinessProbe=http_probe("web"))),
        ("5432>5433", container("postgres", "postgres:5432", readinessProbe={"exec": {"command": ["pg_isready"]}})),
        ("443>8443", container("nginx", "https:443", readinessProbe={"tcpSocket": {"port": 443}})),
        ("80>3000", container("app", "80", args=["netexec", "--http-port=80"])),
    ],
)
def test_the_target_port_is_not_the_one_that_is_served(port, app):
    made = Cluster()
    made.service("ledger", LABELS, port)
    made.deployment("ledger", LABELS, app, replicas=3)
    finding = made.diagnose("ledger")
    assert finding.root == "targetport-wrong", explain(finding)
    assert set(names(finding, Severity.ERROR)) <= {"targetport-wrong"}


def test_a_sidecar_port_is_told_as_advice_only():
    made = Cluster()
    made.service("web", WEB, "http 80>15006")
    proxy = container("envoy", "15006", restartPolicy="Always")
    made.deployment("web", WEB, container("app", "http:8080"), initContainers=[proxy])
    diagnosis = made.diagnose("web")
    well(diagnosis)
    assert "sidecar-port-only" in names(diagnosis, Severity.ADVICE)


# -------------------------------------------------------------------------------------------------- headless-port-remap


@pytest.mark.parametrize("port", ["http 80>8080", "80>http"])
def test_a_headless_service_does_not_translate_ports(port):
    made = Cluster()
    made.service("ledger", LABELS, port, clusterIP="None")
    app = container("app", "http:8080", readinessProbe=http_probe(8080))
    made.workload("StatefulSet", "ledger", LABELS, app, replicas=2)
    blamed(made.diagnose("ledger"), "headless-port-remap", Verdict.DEGRADED)


# ------------------------------------------------------------------------------------------------------ externalname-ip


@pytest.mark.parametrize("address", ["10.0.0.7", "2001:db8::7", "192.0.2.1."])
def test_an_external_name_that_is_an_address(address):
    made = Cluster("bridge")
    made.service("erp", None, type="ExternalName", externalName=address)
    blamed(made.diagnose("erp"), "externalname-ip")


# ------------------------------------------------------------------------------------------------------- nodeport-range


def test_a_node_port_outside_the_range():
    made = Cluster()
    made.deployment("web", WEB, container("app", "http:8080"))
    port = {"port": 80, "protocol": "TCP", "targetPort": 8080, "nodePort": 8080}
    service = made.service("web", WEB, port, type="NodePort")
    message = "Port 8080 is not within the port range 30000-32767"
    made.event("Service", service, "PortOutOfRange", message)
    blamed(made.diagnose("web"), "nodeport-range", Verdict.HEALTHY)


def test_a_wrong_target_port_behind_a_failing_probe_stays_with_the_probe():
    made = Cluster()
    made.service("web", WEB, "http 80>8080")
    made.deployment("web", WEB, container("app", "http:8080", readinessProbe=http_probe(8080)), state=refused(8080))
    blamed(made.diagnose("web"), "probe-failing")
