"""What is asked for one Service: no more than it needs, and what happens when a part is refused."""

import json

import pytest
from msgspec import structs

from svcdoctor import archive
from svcdoctor.collect.api import Api
from svcdoctor.collect.gather import gather
from svcdoctor.collect.kubeconfig import Options, load
from svcdoctor.collect.timeouts import Timeouts
from svcdoctor.diagnose import diagnose
from svcdoctor.errors import CouldNotLook
from svcdoctor.model.case import Case
from svcdoctor.model.diagnosis import Status, Subject, Target, Verdict
from tests import replay as says
from tests.collect.conftest import CASES, Cluster


def ask(cluster: Cluster, namespace: str, name: str, client: Subject | None = None):
    """The snapshot that gathering gives, and the diagnosis of it."""
    cluster.write()
    api = Api(load(Options(kubeconfig=cluster.path), {}), Timeouts(5, 5), None, lambda seconds: None)
    target = Target(namespace, name, client=client)
    try:
        gathered = gather(api, target)
    finally:
        api.close()
    return gathered, diagnose(Case(gathered.snapshot, target))


def asked(cluster: Cluster) -> list[str]:
    return sorted(f"{path}?{query}".rstrip("?") for path, query in cluster.replay.requests)


def usual(namespace: str, name: str) -> list[str]:
    apps = f"apis/apps/v1/namespaces/{namespace}"
    core = f"api/v1/namespaces/{namespace}"
    return [
        f"{core}/endpoints/{name}",
        f"{core}/events?limit=500",
        f"{core}/pods?limit=500",
        f"{core}/services/{name}",
        "api/v1/nodes?limit=500",
        f"{apps}/daemonsets?limit=500",
        f"{apps}/deployments?limit=500",
        f"{apps}/replicasets?limit=500",
        f"{apps}/statefulsets?limit=500",
        f"apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
        f"?limit=500&labelSelector=kubernetes.io/service-name={name}",
    ]


NAME_SERVERS = [
    "api/v1/namespaces/kube-system/configmaps/coredns",
    "api/v1/namespaces/kube-system/pods/coredns-647fc49cf7-5lj57/log?container=coredns&tailLines=200&limitBytes=65536",
    "api/v1/namespaces/kube-system/pods/coredns-647fc49cf7-mlks8/log?container=coredns&tailLines=200&limitBytes=65536",
    "api/v1/namespaces/kube-system/pods?limit=500&labelSelector=k8s-app=kube-dns",
    "api/v1/namespaces/kube-system/services/kube-dns",
    "apis/apps/v1/namespaces/kube-system/daemonsets/node-local-dns",
    "apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices"
    "?limit=500&labelSelector=kubernetes.io/service-name=kube-dns",
]


def policies(*namespaces: str) -> list[str]:
    return [
        "apis",
        *(f"api/v1/namespaces/{namespace}" for namespace in namespaces),
        *(f"apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies?limit=500" for namespace in namespaces),
        "apis/policy.networking.k8s.io/v1alpha1/adminnetworkpolicies?limit=500",
        "apis/policy.networking.k8s.io/v1alpha1/baselineadminnetworkpolicies?limit=500",
        "apis/policy.networking.k8s.io/v1alpha2/clusternetworkpolicies?limit=500",
    ]


def whole(namespace: str, name: str, node: str = "node2") -> list[str]:
    """All requests for a Service in whose cluster nothing is out of the ordinary."""
    kubelet = f"api/v1/nodes/{node}/proxy/configz"
    return sorted([*usual(namespace, name), *NAME_SERVERS, kubelet, *policies(namespace, "kube-system")])


def test_a_usual_service_costs_26_requests(serve):
    cluster = serve("iptables-healthy")
    _, diagnosis = ask(cluster, "shop", "web")
    assert diagnosis.verdict is Verdict.HEALTHY
    assert asked(cluster) == whole("shop", "web")


def pod(number: int, namespace: str, app: str) -> says.Json:
    return {
        "metadata": {"name": f"{app}-{number}", "namespace": namespace, "labels": {"app": app}},
        "spec": {"nodeName": "node1", "containers": [{"name": "app"}]},
        "status": {"phase": "Running", "podIP": f"10.0.{number // 250}.{number % 250}"},
    }


def test_fifty_thousand_pods_elsewhere_cost_nothing(serve):
    cluster = serve("iptables-healthy")
    cluster.replay.lists["pods"] += [pod(number, "other", "noise") for number in range(50_000)]
    ask(cluster, "shop", "web")
    assert asked(cluster) == whole("shop", "web")


