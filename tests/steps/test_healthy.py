"""Services that are well, however odd they look: none may be called ill."""

from datetime import timedelta

import pytest

from svcdoctor.model.diagnosis import Severity, Verdict
from tests.build import MIRROR, NOW, Cluster, ago, container, http_probe
from tests.states import dual, ended, failing_probe, leaving, refused, restarted, unscheduled, young

from .judging import explain, names, well

WEB = {"app": "web"}
HTTP = container("app", "http:8080", readinessProbe=http_probe("http"))


def cluster(*ports: str, selector=WEB, **service) -> Cluster:
    made = Cluster()
    made.service("web", selector, *(ports or ("http 80>http",)), **service)
    return made


def healthy(made: Cluster, **more) -> None:
    well(made.diagnose("web", **more))


@pytest.mark.parametrize(
    "app",
    [
        container(),
        container("app", "metrics:9090"),
        container("app", "metrics:9090", args=["--listen=:8080"]),
        container("app", "9090", env=[{"name": "PORT", "value": "8080"}]),
        container("app", "http-metrics:9102", readinessProbe=http_probe("http-metrics", "/metrics")),
        container("app", "metrics:9090", readinessProbe=http_probe(8080)),
        container("app", "http:8080", "admin:9000", image="registry.example/other:2"),
    ],
)
def test_a_numeric_target_port_needs_no_container_port(app):
    made = cluster("80>8080")
    made.deployment("web", WEB, app)
    diagnosis = made.diagnose("web")
    assert not names(diagnosis, Severity.ERROR), explain(diagnosis)
    assert diagnosis.verdict is Verdict.HEALTHY, explain(diagnosis)


def test_a_port_of_a_native_sidecar():
    made = cluster("http 80>proxy")
    proxy = container("envoy", "proxy:15006", restartPolicy="Always")
    made.deployment("web", WEB, container("app"), initContainers=[proxy])
    healthy(made)


def test_a_number_that_only_a_native_sidecar_declares():
    made = cluster("80>15006")
    proxy = container("envoy", "proxy:15006", restartPolicy="Always")
    made.deployment("web", WEB, container("app", "http:8080", readinessProbe=http_probe(8080)), initContainers=[proxy])
    healthy(made)


def test_pods_on_the_host_network():
    made = cluster()
    made.workload("DaemonSet", "web", WEB, container("app", "http:80"), hostNetwork=True)
    healthy(made)


def test_a_daemonset_behind_a_node_port_with_local_traffic():
    made = cluster("80>8080", type="NodePort", externalTrafficPolicy="Local", internalTrafficPolicy="Local")
    made.workload("DaemonSet", "web", WEB, HTTP)
    healthy(made)


@pytest.mark.parametrize("published", [True, False])
def test_a_headless_stateful_set(published):
    made = cluster("peer 5432>5432", clusterIP="None", publishNotReadyAddresses=published)
    db = container("db", "peer:5432", readinessProbe={"exec": {"command": ["pg_isready"]}, "periodSeconds": 10})
    made.workload("StatefulSet", "web", WEB, db, replicas=3)
    healthy(made)


def test_peers_that_find_each_other_before_they_are_ready():
    made = cluster("2380", clusterIP="None", publishNotReadyAddresses=True)
    made.workload("StatefulSet", "web", WEB, container("etcd", "2380"), replicas=3, state=[young(3, name="etcd")])
    diagnosis = made.diagnose("web")
    assert not names(diagnosis, Severity.ERROR), explain(diagnosis)
    assert diagnosis.verdict is Verdict.HEALTHY, explain(diagnosis)


def test_a_headless_service_without_ports():
    made = Cluster()
    made.service("web", WEB, clusterIP="None", ports=None)
    made.workload("StatefulSet", "web", WEB, HTTP)
    healthy(made)


def test_an_external_name():
    made = Cluster()
    made.service("web", None, type="ExternalName", externalName="db.example.com")
    healthy(made)


def test_an_external_name_beside_a_forgotten_selector():
    made = Cluster()
    made.service("web", None, type="ExternalName", externalName="db.example.com")["spec"]["selector"] = WEB
    healthy(made)


