"""3xx: why pods are not ready, and how readiness is used."""

import pytest

from svcdoctor.model.diagnosis import Confidence, Severity, Verdict
from tests.build import Cluster, Json, ago, container, http_probe
from tests.states import (
    crash_loop,
    dual,
    failing_probe,
    gated,
    image_pull,
    leaving,
    on_dead_node,
    refused,
    starting,
    waiting,
    young,
)

from .judging import blamed, explain, names, well

WEB = {"app": "web"}
LABELS = {"app.kubernetes.io/name": "ledger", "app.kubernetes.io/instance": "prod"}
PROBE = http_probe(8080)
HTTP = container("app", "http:8080", readinessProbe=PROBE)
TIMED_OUT = 'Get "http://IP:8080/healthz": context deadline exceeded (Client.Timeout exceeded while awaiting headers)'


def ledger(state, *containers: Json, kind: str = "Deployment", port: str = "http 80>8080", **more) -> Cluster:
    made = Cluster("bank")
    made.service("ledger", LABELS, port, **more.pop("service", {}))
    made.workload(kind, "ledger", LABELS, *(containers or (HTTP,)), state=state, **more)
    made.deployment("other", WEB, HTTP)
    return made


# -------------------------------------------------------------------------------------------------------- probe-failing


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet"])
@pytest.mark.parametrize(
    "message",
    [
        "HTTP probe failed with statuscode: 503",
        "HTTP probe failed with statuscode: 500",
        'Get "http://IP:8080/healthz": dial tcp IP:8080: connect: connection refused',
        'Get "http://IP:8080/healthz": EOF',
        'Get "http://IP:8080/healthz": read tcp 172.30.0.11:5->IP:8080: read: connection reset by peer',
        'Get "http://IP:8080/healthz": dial tcp IP:8080: i/o timeout',
    ],
)
def test_the_application_fails_its_probe(kind, message):
    blamed(ledger(failing_probe(message), kind=kind).diagnose("ledger"), "probe-failing")


@pytest.mark.parametrize(
    ("probe", "message"),
    [
        ({"exec": {"command": ["cat", "/tmp/ready"]}}, "cat: can't open '/tmp/ready': No such file or directory"),
        ({"exec": {"command": ["pg_isready"]}}, "/var/run/postgresql:5432 - no response"),
        ({"tcpSocket": {"port": 8080}}, "dial tcp IP:8080: connect: connection refused"),
        ({"grpc": {"port": 8080}}, 'service unhealthy (responded with "NOT_SERVING")'),
    ],
)
def test_other_probes_fail_as_well(probe, message):
    app = container("app", "http:8080", readinessProbe=probe)
    blamed(ledger(failing_probe(message), app).diagnose("ledger"), "probe-failing")


def test_a_failing_probe_without_any_event():
    finding = blamed(ledger(failing_probe(None)).diagnose("ledger"), "probe-failing")
    assert finding.confidence is Confidence.POSSIBLE


def test_an_old_event_proves_nothing():
    state = failing_probe("HTTP probe failed with statuscode: 404", since=600, seen=3000)
    finding = blamed(ledger(state).diagnose("ledger"), "probe-failing")
    assert any("proves nothing" in evidence.fact for evidence in finding.evidence)


def test_one_of_three_fails_its_probe():
    made = ledger([None, None, refused(8080)], replicas=3)
    blamed(made.diagnose("ledger"), "probe-failing", Verdict.DEGRADED)


# -------------------------------------------------------------------------------------------------- probe-misconfigured


@pytest.mark.parametrize(
    ("probe", "message"),
    [
        (http_probe(8080, "/helthz"), "HTTP probe failed with statuscode: 404"),
        (http_probe(8080, "/admin"), "HTTP probe failed with statuscode: 401"),
        (http_probe(8081), 'Get "http://IP:8081/healthz": dial tcp IP:8081: connect: connection refused'),
        (http_probe(80), 'Get "http://IP:80/healthz": dial tcp IP:80: connect: connection refused'),
        ({"tcpSocket": {"port": 9999}}, "dial tcp IP:9999: connect: connection refused"),
        (http_probe(8080), 'Get "https://IP:8080/healthz": http: server gave HTTP response to HTTPS client'),
        (http_probe(8080), 'Get "http://IP:8080/": malformed HTTP response "\\x15\\x03\\x01\\x00\\x02\\x02"'),
        (http_probe("htp"), None),
        ({"exec": {"command": ["curl", "localhost"]}},
         'OCI runtime exec failed: exec failed: unable to start container process: exec: "curl": executable file not '
         "found in $PATH: unknown"),
        ({"grpc": {"port": 8080}}, 'error: server does not implement the grpc health protocol (grpc.health.v1.Health): '
         "rpc error: code = Unimplemented desc = unknown service grpc.health.v1.Health"),
        ({"httpGet": {"path": "/", "port": 8080, "scheme": "HTTP", "host": "localhost"}},
         'Get "http://localhost:8080/": dial tcp 127.0.0.1:8080: connect: connection refused'),
    ],
)  # fmt: skip
def test_the_probe_asks_the_wrong_thing(probe, message):
    app = container("app", "http:8080", readinessProbe={"periodSeconds": 5, **probe})
    blamed(ledger(failing_probe(message), app).diagnose("ledger"), "probe-misconfigured")


