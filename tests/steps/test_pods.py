"""2xx: the pods that a selector means, their ports, and their families."""

import pytest

from svcdoctor.model.diagnosis import Confidence, Severity, Verdict
from tests.build import Cluster, ago, container, http_probe
from tests.states import dual, ended, leaving, unscheduled

from .judging import blamed, explain, names, well

WEB = {"app": "web"}
LABELS = {"app.kubernetes.io/name": "ledger", "app.kubernetes.io/instance": "prod"}
HTTP = container("app", "http:8080", readinessProbe=http_probe("http"))


# ------------------------------------------------------------------------------------------------------- scaled-to-zero


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet"])
def test_scaled_to_zero(kind):
    made = Cluster()
    made.service("ledger", LABELS, "http 80>http")
    made.workload(kind, "ledger", LABELS, HTTP, replicas=0)
    made.deployment("ledgers", {**LABELS, "app.kubernetes.io/name": "ledgers"}, HTTP)
    finding = blamed(made.diagnose("ledger"), "scaled-to-zero")
    assert finding.fix.command == f"kubectl -n shop scale {kind.lower()}/ledger --replicas=1"


def test_a_daemonset_that_fits_no_node():
    made = Cluster()
    made.service("agent", WEB, "80>http")
    made.workload("DaemonSet", "agent", WEB, HTTP, replicas=0)
    blamed(made.diagnose("agent"), "scaled-to-zero")


def test_scaled_to_zero_while_its_last_pod_ends():
    made = Cluster()
    made.service("web", WEB, "http 80>http")
    pods = made.deployment("web", WEB, HTTP, replicas=1)
    leaving(4, ready=False)(made, pods[0])
    for workload in (*made.objects["deployments"], *made.objects["replicasets"]):
        workload["spec"]["replicas"] = 0
    diagnosis = made.diagnose("web")
    assert diagnosis.root in ("scaled-to-zero", "all-terminating"), explain(diagnosis)


def test_a_rollout_beside_one_that_is_scaled_to_zero():
    made = Cluster()
    made.service("web", WEB, "http 80>http")
    made.deployment("web-a", {**WEB, "slot": "a"}, HTTP, replicas=0)
    made.deployment("web-b", {**WEB, "slot": "b"}, HTTP, replicas=0)
    blamed(made.diagnose("web"), "scaled-to-zero")


def test_scaled_to_zero_with_an_evicted_pod_left():
    made = Cluster()
    made.service("web", WEB, "http 80>http")
    made.deployment("web", WEB, HTTP, replicas=1, state=ended("Failed", "Evicted"))
    for workload in (*made.objects["deployments"], *made.objects["replicasets"]):
        workload["spec"]["replicas"] = 0
    blamed(made.diagnose("web"), "scaled-to-zero")


# ----------------------------------------------------------------------------------------------- selector-terminal-pods


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_only_pods_that_have_ended(phase):
    made = Cluster("batch")
    made.service("report", {"job": "report"}, "80>8080")
    job = container("report", "8080")
    made.workload("Job", "report", {"job": "report"}, job, replicas=2, state=ended(phase), restartPolicy="Never")
    made.deployment("web", WEB, HTTP)
    blamed(made.diagnose("report"), "selector-terminal-pods")


def test_a_bare_pod_that_was_evicted():
    made = Cluster()
    made.service("web", WEB, "80>8080")
    made.pod("web", WEB, HTTP, state=ended("Failed", "Evicted"))
    blamed(made.diagnose("web"), "selector-terminal-pods")


# ----------------------------------------------------------------------------------------------------- pods-unscheduled


@pytest.mark.parametrize(
    "message",
    [
        "0/2 nodes are available: 2 Insufficient memory. preemption: 0/2 nodes are available: 2 No preemption victims.",
        "0/2 nodes are available: 2 node(s) didn't have free ports for the requested pod ports.",
        "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector.",
    ],
)
@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet"])
def test_no_node_fits(kind, message):
    made = Cluster()
    made.service("ledger", LABELS, "http 80>http")
    made.workload(kind, "ledger", LABELS, HTTP, state=unscheduled(message))
    finding = blamed(made.diagnose("ledger"), "pods-unscheduled")
    assert message.split(" preemption")[0].rstrip(".") in finding.summary


def test_no_scheduler_at_all():
    made = Cluster()
    made.service("web", WEB, "http 80>http")
    for pod in made.deployment("web", WEB, HTTP, created=300):
        del pod["spec"]["nodeName"]
        pod["status"] = {"phase": "Pending", "conditions": []}
    blamed(made.diagnose("web"), "pods-unscheduled")