def test_a_crowded_namespace_is_asked_by_selector(serve):
    cluster = serve("iptables-healthy")
    cluster.replay.lists["pods"] += [pod(number, "shop", "noise") for number in range(20_000)]
    _, diagnosis = ask(cluster, "shop", "web")
    assert diagnosis.verdict is Verdict.HEALTHY
    by_selector = "api/v1/namespaces/shop/pods?limit=500&labelSelector=app=web"
    assert asked(cluster) == sorted([*whole("shop", "web"), by_selector])


def test_a_crowded_namespace_is_read_whole_where_the_selector_matches_nobody(serve):
    cluster = serve("iptables-selector-typo")
    cluster.replay.lists["pods"] += [pod(number, "billing", "noise") for number in range(3_000)]
    _, diagnosis = ask(cluster, "billing", "invoice")
    assert diagnosis.root == "selector-typo"
    lists = [query for path, query in cluster.replay.requests if path.endswith("billing/pods")]
    assert len(lists) == 1 + 1 + 7  # the first page, the selector, then all 3003


def test_other_namespaces_are_asked_once_where_home_has_nobody(serve):
    cluster = serve("iptables-selector-other-ns")
    _, diagnosis = ask(cluster, "front", "site")
    assert diagnosis.root == "selector-other-ns"
    extra = sorted(set(asked(cluster)) - set(whole("front", "site", "node1")))
    assert extra == ["api/v1/pods?limit=10&labelSelector=app=site,track=stable"]


def test_a_missing_service_is_looked_for(serve):
    cluster = serve("iptables-healthy")
    gathered, diagnosis = ask(cluster, "shop", "wbe")
    assert diagnosis.root == "svc-missing"
    assert "the nearest name is web" in diagnosis.findings[0].summary
    assert gathered.snapshot.services.covers("shop")
    cluster.replay.requests.clear()
    _, diagnosis = ask(cluster, "kube-system", "web")
    assert diagnosis.root == "wrong-namespace"
    assert "api/v1/services?limit=500&fieldSelector=metadata.name=web" in asked(cluster)


def test_a_namespace_that_does_not_exist(serve):
    _, diagnosis = ask(serve("iptables-healthy"), "nope", "nothing")
    assert "namespace nope does not" in diagnosis.findings[0].summary


def test_crashed_containers_have_their_last_words_read(serve):
    cluster = serve("iptables-crashloop")
    for item in cluster.replay.lists["pods"]:
        cluster.replay.logs[item["metadata"]["name"]] = "starting\ncannot open /etc/relay.conf\npassword=swordfish1\n"
    _, diagnosis = ask(cluster, "mail", "relay")
    facts = [evidence.fact for evidence in diagnosis.findings[0].evidence]
    assert "starting | cannot open /etc/relay.conf | password=[redacted]" in facts


def test_a_forbidden_log_is_a_gap(serve):
    cluster = serve("iptables-crashloop")
    cluster.replay.misdeeds.append(
        says.when(lambda handler: "mail/pods/relay" in handler.place and handler.place.endswith("/log"), says.forbid)
    )
    gathered, diagnosis = ask(cluster, "mail", "relay")
    assert diagnosis.root == "crash-loop"
    assert {gap.permission for gap in gathered.snapshot.gaps} == {"get pods/log in namespace mail"}
    assert {gap.permission for outcome in diagnosis.outcomes for gap in outcome.gaps} == {
        "get pods/log in namespace mail"
    }


def test_a_client_elsewhere_is_read_too(serve):
    cluster = serve("iptables-selector-other-ns")
    client = Subject("Pod", "front-canary", "site-cd75b59fd-kgq7k")
    gathered, _ = ask(cluster, "front", "site", client)
    assert gathered.snapshot.pods.get(client.namespace, client.name)


def test_slices_without_their_label_are_found(serve):
    cluster = serve("iptables-slice-portname-mismatch")
    for item in cluster.replay.lists["endpointslices"]:
        if item["metadata"]["namespace"] == "partner":
            item["metadata"]["labels"] = {}
    _, diagnosis = ask(cluster, "partner", "erp")
    assert diagnosis.root == "slice-unlabelled"


# ----------------------------------------------------------------------------------------------------------------- gaps

READS = [
    ("api/v1/namespaces/shop/pods", "list pods in namespace shop"),
    ("api/v1/namespaces/shop/events", "list events in namespace shop"),
    ("api/v1/nodes", "list nodes at the cluster scope"),
    ("apis/apps/v1/namespaces/shop/deployments", "list deployments.apps in namespace shop"),
    (
        "apis/discovery.k8s.io/v1/namespaces/shop/endpointslices",
        "list endpointslices.discovery.k8s.io in namespace shop",
    ),
    ("api/v1/namespaces/shop/services/web", "get services in namespace shop"),
    ("api/v1/namespaces/shop/endpoints/web", "get endpoints in namespace shop"),
]