def test_the_probe_of_a_sidecar_asks_the_wrong_port():
    proxy = container("proxy", "admin:9901", readinessProbe=http_probe(9902, "/ready"))
    state = refused(9902, "/ready", name="proxy")
    blamed(ledger(state, HTTP, proxy).diagnose("ledger"), "probe-misconfigured")


def test_a_status_400_of_a_tls_port():
    probe = http_probe(8080, "/", scheme="HTTP")
    state = failing_probe("HTTP probe failed with statuscode: 400")
    app = container("app", "https:8080", readinessProbe=probe)
    blamed(ledger(state, app).diagnose("ledger"), "probe-misconfigured")


# ------------------------------------------------------------------------------------------------------ probe-too-tight


@pytest.mark.parametrize("message", [TIMED_OUT, 'command timed out: "/bin/check" timed out after 1s'])
def test_a_probe_that_passed_before_times_out(message):
    state = failing_probe(message, since=40, seen=3, count=12)
    blamed(ledger(state).diagnose("ledger"), "probe-too-tight")


@pytest.mark.parametrize("message", [TIMED_OUT, 'command timed out: "/bin/check" timed out after 1s'])
def test_a_probe_that_was_never_given_the_time(message):
    finding = blamed(ledger(failing_probe(message)).diagnose("ledger"), "probe-too-tight")
    assert finding.confidence is Confidence.POSSIBLE


@pytest.mark.parametrize("patience", [1, 10])
def test_an_application_that_hangs(patience):
    """Patience enough, or none for an hour though it was ready before."""
    app = container("app", "http:8080", readinessProbe=http_probe(8080, timeoutSeconds=patience))
    state = failing_probe(TIMED_OUT, since=3000 if patience == 1 else 3598)
    blamed(ledger(state, app).diagnose("ledger"), "probe-failing")


def test_a_ready_pod_whose_probe_times_out_now_and_then():
    made = ledger(())
    for pod in made.objects["pods"][:2]:
        for condition in pod["status"]["conditions"]:
            condition["lastTransitionTime"] = ago(300)
        said = f"Readiness probe failed: {TIMED_OUT}"
        made.event("Pod", pod, "Unhealthy", said, seen=20, count=40, path="spec.containers{app}")
    diagnosis = made.diagnose("ledger")
    assert diagnosis.root == "probe-too-tight", explain(diagnosis)
    assert not names(diagnosis, Severity.ERROR)


# ------------------------------------------------------------------------------------------------------- readiness-gate


@pytest.mark.parametrize("gate", ["target-health.elbv2.k8s.aws/lb-a", "example.com/ready"])
@pytest.mark.parametrize("status", [None, "False", "Unknown"])
def test_a_gate_is_shut(gate, status):
    finding = blamed(ledger(gated(gate, status, "not registered yet")).diagnose("ledger"), "readiness-gate")
    assert gate in finding.summary


def test_a_gate_of_one_pod_of_three():
    made = ledger([gated("example.com/ready")], replicas=3)
    blamed(made.diagnose("ledger"), "readiness-gate", Verdict.DEGRADED)


# ------------------------------------------------------------------------------------------------------ startup-pending


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet"])
@pytest.mark.parametrize("events", [True, False])
def test_a_startup_probe_has_not_passed(kind, events):
    startup = http_probe(8080, failureThreshold=60)
    app = container("app", "http:8080", readinessProbe=PROBE, startupProbe=startup)
    made = ledger(starting(120), app, kind=kind)
    if events:
        for pod in made.objects["pods"][:2]:
            said = 'Startup probe failed: Get "http://x:8080/healthz": dial tcp x:8080: connect: connection refused'
            made.event("Pod", pod, "Unhealthy", said, path="spec.containers{app}")
    blamed(made.diagnose("ledger"), "startup-pending")