@pytest.mark.parametrize("managed_by", [None, "manual", "staff.example"])
def test_a_slice_by_hand(managed_by):
    made = Cluster()
    made.service("web", None, "443")
    port = {"name": "", "port": 8443, "protocol": "TCP"}
    made.slice("web-1", "web", ["192.0.2.10", "192.0.2.11"], port, managed_by=managed_by)
    healthy(made)


def test_a_slice_by_hand_whose_port_has_neither_name_nor_protocol():
    made = Cluster()
    made.service("web", None, "443")
    made.slice("web-1", "web", ["192.0.2.10", "192.0.2.11"], {"name": None, "port": 8443, "protocol": None})
    healthy(made)


def test_mirrored_endpoints():
    made = Cluster()
    made.service("web", None, "http 80>8080")
    subset = {"addresses": [{"ip": "192.0.2.10"}, {"ip": "192.0.2.11"}], "ports": [{"name": "http", "port": 8080}]}
    made.add("endpoints", "web", {"subsets": [subset]})
    port = {"name": "http", "port": 8080, "protocol": "TCP"}
    made.slice("web-m", "web", ["192.0.2.10", "192.0.2.11"], port, managed_by=MIRROR)
    healthy(made)


def test_the_api_servers_own_service():
    made = Cluster("default")
    made.service("kubernetes", None, "https 443>6443")
    endpoint = {"addresses": ["172.30.0.10"], "conditions": {"ready": True}}
    made.slice("kubernetes", "kubernetes", [endpoint, {**endpoint, "addresses": ["172.30.0.9"]}],
               {"name": "https", "port": 6443, "protocol": "TCP"})  # fmt: skip
    well(made.diagnose("kubernetes"))


def test_a_rollout_under_way():
    made = cluster()
    made.deployment("web", WEB, HTTP, replicas=3, state=[None, None, young(4)])
    old = made.objects["pods"][0]
    leaving(5)(made, old)
    diagnosis = made.diagnose("web")
    assert not names(diagnosis, Severity.ERROR), explain(diagnosis)
    assert diagnosis.verdict is not Verdict.BROKEN


def test_a_surge_pod_starts():
    made = cluster()
    made.deployment("web", WEB, HTTP, replicas=3, state=[None, None, young(4)])
    healthy(made)


def test_a_surge_pod_that_has_a_node_but_no_address_yet():
    made = cluster()
    pods = made.deployment("web", WEB, HTTP, replicas=3, state=[None, None, young(2)])
    status = {"name": "app", "image": "x", "ready": False, "state": {"waiting": {"reason": "ContainerCreating"}}}
    pods[2]["status"] |= {"podIP": "", "podIPs": [], "phase": "Pending", "containerStatuses": [status]}
    healthy(made)


def test_a_canary():
    made = cluster("http 80>8080")
    made.deployment("web", WEB, HTTP, template={"track": "stable"}, replicas=3)
    canary = container("app", "http:8080", image="registry.example/app:2", readinessProbe=http_probe(8080))
    made.deployment("web-canary", {"app": "web", "track": "canary"}, canary, replicas=1)
    healthy(made)


def test_a_canary_that_declares_nothing():
    made = cluster("http 80>8080")
    made.deployment("web", WEB, HTTP, template={"track": "stable"}, replicas=3)
    made.deployment("web-canary", {"app": "web", "track": "canary"}, container(image="registry.example/app:2"))
    healthy(made)


def test_two_workloads_share_a_service_by_named_ports():
    made = cluster("api 80>api", "admin 81>admin")
    made.deployment("api", {"app": "web", "part": "api"}, container("app", "api:8080"))
    made.deployment("admin", {"app": "web", "part": "admin"}, container("app", "admin:9000"))
    healthy(made)


def test_a_finished_job_beside_live_pods():
    made = cluster()
    made.deployment("web", WEB, HTTP)
    made.workload("Job", "web-migrate", WEB, container("migrate"), replicas=2, state=ended(), restartPolicy="Never")
    healthy(made)