@pytest.mark.parametrize(("path", "permission"), READS)
def test_a_403_is_a_gap_with_its_permission(serve, path, permission):
    cluster = serve("iptables-healthy")
    cluster.replay.misdeeds.append(says.on(path, says.forbid))
    gathered, diagnosis = ask(cluster, "shop", "web")
    assert [(gap.what, gap.why, gap.permission) for gap in gathered.snapshot.gaps] == [
        (path, "403 Forbidden", permission)
    ]
    assert diagnosis.root is None
    needed = {"pods", "endpointslices", "services"}.intersection(path.split("/"))
    assert (diagnosis.verdict is Verdict.UNKNOWN) is bool(needed)
    if needed:
        told = {gap.permission for outcome in diagnosis.outcomes for gap in outcome.gaps}
        assert told == {permission}


def test_everything_forbidden(serve):
    cluster = serve("iptables-healthy")
    cluster.replay.misdeeds.append(says.on("", says.forbid))
    _, diagnosis = ask(cluster, "shop", "web")
    assert diagnosis.verdict is Verdict.UNKNOWN
    assert {outcome.status for outcome in diagnosis.outcomes} == {Status.UNKNOWN}


@pytest.mark.parametrize(
    ("misdeed", "why"),
    [
        (says.cut_short, "the connection broke while it was answered"),
        (says.garbage(b'{"kind":"PodList","items":[{'), "not valid JSON"),
        (says.garbage(b'{"kind":"PodList","items":[{"spec":7}]}'), "of another shape"),
        (says.garbage(b'{"kind":"SecretList","items":[]}'), "a PodList is expected here"),
        (says.throttle("0", 500), "the server answered 500"),
    ],
)
def test_one_broken_list_leaves_the_others(serve, misdeed, why):
    cluster = serve("iptables-healthy")
    cluster.replay.misdeeds.append(says.on("api/v1/namespaces/shop/pods", misdeed))
    gathered, diagnosis = ask(cluster, "shop", "web")
    (gap,) = gathered.snapshot.gaps
    assert why in gap.why
    assert diagnosis.verdict is Verdict.UNKNOWN
    assert gathered.snapshot.deployments.covers("shop")


def test_a_list_starts_over_when_its_token_expired(serve):
    cluster = serve("iptables-healthy")
    cluster.replay.lists["pods"] += [pod(number, "shop", "noise") for number in range(700)]
    left = [1]

    def expire_once(handler: says.Handler) -> bool:
        if "continue" not in handler.query or not left[0]:
            return False
        left[0] -= 1
        says.expire(handler)
        return True

    cluster.replay.misdeeds.append(expire_once)
    gathered, _ = ask(cluster, "shop", "web")
    assert len(gathered.snapshot.pods.within("shop")) == 704
    assert gathered.snapshot.pods.covers("shop")


def test_a_list_that_always_expires_is_a_gap(serve):
    cluster = serve("iptables-healthy")
    cluster.replay.lists["pods"] += [pod(number, "shop", "noise") for number in range(700)]
    cluster.replay.misdeeds.append(says.when(lambda handler: "continue" in handler.query, says.expire))
    gathered, diagnosis = ask(cluster, "shop", "web")
    assert gathered.snapshot.gaps[0].why == "the list changed faster than it could be read"
    assert diagnosis.verdict is Verdict.UNKNOWN


def test_an_old_server_without_slices(serve):
    cluster = serve("iptables-healthy")
    cluster.replay.misdeeds.append(
        says.when(
            lambda handler: handler.place.startswith("apis/discovery"),
            lambda handler: handler.send(404, "404 page not found"),
        )
    )
    gathered, diagnosis = ask(cluster, "shop", "web")
    assert gathered.snapshot.gaps[0].why == "404 Not Found: this server does not serve it"
    assert diagnosis.verdict is Verdict.UNKNOWN


def test_no_credentials_no_diagnosis(serve):
    cluster = serve("iptables-healthy")
    cluster.user["token"] = "expired"
    with pytest.raises(CouldNotLook, match="does not accept the credentials"):
        ask(cluster, "shop", "web")


def test_every_case_live_as_recorded(serve):
    """Over HTTP each recorded cluster gets the same root and findings as from its files."""
    for folder in sorted(CASES.iterdir()):
        truth = json.loads((folder / "truth.json").read_text())
        cluster = serve(folder.name)
        client = Subject("Pod", truth["namespace"], truth["client"])
        gathered, diagnosis = ask(cluster, truth["namespace"], truth["service"], client)
        recorded = structs.replace(archive.load(folder), node_rules={})  # nothing reads them live yet
        wanted = diagnose(Case(recorded, Target(truth["namespace"], truth["service"], client=client)))
        assert diagnosis.root == wanted.root, folder.name
        assert [f.name for f in diagnosis.findings] == [f.name for f in wanted.findings], folder.name
        assert not gathered.snapshot.gaps, folder.name