def test_the_first_readiness_probes_are_still_due():
    app = container("app", "http:8080", readinessProbe=http_probe(8080, initialDelaySeconds=60))
    blamed(ledger(young(20), app).diagnose("ledger"), "startup-pending")


def test_an_init_container_is_still_at_work():
    migrate = container("migrate")
    made = ledger(waiting("PodInitializing"), initContainers=[migrate])
    for pod in made.objects["pods"][:2]:
        status = pod["status"]["initContainerStatuses"][0]
        status |= {"ready": False, "state": {"running": {"startedAt": ago(400)}}}
    finding = blamed(made.diagnose("ledger"), "startup-pending")
    assert "init container migrate" in finding.summary


def test_pods_that_are_being_set_up():
    made = ledger(())
    for pod in made.objects["pods"][:2]:
        young(3)(made, pod)
        pod["status"] |= {"podIP": "", "podIPs": [], "phase": "Pending", "containerStatuses": []}
    blamed(made.diagnose("ledger"), "startup-pending")


def test_pods_that_the_scheduler_has_not_seen_yet():
    made = ledger(())
    for pod in made.objects["pods"][:2]:
        del pod["spec"]["nodeName"]
        pod["metadata"]["creationTimestamp"] = ago(2)
        pod["status"] = {"phase": "Pending", "conditions": []}
    diagnosis = made.diagnose("ledger")
    blamed(diagnosis, "startup-pending")


# --------------------------------------------------------------------------------------------------- no-readiness-probe


def test_no_readiness_probe_is_advice():
    diagnosis = ledger((), container("app", "http:8080")).diagnose("ledger")
    well(diagnosis)
    assert "no-readiness-probe" in names(diagnosis, Severity.ADVICE)


# ---------------------------------------------------------------------------------------------------- publish-not-ready


@pytest.mark.parametrize("replicas", [1, 3])
def test_pods_that_are_not_ready_are_published(replicas):
    made = ledger([refused(8080)], replicas=replicas, service={"publishNotReadyAddresses": True})
    diagnosis = made.diagnose("ledger")
    assert diagnosis.root in ("publish-not-ready", "probe-failing"), explain(diagnosis)
    assert not names(diagnosis, Severity.ERROR), explain(diagnosis)


# -------------------------------------------------------------------------------------------------------- node-notready


@pytest.mark.parametrize(("ready", "reason"), [("Unknown", "NodeStatusUnknown"), ("False", "KubeletNotReady")])
@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet"])
def test_all_pods_on_a_node_that_is_down(ready, reason, kind):
    made = ledger(on_dead_node, kind=kind, nodes=["node2"])
    made.node("node2", ready=ready, reason=reason)
    blamed(made.diagnose("ledger"), "node-notready")


def test_some_pods_on_a_node_that_is_down():
    made = ledger([None, on_dead_node])
    made.node("node2", ready="Unknown", reason="NodeStatusUnknown")
    blamed(made.diagnose("ledger"), "node-notready", Verdict.DEGRADED)


def test_a_silent_node_when_nodes_are_forbidden():
    made = ledger(on_dead_node)
    made.forbid("nodes")
    diagnosis = made.diagnose("ledger")
    finding = blamed(diagnosis, "node-notready")
    assert finding.confidence is Confidence.POSSIBLE


def test_pods_evicted_from_a_dead_node_and_none_left():
    def deleted(made, pod):
        on_dead_node(made, pod)
        leaving(400)(made, pod)

    made = ledger(deleted, nodes=["node2"])
    made.node("node2", ready="Unknown", reason="NodeStatusUnknown")
    diagnosis = made.diagnose("ledger")
    assert diagnosis.root in ("node-notready", "all-terminating"), explain(diagnosis)
    blamed(diagnosis, diagnosis.root)


# ------------------------------------------------------------------------------------ termination-race, all-terminating


def test_a_pod_leaves_without_a_pre_stop_hook():
    made = ledger([None, None, leaving(3)], replicas=3)
    diagnosis = made.diagnose("ledger")
    assert diagnosis.root == "termination-race", explain(diagnosis)
    assert not names(diagnosis, Severity.ERROR)


def test_a_pod_leaves_with_a_pre_stop_hook():
    app = container("app", "http:8080", readinessProbe=PROBE, lifecycle={"preStop": {"sleep": {"seconds": 10}}})
    well(ledger([None, None, leaving(3)], app, replicas=3).diagnose("ledger"))


