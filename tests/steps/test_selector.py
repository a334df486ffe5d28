"""Near misses: what a selector that matches no pod was meant to say, and what it was not."""

import json

import pytest

from tests.build import Cluster, container, http_probe
from tests.states import refused

from .judging import blamed, explain

HTTP = container("app", "http:8080", readinessProbe=http_probe("http"))
NAME, INSTANCE, COMPONENT = "app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/component"

MANAGED = "app.kubernetes.io/managed-by"

TYPO, EXTRA, NONE = "selector-typo", "selector-extra-key", "selector-no-match"

PAIRS = [
    # a letter, the case, a swap, a plural, a separator
    ({"app": "invocie"}, {"app": "invoice"}, TYPO),
    ({"app": "paymets"}, {"app": "payments"}, TYPO),
    ({"app": "Web"}, {"app": "web"}, TYPO),
    ({"app": "web-frontend"}, {"app": "web-fronted"}, TYPO),
    ({"app": "order"}, {"app": "orders"}, TYPO),
    ({"app": "order_service"}, {"app": "order-service"}, TYPO),
    ({"app": "orderservice"}, {"app": "order-service"}, TYPO),
    ({"app": "chekcout", "tier": "web"}, {"app": "checkout", "tier": "web"}, TYPO),
    ({"app": "checkout", "tier": "bakend"}, {"app": "checkout", "tier": "backend"}, TYPO),
    # the key
    ({"appp": "catalog"}, {"app": "catalog"}, TYPO),
    ({"App": "catalog"}, {"app": "catalog"}, TYPO),
    ({"app": "catalog"}, {NAME: "catalog"}, TYPO),
    ({NAME: "catalog"}, {"app": "catalog"}, TYPO),
    ({"name": "catalog"}, {"app": "catalog"}, TYPO),
    ({"k8s-app": "catalog"}, {"app": "catalog"}, TYPO),
    ({"app.kubernetes.io/nam": "catalog"}, {NAME: "catalog"}, TYPO),
    ({"app.kubernetes.io.name": "catalog"}, {NAME: "catalog"}, TYPO),
    ({"run": "catalog"}, {"app": "catalog", "track": "stable"}, TYPO),
    # a prefix or suffix
    ({"app": "catalog"}, {"app": "catalog-api"}, TYPO),
    ({"app": "catalog-service"}, {"app": "catalog"}, TYPO),
    ({"app": "catalog-svc"}, {"app": "catalog", "team": "x"}, TYPO),
    # one pair too many, or another version
    ({"app": "search", "version": "v2"}, {"app": "search", "version": "v1"}, EXTRA),
    ({"app": "search", "version": "2.4.1"}, {"app": "search", "version": "2.4.0"}, EXTRA),
    ({"app": "search", "track": "canary"}, {"app": "search", "track": "stable"}, EXTRA),
    ({"app": "search", "env": "prod"}, {"app": "search", "env": "staging"}, EXTRA),
    ({"app": "search", "env": "prod"}, {"app": "search"}, EXTRA),
    ({"app": "search", "tier": "frontend"}, {"app": "search"}, EXTRA),
    ({NAME: "search", INSTANCE: "search-prod"}, {NAME: "search", INSTANCE: "search-staging"}, EXTRA),
    ({NAME: "search", INSTANCE: "release-a"}, {NAME: "search", INSTANCE: "mercury"}, EXTRA),
    ({NAME: "search", INSTANCE: "s1", COMPONENT: "query"}, {NAME: "search", INSTANCE: "s1"}, EXTRA),
    ({"app": "search", "pod-template-hash": "5d4f8c7b9"}, {"app": "search"}, EXTRA),
    # both a key and a value
    ({"app": "serach", "version": "v1"}, {"app": "search", "version": "v1"}, TYPO),
    ({NAME: "serach", INSTANCE: "prod"}, {NAME: "search", INSTANCE: "prod"}, TYPO),
    # strangers
    ({"app": "billing"}, {"app": "search"}, NONE),
    ({"app": "billing", "env": "prod"}, {"app": "search", "env": "prod"}, NONE),
    ({"app": "billing", "team": "x"}, {"app": "search", "team": "x"}, NONE),
    ({NAME: "billing", MANAGED: "Helm"}, {NAME: "search", MANAGED: "Helm"}, NONE),
    ({"app": "api"}, {"app": "app"}, NONE),
    ({"app": "db"}, {"app": "ab"}, NONE),
    ({"app": "user"}, {"app": "api"}, NONE),
    ({"app": "checkout", "env": "prod"}, {"name": "mailer", "env": "prod", "team": "a"}, NONE),
]  # fmt: skip