def test_a_running_job_of_the_same_labels_that_declares_no_port():
    made = cluster("80>8080")
    made.deployment("web", WEB, HTTP)
    made.workload("Job", "web-migrate", WEB, container("migrate"), replicas=1, restartPolicy="Never")
    healthy(made)


def test_a_single_replica():
    made = cluster()
    made.deployment("web", WEB, HTTP, replicas=1)
    healthy(made)


def test_a_bare_pod():
    made = cluster()
    made.pod("web", WEB, HTTP)
    healthy(made)


def test_pods_that_restarted_a_day_ago():
    made = cluster()
    made.deployment("web", WEB, HTTP, created=400000, state=restarted(86400, 14))
    healthy(made)


def test_unhealthy_events_from_before_readiness():
    made = cluster()
    pods = made.deployment("web", WEB, HTTP, created=1800)
    for pod in pods:
        refusal = "dial tcp 10.244.1.9:8080: connect: connection refused"
        made.event("Pod", pod, "Unhealthy", f'Readiness probe failed: Get "http://x": {refusal}', seen=1799, count=9)
    healthy(made)


def test_some_probe_time_outs_long_ago():
    made = cluster()
    for pod in made.deployment("web", WEB, HTTP, created=90000):
        said = 'Readiness probe failed: Get "http://x": context deadline exceeded'
        made.event("Pod", pod, "Unhealthy", said, seen=3300, count=4)
    diagnosis = made.diagnose("web")
    assert not names(diagnosis, Severity.ERROR), explain(diagnosis)
    assert diagnosis.verdict is Verdict.HEALTHY


@pytest.mark.parametrize("skew", [timedelta(minutes=-10), timedelta(hours=3), timedelta(hours=-3)])
def test_a_clock_that_is_wrong(skew):
    made = cluster()
    made.deployment("web", WEB, HTTP)
    made.now = NOW + skew
    healthy(made)


def test_udp_and_tcp_twins():
    made = cluster("dns 53/UDP>53", "dns-tcp 53>53", "metrics 9153>9153")
    ports = ("dns:53/UDP", "dns-tcp:53/TCP", "metrics:9153")
    dns = container("coredns", *ports, readinessProbe=http_probe(8181, "/ready"))
    made.deployment("coredns", WEB, dns)
    healthy(made)


def test_a_tcp_twin_that_nobody_declares():
    made = cluster("dns 53/UDP>5353", "dns-tcp 53>5353")
    made.deployment("resolver", WEB, container("app", "dns:5353/UDP"))
    healthy(made)


@pytest.mark.parametrize(
    ("families", "policy"),
    [(["IPv4", "IPv6"], "RequireDualStack"), (["IPv6"], "SingleStack"), (["IPv4", "IPv6"], "PreferDualStack")],
)
def test_dual_stack(families, policy):
    made = cluster(ipFamilies=families, ipFamilyPolicy=policy)
    made.deployment("web", WEB, HTTP, state=dual)
    healthy(made)


def test_a_paused_deployment():
    made = cluster()
    made.deployment("web", WEB, HTTP)
    made.objects["deployments"][0]["spec"]["paused"] = True
    healthy(made)


def test_no_events():
    made = cluster()
    made.deployment("web", WEB, HTTP)
    made.forbid("events")
    healthy(made)


def test_nodes_forbidden():
    made = cluster()
    made.deployment("web", WEB, HTTP)
    made.forbid("nodes", "namespaces")
    healthy(made)


@pytest.mark.parametrize("native", [True, False])
def test_an_injected_sidecar(native):
    made = cluster("http 80>8080")
    probe = http_probe(15020, "/app-health/app/readyz")
    app = container("app", "http:8080", readinessProbe=probe)
    proxy = container("istio-proxy", "http-envoy-prom:15090", readinessProbe=http_probe(15021, "/healthz/ready"))
    if native:
        made.deployment("web", WEB, app, initContainers=[container("istio-init"), {**proxy, "restartPolicy": "Always"}])
    else:
        made.deployment("web", WEB, app, proxy, initContainers=[container("istio-init")])
    healthy(made)