@pytest.mark.parametrize("ready", [True, False])
def test_all_pods_are_leaving(ready):
    diagnosis = ledger(leaving(3, ready=ready)).diagnose("ledger")
    blamed(diagnosis, "all-terminating", Verdict.DEGRADED if ready else Verdict.BROKEN)


def test_all_pods_are_leaving_and_the_next_ones_crash():
    made = ledger([leaving(8, ready=False), crash_loop()])
    blamed(made.diagnose("ledger"), "crash-loop")


# --------------------------------------------------------------------------------------------------- sidecar-port-clash


@pytest.mark.parametrize("declared", [True, False])
def test_two_containers_want_one_port(declared):
    proxy = container("proxy", "8080") if declared else container("proxy")
    made = ledger(crash_loop("proxy"), HTTP, proxy)
    for pod in made.objects["pods"][:2]:
        status = pod["status"]["containerStatuses"][1]["lastState"]["terminated"]
        status["message"] = "listen tcp :8080: bind: address already in use"
    blamed(made.diagnose("ledger"), "sidecar-port-clash")


@pytest.mark.parametrize("proxy", [container("proxy", "8080"), container("proxy", args=["serve", "--http-port=8080"])])
def test_two_containers_claim_one_port_and_one_crashes(proxy):
    finding = blamed(ledger(crash_loop("proxy"), HTTP, proxy).diagnose("ledger"), "sidecar-port-clash")
    assert finding.confidence is Confidence.LIKELY


# ----------------------------------------------------------------------------------------------------------- crash-loop


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet"])
@pytest.mark.parametrize("code", [0, 1, 2, 127, 137, 139])
def test_containers_that_crash(kind, code):
    finding = blamed(ledger(crash_loop(exit_code=code), kind=kind).diagnose("ledger"), "crash-loop")
    assert f"exit code {code}" in finding.summary


def test_an_init_container_that_crashes():
    migrate = container("migrate")
    made = ledger(crash_loop("migrate"), initContainers=[migrate])
    finding = blamed(made.diagnose("ledger"), "crash-loop")
    assert "init container migrate" in finding.summary


def test_a_sidecar_that_crashes_beside_a_healthy_app():
    made = ledger(crash_loop("shipper"), HTTP, container("shipper"))
    finding = blamed(made.diagnose("ledger"), "crash-loop")
    assert "shipper" in finding.summary


def test_a_native_sidecar_that_crashes():
    made = ledger(crash_loop("proxy"), initContainers=[container("proxy", restartPolicy="Always")])
    blamed(made.diagnose("ledger"), "crash-loop")


def test_a_container_caught_between_two_crashes():
    """Running again for a moment: it has not been ready, and its last run ended."""
    made = ledger(crash_loop())
    for pod in made.objects["pods"][:2]:
        status = pod["status"]["containerStatuses"][0]
        status["state"] = {"running": {"startedAt": ago(2)}}
    diagnosis = made.diagnose("ledger")
    assert diagnosis.root in ("crash-loop", "startup-pending"), explain(diagnosis)
    blamed(diagnosis, diagnosis.root)


def test_a_container_without_probe_that_crashes_between_ready_moments():
    made = ledger(crash_loop(), container("app", "http:8080"))
    blamed(made.diagnose("ledger"), "crash-loop")


def test_a_container_that_is_terminated_at_this_moment():
    made = ledger(crash_loop())
    for pod in made.objects["pods"][:2]:
        status = pod["status"]["containerStatuses"][0]
        status["state"] = {"terminated": {"exitCode": 1, "reason": "Error", "finishedAt": ago(1)}}
    blamed(made.diagnose("ledger"), "crash-loop")


def test_a_liveness_probe_that_kills():
    app = container("app", "http:8080", readinessProbe=PROBE, livenessProbe=http_probe(8081))
    made = ledger(crash_loop(exit_code=137), app)
    for pod in made.objects["pods"][:2]:
        made.event("Pod", pod, "Killing", "Container app failed liveness probe, will be restarted")
    finding = blamed(made.diagnose("ledger"), "crash-loop")
    assert "liveness" in finding.fix.text


# ----------------------------------------------------------------------------------------------------------- image-pull


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet"])
@pytest.mark.parametrize("reason", ["ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName"])
def test_images_that_can_not_be_had(kind, reason):
    finding = blamed(ledger(image_pull(reason), kind=kind).diagnose("ledger"), "image-pull")
    assert "registry.example/app:1" in finding.summary