@pytest.mark.parametrize(
    "message",
    [
        'pods "web-1" is forbidden: exceeded quota: compute, requested: pods=1, used: pods=4, limited: pods=4',
        'pods "web-1" is forbidden: error looking up service account shop/web: serviceaccount "web" not found',
        'admission webhook "validate.kyverno.svc-fail" denied the request: policy require-limits',
    ],
)
def test_pods_that_can_not_be_created(message):
    made = Cluster()
    made.service("web", WEB, "http 80>http")
    made.deployment("web", WEB, HTTP, replicas=0)
    for workload in (*made.objects["deployments"], *made.objects["replicasets"]):
        workload["spec"]["replicas"] = 2
    made.event("ReplicaSet", made.objects["replicasets"][0], "FailedCreate", f"Error creating: {message}")
    finding = blamed(made.diagnose("web"), "pods-unscheduled")
    assert message in finding.summary


def test_the_pod_network_is_out_of_addresses():
    made = Cluster()
    made.service("web", WEB, "http 80>http")
    for pod in made.deployment("web", WEB, HTTP):
        waiting = {"waiting": {"reason": "ContainerCreating"}}
        pod["status"] |= {"podIP": "", "podIPs": [], "phase": "Pending"}
        pod["status"]["containerStatuses"] = [{"name": "app", "image": "x", "ready": False, "state": waiting}]
        pod["status"]["conditions"] = [{"type": "PodScheduled", "status": "True", "lastTransitionTime": ago(3600)}]
        said = 'failed to setup network for sandbox "a": plugin type="host-local" failed: no IP addresses available'
        made.event("Pod", pod, "FailedCreatePodSandBox", f"Failed to create pod sandbox: rpc error: {said}")
    blamed(made.diagnose("web"), "pods-unscheduled")


def test_one_of_three_can_not_be_placed():
    made = Cluster()
    made.service("web", WEB, "http 80>http")
    made.deployment("web", WEB, HTTP, replicas=3, state=[None, None, unscheduled()])
    blamed(made.diagnose("web"), "pods-unscheduled", Verdict.DEGRADED)


# ---------------------------------------------------------------------------------------------------- named-port-absent


@pytest.mark.parametrize(
    ("port", "app"),
    [
        ("80>http", container("app", "8080")),
        ("http 80>http", container("app", "web:8080", readinessProbe=http_probe("web"))),
        ("http 80>htpp", container("app", "http:8080", "metrics:9090")),
        ("https 443>https", container("app", "http:8080")),
        ("80>http", container("app")),
        ("grpc 9000>grpc", container("app", "http:8080", "admin:9100")),
    ],
)
def test_a_named_port_that_no_pod_has(port, app):
    made = Cluster()
    made.service("ledger", LABELS, port)
    made.workload("StatefulSet", "ledger", LABELS, app)
    blamed(made.diagnose("ledger"), "named-port-absent")


def test_one_named_port_of_two_is_absent():
    made = Cluster()
    made.service("web", WEB, "http 80>http", "grpc 9000>grpc")
    made.deployment("web", WEB, HTTP)
    blamed(made.diagnose("web"), "named-port-absent", Verdict.DEGRADED)


def test_a_named_port_that_only_a_finished_init_container_has():
    made = Cluster()
    made.service("web", WEB, "http 80>http")
    made.deployment("web", WEB, container("app"), initContainers=[container("setup", "http:8080")])
    blamed(made.diagnose("web"), "named-port-absent")


# ----------------------------------------------------------------------------------------------------- named-port-split


@pytest.mark.parametrize("declared", ["web:8080", "8080", "http:8080/UDP"])
def test_a_workload_that_names_the_port_otherwise(declared):
    made = Cluster()
    made.service("web", WEB, "http 80>http")
    made.deployment("web-a", {**WEB, "slot": "a"}, HTTP)
    made.deployment("web-b", {**WEB, "slot": "b"}, container("app", declared), replicas=3)
    finding = blamed(made.diagnose("web"), "named-port-split", Verdict.DEGRADED)
    assert "web-b" in finding.summary


def test_a_rollout_that_renames_the_port():
    made = Cluster()
    made.service("ledger", LABELS, "80>http")
    made.deployment("ledger", LABELS, HTTP)
    made.workload("StatefulSet", "ledger-next", {**LABELS, "next": "true"}, container("app", "web-http:8080"))
    blamed(made.diagnose("ledger"), "named-port-split", Verdict.DEGRADED)