@pytest.mark.parametrize(("selector", "labels", "name"), PAIRS, ids=lambda v: v if isinstance(v, str) else None)
def test_what_separates_a_selector_from_pods(selector, labels, name):
    made = Cluster("trade")
    made.service("front", selector, "http 80>http")
    made.deployment("worker", labels, HTTP, replicas=3)
    made.deployment("redis", {"app": "redis", "env": "prod", "team": "x"}, container("redis", "6379"))
    finding = blamed(made.diagnose("front", everywhere=True), name)
    if name != NONE:
        assert "worker" in finding.summary
        _patch_matches(made, finding, labels)


def _patch_matches(made: Cluster, finding, labels) -> None:
    """The patch of the fix, merged into the Service's selector (RFC 7386), matches the pods it names."""
    change = json.loads(finding.fix.patch)["spec"]["selector"]
    merged = {**made.objects["services"][0]["spec"]["selector"], **change}
    merged = {key: value for key, value in merged.items() if value is not None}
    matched = [
        pod for pod in made.objects["pods"] if all(pod["metadata"]["labels"].get(k) == v for k, v in merged.items())
    ]
    assert merged
    assert [pod["metadata"]["name"].split("-")[0] for pod in matched] == ["worker"] * 3
    for pod in matched:
        assert f"{pod['status']['podIP']}:8080" in finding.fix.text


def test_the_nearer_of_several_candidates_is_named():
    made = Cluster()
    made.service("pay", {"app": "paymnt"}, "80>http")
    made.deployment("payment", {"app": "payment"}, HTTP)
    made.deployment("payment-worker", {"app": "payment-worker"}, HTTP)
    made.deployment("paint", {"app": "paint"}, HTTP)
    finding = blamed(made.diagnose("pay"), TYPO)
    assert "Deployment payment," in finding.summary


def test_of_two_equally_near_ones_the_service_name_decides():
    made = Cluster()
    made.service("cartb", {"app": "cartx-long"}, "80>http")
    made.deployment("carta", {"app": "carta-long"}, HTTP)
    made.deployment("cartb", {"app": "cartb-long"}, HTTP)
    finding = blamed(made.diagnose("cartb"), TYPO)
    assert "Deployment cartb," in finding.summary
    assert any("carta" in evidence.fact for evidence in finding.evidence)


def test_a_value_of_digits_only():
    made = Cluster()
    made.service("shard", {"app": "shard", "shard": "12"}, "80>http")
    for shard in ("1", "2"):
        labels = {"app": "shard", "shard": shard}
        made.workload("StatefulSet", f"shard-{shard}", labels, HTTP)
    blamed(made.diagnose("shard"), EXTRA)


def test_shards_are_not_each_others_typos():
    made = Cluster()
    made.service("queue-3", {"app": "queue-3"}, "80>http")
    made.deployment("queue-1", {"app": "queue-1", "x": "y"}, HTTP)
    made.deployment("queue-3", {"app": "queue-3"}, HTTP, replicas=0)
    blamed(made.diagnose("queue-3"), "scaled-to-zero")


def test_misspelt_and_scaled_to_zero():
    made = Cluster()
    made.service("invoice", {"app": "invocie"}, "80>http")
    made.deployment("invoice", {"app": "invoice"}, HTTP, replicas=0)
    finding = blamed(made.diagnose("invoice"), TYPO)
    assert "no pod" in str(finding.evidence) or "0" in finding.fix.text


def test_misspelt_and_its_pods_not_ready():
    made = Cluster()
    made.service("invoice", {"app": "invocie"}, "80>http")
    made.deployment("invoice", {"app": "invoice"}, HTTP, state=refused(8080))
    blamed(made.diagnose("invoice"), TYPO)


def test_bare_pods_count_too():
    made = Cluster()
    made.service("invoice", {"app": "invocie"}, "80>http")
    made.pod("invoice-a", {"app": "invoice"}, HTTP)
    made.pod("invoice-b", {"app": "invoice"}, HTTP)
    finding = blamed(made.diagnose("invoice"), TYPO)
    assert "kubectl" in (finding.fix.alternatives[0].command or "")


def test_a_rollout_changed_the_pods_labels():
    made = Cluster()
    made.service("search", {"app": "search", "release": "2025.1"}, "80>http")
    made.deployment("search", {"app": "search"}, HTTP, template={"release": "2025.2"})
    finding = blamed(made.diagnose("search"), EXTRA)
    assert "release=2025.2" in finding.fix.text


@pytest.mark.parametrize("namesake", [True, False])
def test_pods_in_another_namespace(namesake):
    made = Cluster("front")
    made.service("site", {"app": "site"}, "80>http")
    made.deployment("site" if namesake else "landing", {"app": "site"}, HTTP, namespace="website")
    made.deployment("client", {"app": "client"}, container("curl"))
    finding = blamed(made.diagnose("site", everywhere=True), "selector-other-ns")
    assert "website" in finding.summary


def test_pods_in_another_namespace_of_a_helm_release():
    made = Cluster("front")
    labels = {NAME: "site", INSTANCE: "site-prod"}
    made.service("site", labels, "80>http")
    made.workload("StatefulSet", "site", labels, HTTP, namespace="prod")
    made.deployment("other", {NAME: "other", INSTANCE: "site-prod"}, HTTP)
    blamed(made.diagnose("site", everywhere=True), "selector-other-ns")


