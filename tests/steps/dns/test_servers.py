"""The name servers: well, not read, and ill."""

import pytest

from svcdoctor.diagnose import diagnose
from svcdoctor.model.case import Case
from svcdoctor.model.diagnosis import Severity, Status, Subject, Target, Verdict
from tests import endpoint_controller
from tests.build import CLUSTER_DNS, COREFILE, SYSTEM, ago, container
from tests.states import crash_loop, failing_probe
from tests.steps.dns.shop import Shop, reason, root, status
from tests.steps.judging import blamed, explain, names, well

# --------------------------------------------------------------------------------------------------------------- well


@pytest.mark.parametrize("client", ["client", None])
def test_a_name_that_leads_to_its_service(client):
    made = Shop()
    diagnosis = made.judge(client)
    well(diagnosis)
    assert reason(diagnosis) == f"web.shop.svc.cluster.local gives {made.web['spec']['clusterIP']}"


def test_all_that_was_observed_is_as_it_must_be():
    made = Shop()
    address = made.web["spec"]["clusterIP"]
    made.saw(address)
    made.saw(type="AAAA")
    made.saw(address, transport="TCP")
    made.saw('"1.1.0"', name="dns-version.cluster.local.", type="TXT")
    made.said(address)
    made.resolved(address)
    made.resolv_conf = (
        f"search shop.svc.cluster.local svc.cluster.local cluster.local\nnameserver {CLUSTER_DNS}\noptions ndots:5\n"
    )
    well(made.judge())


def test_a_headless_service_gives_its_addresses():
    made = Shop(clusterIP="None")
    diagnosis = made.judge()
    well(diagnosis)
    assert reason(diagnosis).startswith("web.shop.svc.cluster.local gives 10.")


def test_other_services_answer_for_a_cluster_of_another_kind():
    """OpenShift's: another name, another namespace, another port, found by its address."""
    made = Shop()
    for plural in ("services", "pods", "configmaps", "endpointslices", "deployments", "replicasets"):
        for item in made.objects[plural]:
            if item["metadata"].get("namespace") == SYSTEM:
                item["metadata"]["namespace"] = "openshift-dns"
    made.dns["metadata"]["name"] = "dns-default"
    for item in made.objects["endpointslices"]:
        if item["metadata"]["namespace"] == "openshift-dns":
            item["metadata"]["labels"]["kubernetes.io/service-name"] = "dns-default"
    well(made.judge())


def test_a_node_as_the_client_is_not_asked():
    made = Shop()
    diagnosis = diagnose(Case(made.snapshot(), Target("shop", "web", client=Subject("Node", "", "node1"))))
    assert status(diagnosis) is Status.SKIPPED


# ----------------------------------------------------------------------------------------------------- could not look


def test_name_servers_that_were_not_read_are_no_pass():
    made = Shop()
    made.objects["services"].remove(made.dns)
    made.kubelets.clear()
    diagnosis = made.judge()
    assert diagnosis.verdict is Verdict.UNKNOWN
    assert status(diagnosis) is Status.UNKNOWN


def test_kubelets_that_were_not_read():
    made = Shop()
    made.kubelets.clear()
    diagnosis = made.judge()
    assert status(diagnosis) is Status.UNKNOWN
    gaps = [gap.what for outcome in diagnosis.outcomes for gap in outcome.gaps]
    assert gaps == ["the kubelets' clusterDNS"]


def test_kubeadms_config_map_stands_in_for_the_kubelets():
    made = Shop()
    made.kubelets.clear()
    config = f"apiVersion: kubelet.config.k8s.io/v1beta1\nclusterDNS:\n- {CLUSTER_DNS}\nclusterDomain: cluster.local\n"
    made.add("configmaps", "kubelet-config", {"data": {"kubelet": config}}, SYSTEM)
    well(made.judge())


def test_an_address_whose_service_was_not_looked_for():
    """It may be the name servers' under another name: no other namespace was read."""
    made = Shop()
    made.tell(dns=("192.0.2.53",))
    diagnosis = made.judge()
    assert status(diagnosis) is Status.UNKNOWN
    assert diagnosis.root is None


def test_a_corefile_that_was_not_read():
    made = Shop()
    made.objects["configmaps"].clear()
    assert status(made.judge()) is Status.UNKNOWN


def test_a_client_that_does_not_exist():
    diagnosis = Shop().judge("nobody")
    assert "there is no such pod" in {gap.why for outcome in diagnosis.outcomes for gap in outcome.gaps}
    assert diagnosis.verdict is Verdict.UNKNOWN


# --------------------------------------------------------------------------------------------------- the name servers