# ------------------------------------------------------------------------------------------------ named-port-first-wins


@pytest.mark.parametrize("as_sidecar", [True, False])
def test_two_containers_share_a_ports_name(as_sidecar):
    made = Cluster()
    made.service("web", WEB, "http 80>http")
    second = container("proxy", "http:8443")
    if as_sidecar:
        made.deployment("web", WEB, HTTP, initContainers=[{**second, "restartPolicy": "Always"}])
    else:
        made.deployment("web", WEB, HTTP, second)
    diagnosis = made.diagnose("web")
    assert diagnosis.root == "named-port-first-wins", explain(diagnosis)
    assert not names(diagnosis, Severity.ERROR)


# --------------------------------------------------------------------------------------------- shared-svc-numeric-ports


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (container("a", "8080"), container("b", "9090")),
        (container("a", "http:8080", readinessProbe=http_probe("http")), container("b", "http:9090")),
        (container("a", "8080", args=["--port=8080"]), container("b", "9090", args=["--port=9090"])),
    ],
)
@pytest.mark.parametrize("kinds", [("Deployment", "Deployment"), ("StatefulSet", "DaemonSet")])
def test_workloads_that_share_numeric_ports(one, two, kinds):
    made = Cluster()
    made.service("multi", LABELS, "a 80>8080", "b 81>9090", type="LoadBalancer")
    made.workload(kinds[0], "one", {**LABELS, "part": "one"}, one)
    made.workload(kinds[1], "two", {**LABELS, "part": "two"}, two)
    blamed(made.diagnose("multi"), "shared-svc-numeric-ports", Verdict.DEGRADED)


# ---------------------------------------------------------------------------------------------------- selector-polluted


@pytest.mark.parametrize(
    "stranger",
    [
        container("redis", "redis:6379", image="registry.example/redis:7"),
        container("job", "9999", image="registry.example/worker", readinessProbe=http_probe(9999)),
    ],
)
def test_a_stranger_behind_the_selector(stranger):
    made = Cluster()
    made.service("web", {"team": "x"}, "80>8080")
    made.deployment("web", {"team": "x", "app": "web"}, HTTP)
    made.deployment("other", {"team": "x", "app": "other"}, stranger)
    finding = blamed(made.diagnose("web"), "selector-polluted", Verdict.DEGRADED)
    assert "Deployment other" in finding.summary
    assert finding.fix.command and '"value":"web"' in finding.fix.command


def test_a_stranger_who_speaks_of_no_port_is_only_suspected():
    made = Cluster()
    made.service("web", {"team": "x"}, "80>8080")
    made.deployment("web", {"team": "x", "app": "web"}, HTTP)
    made.deployment("batch", {"team": "x", "app": "batch"}, container("batch", image="registry.example/batch:1"))
    finding = blamed(made.diagnose("web"), "selector-polluted", Verdict.DEGRADED)
    assert (finding.severity, finding.confidence) == (Severity.WARNING, Confidence.POSSIBLE)


def test_a_stranger_behind_a_named_port():
    made = Cluster()
    made.service("web", {"team": "x"}, "80>http")
    made.deployment("web", {"team": "x", "app": "web"}, HTTP)
    made.deployment("cache", {"team": "x", "app": "cache"}, container("redis", "redis:6379", image="redis:7"))
    blamed(made.diagnose("web"), "selector-polluted", Verdict.HEALTHY)


# --------------------------------------------------------------------------------------------------- ip-family-mismatch


@pytest.mark.parametrize("families", [["IPv6"], ["IPv6", "IPv4"]])
def test_pods_lack_the_family(families):
    made = Cluster()
    made.service("web", WEB, "http 80>http", ipFamilies=families)
    made.deployment("web", WEB, HTTP)
    broken = Verdict.BROKEN if len(families) == 1 else Verdict.DEGRADED
    blamed(made.diagnose("web"), "ip-family-mismatch", broken)


def test_pods_have_both_families():
    made = Cluster()
    made.service("web", WEB, "http 80>http", ipFamilies=["IPv6"])
    made.deployment("web", WEB, HTTP, state=dual)
    well(made.diagnose("web"))


# ------------------------------------------------------------------------------------------------------ single-endpoint


def test_a_single_endpoint_is_advice():
    made = Cluster()
    made.service("web", WEB, "http 80>http")
    made.deployment("web", WEB, HTTP, replicas=1)
    assert "single-endpoint" in names(made.diagnose("web"), Severity.ADVICE)