def test_a_near_miss_at_home_beats_a_match_elsewhere():
    made = Cluster("front")
    made.service("site", {"app": "site", "tier": "web"}, "80>http")
    made.deployment("site", {"app": "site", "tier": "wbe"}, HTTP)
    made.deployment("site", {"app": "site", "tier": "web"}, HTTP, namespace="other")
    diagnosis = made.diagnose("site", everywhere=True)
    assert diagnosis.root in (TYPO, "selector-other-ns"), explain(diagnosis)


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet"])
def test_other_workloads_miss_as_well(kind):
    made = Cluster()
    made.service("logs", {NAME: "log-colector"}, "80>http")
    made.workload(kind, "log-collector", {NAME: "log-collector"}, HTTP)
    finding = blamed(made.diagnose("logs"), TYPO)
    assert kind in finding.summary


def test_an_empty_namespace():
    made = Cluster()
    made.service("web", {"app": "web"}, "80")
    blamed(made.diagnose("web", everywhere=True), NONE)


# --------------------------------------------------------------------------------------------------------- switch-empty


def test_a_switch_to_a_side_that_has_no_pods():
    made = Cluster()
    made.service("web", {"app": "web", "color": "green"}, "80>http")
    made.deployment("web-blue", {"app": "web", "color": "blue"}, HTTP)
    made.deployment("web-green", {"app": "web", "color": "green"}, HTTP, replicas=0)
    blamed(made.diagnose("web"), "switch-empty")


def test_a_side_that_was_scaled_down_was_not_switched_to():
    made = Cluster()
    made.service("web", {"app": "web", "color": "green"}, "80>http")
    made.deployment("web-blue", {"app": "web", "color": "blue"}, HTTP)
    made.deployment("web-green", {"app": "web", "color": "green"}, HTTP, replicas=0)
    said = "Scaled down replica set web-green-5d8 from 2 to 0"
    made.event("Deployment", made.objects["deployments"][1], "ScalingReplicaSet", said)
    blamed(made.diagnose("web"), "scaled-to-zero")


def test_scaled_to_zero_beside_another_tier_of_the_application():
    made = Cluster()
    made.service("api", {"app": "shop", "tier": "api"}, "80>http")
    made.deployment("web", {"app": "shop", "tier": "web"}, HTTP)
    made.deployment("api", {"app": "shop", "tier": "api"}, HTTP, replicas=0)
    blamed(made.diagnose("api"), "scaled-to-zero")


def test_a_version_that_nobody_has_is_no_switch():
    applied = json.dumps({"spec": {"selector": {"app": "web", "version": "v1"}}})
    made = Cluster()
    annotations = {"kubectl.kubernetes.io/last-applied-configuration": applied}
    made.service("web", {"app": "web", "version": "v2"}, "80>http", annotations=annotations)
    made.deployment("web", {"app": "web", "version": "v1"}, HTTP)
    made.follow()
    made.objects["endpointslices"][0]["metadata"]["generation"] = 4
    blamed(made.diagnose("web"), EXTRA)


def test_a_switch_seen_in_the_last_applied_manifest():
    applied = json.dumps({"spec": {"selector": {"app": "web", "slot": "a"}}})
    made = Cluster()
    annotations = {"kubectl.kubernetes.io/last-applied-configuration": applied}
    made.service("web", {"app": "web", "slot": "b"}, "80>http", annotations=annotations)
    made.deployment("web-a", {"app": "web", "slot": "a"}, HTTP)
    made.deployment("web-b", {"app": "web", "slot": "b"}, HTTP, replicas=0)
    blamed(made.diagnose("web"), "switch-empty")


def test_a_switch_to_a_side_that_is_not_ready():
    made = Cluster()
    made.service("web", {"app": "web", "version": "v2"}, "80>http")
    made.deployment("web-v1", {"app": "web", "version": "v1"}, HTTP)
    made.deployment("web-v2", {"app": "web", "version": "v2"}, HTTP, state=refused(8080))
    diagnosis = made.diagnose("web")
    assert diagnosis.root in ("switch-empty", "probe-failing"), explain(diagnosis)
    blamed(diagnosis, diagnosis.root)


@pytest.mark.parametrize(("workload", "root"), [("web", EXTRA), ("checkout", "selector-no-match")])
def test_the_workload_of_the_services_name_may_be_meant(workload, root):
    """A selector copied from elsewhere: only a shared label matches, but one workload bears the Service's name."""
    made = Cluster()
    made.service("web", {"app": "zebra", "env": "prod"}, "80>http")
    made.deployment(workload, {"app": "front", "env": "prod"}, HTTP)
    made.deployment("cart", {"app": "cart", "env": "prod"}, HTTP)
    blamed(made.diagnose("web"), root)