def test_a_server_on_loopback_behind_a_proxy():
    made = cluster("http 80>8443")
    app = container("app", args=["--listen-address=127.0.0.1:8080"])
    proxy = container("oauth2-proxy", "https:8443", args=["--upstream=http://127.0.0.1:8080"])
    made.deployment("web", WEB, app, proxy)
    healthy(made)


def test_a_service_made_just_now():
    made = cluster(created=2)
    made.deployment("web", WEB, HTTP)
    made.slices_follow = False
    diagnosis = made.diagnose("web")
    assert not names(diagnosis, Severity.ERROR), explain(diagnosis)


def test_a_pod_that_just_became_ready_and_is_in_no_slice_yet():
    made = cluster()
    made.deployment("web", WEB, HTTP)
    made.follow()
    late = made.pod("web-late", WEB, HTTP, created=40)
    for condition in late["status"]["conditions"]:
        condition["lastTransitionTime"] = ago(2)
    healthy(made)


def test_slices_of_a_multi_cluster_controller_beside_the_controllers():
    made = cluster()
    made.deployment("web", WEB, HTTP)
    port = {"name": "http", "port": 8080, "protocol": "TCP"}
    remote = made.slice("imported-web", "web", ["10.60.1.9"], port, managed_by="lighthouse-agent.submariner.io")
    remote["metadata"]["labels"]["multicluster.kubernetes.io/source-cluster"] = "east"
    diagnosis = made.diagnose("web")
    assert not names(diagnosis, Severity.ERROR), explain(diagnosis)
    assert diagnosis.verdict is Verdict.HEALTHY


def test_windows_pods():
    made = cluster("80>80")
    made.deployment("web", WEB, container("iis"), nodeSelector={"kubernetes.io/os": "windows"})
    healthy(made)


def test_a_pod_of_unknown_phase_beside_live_ones():
    made = cluster()
    pods = made.deployment("web", WEB, HTTP, replicas=3)
    pods[0]["status"]["phase"] = "Unknown"
    healthy(made)


def test_no_readiness_probe():
    made = cluster()
    made.deployment("web", WEB, container("app", "http:8080"))
    healthy(made)


def test_nulls_where_lists_could_be():
    made = cluster("80>8080")
    for pod in made.deployment("web", WEB, container()):
        pod["spec"]["containers"][0] |= {"ports": None, "command": None, "args": None}
        pod["metadata"] |= {"annotations": None}
        pod["spec"]["initContainers"] = None
    healthy(made)


def test_a_debug_container_and_a_port_of_another_protocol_beside():
    made = cluster("http 80>8080")
    made.deployment("web", WEB, container("app", "http:8080", "quic:8080/UDP"))
    healthy(made)


def test_target_port_left_out_and_named_after_the_service_port():
    made = cluster("8080")
    made.deployment("web", WEB, container("app", "web:8080"))
    healthy(made)


def test_other_services_that_are_ill_are_not_ours():
    made = cluster()
    made.deployment("web", WEB, HTTP)
    made.deployment("api", {"app": "api"}, HTTP, state=refused(8080))
    made.deployment("queue", {"app": "queue"}, HTTP, state=unscheduled())
    made.service("api", {"app": "aip"}, "80>8080")
    healthy(made)


def test_an_app_that_flaps_elsewhere_in_its_namespace_by_name():
    made = cluster()
    made.deployment("web", WEB, HTTP)
    made.deployment("web-worker", {"app": "web-worker"}, HTTP, state=failing_probe(None))
    healthy(made)


def test_a_deployment_being_rolled_back_leaves_an_empty_replica_set():
    made = cluster()
    made.deployment("web", WEB, HTTP)
    made.deployment("web-old", {"app": "web", "rev": "1"}, HTTP, replicas=0)
    healthy(made)