def test_the_image_of_an_init_container():
    made = ledger(waiting("ImagePullBackOff", "back-off", "migrate"), initContainers=[container("migrate")])
    blamed(made.diagnose("ledger"), "image-pull")


def test_the_image_of_a_sidecar():
    blamed(ledger(image_pull(name="shipper"), HTTP, container("shipper")).diagnose("ledger"), "image-pull")


def test_a_rollout_stuck_on_its_new_image_while_the_old_pods_serve():
    made = ledger(())
    made.deployment("ledger-next", {**LABELS, "next": "1"}, HTTP, replicas=1, state=image_pull())
    diagnosis = made.diagnose("ledger")
    blamed(diagnosis, "image-pull", Verdict.DEGRADED)
    assert not names(diagnosis, Severity.ERROR)


# ----------------------------------------------------------------------------------------------- container-not-starting


@pytest.mark.parametrize(
    "reason", ["CreateContainerConfigError", "CreateContainerError", "RunContainerError", "PostStartHookError"]
)
def test_containers_that_can_not_be_created(reason):
    state = waiting(reason, 'configmap "ledger-config" not found')
    blamed(ledger(state).diagnose("ledger"), "container-not-starting")


@pytest.mark.parametrize("reason", ["FailedMount", "FailedAttachVolume"])
def test_volumes_that_can_not_be_mounted(reason):
    made = ledger(waiting("ContainerCreating"))
    for pod in made.objects["pods"][:2]:
        made.event("Pod", pod, reason, 'MountVolume.SetUp failed for volume "tls" : secret "ledger-tls" not found')
        pod["status"] |= {"podIP": "", "podIPs": []}
    finding = blamed(made.diagnose("ledger"), "container-not-starting")
    assert any("ledger-tls" in evidence.fact for evidence in finding.evidence)


# -------------------------------------------------------------------------------------------------------- loopback-bind


@pytest.mark.parametrize(
    "args",
    [
        ["--listen-address=127.0.0.1:8080"],
        ["--http-port=8080", "--bind=127.0.0.1"],
        ["python3", "-m", "http.server", "8080", "--bind", "127.0.0.1"],
        ["socat", "TCP-LISTEN:8080,bind=127.0.0.1,fork", "EXEC:/bin/cat"],
        ["gunicorn", "-b", "localhost:8080", "app:app"],
        ["flask", "run", "--host=localhost", "--port=8080"],
        ["uvicorn", "app:app", "--host", "::1", "--port", "8080"],
        ["nc", "-lk", "-s", "127.0.0.1", "-p", "8080"],
        ["busybox", "httpd", "-f", "-p", "127.0.0.1:8080"],
        ["sh", "-c", "python3 -m http.server --bind 127.0.0.1 8080"],
        ["php", "-S", "127.0.0.1:8080"],
        ["caddy", "file-server", "--listen", "127.0.0.1:8080"],
        ["hugo", "server", "--bind", "127.0.0.1", "--port", "8080"],
        ["rails", "server", "-b", "127.0.0.1", "-p", "8080"],
    ],
)
def test_a_server_on_loopback(args):
    made = ledger((), container("app", "http:8080", args=args))
    blamed(made.diagnose("ledger"), "loopback-bind")


def test_a_server_on_loopback_fails_its_probe_too():
    app = container("app", "http:8080", args=["--bind=127.0.0.1:8080"], readinessProbe=PROBE)
    blamed(ledger(refused(8080), app).diagnose("ledger"), "loopback-bind")


@pytest.mark.parametrize("args", [["--admin-address=127.0.0.1:9000"], ["--upstream=127.0.0.1:8080"],
                                  ["--redis-host=127.0.0.1", "--port=8080"], ["--db", "localhost:5432"]])  # fmt: skip
def test_a_loopback_address_that_is_not_the_servers(args):
    well(ledger((), container("app", "http:8080", args=args)).diagnose("ledger"))


# ---------------------------------------------------------------------------------------------------------- family-bind


@pytest.mark.parametrize("families", [["IPv4", "IPv6"], ["IPv6"]])
def test_a_server_of_one_family(families):
    app = container("app", "http:8080", args=["--listen=0.0.0.0:8080"])
    made = ledger(dual, app, service={"ipFamilies": families, "ipFamilyPolicy": "PreferDualStack"})
    blamed(made.diagnose("ledger"), "family-bind", Verdict.BROKEN if families == ["IPv6"] else Verdict.DEGRADED)