def spoil(made: Shop, state) -> None:
    for pod in made.servers:
        state(made, pod)
    made.objects["endpointslices"] = [s for s in made.objects["endpointslices"] if s["metadata"]["namespace"] != SYSTEM]
    endpoint_controller.write(made, made.dns, "IPv4", ago(600))


def test_no_name_server_is_ready():
    made = Shop()
    spoil(made, failing_probe(None, "coredns"))
    finding = blamed(made.judge(None), "dns-down")
    assert finding.subject.name == "kube-dns"
    assert "none of 2 pods behind kube-system/kube-dns is ready" in finding.summary


def test_no_name_server_is_there():
    made = Shop()
    for pod in made.servers:
        made.objects["pods"].remove(pod)
    made.objects["endpointslices"] = [s for s in made.objects["endpointslices"] if s["metadata"]["namespace"] != SYSTEM]
    finding = blamed(made.judge(), "dns-down")
    assert "no pod stands behind" in finding.summary


def test_the_name_service_itself_is_told_of_by_the_other_steps():
    made = Shop()
    spoil(made, crash_loop("coredns"))
    diagnosis = diagnose(Case(made.snapshot(), Target(SYSTEM, "kube-dns")))
    assert names(diagnosis, Severity.ERROR) == ["crash-loop"], explain(diagnosis)


LOOP = (
    '[FATAL] plugin/loop: Loop (127.0.0.1:49333 -> :53) detected for zone ".", see '
    'https://coredns.io/plugins/loop#troubleshooting. Query: "HINFO 1."'
)


def test_coredns_that_forwards_to_itself():
    made = Shop()
    spoil(made, crash_loop("coredns"))
    made.log(".:53", LOOP)
    blamed(made.judge(None), "coredns-loop")


def test_an_old_loop_in_the_log_of_a_server_that_is_ready():
    made = Shop()
    made.log(LOOP)
    well(made.judge())


FORBIDDEN = (
    "W1123 02:00:01.1 1 reflector.go:561] failed to list *v1.EndpointSlice: endpointslices.discovery.k8s.io is "
    "forbidden: "
    'User "system:serviceaccount:kube-system:coredns" cannot list resource "endpointslices" in API group '
    '"discovery.k8s.io" at the cluster scope'
)


def rights(made: Shop, *resources: str) -> None:
    rules = [{"apiGroups": ["discovery.k8s.io"], "resources": [r], "verbs": ["list", "watch"]} for r in resources]
    made.add("clusterroles", "system:coredns", {"rules": rules or None})


def test_coredns_may_not_list_slices_and_the_service_is_headless():
    made = Shop(clusterIP="None")
    made.log(FORBIDDEN, FORBIDDEN)
    rights(made, "endpoints")
    finding = blamed(made.judge(), "coredns-rbac")
    assert finding.confidence == "certain"


def test_the_same_beside_a_service_that_does_not_need_them():
    made = Shop()
    made.log(FORBIDDEN)
    rights(made)
    root(made.judge(), "coredns-rbac")


def test_rights_that_were_given_meanwhile():
    made = Shop(clusterIP="None")
    made.log(FORBIDDEN)
    rights(made, "endpointslices")
    well(made.judge())


def test_a_corefile_that_nobody_can_load():
    made = Shop()
    made.corefile(COREFILE + "}\nfoo {\n")
    root(made.judge(), "corefile-broken")


def node_cache(made: Shop, state=None) -> None:
    made.workload(
        "DaemonSet",
        "node-local-dns",
        {"k8s-app": "node-local-dns"},
        container("node-cache"),
        namespace=SYSTEM,
        **({"state": state} if state else {}),
    )


def test_a_node_cache_that_is_well():
    made = Shop()
    node_cache(made)
    made.tell(dns=("169.254.20.10",))
    well(made.judge())


def test_a_node_cache_that_runs_nowhere():
    made = Shop()
    node_cache(made, crash_loop("node-cache"))
    made.tell(dns=("169.254.20.10",))
    blamed(made.judge(None), "nodelocal-broken")


def test_a_node_cache_that_fails_on_another_node():
    made = Shop()
    node_cache(made, [None, crash_loop("node-cache")])
    made.tell(dns=("169.254.20.10",))
    diagnosis = made.judge(None)
    assert diagnosis.root == "nodelocal-broken"
    assert diagnosis.verdict is Verdict.DEGRADED
    well(made.judge())  # the client is on the first node


def test_a_node_caches_address_without_the_cache():
    made = Shop()
    made.tell(dns=("169.254.20.10",))
    blamed(made.judge(), "nodelocal-broken")