def test_a_git_ops_service_that_spells_everything_out():
    made = cluster(
        "http 80>http", "grpc 9000>grpc", "metrics 9100>metrics",
        selector={"app.kubernetes.io/name": "web", "app.kubernetes.io/instance": "web-prod"},
        sessionAffinity="ClientIP", annotations={"argocd.argoproj.io/sync-wave": "2"},
    )  # fmt: skip
    labels = {"app.kubernetes.io/name": "web", "app.kubernetes.io/instance": "web-prod"}
    app = container("app", "http:8080", "grpc:9000", "metrics:9100", readinessProbe=http_probe("http"))
    made.deployment("web", labels, app, template={"app.kubernetes.io/version": "1.2"})
    healthy(made)


@pytest.mark.parametrize("port", ["metrics 9102>9102", "grpc 9000>9000"])
def test_a_second_service_for_a_port_that_nobody_declares(port):
    made = cluster(port)
    app = container("app", "http:8080", args=["--port=8080"], readinessProbe=http_probe(8080))
    made.deployment("web", WEB, app)
    healthy(made)


@pytest.mark.parametrize("port", ["https 443>8443", "443>8443", "80>9000"])
@pytest.mark.parametrize("probed", [True, False])
def test_a_port_that_is_only_not_declared_is_no_error(port, probed):
    made = cluster(port)
    app = container("app", "http:8080", readinessProbe=http_probe(8080) if probed else None)
    made.deployment("web", WEB, app)
    diagnosis = made.diagnose("web")
    assert not names(diagnosis, Severity.ERROR), explain(diagnosis)


def test_udp_behind_a_container_port_that_was_left_at_tcp():
    made = cluster("dns 53/UDP>53")
    made.deployment("web", WEB, container("app", "dns:53"))
    diagnosis = made.diagnose("web")
    assert not names(diagnosis, Severity.ERROR), explain(diagnosis)


@pytest.mark.parametrize(
    ("port", "declared"), [("peer 7000>peer", "http:8080"), ("gossip 7946/UDP>7946", "7946"), ("8080>80", "http:8080")]
)
def test_clients_of_a_headless_service_need_no_target_port(port, declared):
    made = cluster(port, clusterIP="None")
    made.workload("StatefulSet", "web", WEB, container("app", declared))
    diagnosis = made.diagnose("web")
    assert not names(diagnosis, Severity.ERROR), explain(diagnosis)
    assert diagnosis.verdict is Verdict.HEALTHY


def test_a_headless_service_by_hand_whose_slice_names_its_port_otherwise():
    made = Cluster()
    made.service("web", None, "http 80", clusterIP="None")
    made.slice("web-1", "web", ["192.0.2.1", "192.0.2.2"], {"name": "x", "port": 80, "protocol": "TCP"})
    healthy(made)


def test_the_old_pods_serve_until_the_new_ones_do():
    made = cluster()
    made.deployment("web", WEB, HTTP, state=[leaving(3), young(3)])
    diagnosis = made.diagnose("web")
    assert not names(diagnosis, Severity.ERROR), explain(diagnosis)


@pytest.mark.parametrize(
    "args", [["--port=8080", "--host=localhost-db"], ["--http-port=8080", "--pprof-addr=127.0.0.1"],
             ["--port=8080", "--redis-addr=127.0.0.1:6379"]],
)  # fmt: skip
def test_loopback_addresses_of_others(args):
    made = cluster("http 80>8080")
    made.deployment("web", WEB, container("app", "http:8080", args=args), container("redis", "6379"))
    healthy(made)


def test_evicted_pods_and_failed_jobs_beside_live_pods():
    made = cluster()
    made.deployment("web", WEB, HTTP)
    made.deployment("web-former", WEB, HTTP, state=ended("Failed", "Evicted"))
    made.workload("Job", "migrate", WEB, container("m"), state=ended("Failed"), restartPolicy="Never")
    healthy(made)


def test_one_failed_liveness_probe():
    made = cluster()
    pod = made.deployment("web", WEB, HTTP)[0]
    made.event("Pod", pod, "Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 500", count=1)
    healthy(made)


def test_a_node_that_is_silent_while_its_pods_are_still_ready():
    made = cluster()
    made.deployment("web", WEB, HTTP)
    made.node("node2", ready="Unknown", reason="NodeStatusUnknown")
    assert not names(made.diagnose("web"), Severity.ERROR)
